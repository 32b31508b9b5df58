//! Whole lives of a client (rule 5): a secret authenticates while it is valid, and nothing that resembles it ever does.

use std::collections::BTreeSet;
use std::time::Duration;

use client_registry::client::{ImportedSecret, Revocation};
use client_registry::secret::KeyEncoding;
use client_registry::value::Validity;
use client_registry::{
    ClientId, ClientSecret, Days, EmergencyDeletion, Lifetime, NewSecret, Policy, Purpose, Reason, SecretId,
    Timestamp,
};
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use pollster::block_on;
use proptest::prelude::*;

use super::lenient;
use crate::support::{Platform, Seeded, denied, instant, verifier};

/// A secret, and what becomes of it. Hours count from the start.
#[derive(Debug, Clone)]
struct Life {
    starts: u32,
    ends: u32,
    purpose: Purpose,
    imported: bool,
    disabled: bool,
    fate: Option<Revocation>,
}

impl Life {
    /// What presenting it should come to, by the words of rules 4, 5 and 10.
    fn expected(&self, hour: u32) -> Result<(), Reason> {
        match self.fate {
            Some(Revocation::Deleted) => return Err(Reason::Deleted),
            Some(Revocation::Compromised) => return Err(Reason::Compromised),
            None => {}
        }
        if hour >= self.ends {
            Err(Reason::Ended)
        } else if self.disabled {
            Err(Reason::Disabled)
        } else if hour < self.starts {
            Err(Reason::NotYetStarted)
        } else {
            Ok(())
        }
    }
}

fn a_life() -> impl Strategy<Value = Life> {
    let purpose = prop_oneof![Just(Purpose::SigningAndPassword), Just(Purpose::PasswordOnly)];
    let fate = prop_oneof![
        4 => Just(None),
        1 => Just(Some(Revocation::Deleted)),
        1 => Just(Some(Revocation::Compromised)),
    ];
    (0u32..100, 1u32..8, purpose, any::<bool>(), prop::bool::weighted(0.25), fate).prop_map(
        |(starts, days, purpose, imported, disabled, fate)| Life {
            starts,
            ends: starts + 24 * days,
            purpose,
            imported,
            disabled,
            fate,
        },
    )
}

fn hours(hours: u32) -> Duration {
    Duration::from_secs(u64::from(hours) * 3600)
}

async fn live(
    platform: &Platform,
    client_id: &ClientId,
    life: &Life,
    texts: &Seeded,
) -> (SecretId, ClientSecret) {
    let client = platform.contoso.client(client_id);
    let start = instant(crate::support::START);
    let starts = start.checked_add(hours(life.starts)).unwrap();
    let (id, secret) = if life.imported {
        let text = texts.text("abcdefghijklmnopqrstuvwxyz0123456789-. ~", 40);
        let validity = Validity::new(starts, start.checked_add(hours(life.ends))).unwrap();
        let secret = ClientSecret::parse(&text).unwrap();
        let imported = ImportedSecret::new(secret, validity, KeyEncoding::Utf8).for_purpose(life.purpose);
        (client.import_secret(imported).await.unwrap(), ClientSecret::parse(&text).unwrap())
    } else {
        let days = Days::new((life.ends - life.starts) / 24);
        let new = NewSecret::lasting(Lifetime::Days(days)).for_purpose(life.purpose).starting(starts);
        let issued = client.add_secret(new).await.unwrap();
        (issued.secret_id(), issued.into_client_secret())
    };
    if life.disabled {
        let plan = client.plan_disabling(id).await.unwrap();
        client.confirm(plan).await.unwrap();
    }
    match life.fate {
        Some(Revocation::Deleted) => {
            let plan = client.plan_deletion(id).await.unwrap();
            client.confirm(plan).await.unwrap();
        }
        Some(Revocation::Compromised) => {
            let deleted = client.delete_in_emergency(id, None).await.unwrap();
            assert!(matches!(deleted, EmergencyDeletion::Deleted { .. }));
        }
        None => {}
    }
    (id, secret)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn rule_05_a_secret_authenticates_while_it_is_valid_and_at_no_other_time(
        seed: u64,
        lives in prop::collection::vec(a_life(), 1..7),
        probes in prop::collection::btree_set(0u32..300, 1..8),
    ) {
        let platform = lenient(seed);
        block_on(async {
            // It outlives them all, so that none of them is ever the last.
            let keeper = platform.register("calendar app").await;
            let stranger = platform.register("another app").await;
            let texts = Seeded::new(!seed);
            let mut secrets = vec![];
            for life in &lives {
                let (id, secret) = live(&platform, keeper.client_id(), life, &texts).await;
                secrets.push((id, secret, life));
            }
            // Exactly at both ends of each validity, a millisecond before, and anywhere else.
            let turns = lives.iter().flat_map(|life| [life.starts, life.ends]).chain(probes);
            let turns: BTreeSet<_> = turns.flat_map(|hour| [(hour, true), (hour, false)]).collect();
            let start = instant(crate::support::START);
            for (hour, just_before) in turns {
                let (hour, at) = match (start.checked_add(hours(hour)).unwrap(), just_before) {
                    (at, false) => (hour, at),
                    (_, true) if hour == 0 => continue,
                    (at, true) => (hour - 1, Timestamp::from_millis(at.as_millis() - 1).unwrap()),
                };
                platform.clock.set_wall(at.to_datetime());
                let snapshot = platform.contoso.client(keeper.client_id()).snapshot().await.unwrap();
                let mut valid = vec![keeper.secret_id()];
                valid.extend(secrets.iter().filter(|(_, _, life)| life.expected(hour).is_ok()).map(|s| s.0));
                for (id, secret, life) in &secrets {
                    let answer = platform
                        .registry
                        .authenticate(keeper.client_id().as_str(), secret.expose())
                        .await;
                    match life.expected(hour) {
                        Ok(()) => {
                            let who = answer.unwrap();
                            prop_assert_eq!(who.client_id(), keeper.client_id());
                            prop_assert_eq!(who.owner().as_str(), "contoso");
                            prop_assert_eq!(who.secret_id(), *id);
                            prop_assert_eq!(who.at(), at);
                            prop_assert_eq!(who.signs(), snapshot.signing().secret() == Some(*id));
                            prop_assert_eq!(who.ends(), start.checked_add(hours(life.ends)));
                            let newer = valid.iter().filter(|other| *other > id).max();
                            prop_assert_eq!(who.newer(), newer.copied());
                        }
                        Err(reason) => {
                            let denied = denied(answer);
                            prop_assert_eq!(denied.reason(), reason);
                            prop_assert_eq!(denied.client_id(), Some(keeper.client_id()));
                            prop_assert_eq!(denied.secret_id(), Some(*id));
                        }
                    }
                    // The same text is nothing to another client.
                    let elsewhere = platform.denied(stranger.client_id().as_str(), secret.expose()).await;
                    prop_assert_eq!(elsewhere.reason(), Reason::Wrong);
                    prop_assert_eq!(elsewhere.secret_id(), None);
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn rule_05_nothing_that_resembles_a_secret_authenticates(
        seed: u64,
        cut in 0usize..53,
        extra in "\\PC{1,3}",
        inserted in "\\PC",
    ) {
        let platform = Platform::seeded(seed, Policy::default());
        block_on(async {
            let issued = platform.register("calendar app").await;
            let other = platform.register("another app").await;
            let client_id = issued.client_id();
            let text = issued.client_secret().expose();
            prop_assert_eq!(text.len(), 53);
            let verifier = verifier(client_id, text);
            let letter = text.char_indices().skip(4).find(|(_, c)| c.is_ascii_alphabetic()).unwrap();
            let other_case = |c: char| match c.is_ascii_lowercase() {
                true => c.to_ascii_uppercase(),
                false => c.to_ascii_lowercase(),
            };
            let flipped = [&text[..letter.0], &other_case(letter.1).to_string(), &text[letter.0 + 1..]].concat();
            let at = cut.max(4);

            let mistyped = [
                text[..at].to_owned(),
                format!("{text}{extra}"),
                [&text[..at], &inserted, &text[at..]].concat(),
                flipped,
                text.to_lowercase(),
                format!(" {text}"),
                format!("{text} "),
                format!("{text}\n"),
                format!("{text}\r\n"),
                format!("\t{text}"),
                format!("\u{a0}{text}"),
                format!("{text}\0"),
                [&text[..at], "\0", &text[at..]].concat(),
                [&text[..30], " ", &text[30..]].concat(),
                format!("{text}{text}"),
                format!("\"{text}\""),
                format!("'{}'", &text[..40]),
                format!("Bearer {text}"),
                format!("\u{feff}{text}"),
                format!("client_secret={text}&"),
                // A Cyrillic letter that looks like the last one.
                format!("{}\u{0430}", &text[..52]),
            ];
            for slip in &mistyped {
                prop_assert_eq!(platform.reason(client_id, slip).await, Reason::Mistyped, "{}", slip);
            }
            let wrong = [
                String::new(),
                " ".to_owned(),
                text[..cut.min(3)].to_owned(),
                text[1..].to_owned(),
                text[4..].to_owned(),
                text.to_uppercase(),
                format!("\u{0441}{}", &text[1..]),
                text.chars().rev().collect(),
                text.replace('_', "-"),
                HEXLOWER.encode(&verifier),
                BASE64.encode(&verifier),
                BASE64URL_NOPAD.encode(&verifier),
                BASE64.encode(text.as_bytes()),
                HEXLOWER.encode(text.as_bytes()),
                other.client_secret().expose().to_owned(),
                client_id.to_string(),
                "correct horse battery staple".to_owned(),
            ];
            for guess in &wrong {
                prop_assert_eq!(platform.reason(client_id, guess).await, Reason::Wrong, "{}", guess);
            }
            for id in ["1", "17", " 1", "1\n", "4294967295"] {
                prop_assert_eq!(platform.reason(client_id, id).await, Reason::LooksLikeSecretId, "{}", id);
            }
            let hint = platform.contoso.client(client_id).snapshot().await.unwrap();
            let hint = hint.client().secrets().next().unwrap().hint().unwrap();
            let reason = platform.reason(client_id, hint.as_str()).await;
            prop_assert!(matches!(reason, Reason::Wrong | Reason::LooksLikeSecretId));

            platform.authenticate(client_id, issued.client_secret()).await;
            Ok(())
        })?;
    }

    #[test]
    fn rule_05_anything_at_all_is_denied_without_a_panic(
        client_id in prop_oneof![any::<String>(), "[A-Za-z0-9._-]{0,70}", "[0-9a-fA-F{}-]{30,40}"],
        secret: String,
    ) {
        let platform = Platform::new();
        block_on(async {
            let issued = platform.register("calendar app").await;
            let nobody = platform.denied(&client_id, &secret).await;
            prop_assert_eq!(nobody.reason(), Reason::UnknownClient);
            prop_assert_eq!(nobody.client_id(), None);
            // The right secret does not help a client ID that is none.
            let reason = platform.denied(&client_id, issued.client_secret().expose()).await.reason();
            prop_assert_eq!(reason, Reason::UnknownClient);
            let reason = platform.reason(issued.client_id(), &secret).await;
            prop_assert!(matches!(reason, Reason::Wrong | Reason::LooksLikeSecretId | Reason::Mistyped));
            Ok(())
        })?;
    }
}

/// The longest secret that can be imported, and one character more.
#[test]
fn rule_05_the_longest_secret_authenticates_and_no_extension_of_it() {
    let platform = Platform::new();
    block_on(async {
        let issued = platform.register("calendar app").await;
        let texts = Seeded::new(9);
        let longest = texts.text("abcdefghijklmnopqrstuvwxyz", 512);
        let secret = ClientSecret::parse(&longest).unwrap();
        let imported = ImportedSecret::new(secret, issued.validity(), KeyEncoding::Utf8);
        let client = platform.contoso.client(issued.client_id());
        let id = client.import_secret(imported).await.unwrap();
        let secret = ClientSecret::parse(&longest).unwrap();
        assert_eq!(platform.authenticate(issued.client_id(), &secret).await.secret_id(), id);
        for extra in ["a", "\0", "aa", &longest] {
            let extended = format!("{}{extra}", longest.as_str());
            assert_eq!(platform.reason(issued.client_id(), &extended).await, Reason::Wrong);
        }
        assert_eq!(platform.reason(issued.client_id(), &longest[..511]).await, Reason::Wrong);
    });
}
