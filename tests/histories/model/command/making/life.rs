//! The commands of a client's life: rotations that are called off or closed, ends that are moved, suspensions, transfers,
//! attributes, leaks.

use super::{Command, rotate};
use crate::model::naive::{Actor, Attached, Client, DAY, HOUR, Model, PlanKind, Promotion, Text};

impl Command {
    pub(super) fn of_life(
        kind: u16,
        model: &Model,
        (actor, client, secret): (Actor, usize, u32),
        [c, d, e]: [u16; 3],
    ) -> Self {
        let found = &model.clients[client];
        let t = found.instant(model.now);
        let came: Vec<u32> = Self::came(found, model.now).collect();
        if kind < 108 && came.is_empty() && d % 8 > 0 {
            // Now and then of one that is to sign later.
            let is_scheduled = |one: &Promotion| one.at > t && !one.withheld;
            if e % 3 == 0 && !found.promotions.iter().any(is_scheduled) {
                return Self::Schedule { actor, client, secret, at: t + i64::from(1 + c % 8) * DAY };
            }
            return Self::Rotate { actor, client, rotate: rotate(model, client, [c, d, e]) };
        }
        let came = came.get(c as usize % came.len().max(1)).copied().filter(|_| d % 8 > 0).unwrap_or(secret);
        if let Some(held) = found.promotions.iter().find(|one| one.withheld)
            && kind < 108
            && e % 3 == 0
        {
            return withholding(actor, client, held.secret, came, t, [c, d]);
        }
        match kind {
            100..105 => planned(actor, client, PlanKind::CallingOff(came), e),
            // What began at this very instant cannot end at it.
            105..108 if found.secrets.iter().any(|one| one.replaced_by == Some(came) && one.from == t) => {
                Self::SetClock { to: t + HOUR / 2 }
            }
            105..108 => planned(actor, client, PlanKind::Closing(came), e),
            // Often one that was replaced.
            108..113 => {
                let replaced = found.secrets.iter().find(|one| one.replaced_by == Some(came) && one.runs(t));
                let id = replaced.filter(|_| e % 3 > 0).map_or(secret, |one| one.id);
                planned(actor, client, PlanKind::EndMove(id, end(found, id, t, d)), e)
            }
            113..115 => Self::Suspend { actor, client },
            115..118 if found.suspended.is_none() && e % 4 > 0 => Self::Suspend { actor, client },
            115..118 => Self::Resume { actor, client },
            118..120 => {
                let to = if d % 6 == 0 { found.owner } else { 1 - found.owner };
                Self::Transfer { client, to }
            }
            120 => {
                let attached = match d % 12 {
                    0 if model.texts > 0 => Attached::ClientSecret(c as usize % model.texts),
                    _ => Attached::Set((c % 3) as u8),
                };
                Self::Attach { actor, client, attached }
            }
            121 => Self::IsAlive { client, secret },
            122 => Self::FindLeaked { limit: 1 + c as usize % 4 },
            _ => {
                let dead = found.dead.get(d as usize % found.dead.len().max(1)).map(|dead| dead.text);
                let own = found.secret(secret).map(|secret| secret.text);
                let text = if e % 2 == 0 { dead.or(own) } else { own.or(dead) };
                Self::DeleteLeaked { text: text.unwrap_or(Text::Pool((c % 7) as u8)) }
            }
        }
    }

    /// The secrets that came with a rotation that is under way.
    pub(super) fn came(client: &Client, now: i64) -> impl Iterator<Item = u32> {
        let t = client.instant(now);
        let replaced = client.secrets.iter().filter(move |secret| secret.runs(t));
        replaced.filter_map(|secret| secret.replaced_by).filter(|by| client.secret(*by).is_some())
    }
}

/// What can come between a rotation that withholds a promotion and the end of it.
fn withholding(actor: Actor, client: usize, secret: u32, came: u32, t: i64, [c, d]: [u16; 2]) -> Command {
    let soon = t + i64::from(1 + c % 8) * DAY;
    match d % 6 {
        0 => Command::Schedule { actor, client, secret, at: soon },
        1 => Command::Promote { actor, client, secret },
        2 => Command::PlanAndConfirm { actor, client, kind: PlanKind::Disabling(secret) },
        3 => Command::AtOnce { actor, client, kind: PlanKind::EndMove(secret, soon) },
        4 => Command::Emergency { actor, client, secret: came, replacement: None },
        _ => Command::SetClock { to: soon },
    }
}

/// Planned, planned and confirmed, or given at once.
fn planned(actor: Actor, client: usize, kind: PlanKind, number: u16) -> Command {
    match number % 7 {
        0 => Command::Plan { actor, client, kind },
        1..4 => Command::PlanAndConfirm { actor, client, kind },
        _ => Command::AtOnce { actor, client, kind },
    }
}

/// Before, at and after what an end may be.
fn end(client: &Client, id: u32, t: i64, number: u16) -> i64 {
    let secret = client.secret(id);
    let until = secret.and_then(|secret| secret.until).unwrap_or(t + 20 * DAY);
    let issued = secret.and_then(|secret| secret.issued_until).unwrap_or(t + 2_000 * DAY);
    match number % 16 {
        0 => t,
        1 => t - 1,
        2 => until,
        3 => issued,
        4 => issued + 1,
        5 => until - DAY,
        6 => t + HOUR,
        7..10 if until < issued => issued.min(until + DAY),
        10 => t + 40 * DAY,
        11 => issued.max(until) + 5 * DAY,
        _ => t + i64::from(number % 9 + 1) * DAY,
    }
}
