//! Random histories of one client: commands at instants that lie on the edges of what there is. A
//! [`World`](crate::rules::world::World) carries them out.

use client_registry::{Days, Lifetime, Purpose};
use proptest::prelude::*;

/// One of the client's secrets.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pick {
    /// The one that was picked last: much of what is interesting happens to one secret.
    Same,
    /// The n-th of those that are there.
    Here(u8),
    /// Any that ever was, or the next one to come.
    Any(u8),
}

/// An instant from now on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum When {
    Now,
    /// This many milliseconds later.
    Soon(u32),
    /// This many days later.
    Days(u8),
    /// The n-th instant to come at which something begins or ends, or a millisecond before or after it.
    Edge(u8, i8),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Command {
    Add {
        purpose: Purpose,
        starts: When,
        lifetime: Lifetime,
    },
    Import {
        purpose: Purpose,
        from: i32,
        until: Option<When>,
        signing_today: bool,
    },
    Delete(Pick),
    Disable(Pick),
    Enable(Pick),
    Promote(Pick),
    Schedule(Pick, When),
    Withdraw(Pick),
    Rotate {
        purpose: Purpose,
        overlap: u8,
        lifetime: Lifetime,
        signs: Option<When>,
        only: Option<Pick>,
    },
    DeleteInEmergency {
        secret: Pick,
        replace: bool,
    },
    MarkCompromised(Pick),
    Associate(u8),
    Dissociate(u8),
    /// The secret is presented: not a command of the core, but what plans ask about.
    Use(Pick),
}

/// A command, and how long after the one before it is given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) wait: When,
    pub(crate) command: Command,
}

/// Up to `length` commands.
pub(crate) fn history(length: usize) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..=length)
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    (wait(), command()).prop_map(|(wait, command)| Step { wait, command })
}

pub(crate) fn pick() -> impl Strategy<Value = Pick> {
    prop_oneof![
        4 => Just(Pick::Same),
        6 => any::<u8>().prop_map(Pick::Here),
        1 => any::<u8>().prop_map(Pick::Any),
    ]
}

pub(crate) fn when() -> impl Strategy<Value = When> {
    prop_oneof![
        1 => Just(When::Now),
        1 => (1u32..3).prop_map(When::Soon),
        2 => (1u8..10).prop_map(When::Days),
        4 => (0u8..6, -1i8..=1).prop_map(|(edge, delta)| When::Edge(edge, delta)),
    ]
}

fn wait() -> impl Strategy<Value = When> {
    prop_oneof![
        4 => Just(When::Now),
        1 => (1u32..3).prop_map(When::Soon),
        1 => (1u8..10).prop_map(When::Days),
        4 => (0u8..4, -1i8..=1).prop_map(|(edge, delta)| When::Edge(edge, delta)),
    ]
}

fn purpose() -> impl Strategy<Value = Purpose> {
    prop_oneof![3 => Just(Purpose::SigningAndPassword), 1 => Just(Purpose::PasswordOnly)]
}

fn lifetime() -> impl Strategy<Value = Lifetime> {
    prop_oneof![
        6 => (1u32..20).prop_map(|days| Lifetime::Days(Days::new(days))),
        1 => Just(Lifetime::OneYear),
        1 => Just(Lifetime::Unlimited),
    ]
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        6 => (purpose(), when(), lifetime())
            .prop_map(|(purpose, starts, lifetime)| Command::Add { purpose, starts, lifetime }),
        3 => (purpose(), -10i32..3, prop::option::of(when()), any::<bool>())
            .prop_map(|(purpose, from, until, signing_today)| Command::Import { purpose, from, until, signing_today }),
        3 => pick().prop_map(Command::Delete),
        5 => pick().prop_map(Command::Disable),
        5 => pick().prop_map(Command::Enable),
        3 => pick().prop_map(Command::Promote),
        4 => (pick(), when()).prop_map(|(secret, when)| Command::Schedule(secret, when)),
        2 => pick().prop_map(Command::Withdraw),
        3 => (purpose(), 1u8..12, lifetime(), prop::option::of(when()), prop::option::of(pick())).prop_map(
            |(purpose, overlap, lifetime, signs, only)| Command::Rotate { purpose, overlap, lifetime, signs, only }
        ),
        2 => (pick(), any::<bool>())
            .prop_map(|(secret, replace)| Command::DeleteInEmergency { secret, replace }),
        1 => pick().prop_map(Command::MarkCompromised),
        1 => (0u8..4).prop_map(Command::Associate),
        1 => (0u8..4).prop_map(Command::Dissociate),
        1 => pick().prop_map(Command::Use),
    ]
}
