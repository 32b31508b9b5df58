//! Who gives a command, and at which instant it counts as given (rules 15 and 19).
//!
//! Clocks of nodes differ. A last change that is up to a minute ahead of the clock is taken as now; beyond that, sellers are
//! refused until a clock is corrected, operators go on under the clock as it is, and emergencies never wait (rule 9).
//! Everything about clocks that disagree is decided here, and nowhere else in this module.

use std::time::Duration;

use super::Refusal;
use crate::value::{Actor, Policy, SellerId, Timestamp};

/// The context of a command: who gives it, under which policy, and when.
#[derive(Debug, Clone, Copy)]
pub struct CommandContext<'a> {
    /// The actor that gives the command.
    pub actor: &'a Actor,
    /// The limits of the platform.
    pub policy: &'a Policy,
    /// The reading of the clock. The command counts as given no earlier than the client's last change (rule 19).
    pub now: Timestamp,
}

/// Returns the instant of a command on a client of `owner` that was last changed at `changed_at`, if the actor may give it
/// (rules 15 and 19).
pub(super) fn admit(
    owner: &SellerId,
    changed_at: Timestamp,
    context: &CommandContext<'_>,
) -> Result<Timestamp, Refusal> {
    let now = admit_in_emergency(owner, changed_at, context)?;
    if is_behind(changed_at, context.now) && !context.actor.is_operator() {
        return Err(Refusal::ClockBehind { by: changed_at.saturating_since(context.now) });
    }
    Ok(now)
}

/// As [`admit`], for a command that must not wait until a clock is corrected (rule 9).
pub(super) fn admit_in_emergency(
    owner: &SellerId,
    changed_at: Timestamp,
    context: &CommandContext<'_>,
) -> Result<Timestamp, Refusal> {
    if !context.actor.may_act_for(owner) {
        return Err(Refusal::UnknownClient);
    }
    Ok(judged_at(changed_at, context.now))
}

/// Returns when a client counts as changed after a command at `now`. Only an operator may move this back, which repairs a client
/// that was changed under a clock far ahead.
pub(super) fn changed_at(before: Timestamp, context: &CommandContext<'_>, now: Timestamp) -> Timestamp {
    if context.actor.is_operator() { now } else { now.max(before) }
}

/// Returns the instant at which a client is judged (rule 19).
pub(super) fn judged_at(changed_at: Timestamp, clock: Timestamp) -> Timestamp {
    if is_behind(changed_at, clock) { clock } else { clock.max(changed_at) }
}

/// Returns the latest believable time of a use, as seen from `now` (rule 9): another node's clock may run ahead of this one by a
/// minute.
pub(crate) fn believable_until(now: Timestamp) -> Timestamp {
    now.saturating_add(MAX_LEAD)
}

/// Returns whether a clock is too far behind a last change to be right (rule 19).
pub(super) fn is_behind(changed_at: Timestamp, clock: Timestamp) -> bool {
    changed_at.as_millis().saturating_sub(clock.as_millis()) > MAX_LEAD_MILLIS
}

/// The most that a last change may be ahead of the clock before one of the two is taken to be wrong (rule 19).
const MAX_LEAD: Duration = Duration::from_secs(60);
/// The same in milliseconds: the clock is judged for every request.
const MAX_LEAD_MILLIS: i64 = 60_000;
