//! Suspending and resuming, transferring, and attributes (rules 20, 22 and 24).

use super::*;

impl Model {
    /// Rule 20.
    pub(super) fn suspend(&mut self, actor: Actor, client: usize) -> Answers {
        let (t, against) = match self.admit(actor, client) {
            Ok(admitted) => admitted,
            Err(answers) => return answers,
        };
        if !against.is_empty() {
            return refused(&against);
        }
        // An operator's takes the place of a seller's, and nothing else does.
        let is_so = match self.clients[client].suspended {
            None => false,
            Some((_, by_operator)) => by_operator || actor != Actor::Operator,
        };
        if is_so {
            return vec![Answer::Unchanged];
        }
        self.commit(actor, client, t);
        self.clients[client].suspended = Some((t, actor == Actor::Operator));
        self.clients[client].steps += 1;
        vec![Answer::Changed]
    }

    /// Rule 20.
    pub(super) fn resume(&mut self, actor: Actor, client: usize) -> Answers {
        let (t, mut against) = match self.admit(actor, client) {
            Ok(admitted) => admitted,
            Err(answers) => return answers,
        };
        let suspended = self.clients[client].suspended;
        let by_operator = suspended.is_some_and(|(_, by_operator)| by_operator);
        if by_operator && actor != Actor::Operator && self.fault != Fault::SellerLifts {
            against.push("SuspendedByOperator");
        }
        if !against.is_empty() {
            return refused(&against);
        }
        if suspended.is_none() {
            return vec![Answer::Unchanged];
        }
        self.commit(actor, client, t);
        self.clients[client].suspended = None;
        self.clients[client].steps += 1;
        vec![Answer::Changed]
    }

    /// Rule 22. Only an operator has the command.
    pub(super) fn transfer(&mut self, client: usize, to: u8) -> Answers {
        let (t, mut against) = match self.admit(Actor::Operator, client) {
            Ok(admitted) => admitted,
            Err(answers) => return answers,
        };
        let (from, name) = (self.clients[client].owner, self.clients[client].name);
        if from == to {
            return vec![Answer::Unchanged];
        }
        self.refuse_name(to, name, Some(client), &mut against);
        if !against.is_empty() {
            return refused(&against);
        }
        self.commit(Actor::Operator, client, t);
        let client = &mut self.clients[client];
        client.owner = to;
        client.transferred = Some((t, from));
        client.steps += 1;
        vec![Answer::Changed]
    }

    /// Rule 24. Attributes are public, so none holds a client secret (rule 8).
    pub(super) fn attach(&mut self, actor: Actor, client: usize, attached: Attached) -> Answers {
        let (t, mut against) = match self.admit(actor, client) {
            Ok(admitted) => admitted,
            Err(answers) => return answers,
        };
        if matches!(attached, Attached::ClientSecret(_)) {
            against.push("Invalid");
        }
        let (true, Attached::Set(number)) = (against.is_empty(), attached) else {
            return refused(&against);
        };
        if self.clients[client].attributes == number {
            return vec![Answer::Unchanged];
        }
        self.commit(actor, client, t);
        self.clients[client].attributes = number;
        self.clients[client].steps += 1;
        vec![Answer::Changed]
    }
}
