//! Leaked client secrets: whose they are, and their deletion (rule 23).

use super::*;
use crate::model::answer::Leak;

impl Model {
    /// Of every text that was ever issued or moved in, of one with a slip, and of one that is nobody's.
    pub(crate) fn find_leaked(&self) -> Answer {
        let issued = (0..self.texts).map(Text::Generated);
        let known = issued.chain((0..7).map(Text::Pool));
        let mut found: Vec<_> = known.map(|text| (self.leaks_of(text), "NotOurs")).collect();
        if self.texts > 0 {
            found.push((vec![], "Mistyped"));
        }
        found.push((vec![], "NotOurs"));
        for (leaks, looks) in &mut found {
            if !leaks.is_empty() {
                *looks = "Ours";
            }
        }
        Answer::Leaks(found)
    }

    /// Everything that a client has or remembers is found, whatever its state.
    fn leaks_of(&self, text: Text) -> Vec<Leak> {
        let mut leaks = vec![];
        for (number, client) in self.clients.iter().enumerate() {
            let t = client.instant(self.now);
            for secret in client.secrets.iter().filter(|secret| secret.text == text) {
                leaks.push((number, client.owner, secret.id, secret.state(t, self.fault)));
            }
            for dead in client.dead.iter().filter(|dead| dead.text == text) {
                let state = if dead.compromised { "Compromised" } else { "Deleted" };
                if self.fault != Fault::DeadNotFound {
                    leaks.push((number, client.owner, dead.id, state));
                }
            }
        }
        leaks
    }

    /// An emergency for each that is found.
    pub(super) fn delete_leaked(&mut self, text: Text) -> Answer {
        let mut answers = vec![];
        for (client, _, secret, _) in self.leaks_of(text) {
            answers.extend(self.emergency(Actor::Operator, client, secret, None));
        }
        Answer::Several(answers)
    }
}
