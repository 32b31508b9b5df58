//! Add-ins (rules 1, 2, 14 and 20).

use super::*;

impl Model {
    /// Rules 1 and 2.
    pub(super) fn associate(&mut self, actor: Actor, client: usize, add_in: u8) -> Answers {
        let (t, mut against) = match self.admit(actor, client) {
            Ok(admitted) => admitted,
            Err(answers) => return answers,
        };
        if (add_in % 2 == 1) != self.clients[client].china {
            against.push("AvailabilityDiffers");
        }
        if let Some(holder) = self.clients.iter().position(|other| other.add_ins.contains(&add_in))
            && holder != client
        {
            // Named only to an actor that may see it.
            let named = may_see(actor, &self.clients[holder]);
            against.push(if named { "AddInTaken, named" } else { "AddInTaken" });
        }
        if !against.is_empty() {
            return refused(&against);
        }
        if self.clients[client].add_ins.contains(&add_in) {
            return vec![Answer::Unchanged];
        }
        self.commit(actor, client, t);
        self.clients[client].take_in(add_in);
        self.clients[client].steps += 1;
        vec![Answer::Changed]
    }

    pub(super) fn dissociate(&mut self, actor: Actor, client: usize, add_in: u8) -> Answers {
        let (t, against) = match self.admit(actor, client) {
            Ok(admitted) => admitted,
            Err(answers) => return answers,
        };
        if !against.is_empty() {
            return refused(&against);
        }
        if !self.clients[client].add_ins.contains(&add_in) {
            return vec![Answer::Unchanged];
        }
        self.commit(actor, client, t);
        self.clients[client].add_ins.retain(|held| *held != add_in);
        self.clients[client].steps += 1;
        vec![Answer::Changed]
    }

    /// Rule 14.
    pub(super) fn move_add_in(&mut self, actor: Actor, from: usize, to: usize, add_in: u8) -> Answers {
        let (one, other) = match (self.admit(actor, from), self.admit(actor, to)) {
            (Ok(one), Ok(other)) => (one, other),
            (Err(one), Err(other)) => return [one, other].concat(),
            (Err(answers), _) | (_, Err(answers)) => return answers,
        };
        let t = one.0.max(other.0);
        let mut against = [one.1, other.1].concat();
        let (leaves, comes) = (&self.clients[from], &self.clients[to]);
        if leaves.owner != comes.owner {
            against.push("OtherOwner");
        }
        if leaves.china != comes.china {
            against.push("AvailabilityDiffers");
        }
        if against.is_empty() && comes.add_ins.contains(&add_in) {
            return vec![Answer::Unchanged];
        }
        if !comes.add_ins.contains(&add_in) {
            if !leaves.add_ins.contains(&add_in) {
                against.push("NotAssociated");
            }
            if comes.suspended.is_some() {
                against.push("Suspended");
            }
            if comes.valid(t, self.fault).is_empty() {
                against.push("NoValidSecret");
            }
        }
        if !against.is_empty() {
            return refused(&against);
        }
        self.commit(actor, from, t);
        self.commit(actor, to, t);
        self.clients[from].add_ins.retain(|held| *held != add_in);
        self.clients[from].steps += 1;
        self.clients[to].take_in(add_in);
        self.clients[to].steps += 1;
        vec![Answer::Changed]
    }
}
