//! Registering and changing details (rules 13 and 15).

use super::*;

impl Model {
    pub(super) fn register(
        &mut self,
        actor: Actor,
        seller: u8,
        name: Name,
        china: bool,
        new: &New,
    ) -> Answers {
        let t = self.now;
        let mut against = vec![];
        if let Actor::Seller(other) = actor
            && other != seller
        {
            unreachable!("a seller registers for itself");
        }
        if name.url > 0 {
            against.push("RedirectNotAllowed");
        }
        let validity = validity(new, t, &mut against);
        self.refuse_name(seller, name, None, &mut against);
        let (true, Some((from, until))) = (against.is_empty(), validity) else {
            return refused(&against);
        };
        let mut client = blank(None, seller, name, china, t);
        client.steps += 1;
        let text = Text::Generated(self.texts);
        self.texts += 1;
        let id = client.put(t, text, new.signs, from, until, new.label, None);
        client.revision = 1;
        self.clients.push(client);
        vec![Answer::Issued(id)]
    }

    pub(super) fn change_details(&mut self, actor: Actor, client: usize, name: Name) -> Answers {
        let (t, mut against) = match self.admit(actor, client) {
            Ok(admitted) => admitted,
            Err(answers) => return answers,
        };
        if against.is_empty() && self.clients[client].name == name {
            return vec![Answer::Unchanged];
        }
        if name.url > 0 && self.clients[client].name.url != name.url {
            against.push("RedirectNotAllowed");
        }
        self.refuse_name(self.clients[client].owner, name, Some(client), &mut against);
        if !against.is_empty() {
            return refused(&against);
        }
        self.commit(actor, client, t);
        let client = &mut self.clients[client];
        client.name = name;
        client.steps += 1;
        vec![Answer::Changed]
    }

    /// Rule 15.
    pub(super) fn refuse_name(
        &self,
        seller: u8,
        name: Name,
        but: Option<usize>,
        against: &mut Vec<&'static str>,
    ) {
        let same =
            |client: &Client| !client.deleted && client.owner == seller && client.name.number == name.number;
        if (0..self.clients.len()).any(|other| Some(other) != but && same(&self.clients[other])) {
            against.push("NameTaken");
        }
    }
}
