//! Authenticating with two readings of one presented client secret, as HTTP Basic brings them (rules 5, 9 and 10).
//!
//! Both readings are hashed and compared with everything that the client has or remembers, whatever came of the other one and
//! also if they are equal. One of them is reported: one answer, one line in the log, one noted use, one alarm at most.

use std::sync::Arc;

use crate::client::{Client, Denial, Reason};
use crate::record::Opened;
use crate::registry::Registry;
use crate::registry::serve::access::{NOBODY, deny_nobody, record_of};
use crate::registry::serve::authenticated::Authenticated;
use crate::registry::serve::denied::AccessError;
use crate::secret::Secret;
use crate::store::Store;
use crate::value::{SecretId, Timestamp};

impl<S: Store> Registry<S> {
    /// Checks a client ID and the two readings of a client secret, as [`authenticate`](Self::authenticate) checks one.
    pub(crate) async fn authenticate_readings(
        &self,
        client_id: &str,
        readings: [&str; 2],
    ) -> Result<Authenticated, AccessError> {
        let record_id = record_of(client_id, self.inner.policy.secret_prefix());
        match record_id {
            Ok(id) => {
                let unknown = Reason::UnknownClient;
                self.ask(id, |found| self.let_in_by_either(found, id.as_bytes(), unknown, readings)).await
            }
            Err(reason) => self.let_in_by_either(None, NOBODY, reason, readings),
        }
    }

    /// Lets in the caller if either reading is a valid secret, or denies it.
    fn let_in_by_either(
        &self,
        found: Option<&Opened>,
        hashed_with: &[u8],
        nobody: Reason,
        readings: [&str; 2],
    ) -> Result<Authenticated, AccessError> {
        let denial = match found {
            None => deny_nobody(hashed_with, &readings, nobody),
            Some(Opened::Deleted(tombstone)) => {
                let [raw, decoded] = readings.map(|reading| tombstone.deny(&tombstone.hash(reading)));
                more_telling(raw, decoded)
            }
            Some(Opened::Active(client)) => match self.judge_either(client, readings) {
                Ok((secret, at)) => return Ok(Authenticated::traced(Arc::clone(client), secret, at)),
                Err(denial) => denial,
            },
        };
        let [raw, decoded] = readings;
        let denial = denial.explained_by(raw, &self.inner.policy).explained_by(decoded, &self.inner.policy);
        Err(self.denied(denial, found))
    }

    /// Asks the client about both, and notes one use (rule 9). The clock is read whatever was presented.
    fn judge_either(&self, client: &Client, readings: [&str; 2]) -> Result<(SecretId, Timestamp), Denial> {
        let at = self.judged_at(client);
        let identified = readings.map(|reading| client.identify(&client.hash(reading)));
        if let [Err(raw), Err(decoded)] = identified {
            return Err(more_telling(raw, decoded));
        }
        let [raw, decoded] = identified.map(|identified| match identified {
            Ok(held) => (Some(held), client.judge(held, at).map(Secret::id)),
            Err(denial) => (None, Err(denial)),
        });
        let (used, judged) = match weight(&decoded.1) > weight(&raw.1) {
            true => decoded,
            false => raw,
        };
        if let Some(held) = used
            && judged.as_ref().err().is_none_or(Denial::is_use)
        {
            self.inner.uses.note(client, held, at);
        }
        judged.map(|secret| (secret, at))
    }
}

/// Returns the denial that an operator should hear of. Of two alike it is the first.
fn more_telling(raw: Denial, decoded: Denial) -> Denial {
    if weight(&Err(decoded)) > weight(&Err(raw)) { decoded } else { raw }
}

/// Orders what came of two readings: a valid secret counts before a compromised one, then one that is still in use, then any that was
/// recognised.
fn weight(judged: &Result<SecretId, Denial>) -> u8 {
    match judged {
        Ok(_) => 4,
        Err(denial) if denial.reason() == Reason::Compromised => 3,
        Err(denial) if denial.is_use() => 2,
        Err(denial) if denial.secret_id().is_some() => 1,
        Err(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::ImportedSecret;
    use crate::clock::ManualClock;
    use crate::secret::KeyEncoding;
    use crate::secret::verifier::tests::{comparisons, compressions};
    use crate::value::Validity;
    use crate::{ClientDetails, ClientHandle, ClientSecret, Lifetime, NewSecret, Policy, Timestamp};
    use pollster::block_on;

    const RAW: &str = "an%2Bimported%2Fsecret-of-a%3Dlegacy%25client";
    const DECODED: &str = "an+imported/secret-of-a=legacy%client";

    fn now() -> Timestamp {
        "2026-03-01T09:00:00Z".parse().unwrap()
    }

    fn registry() -> Registry {
        let policy = Policy::default().with_max_secrets(12).unwrap();
        Registry::builder().clock(ManualClock::new(now().into())).policy(policy).in_memory()
    }

    fn import(client: &ClientHandle, text: &str) -> SecretId {
        let validity =
            Validity::new(now(), Some(now().saturating_add(std::time::Duration::from_secs(9)))).unwrap();
        let secret = ClientSecret::parse(text).unwrap();
        block_on(client.import_secret(ImportedSecret::new(secret, validity, KeyEncoding::Utf8))).unwrap();
        let snapshot = block_on(client.snapshot()).unwrap();
        snapshot.client().secrets().last().unwrap().id()
    }

    /// The compressions, the comparisons, and what it came to.
    type Cost = (usize, usize, Result<SecretId, Reason>);

    fn cost(registry: &Registry, client_id: &str, readings: [&str; 2]) -> Cost {
        compressions();
        comparisons();
        let answer = match block_on(registry.authenticate_readings(client_id, readings)) {
            Ok(who) => Ok(who.secret_id()),
            Err(AccessError::Denied(denied)) => Err(denied.reason()),
            Err(AccessError::Unavailable(error)) => panic!("{error}"),
        };
        (compressions(), comparisons(), answer)
    }

    #[test]
    fn rule_05_both_readings_cost_the_same_whatever_comes_of_either() {
        let registry = registry();
        let seller = registry.as_seller("contoso").unwrap();
        let register = |name| {
            let details = ClientDetails::new(name, "contoso.com", "https://contoso.com/done").unwrap();
            block_on(seller.register(details, Lifetime::OneYear)).unwrap()
        };
        let (issued, gone) = (register("calendar"), register("old"));
        let (client, old) = (seller.client(issued.client_id()), seller.client(gone.client_id()));
        let imported = import(&client, DECODED);
        let compromised = block_on(client.add_secret(NewSecret::lasting(Lifetime::OneYear))).unwrap();
        let _ = block_on(client.delete_in_emergency(compromised.secret_id(), None)).unwrap();
        block_on(async { old.confirm(old.plan_client_deletion().await.unwrap()).await }).unwrap();

        let (id, ours) = (issued.client_id().as_str(), issued.client_secret().expose());
        let dead = compromised.client_secret().expose();
        let wrong = "x".repeat(ours.len());
        let slip = format!("{}~", &ours[..52]);
        // Two secrets and one that is remembered, each compared twice.
        for (readings, answer) in [
            ([ours, ours], Ok(issued.secret_id())),
            ([ours, &wrong], Ok(issued.secret_id())),
            ([&wrong, ours], Ok(issued.secret_id())),
            ([ours, dead], Ok(issued.secret_id())),
            ([dead, ours], Ok(issued.secret_id())),
            ([&wrong, &wrong], Err(Reason::Wrong)),
            ([&slip, &slip], Err(Reason::Mistyped)),
            ([&wrong, &slip], Err(Reason::Mistyped)),
            ([dead, dead], Err(Reason::Compromised)),
            ([&wrong, dead], Err(Reason::Compromised)),
            ([dead, &wrong], Err(Reason::Compromised)),
        ] {
            assert_eq!(cost(&registry, id, readings), (2, 6, answer));
        }
        assert_eq!(cost(&registry, id, [RAW, DECODED]), (2, 6, Ok(imported)));
        let nobody = "11111111-2222-4333-8444-555555555555";
        for (id, candidates, reason) in [
            (nobody, 0, Reason::UnknownClient),
            ("no client ID", 0, Reason::UnknownClient),
            ("", 0, Reason::UnknownClient),
            (gone.client_id().as_str(), 2, Reason::ClientDeleted),
        ] {
            assert_eq!(cost(&registry, id, [RAW, DECODED]), (2, candidates, Err(reason)), "{id}");
        }
        let long = "_".repeat(1 << 16);
        for id in [id, nobody] {
            assert_eq!(cost(&registry, id, [&long, &long]).0, 2 * 9);
        }
    }

    /// Where both readings are secrets of the client, the valid one counts, then the one that is still in use.
    #[test]
    fn rule_05_of_two_secrets_the_valid_one_counts() {
        let registry = registry();
        let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done").unwrap();
        let seller = registry.as_seller("contoso").unwrap();
        let issued = block_on(seller.register(details, Lifetime::OneYear)).unwrap();
        let (id, client) = (issued.client_id().as_str(), seller.client(issued.client_id()));
        let (raw, decoded) = (import(&client, RAW), import(&client, DECODED));
        let answer = |readings| cost(&registry, id, readings).2;
        assert_eq!(answer([RAW, DECODED]), Ok(raw));
        assert_eq!(answer([DECODED, RAW]), Ok(decoded));
        let disable = |secret| {
            block_on(async { client.confirm(client.plan_disabling(secret).await?).await }).unwrap();
        };
        disable(raw);
        assert_eq!(answer([RAW, DECODED]), Ok(decoded));
        assert_eq!(answer([DECODED, RAW]), Ok(decoded));
        disable(decoded);
        assert_eq!(answer([RAW, DECODED]), Err(Reason::Disabled));
        let _ = block_on(client.delete_in_emergency(raw, None)).unwrap();
        for readings in [[RAW, DECODED], [DECODED, RAW]] {
            assert_eq!(answer(readings), Err(Reason::Compromised));
        }
        // The use of the disabled one was noted once, when it was presented alone.
        let last_used = || block_on(client.snapshot()).unwrap().last_used(decoded);
        assert_eq!(last_used(), Some(now()));
    }
}
