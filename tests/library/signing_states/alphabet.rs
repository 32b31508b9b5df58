//! The alphabet: which commands are tried in a state, and where each one leads.

use std::sync::Arc;

use client_registry::client::{Client, ClientState, Decision, ImportedSecret, LastUses};
use client_registry::secret::KeyEncoding;
use client_registry::value::Validity;
use client_registry::{ClientSecret, Days, Lifetime, NewSecret, Purpose, Secret, SecretId};

use super::{Ground, State};
use crate::rules::naive::Fact;
use crate::support::{foreign_text, into_client};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    Add { from: usize, until: Option<usize>, purpose: Purpose },
    Disable(SecretId),
    Enable(SecretId),
    Delete(SecretId),
    Promote(SecretId),
    Schedule(SecretId, usize),
    Withdraw(SecretId),
    Wait,
}

impl Ground {
    pub(super) fn commands(&self, state: &State) -> Vec<Command> {
        let mut commands = Vec::new();
        let count = self.instants.len();
        if state.now + 1 < count {
            commands.push(Command::Wait);
        }
        if state.client.secrets().len() < self.max_secrets {
            for purpose in [Purpose::SigningAndPassword, Purpose::PasswordOnly] {
                for from in 0..count {
                    let ends = (from + 1..count).map(Some).chain([None]);
                    commands.extend(ends.map(|until| Command::Add { from, until, purpose }));
                }
            }
        }
        for id in state.client.secrets().map(Secret::id) {
            commands.extend([Command::Disable(id), Command::Enable(id), Command::Delete(id)]);
            commands.extend([Command::Promote(id), Command::Withdraw(id)]);
            commands.extend((state.now + 1..count).map(|at| Command::Schedule(id, at)));
        }
        commands
    }

    /// The state that a command leads to, unless the rules refuse it or nothing changes.
    pub(super) fn apply(&self, state: &State, command: Command) -> Option<State> {
        if command == Command::Wait {
            return Some(State { now: state.now + 1, ..state.clone() });
        }
        let now = self.instants[state.now];
        let context = self.desk.at(now);
        let client = &state.client;
        let (transition, fact) = match command {
            Command::Add { from, until, purpose } => {
                return self.add(state, from, until, purpose);
            }
            Command::Disable(secret) => {
                let uses = LastUses::default();
                let plan = client.plan_disabling(secret, &uses, &context).ok()?;
                (client.confirm(&plan, &uses, &context).ok()?, Fact::Disabled { secret })
            }
            Command::Enable(secret) => {
                (client.enable(secret, &context).ok()?, Fact::Enabled { secret, at: now })
            }
            Command::Delete(secret) => {
                let deleted = client.delete_in_emergency(secret, None, &context);
                (deleted.expect("an emergency deletion is not refused").0, Fact::Deleted { secret })
            }
            Command::Promote(secret) => {
                let promoted = Fact::Promoted { secret, made: now, from: now };
                (client.promote(secret, &context).ok()?, promoted)
            }
            Command::Schedule(secret, at) => {
                let at = self.instants[at];
                let scheduled = Fact::Promoted { secret, made: now, from: at };
                (client.schedule_promotion(secret, at, &context).ok()?, scheduled)
            }
            Command::Withdraw(secret) => {
                (client.withdraw_promotion(secret, &context).ok()?, Fact::Withdrawn { secret, at: now })
            }
            Command::Wait => unreachable!("handled above"),
        };
        let unchanged = transition_is_idle(command, &transition);
        let client = match transition.change() {
            Some(change) => Arc::new(active(change.into_parts().0)),
            None if unchanged => return None,
            None => Arc::clone(client),
        };
        let mut facts = state.facts.clone();
        facts.push(fact);
        Some(State { client, facts, now: state.now, added: state.added })
    }

    fn add(&self, state: &State, from: usize, until: Option<usize>, purpose: Purpose) -> Option<State> {
        let now = self.instants[state.now];
        let context = self.desk.at(now);
        let (begins, ends) = (self.instants[from], until.map(|until| self.instants[until]));
        let transition = if from < state.now {
            let text = ClientSecret::parse(&foreign_text(state.added)).unwrap();
            let validity = Validity::new(begins, ends).unwrap();
            let secret = ImportedSecret::new(text, validity, KeyEncoding::Utf8).for_purpose(purpose);
            state.client.import_secret(&secret, &context).unwrap()
        } else {
            let days = |until: usize| Lifetime::Days(Days::new(u32::try_from(until - from).unwrap()));
            let lifetime = until.map_or(Lifetime::Unlimited, days);
            let new = NewSecret::lasting(lifetime).for_purpose(purpose).starting(begins);
            state.client.add_secret(&new, &self.generated[state.added], &context).unwrap()
        };
        let client = into_client(transition);
        let secret = client.secrets().last().unwrap().id();
        let mut facts = state.facts.clone();
        facts.push(Fact::Added { secret, at: now, from: begins, until: ends, signs: purpose.signs() });
        Some(State { client: Arc::new(client), facts, now: state.now, added: state.added + 1 })
    }
}

/// Whether a command that changed nothing has nothing to say to the rule either. A promotion always has: the seller
/// chose, and who chose last wins.
fn transition_is_idle(command: Command, transition: &Decision) -> bool {
    let chooses = matches!(command, Command::Promote(_) | Command::Schedule(..));
    crate::support::is_unchanged(transition) && !chooses
}

fn active(state: ClientState) -> Client {
    match state {
        ClientState::Active(client) => client,
        ClientState::Deleted(_) => panic!("no command here deletes a client"),
    }
}
