//! Emergencies, and what is marked as compromised later (rules 9 and 10).

use super::*;

impl Model {
    /// Rule 9: one call, refused only for an unknown secret.
    pub(super) fn emergency(
        &mut self,
        actor: Actor,
        client: usize,
        id: u32,
        replacement: Option<&New>,
    ) -> Answers {
        if !may_see(actor, &self.clients[client]) {
            return refused(&["UnknownClient"]);
        }
        let t = self.clients[client].instant(self.now);
        let mut after = self.clone();
        after.commit(actor, client, t);
        let found = &mut after.clients[client];
        let mut changed = false;
        if let Some(secret) = found.secrets.iter().find(|secret| secret.id == id) {
            let (id, text) = (secret.id, secret.text);
            found.secrets.retain(|secret| secret.id != id);
            found.promotions.retain(|one| one.secret != id);
            found.give_up_for_good(id);
            found.dead.push(Dead { id, text, compromised: false });
            found.steps += 1;
        }
        match found.dead.iter().find(|dead| dead.id == id).map(|dead| dead.compromised) {
            None => return refused(&["UnknownSecret"]),
            Some(true) => {}
            Some(false) => {
                found.condemn(id);
                changed = true;
            }
        }
        let answers = match replacement {
            None => vec![Answer::Deleted],
            Some(_) if found.deleted => vec![Answer::NotReplaced("ClientDeleted")],
            Some(new) => {
                let mut against = vec![];
                let validity = validity(new, t, &mut against);
                after.refuse_many(client, t, &mut against);
                match validity {
                    Some((from, until)) if against.is_empty() => {
                        let text = after.next_text();
                        changed = true;
                        let client = &mut after.clients[client];
                        let id = client.put(t, text, new.signs, from, until, new.label, None);
                        vec![Answer::Replaced(id)]
                    }
                    _ => against.iter().map(|why| Answer::NotReplaced(why)).collect(),
                }
            }
        };
        if changed {
            *self = after;
        }
        answers
    }

    /// Rule 10, also after the client's deletion.
    pub(super) fn mark(&mut self, actor: Actor, client: usize, id: u32) -> Answers {
        let found = &self.clients[client];
        if !may_see(actor, found) {
            return refused(&["UnknownClient"]);
        }
        let mut against = vec![];
        if actor != Actor::Operator && found.is_ahead(self.now) {
            against.push("ClockBehind");
        }
        let dead = found.dead.iter().find(|dead| dead.id == id);
        if found.secret(id).is_some() {
            against.push("NotDeleted");
        } else if dead.is_none() {
            against.push("UnknownSecret");
        }
        if !against.is_empty() {
            return refused(&against);
        }
        if dead.is_some_and(|dead| dead.compromised) {
            return vec![Answer::Unchanged];
        }
        let t = found.instant(self.now);
        self.commit(actor, client, t);
        self.clients[client].condemn(id);
        vec![Answer::Changed]
    }
}
