//! Plans, and what confirming them comes to.

use client_registry::client::{
    CallingOff, ClientDeletion, ClosingEarly, EndMove, Obstacle, SecretDeletion, SecretDisabling,
};
use client_registry::registry::ConfirmError;
use client_registry::*;

use super::refusals::refused;
use super::{System, add_in_number, instant, number, secret_id};
use crate::model::answer::{Answer, Planned};
use crate::model::home::Home;
use crate::model::naive::{Actor, PlanKind};
use crate::support::block_on;

pub(super) enum AnyPlan {
    Deletion(Plan<SecretDeletion>),
    Disabling(Plan<SecretDisabling>),
    Client(Plan<ClientDeletion>),
    CallingOff(Plan<CallingOff>),
    Closing(Plan<ClosingEarly>),
    EndMove(Plan<EndMove>),
}

/// What a plan about one secret says.
macro_rules! of_secret {
    ($plan:expr) => {
        Planned {
            signs: number($plan.signs()),
            next: number($plan.signs_next()),
            valid: numbers($plan.valid_left()),
            ..about(&$plan)
        }
    };
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
                let planned = of_secret!(plan);
                (AnyPlan::Deletion(plan), planned)
            }
            PlanKind::Disabling(id) => {
                let plan = block_on(handle.plan_disabling(secret_id(id)))?;
                let planned = of_secret!(plan);
                (AnyPlan::Disabling(plan), planned)
            }
            PlanKind::CallingOff(came) => {
                let plan = block_on(handle.plan_calling_off(secret_id(came)))?;
                let planned = Planned { others: numbers(plan.restores()), ..of_secret!(plan) };
                (AnyPlan::CallingOff(plan), planned)
            }
            PlanKind::Closing(came) => {
                let plan = block_on(handle.plan_closing(secret_id(came)))?;
                let planned = Planned { others: numbers(plan.ends()), ..of_secret!(plan) };
                (AnyPlan::Closing(plan), planned)
            }
            PlanKind::EndMove(id, until) => {
                let plan = block_on(handle.plan_end(secret_id(id), instant(until)))?;
                assert_eq!(plan.until(), instant(until));
                let planned = Planned { before: plan.before().map(Timestamp::as_millis), ..of_secret!(plan) };
                (AnyPlan::EndMove(plan), planned)
            }
            PlanKind::Client => {
                let plan = block_on(handle.plan_client_deletion())?;
                let planned = Planned {
                    valid: numbers(plan.valid_secrets()),
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
            AnyPlan::CallingOff(plan) => confirmed(block_on(handle.confirm(plan))),
            AnyPlan::Closing(plan) => confirmed(block_on(handle.confirm(plan))),
            AnyPlan::EndMove(plan) => confirmed(block_on(handle.confirm(plan))),
        }
    }

    pub(super) fn at_once(&self, actor: Actor, client: usize, kind: PlanKind) -> Answer {
        let handle = self.handle(actor, client);
        match kind {
            PlanKind::CallingOff(came) => confirmed(block_on(handle.call_off(secret_id(came)))),
            PlanKind::Closing(came) => confirmed(block_on(handle.close_early(secret_id(came)))),
            PlanKind::EndMove(id, until) => {
                confirmed(block_on(handle.move_end(secret_id(id), instant(until))))
            }
            other => unreachable!("{other:?} is planned first"),
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
        last_uses: plan.last_uses().iter().map(|one| (one.secret.number(), one.at.as_millis())).collect(),
        use_ahead: plan.use_ahead().map(Timestamp::as_millis),
        obstacles: plan.obstacles().iter().map(obstacle).collect(),
        ..Planned::default()
    }
}

fn numbers(ids: &[SecretId]) -> Vec<u32> {
    ids.iter().map(|id| id.number()).collect()
}
