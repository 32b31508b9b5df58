//! Who gets in, who signs, and what is found (rules 5, 6, 10, 15 and 20).

use super::*;

impl Model {
    /// Rules 5, 10 and 20.
    pub(crate) fn authenticate(&mut self, client: Option<usize>, present: Present) -> Answer {
        let Some(client) = client else {
            return Answer::Denied("UnknownClient", None);
        };
        let (now, fault) = (self.now, self.fault);
        let found = &mut self.clients[client];
        let t = found.instant(now);
        if let Present::Exactly(text) = present {
            if let Some(secret) = found.secrets.iter().find(|secret| secret.text == text) {
                let (id, state, ends) = (secret.id, secret.state(t, fault), secret.until);
                if state != "NotYetStarted" {
                    found.note_use(id, t);
                }
                if state != "Valid" {
                    return Answer::Denied(state, Some(id));
                }
                if found.suspended.is_some() && fault != Fault::SuspendedEnters {
                    return Answer::Denied("Suspended", Some(id));
                }
                let signs = found.signing(t, fault).is_some_and(|(signing, _)| signing == id);
                let newer = found.valid(t, fault).into_iter().filter(|other| *other > id).max();
                let (owner, attributes) = (found.owner, found.attributes);
                return Answer::In { secret: id, signs, newer, ends, owner, attributes };
            }
            if let Some(dead) = found.dead.iter().find(|dead| dead.text == text) {
                let reason = match (dead.compromised, found.deleted) {
                    (true, _) => "Compromised",
                    (false, true) => "ClientDeleted",
                    (false, false) => "Deleted",
                };
                return Answer::Denied(reason, Some(dead.id));
            }
        }
        let reason = match present {
            _ if found.deleted => "ClientDeleted",
            Present::Beginning(Text::Generated(_))
            | Present::Extended(Text::Generated(_))
            | Present::Mistyped(Text::Generated(_)) => "Mistyped",
            Present::Number(_) => "LooksLikeSecretId",
            _ => "Wrong",
        };
        Answer::Denied(reason, None)
    }

    /// Rules 5 and 20. It is not a use.
    pub(super) fn is_alive(&self, client: usize, secret: u32) -> Answer {
        let found = &self.clients[client];
        let valid = found.valid(found.instant(self.now), self.fault).contains(&secret);
        Answer::Alive(valid && found.suspended.is_none() && !found.deleted)
    }

    pub(crate) fn present_all(&mut self, client: usize) -> Answer {
        let issued = (0..self.texts).map(Text::Generated);
        let all: Vec<_> = issued.chain((0..7).map(Text::Pool)).collect();
        let answers = all.into_iter().map(|text| self.authenticate(Some(client), Present::Exactly(text)));
        Answer::Several(answers.collect())
    }

    /// Rules 6 and 20.
    pub(super) fn sign(&mut self, client: usize, one: bool) -> Answer {
        let found = &self.clients[client];
        if found.deleted {
            return Answer::Refused("ClientDeleted");
        }
        if found.suspended.is_some() && self.fault != Fault::SuspendedSigns {
            return Answer::Refused("Suspended");
        }
        let mut signers = found.signers(found.instant(self.now), self.fault);
        if one {
            signers.truncate(1);
        }
        if signers.is_empty() {
            return Answer::Refused("NoSigningSecret");
        }
        self.signatures.extend(signers.iter().map(|secret| Signed { client, secret: *secret }));
        Answer::SignedBy(signers)
    }

    pub(super) fn verify(&self, signature: usize, forged: bool) -> Answer {
        let Signed { client, secret: id } = self.signatures[signature];
        let found = &self.clients[client];
        let t = found.instant(self.now);
        let reason = match found.secret(id) {
            _ if found.deleted => "ClientDeleted",
            Some(secret) => match secret.state(t, self.fault) {
                "Valid" if !secret.signs => "CannotSign",
                "Valid" if forged => "Wrong",
                // The reason is only theirs that would have passed.
                "Valid" if found.suspended.is_some() => "Suspended",
                "Valid" => return Answer::Verified(id),
                state => state,
            },
            None => match found.dead.iter().find(|dead| dead.id == id) {
                // Anybody can name a secret: that is no alarm.
                Some(_) => "Deleted",
                None => "Wrong",
            },
        };
        Answer::Denied(reason, Some(id))
    }

    pub(super) fn verify_any(&self, signature: usize, forged: bool) -> Answer {
        let Signed { client, secret } = self.signatures[signature];
        let found = &self.clients[client];
        if found.deleted {
            return Answer::Denied("ClientDeleted", None);
        }
        match found.signers(found.instant(self.now), self.fault).contains(&secret) && !forged {
            true if found.suspended.is_some() => Answer::Denied("Suspended", Some(secret)),
            true => Answer::Verified(secret),
            false => Answer::Denied("Wrong", None),
        }
    }

    pub(crate) fn named(&self, seller: u8, name: Name) -> Answer {
        let same =
            |client: &Client| !client.deleted && client.owner == seller && client.name.number == name.number;
        Answer::Clients(self.those(same))
    }

    pub(crate) fn client_of(&self, actor: Actor, add_in: u8) -> Answer {
        Answer::Clients(self.those(|client| client.add_ins.contains(&add_in) && may_see(actor, client)))
    }

    pub(super) fn those(&self, wanted: impl Fn(&Client) -> bool) -> Vec<usize> {
        (0..self.clients.len()).filter(|client| wanted(&self.clients[*client])).collect()
    }
}
