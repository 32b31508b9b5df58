//! How a command is made of a few random numbers and what there is at the time.

mod life;

use super::{Command, Name, Pick};
use crate::model::naive::{
    Actor, Client, DAY, HOUR, Import, Model, New, PlanKind, Present, Rotate, Signs, Text,
};

impl Command {
    /// The command that the numbers mean in this state.
    pub(crate) fn of(pick: &Pick, model: &Model) -> Self {
        let [a, b, c, d, e] = pick.numbers;
        let count = model.clients.len();
        let name = Name { number: (a % 7) as u8, spelling: (b % 3) as u8, url: u8::from(c % 20 == 0) };
        let seller = (d % 2) as u8;
        // A plan is now and then confirmed at once, and otherwise later.
        if let Some((Self::Plan { actor, client, .. }, _)) = model.last
            && e % 3 == 0
        {
            return Self::ConfirmLatest { actor, client };
        }
        // The first commands make something to work with.
        let kind = match pick.kind % 125 {
            kind if count < 2 => kind % 6,
            // With more there would be little to each.
            kind if count > 3 && kind < 8 && e % 4 > 0 => 11 + kind,
            kind => kind,
        };
        if kind < 5 {
            let actor = if e % 6 == 0 { Actor::Operator } else { Actor::Seller(seller) };
            return Self::Register { actor, seller, name, china: e % 5 == 1, new: new(model.now, b, c, e) };
        }
        if kind < 8 {
            let owner = if e % 10 == 0 { 1 - a % 2 } else { a % 2 } as u8;
            let name = Name { number: 3 + (a % 3) as u8, spelling: 0, url: 0 };
            let (imports, add_ins) = Import::of_client(b % 10);
            let china = c % 12 == 0;
            return Self::ImportClient { id: (a % 3) as u8, seller: owner, name, china, imports, add_ins };
        }
        // Mostly one with which there is something to be done.
        let fits = |client: &Client| match kind {
            11..19 => client.secrets.iter().filter(|secret| !secret.has_ended(model.now)).count() > 2,
            27..29 => client.plan.is_some(),
            40 => client.secrets.iter().any(|secret| secret.has_ended(client.instant(model.now))),
            41..44 => client.secrets.iter().any(|secret| secret.disabled),
            50..52 => client.promotions.iter().any(|one| one.at > model.now),
            55..57 => client.dead.iter().any(|dead| !dead.compromised),
            66..71 => !client.add_ins.is_empty(),
            100..110 => Self::came(client, model.now).next().is_some(),
            115..118 => client.suspended.is_some(),
            _ => !client.deleted,
        };
        let fitting_ones: Vec<_> = (0..count).filter(|client| fits(&model.clients[*client])).collect();
        let client = match fitting_ones.get(a as usize % fitting_ones.len().max(1)) {
            Some(client) if e % 16 > 0 => *client,
            _ => a as usize % count,
        };
        let found = &model.clients[client];
        let actor = match b % 16 {
            0 => Actor::Seller(1 - found.owner),
            1..4 => Actor::Operator,
            _ => Actor::Seller(found.owner),
        };
        // Mostly one that is there.
        let secret = match found.secrets.get(c as usize % found.secrets.len().max(1)) {
            Some(secret) if d % 8 > 0 => secret.id,
            _ => u32::from(c) % (found.count + 2) + u32::from(found.count == 0),
        }
        .max(1);
        let add_in = (c % 6) as u8;
        let mut edges: Vec<i64> = model.edges(client).into_iter().filter(|t| *t > model.now).collect();
        edges.sort_unstable();
        match kind {
            8..11 => Self::ChangeDetails {
                actor,
                client,
                name: Name { number: (c % 7) as u8, spelling: (d % 3) as u8, url: u8::from(e % 10 == 0) },
            },
            11..19 => Self::Add { actor, client, new: new(found.instant(model.now), c, d, e) },
            19..25 => Self::Rotate { actor, client, rotate: rotate(model, client, [c, d, e]) },
            25..27 => Self::Plan { actor, client, kind: plan_kind(secret, e) },
            27..29 if found.plan.is_none() => Self::Plan { actor, client, kind: plan_kind(secret, e) },
            27..29 => Self::ConfirmLatest { actor, client },
            29..36 => Self::PlanAndConfirm { actor, client, kind: PlanKind::Deletion(secret) },
            36..39 => Self::PlanAndConfirm { actor, client, kind: PlanKind::Disabling(secret) },
            39 => Self::PlanAndConfirm { actor, client, kind: PlanKind::Client },
            40 => {
                let t = found.instant(model.now);
                let ended = found.secrets.iter().filter(|secret| secret.has_ended(t));
                Self::CleanUp { actor, client, secrets: ended.map(|secret| secret.id).collect() }
            }
            41..44 => {
                let disabled = found.secrets.iter().find(|secret| secret.disabled && e % 4 > 0);
                Self::Enable { actor, client, secret: disabled.map_or(secret, |secret| secret.id) }
            }
            44..47 => Self::Promote { actor, client, secret },
            47..50 => {
                let later = edges.get(e as usize % 4).copied();
                let at = if d % 3 == 0 { later } else { None };
                let at = at.unwrap_or_else(|| found.instant(model.now) + (i64::from(e % 12) - 1) * DAY / 2);
                Self::Schedule { actor, client, secret, at }
            }
            50..52 => {
                let scheduled = found.promotions.iter().find(|one| one.at > model.now && e % 5 > 0);
                Self::Withdraw { actor, client, secret: scheduled.map_or(secret, |one| one.secret) }
            }
            52..55 => {
                let secret = match found.dead.get(e as usize % found.dead.len().max(1)) {
                    Some(dead) if d % 3 == 0 => dead.id,
                    _ => secret,
                };
                let replacement = (e % 2 == 0).then(|| new(found.instant(model.now), c, d, e / 2));
                Self::Emergency { actor, client, secret, replacement }
            }
            55..57 => {
                let dead =
                    found.dead.iter().find(|dead| !dead.compromised || e % 3 == 0).filter(|_| d % 5 > 0);
                Self::MarkCompromised { actor, client, secret: dead.map_or(secret, |dead| dead.id) }
            }
            57..62 => {
                let text = match d % 6 {
                    0 if model.texts > 0 => Text::Generated(e as usize % model.texts),
                    1 => found
                        .dead
                        .get(e as usize % found.dead.len().max(1))
                        .map_or(Text::Pool(0), |dead| dead.text),
                    _ => Text::Pool((e % 7) as u8),
                };
                Self::ImportSecret { actor, client, import: Import::of(text, c % 12) }
            }
            62..66 => Self::Associate { actor, client, add_in: fitting(add_in, found.china, e) },
            66 => Self::Dissociate { actor, client, add_in: held(&found.add_ins, add_in, e) },
            67..71 => {
                let same = |to: &usize| {
                    let to = &model.clients[*to];
                    *to.add_ins != *found.add_ins
                        && !to.deleted
                        && (to.owner, to.china) == (found.owner, found.china)
                };
                let likely: Vec<_> = (0..count).filter(same).collect();
                let to = likely.get(d as usize % likely.len().max(1)).copied().filter(|_| e % 5 > 0);
                let to = to.unwrap_or(d as usize % count);
                Self::Move { actor, client, to, add_in: held(&found.add_ins, add_in, e) }
            }
            71..80 => {
                let client = (e % 20 > 0).then_some(client);
                Self::Authenticate { client, present: present(model, client.unwrap_or(0), [b, c, d]) }
            }
            80 => Self::PresentAll { client },
            81..83 => Self::Sign { client },
            83 => Self::SignAll { client },
            84..86 if !model.signatures.is_empty() => {
                let (signature, forged) = (c as usize % model.signatures.len(), d % 6 == 0);
                if e % 2 == 0 {
                    Self::Verify { signature, forged }
                } else {
                    Self::VerifyAny { signature, forged }
                }
            }
            84 => Self::Named { seller, name },
            85 => Self::ClientOf { actor, add_in: held(&found.add_ins, add_in, e) },
            86 => Self::Page { actor, limit: 1 + c as usize % 3 },
            87 => Self::History { actor, client },
            88 => Self::Named { seller: found.owner, name: Name { spelling: name.spelling, ..found.name } },
            89 => Self::ClientOf { actor, add_in: held(&found.add_ins, add_in, e) },
            90 => Self::SetClock {
                to: model.now - [1, 30_000, 60_000, 61_000, 10 * 60_000, 2 * DAY][c as usize % 6],
            },
            91..95 => {
                // Just before, at, or just after one of the next turns.
                let edge = edges.get(c as usize % 3).copied().unwrap_or(model.now + DAY);
                Self::SetClock { to: edge + [-1, 0, 0, 1][d as usize % 4] }
            }
            100..124 => Self::of_life(kind, model, (actor, client, secret), [c, d, e]),
            _ => Self::SetClock {
                to: model.now + [1, 30_000, 3_600_000, DAY, 4 * DAY, 8 * DAY, 40 * DAY][c as usize % 7],
            },
        }
    }
}

fn new(t: i64, a: u16, b: u16, c: u16) -> New {
    let starts = match a % 10 {
        0 => Some(t + DAY),
        1 => Some(t + 5 * DAY),
        2 if c.is_multiple_of(6) => Some(t - 1),
        3 => Some(t),
        _ => None,
    };
    let lifetime = if b % 24 < 4 { 7 + (b % 24) as u8 } else { (b % 7) as u8 };
    New { lifetime, starts, signs: !c.is_multiple_of(4), label: c.is_multiple_of(3).then_some((a % 3) as u8) }
}

fn rotate(model: &Model, client: usize, [a, b, c]: [u16; 3]) -> Rotate {
    let t = model.clients[client].instant(model.now);
    let overlap = [HOUR, DAY, 2 * DAY, 5 * DAY, 30 * DAY, 7 * DAY, 3 * DAY, HOUR - 1][a as usize % 8];
    let overlap = if a % 40 == 7 { i64::MAX } else { overlap };
    let signs = match b % 6 {
        0 => Signs::Now,
        1 => Signs::At(t),
        2 if overlap < i64::MAX => Signs::At(t + overlap),
        3 => Signs::At(t + i64::from(c % 5) * DAY - DAY),
        _ => Signs::WhenReplacedHaveEnded,
    };
    let ids = model.clients[client].secrets.iter().map(|secret| secret.id);
    let replaces = match c % 8 {
        0 => Some(ids.take(1).collect()),
        1 => Some(ids.filter(|id| id % 2 == 1).collect()),
        2 if a % 4 == 0 => Some(vec![99]),
        _ => None,
    };
    let replaces = replaces.filter(|named: &Vec<u32>| !named.is_empty());
    let purpose = b % 5 > 0;
    Rotate {
        overlap,
        lifetime: [0, 0, 1, 2, 5, 6, 3, 9][b as usize % 8],
        signs: purpose,
        replaces,
        when: signs,
    }
}

fn plan_kind(secret: u32, number: u16) -> PlanKind {
    match number % 8 {
        0 => PlanKind::Client,
        1..4 => PlanKind::Disabling(secret),
        _ => PlanKind::Deletion(secret),
    }
}

fn fitting(add_in: u8, china: bool, number: u16) -> u8 {
    if number.is_multiple_of(8) { add_in } else { add_in / 2 * 2 + u8::from(china) }
}

fn held(add_ins: &[u8], otherwise: u8, number: u16) -> u8 {
    let found = add_ins.get(number as usize % add_ins.len().max(1));
    found.copied().filter(|_| !number.is_multiple_of(6)).unwrap_or(otherwise)
}

fn present(model: &Model, client: usize, [a, b, c]: [u16; 3]) -> Present {
    let found = &model.clients[client];
    let own: Vec<Text> = found.secrets.iter().map(|secret| secret.text).collect();
    let dead: Vec<Text> = found.dead.iter().map(|dead| dead.text).collect();
    let any = match model.texts {
        0 => Text::Pool(0),
        texts => Text::Generated(b as usize % texts),
    };
    let of = |texts: &[Text]| texts.get(b as usize % texts.len().max(1)).copied().unwrap_or(any);
    match a % 16 {
        0..8 => Present::Exactly(of(&own)),
        8..10 => Present::Exactly(of(&dead)),
        10 => Present::Exactly(any),
        11 => Present::Exactly(Text::Pool((c % 7) as u8)),
        12 => Present::Beginning(of(&own)),
        13 => Present::Extended(of(&own)),
        14 => Present::Mistyped(of(&own)),
        _ if c % 2 == 0 => Present::Number(found.count.max(1)),
        _ => Present::Garbage,
    }
}
