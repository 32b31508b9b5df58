//! Plans, and what confirming them comes to.

use client_registry::client::{ClientDeletion, Obstacle, SecretDeletion, SecretDisabling};
use client_registry::registry::ConfirmError;
use client_registry::*;

use super::refusals::refused;
use super::{System, add_in_number, number, secret_id};
use crate::model::answer::{Answer, Planned};
use crate::model::home::Home;
use crate::model::naive::{Actor, PlanKind};
use crate::support::block_on;

pub(super) enum AnyPlan {
    Deletion(Plan<SecretDeletion>),
    Disabling(Plan<SecretDisabling>),
    Client(Plan<ClientDeletion>),
}

impl<S: Home> System<S> {
    pub(super) fn plan(
        &self,
        actor: Actor,
        client: usize,
        kind: PlanKind,
    ) -> Result<(AnyPlan, Planned), Error> {
        let handle = self.handle(actor, client);
        Ok(match kind {
            PlanKind::Deletion(id) => {
                let plan = block_on(handle.plan_deletion(secret_id(id)))?;
                let planned = Planned {
                    signs: number(plan.signs()),
                    next: number(plan.signs_next()),
                    valid: plan.valid_left().iter().map(|id| id.number()).collect(),
                    ..about(&plan)
                };
                (AnyPlan::Deletion(plan), planned)
            }
            PlanKind::Disabling(id) => {
                let plan = block_on(handle.plan_disabling(secret_id(id)))?;
                let planned = Planned {
                    signs: number(plan.signs()),
                    next: number(plan.signs_next()),
                    valid: plan.valid_left().iter().map(|id| id.number()).collect(),
                    ..about(&plan)
                };
                (AnyPlan::Disabling(plan), planned)
            }
            PlanKind::Client => {
                let plan = block_on(handle.plan_client_deletion())?;
                let planned = Planned {
                    valid: plan.valid_secrets().iter().map(|id| id.number()).collect(),
                    add_ins: plan.add_ins().iter().map(add_in_number).collect(),
                    ..about(&plan)
                };
                (AnyPlan::Client(plan), planned)
            }
        })
    }

    pub(super) fn confirm(&self, actor: Actor, client: usize, plan: AnyPlan) -> Answer {
        let handle = self.handle(actor, client);
        match plan {
            AnyPlan::Deletion(plan) => confirmed(block_on(handle.confirm(plan))),
            AnyPlan::Disabling(plan) => confirmed(block_on(handle.confirm(plan))),
            AnyPlan::Client(plan) => confirmed(block_on(handle.confirm(plan))),
        }
    }

    pub(super) fn plan_and_confirm(&self, actor: Actor, client: usize, kind: PlanKind) -> Answer {
        match self.plan(actor, client, kind) {
            Ok((plan, planned)) => Answer::Confirmed(planned, Box::new(self.confirm(actor, client, plan))),
            Err(error) => refused(&error),
        }
    }
}

fn confirmed<C: std::fmt::Debug>(confirmed: Result<Outcome, ConfirmError<C>>) -> Answer {
    match confirmed {
        Ok(Outcome::Changed) => Answer::Changed,
        Ok(Outcome::Unchanged) => Answer::Unchanged,
        Err(ConfirmError::Obstructed(_)) => Answer::Obstructed,
        Err(ConfirmError::Changed(_)) => Answer::PlanChanged,
        Err(ConfirmError::Failed(error)) => refused(&error),
        Err(other) => panic!("{other}"),
    }
}

fn about<C>(plan: &Plan<C>) -> Planned {
    let obstacle = |obstacle: &Obstacle| match obstacle {
        Obstacle::LastValid => "LastValid",
        Obstacle::LastThatSigns => "LastThatSigns",
        Obstacle::UsedRecently { .. } => "UsedRecently",
        other => panic!("{other}"),
    };
    Planned {
        last_used: plan.last_used().map(Timestamp::as_millis),
        use_ahead: plan.use_ahead().map(Timestamp::as_millis),
        obstacles: plan.obstacles().iter().map(obstacle).collect(),
        ..Planned::default()
    }
}
