//! What the test binaries share: seeded randomness, the actors, default details, instants, and a client to begin with.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::sync::Mutex;
use std::time::Duration;

use client_registry::{
    Actor, AddIn, Availability, Client, ClientDetails, ClientId, ClientSecret, ClientState, Days, Deciding,
    Entropy, EntropyError, Event, ImportedSecret, KeyEncoding, Lifetime, NewSecret, OperatorId, Policy,
    Refusal, SecretId, SellerId, Timestamp, Transition, Validity,
};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Randomness that is the same in every run.
#[derive(Debug)]
pub(crate) struct SeededEntropy(Mutex<StdRng>);

impl SeededEntropy {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }

    /// The next client secret.
    pub(crate) fn client_secret(&self) -> ClientSecret {
        ClientSecret::generate(&Policy::default(), self).unwrap()
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        self.0.lock().unwrap().fill_bytes(buffer);
        Ok(())
    }
}

/// Who decides, by which limits: everything of a [`Deciding`] but the instant.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    pub(crate) actor: Actor,
    pub(crate) policy: Policy,
}

impl Desk {
    /// The owner of the clients here, under the default policy.
    pub(crate) fn owner() -> Self {
        Self { actor: Actor::Seller(contoso()), policy: Policy::default() }
    }

    /// Another seller.
    pub(crate) fn stranger() -> Self {
        Self { actor: Actor::Seller(SellerId::parse("fabrikam").unwrap()), ..Self::owner() }
    }

    /// Somebody who runs the platform.
    pub(crate) fn operator() -> Self {
        Self { actor: Actor::Operator(OperatorId::parse("ann").unwrap()), ..Self::owner() }
    }

    /// The same under another policy.
    pub(crate) fn under(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// Where every lifetime is allowed.
    pub(crate) fn allowing_unlimited(self) -> Self {
        let policy = self.policy.clone().with_longest_lifetime(Lifetime::Unlimited);
        self.under(policy)
    }

    /// Where a client may have this many secrets.
    pub(crate) fn allowing_secrets(self, max: usize) -> Self {
        let policy = self.policy.clone().with_max_secrets(max).unwrap();
        self.under(policy)
    }

    pub(crate) fn at(&self, now: Timestamp) -> Deciding<'_> {
        Deciding { actor: &self.actor, policy: &self.policy, now }
    }
}

/// The seller that owns the clients here.
pub(crate) fn contoso() -> SellerId {
    SellerId::parse("contoso").unwrap()
}

pub(crate) fn client_id(text: &str) -> ClientId {
    ClientId::parse(text).unwrap()
}

pub(crate) fn details() -> ClientDetails {
    named("calendar app")
}

/// Details with this friendly name.
pub(crate) fn named(friendly_name: &str) -> ClientDetails {
    ClientDetails::new(friendly_name, "app.contoso.com", "https://app.contoso.com/done").unwrap()
}

pub(crate) fn add_in(number: usize) -> AddIn {
    AddIn::new(&format!("add-in-{number}"), Availability::Worldwide).unwrap()
}

pub(crate) fn secret_id(number: u32) -> SecretId {
    SecretId::new(number).unwrap()
}

/// The instant of this text.
pub(crate) fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// When most tests begin.
pub(crate) fn start() -> Timestamp {
    instant("2026-03-01T09:00:00Z")
}

/// The instant `millis` later, or earlier if negative.
pub(crate) fn later(from: Timestamp, millis: i64) -> Timestamp {
    Timestamp::from_millis(from.as_millis() + millis).unwrap()
}

pub(crate) fn days(count: u32) -> Duration {
    Days::new(count).into()
}

pub(crate) fn days_later(from: Timestamp, count: u32) -> Timestamp {
    from.saturating_add(days(count))
}

pub(crate) fn lasting_days(count: u32) -> NewSecret {
    NewSecret::lasting(Lifetime::Days(Days::new(count)))
}

pub(crate) fn validity(from: Timestamp, until: Timestamp) -> Validity {
    Validity::new(from, Some(until)).unwrap()
}

/// A client secret that was made elsewhere, a different one for each number.
pub(crate) fn foreign_text(number: usize) -> String {
    format!("kX3v-Qm7z.Tb9w_Rj2y+{number:08}-abcdef")
}

pub(crate) fn foreign(number: usize, validity: Validity) -> ImportedSecret {
    ImportedSecret::new(ClientSecret::parse(&foreign_text(number)).unwrap(), validity, KeyEncoding::Utf8)
}

/// A client of contoso's, registered at `now` with one secret.
pub(crate) fn registered(first: &NewSecret, entropy: &SeededEntropy, desk: &Desk, now: Timestamp) -> Client {
    into_client(register(first, entropy, desk, now).unwrap())
}

/// The command behind [`registered`].
pub(crate) fn register(
    first: &NewSecret,
    entropy: &SeededEntropy,
    desk: &Desk,
    now: Timestamp,
) -> Result<Transition, Refusal> {
    let (id, owner) = (client_id("calendar-app"), contoso());
    let client_secret = entropy.client_secret();
    Client::register(id, owner, details(), Availability::Worldwide, first, &client_secret, &desk.at(now))
}

/// The next value and its events; there has to be a change.
pub(crate) fn changed(transition: Transition) -> (ClientState, Vec<Event>) {
    transition.change().expect("a change").into_parts()
}

/// The next value; there has to be a change, and the client has to be there after it.
pub(crate) fn into_client(transition: Transition) -> Client {
    match changed(transition).0 {
        ClientState::Active(client) => client,
        ClientState::Deleted(_) => panic!("the client was deleted"),
    }
}

pub(crate) fn is_unchanged(transition: &Transition) -> bool {
    matches!(transition, Transition::Unchanged)
}

/// A client with one secret of ninety days, and its owner.
pub(crate) fn one_secret() -> (Client, Desk) {
    let desk = Desk::owner();
    (registered(&lasting_days(90), &SeededEntropy::new(8), &desk, start()), desk)
}

/// The same with two.
pub(crate) fn two_secrets() -> (Client, Desk) {
    let (client, desk) = one_secret();
    let second = SeededEntropy::new(9).client_secret();
    let client = into_client(client.add_secret(&lasting_days(90), &second, &desk.at(start())).unwrap());
    (client, desk)
}
