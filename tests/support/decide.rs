//! Decisions of the pure core: who decides and by which limits, and a client to begin with.

use client_registry::client::{Client, ClientState, CommandContext, Decision};
use client_registry::value::{Actor, OperatorId};
use client_registry::{Availability, Event, Lifetime, NewSecret, Policy, Refusal, SellerId, Timestamp};

use super::entropy::Seeded;
use super::values::{client_id, contoso, details, lasting_days, start};

/// Who decides, by which limits: everything of a [`CommandContext`] but the instant.
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

    pub(crate) fn at(&self, now: Timestamp) -> CommandContext<'_> {
        CommandContext { actor: &self.actor, policy: &self.policy, now }
    }
}

/// A client of contoso's, registered at `now` with one secret.
pub(crate) fn registered(first: &NewSecret, entropy: &Seeded, desk: &Desk, now: Timestamp) -> Client {
    into_client(register(first, entropy, desk, now).unwrap())
}

/// The command behind [`registered`].
pub(crate) fn register(
    first: &NewSecret,
    entropy: &Seeded,
    desk: &Desk,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let (id, owner) = (client_id("calendar-app"), contoso());
    let client_secret = entropy.client_secret();
    Client::register(
        id,
        owner,
        details("calendar app"),
        Availability::Worldwide,
        first,
        &client_secret,
        &desk.at(now),
    )
}

/// The next value and its events; there has to be a change.
pub(crate) fn changed(transition: Decision) -> (ClientState, Vec<Event>) {
    transition.change().expect("a change").into_parts()
}

/// The next value; there has to be a change, and the client has to be there after it.
pub(crate) fn into_client(transition: Decision) -> Client {
    match changed(transition).0 {
        ClientState::Active(client) => client,
        ClientState::Deleted(_) => panic!("the client was deleted"),
    }
}

pub(crate) fn is_unchanged(transition: &Decision) -> bool {
    matches!(transition, Decision::Unchanged)
}

/// A client with one secret of ninety days, and its owner.
pub(crate) fn one_secret() -> (Client, Desk) {
    let desk = Desk::owner();
    (registered(&lasting_days(90), &Seeded::new(8), &desk, start()), desk)
}

/// The same with two.
pub(crate) fn two_secrets() -> (Client, Desk) {
    let (client, desk) = one_secret();
    let second = Seeded::new(9).client_secret();
    let client = into_client(client.add_secret(&lasting_days(90), &second, &desk.at(start())).unwrap());
    (client, desk)
}
