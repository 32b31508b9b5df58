//! Rules 6 and 20 in every reachable state of three secrets over four instants; rule 6 against a second implementation that
//! was written from its text alone.
//!
//! The states are walked through breadth first, from a client without secrets at the first instant, by this alphabet:
//!
//! - **add** a secret, while there are fewer than three: signing or password only, `from` at any of the four instants
//!   (one that has passed by way of import), `until` at any later one or never;
//! - **disable** (planned and confirmed, so never the last valid one), **enable**, **delete** (in an emergency, so any
//!   one), **promote** now, **schedule** at any later instant, **withdraw**: each of the secrets that are there;
//! - **wait** until the next instant.
//!
//! All commands are tried in all states; those that the rules refuse lead nowhere. A deleted secret makes room for
//! another one, without limit. States are equal when the rule cannot tell them apart, whatever happens next (see
//! [`Position`]). Each value that a command leads to is checked at all instants from then on, not only the first of
//! those that are equal; that one also a millisecond before each, and with its timeline.

mod alphabet;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::Write as _;
use std::sync::Arc;

use client_registry::client::{Client, ImportedClient, Signing, Span};
use client_registry::{Availability, ClientSecret, Lifetime, Policy, SecretId, Timestamp};

use crate::rules::naive::{Facts, Reading, Signer};
use crate::support::{Desk, Seeded, client_id, contoso, days_later, details, into_client, later, start};
use alphabet::Command;

#[test]
fn rule_06_every_reachable_state_of_three_secrets_over_four_instants() {
    let walk = Ground::new(3, 4).walk(&[Reading::Right]);
    // Past the capture of passing tests: a figure that nobody sees is none.
    let _ = writeln!(
        std::io::stdout(),
        "{} states, {} values checked at {} instants in all",
        walk.states,
        walk.values,
        walk.checked_instants
    );
    assert_eq!(walk.caught, BTreeSet::new(), "{}", walk.example.unwrap_or_default());
    assert!(walk.states > 10_000, "the alphabet does not lead anywhere: {} states", walk.states);
}

/// The same comparison has to notice a wrong reading of the rule, whichever it is. (Whether a promotion outlives
/// disabling is told by random histories: here, states are equal that differ in what was withdrawn.)
#[test]
fn rule_06_a_wrong_reading_is_caught() {
    let wrong = [
        Reading::NewestWins,
        Reading::EnablingIgnored,
        Reading::FirstPromotionWins,
        Reading::WithdrawalIgnored,
        Reading::EndIncluded,
        Reading::StartExcluded,
        Reading::PasswordsSign,
    ];
    let walk = Ground::new(2, 3).walk(&wrong);
    // Past the capture of passing tests: a figure that nobody sees is none.
    let _ = writeln!(
        std::io::stdout(),
        "{} states of two secrets over three instants catch {:?}",
        walk.states,
        walk.caught
    );
    assert_eq!(walk.caught.len(), wrong.len(), "caught only {:?}", walk.caught);
}

/// Where a walk through all states takes place: the commands' surroundings.
struct Ground {
    max_secrets: usize,
    instants: Vec<Timestamp>,
    desk: Desk,
    importer: Desk,
    generated: Vec<ClientSecret>,
}

/// What a walk comes to.
#[derive(Default)]
struct Walk {
    states: usize,
    values: usize,
    checked_instants: usize,
    caught: BTreeSet<String>,
    example: Option<String>,
}

/// A client on its way, with the facts that led to it.
#[derive(Clone)]
struct State {
    client: Arc<Client>,
    facts: Facts,
    /// The index of the present instant.
    now: usize,
    /// How many secrets were ever added.
    added: usize,
}

/// What the rule can tell apart, now or later. Instants are their indexes; what has passed is 0.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Position {
    now: usize,
    /// `from` and `until` of those enabled that may sign yet, those first that come first when nothing is promoted.
    enabled: Vec<(usize, usize)>,
    /// The same of those disabled, in any order: enabling puts each behind all others.
    disabled: Vec<(usize, usize)>,
    /// How many there are that never sign (again): for passwords only, or ended.
    inert: usize,
    /// Promotions that can still name a secret (its place among those enabled, and from when on), in their order.
    promotions: Vec<(usize, usize)>,
}

impl Ground {
    fn new(max_secrets: usize, instants: u32) -> Self {
        let entropy = Seeded::new(6);
        let policy =
            Policy::default().with_longest_lifetime(Lifetime::Unlimited).with_max_secrets(32).unwrap();
        Self {
            max_secrets,
            instants: (0..instants).map(|index| days_later(start(), index)).collect(),
            desk: Desk::owner().under(policy.clone()),
            importer: Desk::operator().under(policy),
            generated: (0..64).map(|_| entropy.client_secret()).collect(),
        }
    }

    /// Visits every state, those that are as many commands away side by side, and compares each value on the way with
    /// these readings of the rule.
    fn walk(&self, readings: &[Reading]) -> Walk {
        let first = self.first();
        let mut walk = Walk::default();
        let mut seen = HashSet::from([self.position(&first)]);
        let mut open = vec![first];
        while !open.is_empty() {
            walk.states += open.len();
            let parts = self.side_by_side(&open, &seen, readings);
            open = Vec::new();
            for (next, part) in parts {
                walk.add(part);
                open.extend(
                    next.into_iter().filter(|(position, _)| seen.insert(position.clone())).map(|(_, s)| s),
                );
            }
        }
        walk
    }

    /// Expands the states on as many threads as are worth it.
    fn side_by_side(
        &self,
        open: &[State],
        seen: &HashSet<Position>,
        readings: &[Reading],
    ) -> Vec<(BTreeMap<Position, State>, Walk)> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = open.len().div_ceil(threads);
        std::thread::scope(|scope| {
            let expand = |part| scope.spawn(move || self.expand(part, seen, readings));
            let running: Vec<_> = open.chunks(share).map(expand).collect();
            running.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }

    /// The states that one command leads to, each value checked.
    fn expand(
        &self,
        states: &[State],
        seen: &HashSet<Position>,
        readings: &[Reading],
    ) -> (BTreeMap<Position, State>, Walk) {
        let (mut found, mut walk) = (BTreeMap::new(), Walk::default());
        for state in states {
            for command in self.commands(state) {
                let Some(next) = self.apply(state, command) else { continue };
                walk.values += 1;
                let position = self.position(&next);
                let is_new = !seen.contains(&position) && !found.contains_key(&position);
                for &reading in readings {
                    self.compare(&next, is_new, reading, command, &mut walk);
                }
                if is_new {
                    if readings.contains(&Reading::Right) {
                        self.suspended_and_resumed(&next);
                    }
                    found.insert(position, next);
                }
            }
        }
        (found, walk)
    }

    /// A client without secrets, which only an import can make.
    fn first(&self) -> State {
        let blank = ImportedClient::new(
            client_id("calendar-app"),
            contoso(),
            details("calendar app"),
            Availability::Worldwide,
        );
        let client = into_client(Client::import(&blank, &self.importer.at(self.instants[0])).unwrap());
        State { client: Arc::new(client), facts: Facts::default(), now: 0, added: 0 }
    }

    /// Rule 20: while the client is suspended the same secret would sign, and nothing signs or lets anybody in. Resumed, it is
    /// as it was.
    fn suspended_and_resumed(&self, state: &State) {
        let client = &state.client;
        let context = self.desk.at(self.instants[state.now]);
        let suspended = into_client(client.suspend(&context).unwrap());
        let resumed = into_client(suspended.resume(&context).unwrap());
        for t in self.probes(state.now, false) {
            assert_eq!(suspended.signing_at(t), client.signing_at(t));
            assert!(suspended.sign(b"message", t).is_none() && suspended.sign_all(b"message", t).is_empty());
            assert!(suspended.secrets().all(|secret| !suspended.is_alive(secret.id(), t)));
            let signature = |client: &Client| client.sign(b"message", t).map(|signed| signed.to_string());
            let signer = client.sign(b"message", t).map(|signed| signed.secret_id());
            assert_eq!(signer, client.signing_at(t).secret(), "at {t}: {:#?}", state.facts);
            assert_eq!(signature(&resumed), signature(client));
            assert!(client.secrets().all(|secret| client.is_alive(secret.id(), t) == secret.is_valid_at(t)));
        }
    }

    /// Notes where the client and this reading of the rule disagree.
    fn compare(&self, state: &State, is_new: bool, reading: Reading, command: Command, walk: &mut Walk) {
        let timeline = is_new.then(|| state.client.timeline());
        for t in self.probes(state.now, is_new) {
            walk.checked_instants += 1;
            let expected = state.facts.signing_by(reading, t);
            let found = state.client.signing_at(t);
            let span = timeline.as_ref().map(|timeline| timeline.at(t).map(Span::signing));
            if agree(found, expected) && span.is_none_or(|span| span == Some(found)) {
                continue;
            }
            walk.caught.insert(format!("{reading:?}"));
            walk.example.get_or_insert_with(|| {
                let facts = &state.facts;
                format!("after {command:?} at {t}: {found}; timeline: {span:?}; the text: {expected:?} of {facts:#?}")
            });
        }
    }

    /// The instants that are left; closely, with the millisecond before each.
    fn probes(&self, now: usize, closely: bool) -> Vec<Timestamp> {
        let mut probes = self.instants[now..].to_vec();
        if closely {
            probes.extend(self.instants[now + 1..].iter().map(|&t| later(t, -1)));
        }
        probes
    }

    fn position(&self, state: &State) -> Position {
        let State { facts, now, .. } = state;
        let t = self.instants[*now];
        let index = |at: Timestamp| match self.instants.iter().position(|&instant| instant == at) {
            Some(index) if index > *now => index,
            _ => 0,
        };
        let span = |secret: &SecretId| {
            let ends = facts.end_of(*secret).map_or(usize::MAX, index);
            (index(facts.start_of(*secret).unwrap()), ends)
        };
        let may_sign = |secret: &SecretId| {
            facts.can_sign(*secret) && facts.end_of(*secret).is_none_or(|until| until > t)
        };
        let (signing, inert): (Vec<_>, Vec<_>) = facts.secrets().into_iter().partition(may_sign);
        let (disabled, mut enabled): (Vec<_>, Vec<_>) =
            signing.into_iter().partition(|&secret| facts.is_disabled(secret));
        enabled.sort_by_key(|&secret| (facts.valid_since(secret), facts.position(secret)));
        let mut disabled: Vec<_> = disabled.iter().map(span).collect();
        disabled.sort_unstable();
        let mut promotions = facts.promotions();
        promotions.sort_by_key(|&(_, from, made)| (from, made));
        let last_in_force = |position: usize, secret: SecretId| {
            !promotions[position + 1..].iter().any(|&(other, from, _)| other == secret && from <= t)
        };
        let mut left = Vec::new();
        for (position, &(secret, from, _)) in promotions.iter().enumerate() {
            if let Some(place) = enabled.iter().position(|&other| other == secret)
                && (from > t || last_in_force(position, secret))
            {
                left.push((place, index(from)));
            }
        }
        Position {
            now: *now,
            enabled: enabled.iter().map(span).collect(),
            disabled,
            inert: inert.len(),
            promotions: left,
        }
    }
}

impl Walk {
    fn add(&mut self, part: Self) {
        self.values += part.values;
        self.checked_instants += part.checked_instants;
        self.caught.extend(part.caught);
        self.example = self.example.take().or(part.example);
    }
}

fn agree(found: Signing, expected: Signer) -> bool {
    match (found, expected) {
        (Signing::Promoted { secret, .. }, Signer::Promoted(expected)) => secret == expected,
        (Signing::ValidLongest { secret, since }, Signer::ValidLongest(expected, expected_since)) => {
            secret == expected && since == expected_since
        }
        (Signing::Nothing, Signer::Nothing) => true,
        _ => false,
    }
}
