//! Moving in (rule 18).

use super::*;

impl Model {
    /// Rule 18.
    pub(super) fn import_secret(&mut self, actor: Actor, client: usize, import: &Import) -> Answers {
        let (t, mut against) = match self.admit(actor, client) {
            Ok(admitted) => admitted,
            Err(answers) => return answers,
        };
        refuse_text(import, &mut against);
        let found = &self.clients[client];
        if found.dead.iter().any(|dead| dead.text == import.text) {
            against.push("Remembered");
        }
        let known = found.secrets.iter().find(|secret| secret.text == import.text);
        if let Some(known) = known {
            if !is_same(known, import) {
                against.push("SecretExists");
            }
            if !against.is_empty() {
                return refused(&against);
            }
            let id = known.id;
            let signs = self.clients[client].signing(t, self.fault).map(|(id, _)| id);
            if import.signs_today && signs != Some(id) {
                return refused(&["SecretExists"]);
            }
            return vec![Answer::Secret(id)];
        }
        if import.until.is_none_or(|until| t < until) {
            self.refuse_many(client, t, &mut against);
        }
        refuse_signing_today(import, t, &mut against);
        if self.clients[client].would_lose(t, import) {
            against.push("EndedLongAgo");
        }
        if !against.is_empty() {
            return refused(&against);
        }
        self.commit(actor, client, t);
        vec![Answer::Secret(self.clients[client].move_in(t, import))]
    }

    /// Rule 18.
    pub(super) fn import_client(
        &mut self,
        id: u8,
        seller: u8,
        name: Name,
        china: bool,
        imports: &[Import],
        add_ins: &[u8],
    ) -> Answers {
        let there = self.clients.iter().position(|client| client.imported == Some(id));
        let mut against = vec![];
        for (position, import) in imports.iter().enumerate() {
            refuse_text(import, &mut against);
            if imports[..position].iter().any(|other| other.text == import.text) {
                against.push("NamedTwice");
            }
        }
        if imports.iter().filter(|import| import.signs_today).count() > 1 {
            against.push("NamedTwice");
        }
        if let Some(there) = there {
            return self.import_again(there, (seller, name, china), imports, add_ins, against);
        }
        let t = self.now;
        if name.url > 0 {
            against.push("RedirectNotAllowed");
        }
        self.refuse_name(seller, name, None, &mut against);
        for import in imports {
            refuse_signing_today(import, t, &mut against);
        }
        let running = imports.iter().filter(|import| import.until.is_none_or(|until| t < until));
        if running.count() > 5 {
            against.push("TooManySecrets");
        }
        for add_in in add_ins {
            if (add_in % 2 == 1) != china {
                against.push("AvailabilityDiffers");
            }
            if self.clients.iter().any(|client| client.add_ins.contains(add_in)) {
                against.push("AddInTaken, named");
            }
        }
        if !against.is_empty() {
            return refused(&against);
        }
        let mut client = blank(Some(id), seller, name, china, t);
        client.steps += 1;
        let mut in_order: Vec<_> = imports.iter().collect();
        in_order.sort_by_key(|import| import.from);
        for import in in_order {
            if !client.would_lose(t, import) {
                client.move_in(t, import);
            }
        }
        add_ins.iter().for_each(|add_in| client.take_in(*add_in));
        client.steps += add_ins.len() as u64;
        client.revision = 1;
        self.clients.push(client);
        vec![Answer::Changed]
    }

    pub(super) fn import_again(
        &self,
        there: usize,
        details: (u8, Name, bool),
        imports: &[Import],
        add_ins: &[u8],
        mut against: Vec<&'static str>,
    ) -> Answers {
        let found = &self.clients[there];
        if found.deleted {
            return refused(&["ClientDeleted"]);
        }
        let t = found.instant(self.now);
        if details != (found.owner, found.name, found.china)
            || add_ins.iter().any(|add_in| !found.add_ins.contains(add_in))
        {
            against.push("ClientExists");
        }
        for import in imports {
            if found.dead.iter().any(|dead| dead.text == import.text) {
                against.push("Remembered");
                continue;
            }
            match found.secrets.iter().find(|secret| secret.text == import.text) {
                None if found.would_lose(t, import) => {}
                None => against.push("ClientExists"),
                Some(secret) if !is_same(secret, import) => against.push("SecretExists"),
                Some(secret) => {
                    let signs = found.signing(t, self.fault).map(|(id, _)| id);
                    if import.signs_today && signs != Some(secret.id) {
                        against.push("ClientExists");
                    }
                }
            }
        }
        if against.is_empty() { vec![Answer::Unchanged] } else { refused(&against) }
    }
}

/// Rules 8 and 18: which of the texts that are moved in may not be.
pub(super) fn refuse_text(import: &Import, against: &mut Vec<&'static str>) {
    if matches!(import.text, Text::Pool(3 | 4)) {
        against.push("Weak");
    }
    if import.base64 && import.text != BASE64_TEXT {
        against.push("Invalid");
    }
}

pub(super) fn refuse_signing_today(import: &Import, t: i64, against: &mut Vec<&'static str>) {
    if import.signs_today {
        if !import.signs {
            against.push("CannotSign");
        }
        if t < import.from || import.until.is_some_and(|until| until <= t) {
            against.push("NotValidThen");
        }
    }
}

pub(super) fn is_same(secret: &Secret, import: &Import) -> bool {
    let encoding = secret.imported.map(|(_, base64)| base64);
    encoding == Some(import.base64)
        && (secret.signs, secret.from, secret.until, secret.label)
            == (import.signs, import.from, import.until, import.label)
}
