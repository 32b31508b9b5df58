//! Authenticating: loads the client and asks it whether a presented client secret is one of its own (rules 5, 9 and 10).
//!
//! The client decides. The rest is done here: a client ID that does not exist costs the same hashing, a use is noted beside the
//! record, and a denial is logged. The caller gets one answer for everything that fails. Authenticating never commits.

use std::hint::black_box;
use std::sync::Arc;

use crate::client::{Client, Denial, Reason};
use crate::record::{Opened, RecordId};
use crate::registry::Registry;
use crate::registry::serve::authenticated::Authenticated;
use crate::registry::serve::denied::AccessError;
use crate::secret::{Verifier, VerifierPrefix};
use crate::store::Store;
use crate::store_error::StoreError;
use crate::value::secret_text::{could_be_secret, cut};
use crate::value::{ClientId, SecretId, Timestamp};

impl<S: Store> Registry<S> {
    /// Checks a client ID and a client secret, as they came from the network (rule 5).
    ///
    /// Neither needs to be well formed: malformed input is denied like any other. Send the caller the same answer for every
    /// denial, and write [`Denied::reason`](crate::Denied::reason) to the log.
    ///
    /// Concurrent calls for the same client share one read of the store, including those of [`sign`](Self::sign) and
    /// [`verify`](Self::verify). No call depends on another one: each future may be dropped or left unpolled.
    ///
    /// HTTP Basic carries both in form encoding (RFC 6749 section 2.3.1), which not every sender applies. Generated IDs and
    /// secrets are the same text with and without the encoding. Imported ones may contain characters that differ: with the
    /// feature `oauth`, `authenticate_request` tries both readings.
    ///
    /// ```
    /// # use client_registry::*;
    /// # pollster::block_on(async {
    /// # let registry = Registry::in_memory();
    /// match registry.authenticate("calendar-app", "no such secret").await {
    ///     Ok(who) => println!("{} with secret {}", who.client_id(), who.secret_id()),
    ///     Err(AccessError::Denied(denied)) => println!("401, and in the log: {}", denied.reason()),
    ///     Err(unavailable) => println!("503: {unavailable}"),
    /// }
    /// # });
    /// ```
    ///
    /// # Errors
    /// - [`AccessError::Denied`]: the credentials do not match.
    /// - [`AccessError::Unavailable`]: the store did not answer. This is not a denial.
    pub async fn authenticate(
        &self,
        client_id: &str,
        client_secret: &str,
    ) -> Result<Authenticated, AccessError> {
        let record_id = record_of(client_id, self.inner.policy.secret_prefix());
        let id = match record_id {
            Ok(id) => id,
            Err(reason) => return self.let_in(None, NOBODY, reason, client_secret),
        };
        let nobody = Reason::UnknownClient;
        if let Some(found) = self.at_hand(id).found() {
            self.let_in(found, id.as_bytes(), nobody, client_secret)
        } else {
            self.let_in(self.wait_for(id).await?.as_ref(), id.as_bytes(), nobody, client_secret)
        }
    }

    /// Returns whether a secret would authenticate its client now. Ask it at each request with an access token, to refuse the
    /// token once the secret that it was issued for no longer works.
    ///
    /// The call does not count as a use of the secret (rule 9). Its answer is as fresh as that of
    /// [`authenticate`](Self::authenticate).
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let registry = Registry::in_memory();
    /// # let contoso = registry.as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// assert!(registry.is_alive(issued.client_id(), issued.secret_id()).await?);
    /// contoso.client(issued.client_id()).suspend().await?;
    /// assert!(!registry.is_alive(issued.client_id(), issued.secret_id()).await?);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`StoreError`] if the store did not answer.
    pub async fn is_alive(&self, client_id: &ClientId, secret: SecretId) -> Result<bool, StoreError> {
        let is_alive = |found: Option<&Opened>| match found {
            Some(Opened::Active(client)) => Ok(client.is_alive(secret, self.judged_at(client))),
            Some(Opened::Deleted(_)) | None => Ok(false),
        };
        self.ask(client_id.into(), is_alive).await
    }

    /// Lets in the caller that presented a client secret, or denies it. If there is no such client, `nobody` is the reason, and the
    /// secret is hashed with an ID of the same length all the same.
    #[inline]
    pub(super) fn let_in(
        &self,
        found: Option<&Opened>,
        hashed_with: &[u8],
        nobody: Reason,
        client_secret: &str,
    ) -> Result<Authenticated, AccessError> {
        let denial = match found {
            None => deny_nobody(hashed_with, &[client_secret], nobody),
            Some(Opened::Deleted(tombstone)) => tombstone.deny(&tombstone.hash(client_secret)),
            Some(Opened::Active(client)) => match self.judge(client, &client.hash(client_secret)) {
                Ok((secret, at)) => return Ok(Authenticated::traced(Arc::clone(client), secret, at)),
                Err(denial) => denial,
            },
        };
        let denial = denial.explained_by(client_secret, &self.inner.policy);
        Err(self.denied(denial, found))
    }

    /// Asks the client, and notes the use (rule 9). The clock is read whatever was presented, so that time does not tell which.
    #[inline]
    fn judge(&self, client: &Client, presented: &Verifier) -> Result<(SecretId, Timestamp), Denial> {
        let at = self.judged_at(client);
        let held = client.identify(presented)?;
        let judged = client.judge(held, at);
        if judged.as_ref().err().is_none_or(Denial::is_use) {
            self.inner.uses.note(client, held, at);
        }
        judged.map(|secret| (secret.id(), at))
    }

    /// Returns the instant at which a request is judged, by the recent reading (rule 19).
    #[inline]
    pub(super) fn judged_at(&self, client: &Client) -> Timestamp {
        self.no_earlier_than(client, self.inner.clock.recent_wall())
    }

    /// Returns the instant for commands and snapshots, by the exact reading (rule 19).
    pub(in crate::registry) fn instant_of(&self, client: &Client) -> Timestamp {
        self.no_earlier_than(client, self.now())
    }

    #[inline]
    fn no_earlier_than(&self, client: &Client, clock: Timestamp) -> Timestamp {
        if client.is_ahead_of(clock) {
            self.warn_of_lag(client, clock);
        }
        client.instant(clock)
    }

    #[cold]
    pub(in crate::registry) fn warn_of_lag(&self, client: &Client, now: Timestamp) {
        let id = client.id().as_str();
        self.inner.alarms.clock_behind(id, client.changed_at(), now, &*self.inner.clock);
    }
}

/// Returns the record to look up for a presented client ID, or why there can be none. A text that looks like a client secret is not
/// looked up, logged or stored.
#[inline]
pub(super) fn record_of<'a>(client_id: &'a str, prefix: &str) -> Result<RecordId<'a>, Reason> {
    match RecordId::of_guid(client_id) {
        Some(id) => Ok(id),
        // Of a text that is too long for a client secret the rest makes no difference.
        None if could_be_secret(cut(client_id), prefix) => Err(Reason::LooksLikeClientSecret),
        None => RecordId::of_presented(client_id).ok_or(Reason::UnknownClient),
    }
}

/// Returns the denial where there is no client, after the work that a client would have taken.
pub(super) fn deny_nobody(hashed_with: &[u8], presented: &[&str], reason: Reason) -> Denial {
    for client_secret in presented {
        // Otherwise the compiler may see that nothing comes of it, and leave it out.
        black_box(VerifierPrefix::NOBODY.of_presented(hashed_with, client_secret));
    }
    Denial::because(reason)
}

/// What is hashed in place of a client ID that is none: as long as one of ours.
pub(super) const NOBODY: &[u8] = b"00000000-0000-0000-0000-000000000000";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::ImportedClient;
    use crate::clock::ManualClock;
    use crate::entropy::{Entropy, EntropyError};
    use crate::secret::verifier::tests::{comparisons, compressions};
    use crate::{Availability, ClientDetails, Issued, Lifetime, NewSecret, Policy};
    use pollster::block_on;
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};
    use std::sync::Mutex;

    #[derive(Debug)]
    struct Seeded(Mutex<StdRng>);

    impl Entropy for Seeded {
        fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
            self.0.lock().unwrap().fill_bytes(buffer);
            Ok(())
        }
    }

    fn registry() -> Registry {
        Registry::builder()
            .clock(ManualClock::new("2026-03-01T09:00:00Z".parse().unwrap()))
            .entropy(Seeded(Mutex::new(StdRng::seed_from_u64(1))))
            .policy(Policy::default().with_max_secrets(5).unwrap())
            .in_memory()
    }

    /// What presenting this costs, and what it comes to: the same to a client that was loaded ahead.
    fn cost(registry: &Registry, client_id: &str, secret: &str) -> (usize, usize, Option<Reason>) {
        let loaded = block_on(registry.load_client(client_id)).unwrap();
        let of = |ask: &dyn Fn() -> Result<Authenticated, AccessError>| {
            compressions();
            comparisons();
            let reason = match ask() {
                Ok(_) => None,
                Err(AccessError::Denied(denied)) => Some(denied.reason()),
                Err(AccessError::Unavailable(error)) => panic!("{error}"),
            };
            (compressions(), comparisons(), reason)
        };
        let cost = of(&|| block_on(registry.authenticate(client_id, secret)));
        assert_eq!(of(&|| loaded.authenticate(secret)), cost, "{client_id}");
        cost
    }

    #[test]
    fn rule_05_every_answer_costs_the_same_hashing() {
        let registry = registry();
        let seller = registry.as_seller("contoso").unwrap();
        let new = || NewSecret::lasting(Lifetime::OneYear);
        let register = |name| {
            let details =
                ClientDetails::new(name, "app.contoso.com", "https://app.contoso.com/done").unwrap();
            block_on(seller.register(details, Lifetime::OneYear)).unwrap()
        };
        let first = register("calendar app");
        let gone = register("old app");
        let old = seller.client(gone.client_id());
        block_on(async { old.confirm(old.plan_client_deletion().await.unwrap()).await }).unwrap();

        let client = seller.client(first.client_id());
        let add = || block_on(client.add_secret(new())).unwrap();
        let deleted = add();
        let compromised = add();
        let plan = block_on(client.plan_deletion(deleted.secret_id())).unwrap();
        block_on(client.confirm(plan)).unwrap();
        let _ = block_on(client.delete_in_emergency(compromised.secret_id(), None)).unwrap();
        let held: [Issued; 5] = [first, add(), add(), add(), add()];

        let ours = held[0].client_id().as_str();
        let text = |issued: &Issued| issued.client_secret().expose().to_owned();
        let upper = ours.to_uppercase();
        let wrong = text(&held[0]).chars().rev().collect::<String>();
        let slip = format!("{}~", &text(&held[0])[..52]);
        // Five secrets and two that are remembered; one that is remembered; nothing at all.
        let mut cases = vec![
            (ours, wrong, Some(Reason::Wrong), 7),
            (ours, slip, Some(Reason::Mistyped), 7),
            (ours, text(&gone), Some(Reason::Wrong), 7),
            (ours, text(&deleted), Some(Reason::Deleted), 7),
            (ours, text(&compromised), Some(Reason::Compromised), 7),
            (gone.client_id().as_str(), text(&gone), Some(Reason::ClientDeleted), 1),
            (gone.client_id().as_str(), text(&held[0]), Some(Reason::ClientDeleted), 1),
            ("11111111-2222-4333-8444-555555555555", text(&held[0]), Some(Reason::UnknownClient), 0),
            (&upper, text(&held[0]), Some(Reason::UnknownClient), 0),
            ("", text(&held[0]), Some(Reason::UnknownClient), 0),
            ("not a client ID", text(&held[0]), Some(Reason::UnknownClient), 0),
        ];
        cases.extend(held.iter().map(|issued| (ours, text(issued), None, 7)));
        for (client_id, secret, reason, candidates) in cases {
            assert_eq!(cost(&registry, client_id, &secret), (1, candidates, reason), "{client_id}");
        }
        // What is far too long costs the same, whether there is such a client or not.
        for long in [" ".repeat(1 << 20), "_".repeat(1 << 20), "\u{1f511}".repeat(1 << 18)] {
            for (client_id, candidates) in
                [(ours, 7), ("11111111-2222-4333-8444-555555555555", 0), (&long, 0)]
            {
                let (compressed, compared, _) = cost(&registry, client_id, &long);
                assert_eq!((compressed, compared), (9, candidates));
            }
        }
        // Of another length too, whether there is such a client or not.
        let operator = registry.as_operator("ann").unwrap();
        let details = |id: &str| ClientDetails::new(id, "contoso.com", "https://contoso.com/done").unwrap();
        for (len, blocks) in [(8, 2), (12, 2), (35, 2), (37, 1), (64, 2)] {
            let (known, unknown) = ("k".repeat(len), "u".repeat(len));
            let (id, owner) = (ClientId::parse(&known).unwrap(), crate::SellerId::parse("contoso").unwrap());
            let imported = ImportedClient::new(id, owner, details(&known), Availability::Worldwide);
            block_on(operator.import(imported)).unwrap();
            for (id, reason) in [(&known, Reason::Wrong), (&unknown, Reason::UnknownClient)] {
                assert_eq!(cost(&registry, id, &text(&held[0])), (blocks, 0, Some(reason)));
            }
        }
    }
}
