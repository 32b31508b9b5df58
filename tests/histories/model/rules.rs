//! What each command comes to, as the rules say. Where several rules stand against a command, any of them may be named.

mod access;
mod add_ins;
mod client;
mod details;
mod import;
mod leaks;
mod life;
mod overlap;
mod plans;
mod removal;
mod secrets;

use self::client::blank;
use self::secrets::validity;
use crate::model::answer::{Answer, Planned, refused};
use crate::model::command::{Command, Name};
use crate::model::naive::*;

type Answers = Vec<Answer>;

impl Model {
    /// Carries a command out, and answers with what it may have answered.
    pub(crate) fn obey(&mut self, command: &Command) -> Answers {
        match command {
            Command::Register { actor, seller, name, china, new } => {
                self.register(*actor, *seller, *name, *china, new)
            }
            Command::ChangeDetails { actor, client, name } => self.change_details(*actor, *client, *name),
            Command::Add { actor, client, new } => self.add(*actor, *client, new),
            Command::Rotate { actor, client, rotate } => self.rotate(*actor, *client, rotate),
            Command::Plan { actor, client, kind } => self.keep_plan(*actor, *client, *kind),
            Command::ConfirmLatest { actor, client } => match self.clients[*client].plan.take() {
                Some((kind, revision, plan)) => self.confirm(*actor, *client, kind, revision, &plan),
                None => vec![Answer::NoPlan],
            },
            Command::PlanAndConfirm { actor, client, kind } => self.plan_and_confirm(*actor, *client, *kind),
            Command::AtOnce { actor, client, kind } => self.at_once(*actor, *client, *kind),
            Command::CleanUp { actor, client, secrets } => {
                let deletions = secrets.iter().map(|id| PlanKind::Deletion(*id));
                let answers = deletions.map(|kind| self.plan_and_confirm(*actor, *client, kind));
                // Nothing else can stand in the way twice: each has one answer.
                vec![Answer::Several(answers.map(|mut answers| answers.remove(0)).collect())]
            }
            Command::Enable { actor, client, secret } => self.enable(*actor, *client, *secret),
            Command::Promote { actor, client, secret } => {
                let t = self.clients[*client].instant(self.now);
                self.schedule(*actor, *client, *secret, t)
            }
            Command::Schedule { actor, client, secret, at } => self.schedule(*actor, *client, *secret, *at),
            Command::Withdraw { actor, client, secret } => self.withdraw(*actor, *client, *secret),
            Command::Emergency { actor, client, secret, replacement } => {
                self.emergency(*actor, *client, *secret, replacement.as_ref())
            }
            Command::MarkCompromised { actor, client, secret } => self.mark(*actor, *client, *secret),
            Command::ImportSecret { actor, client, import } => self.import_secret(*actor, *client, import),
            Command::ImportClient { id, seller, name, china, imports, add_ins } => {
                self.import_client(*id, *seller, *name, *china, imports, add_ins)
            }
            Command::Associate { actor, client, add_in } => self.associate(*actor, *client, *add_in),
            Command::Dissociate { actor, client, add_in } => self.dissociate(*actor, *client, *add_in),
            Command::Move { actor, client, to, add_in } => self.move_add_in(*actor, *client, *to, *add_in),
            Command::Suspend { actor, client } => self.suspend(*actor, *client),
            Command::Resume { actor, client } => self.resume(*actor, *client),
            Command::Transfer { client, to } => self.transfer(*client, *to),
            Command::Attach { actor, client, attached } => self.attach(*actor, *client, *attached),
            Command::IsAlive { client, secret } => vec![self.is_alive(*client, *secret)],
            Command::FindLeaked { .. } => vec![self.find_leaked()],
            Command::DeleteLeaked { text } => vec![self.delete_leaked(*text)],
            Command::Authenticate { client, present } => vec![self.authenticate(*client, *present)],
            Command::PresentAll { client } => vec![self.present_all(*client)],
            Command::Sign { client } => vec![self.sign(*client, true)],
            Command::SignAll { client } => vec![self.sign(*client, false)],
            Command::Verify { signature, forged } => vec![self.verify(*signature, *forged)],
            Command::VerifyAny { signature, forged } => vec![self.verify_any(*signature, *forged)],
            Command::Named { seller, name } => vec![self.named(*seller, *name)],
            Command::ClientOf { actor, add_in } => vec![self.client_of(*actor, *add_in)],
            Command::Page { actor, .. } => {
                let was_its = |client: &Client| match *actor {
                    Actor::Seller(seller) => client.transferred.is_some_and(|(_, from)| from == seller),
                    Actor::Operator => false,
                };
                let stays = |client: &Client| self.fault == Fault::OldSellerLists && was_its(client);
                let seen = |client: &Client| !client.deleted && (may_see(*actor, client) || stays(client));
                vec![Answer::Clients(self.those(seen))]
            }
            Command::History { actor, client } => {
                let client = &self.clients[*client];
                vec![match may_see(*actor, client) {
                    true => Answer::Commits(client.revision),
                    false => Answer::Refused("UnknownClient"),
                }]
            }
            Command::SetClock { to } => {
                self.now = *to;
                vec![Answer::Changed]
            }
        }
    }

    /// Rules 15 and 19: the instant of a command and what stands against it, or why there is nothing to decide.
    fn admit(&self, actor: Actor, client: usize) -> Result<(i64, Vec<&'static str>), Answers> {
        let client = &self.clients[client];
        if !may_see(actor, client) {
            return Err(refused(&["UnknownClient"]));
        }
        if client.deleted {
            return Err(refused(&["ClientDeleted"]));
        }
        let behind = actor != Actor::Operator && client.is_ahead(self.now);
        let against = if behind { vec!["ClockBehind"] } else { vec![] };
        Ok((client.instant(self.now), against))
    }

    /// What every commit does. Nothing goes because of what the clock says (rule 19); only an operator sets a client's clock
    /// back.
    fn commit(&mut self, actor: Actor, client: usize, t: i64) {
        let client = &mut self.clients[client];
        client.revision += 1;
        client.settled = t.min(client.changed_at);
        client.changed_at = if actor == Actor::Operator { t } else { t.max(client.changed_at) };
    }
}

fn may_see(actor: Actor, client: &Client) -> bool {
    match actor {
        Actor::Seller(seller) => client.owner == seller,
        Actor::Operator => true,
    }
}
