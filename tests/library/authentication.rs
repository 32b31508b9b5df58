//! Rules 5 and 10 at the registry: a secret that is valid now authenticates its client, nothing else does, and a dead
//! one stays dead. Outside every denial is the same; inside, each has exactly the reason that the documentation gives.
//! Rules 8 and 15 where they meet authentication.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::support::{Platform, Seeded, Watched, denied, details, instant, logged, secret_id, verifier};
use client_registry::client::{ImportedClient, ImportedSecret, Obstacle, Revocation};
use client_registry::secret::KeyEncoding;
use client_registry::store::RecordId;
use client_registry::value::{Field, Label, Problem, Revision, Validity};
use client_registry::{
    AccessError, AddIn, Availability, ClientDetails, ClientId, ClientSecret, Days, EmergencyDeletion, Error,
    ErrorKind, Issued, Lifetime, NewSecret, Policy, Purpose, Reason, Refusal, Rotation, SecretId, SellerId,
    Signature, Timestamp,
};
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use pollster::block_on;
use proptest::prelude::*;

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

/// A platform on which nothing stands in the way of deleting but being the last.
fn lenient(seed: u64) -> Platform {
    let policy = Policy::default().with_max_secrets(12).unwrap().with_retire_after(Duration::ZERO);
    Platform::seeded(seed, policy)
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

    #[test]
    fn rule_10_the_latest_deleted_and_compromised_secrets_stay_dead(
        seed: u64,
        fates in prop::collection::vec(prop_oneof![
            3 => Just((Revocation::Deleted, false)),
            2 => Just((Revocation::Deleted, true)),
            1 => Just((Revocation::Compromised, false)),
        ], 1..40),
        client_goes: bool,
    ) {
        let platform = lenient(seed);
        block_on(async {
            let keeper = platform.register("calendar app").await;
            let client = platform.contoso.client(keeper.client_id());
            let (mut secrets, mut deleted, mut compromised) = (vec![], vec![], vec![]);
            for (fate, condemned_later) in fates {
                let issued = client.add_secret(NewSecret::lasting(Lifetime::OneYear)).await.unwrap();
                let id = issued.secret_id();
                match fate {
                    Revocation::Deleted => {
                        let plan = client.plan_deletion(id).await.unwrap();
                        client.confirm(plan).await.unwrap();
                        bury(&mut deleted, id);
                    }
                    Revocation::Compromised => {
                        let _ = client.delete_in_emergency(id, None).await.unwrap();
                        compromised.push(id);
                    }
                }
                if condemned_later {
                    client.mark_compromised(id).await.unwrap();
                    deleted.retain(|other| *other != id);
                    compromised.push(id);
                }
                secrets.push(issued);
            }
            if client_goes {
                let plan = client.plan_client_deletion().await.unwrap();
                client.confirm(plan).await.unwrap();
                bury(&mut deleted, keeper.secret_id());
                secrets.push(keeper);
            }
            for issued in &secrets {
                let id = issued.secret_id();
                let denied = platform
                    .denied(issued.client_id().as_str(), issued.client_secret().expose())
                    .await;
                let (reason, secret) = if compromised.contains(&id) {
                    (Reason::Compromised, Some(id))
                } else if client_goes {
                    (Reason::ClientDeleted, Some(id).filter(|id| deleted.contains(id)))
                } else if deleted.contains(&id) {
                    (Reason::Deleted, Some(id))
                } else {
                    (Reason::Wrong, None)
                };
                prop_assert_eq!((denied.reason(), denied.secret_id()), (reason, secret));

                // Nor does it come back by being imported.
                if secret.is_some() {
                    let text = ClientSecret::parse(issued.client_secret().expose()).unwrap();
                    let again = ImportedSecret::new(text, issued.validity(), KeyEncoding::Utf8);
                    let refused = client.import_secret(again).await.unwrap_err();
                    let fate = match reason {
                        Reason::Compromised => Revocation::Compromised,
                        _ => Revocation::Deleted,
                    };
                    let expected = match client_goes {
                        true => Refusal::ClientDeleted,
                        false => Refusal::Remembered { secret: id, revocation: fate },
                    };
                    prop_assert!(matches!(refused, Error::Refused(refusal) if refusal == expected));
                }
            }
            Ok(())
        })?;
    }
}

/// Of the secrets that were deleted in calm the latest 16 are remembered.
fn bury(deleted: &mut Vec<SecretId>, id: SecretId) {
    deleted.push(id);
    if deleted.len() > 16 {
        deleted.remove(0);
    }
}

#[test]
fn rule_10_sixty_four_compromised_secrets_are_remembered_and_not_the_ones_before() {
    let platform = lenient(3);
    block_on(async {
        let mut latest = platform.register("calendar app").await;
        let client = platform.contoso.client(latest.client_id());
        let mut dead = vec![];
        for _ in 0..70 {
            let new = NewSecret::lasting(Lifetime::OneYear);
            let replaced = client.delete_in_emergency(latest.secret_id(), Some(new)).await;
            let EmergencyDeletion::Replaced(next) = replaced.unwrap() else { panic!("not replaced") };
            dead.push(std::mem::replace(&mut latest, next));
        }
        for (position, issued) in dead.iter().enumerate() {
            let expected = match position {
                0..6 => Reason::Wrong,
                _ => Reason::Compromised,
            };
            let reason = platform.reason(issued.client_id(), issued.client_secret().expose()).await;
            assert_eq!(reason, expected, "{position}");
        }
        platform.authenticate(latest.client_id(), latest.client_secret()).await;
    });
}

/// One of each reason, with the client ID and the text that lead to it.
async fn one_of_each(platform: &Platform) -> Vec<(Reason, String, String)> {
    let issued = platform.register("calendar app").await;
    let gone = platform.register("old app").await;
    let client = platform.contoso.client(issued.client_id());
    let add = |new: NewSecret| async { client.add_secret(new).await.unwrap() };
    let lasting = || NewSecret::lasting(Lifetime::OneYear);
    let short = add(NewSecret::lasting(Lifetime::Days(Days::new(1)))).await;
    let disabled = add(lasting()).await;
    let future = add(lasting().starting(instant("2026-06-01T00:00:00Z"))).await;
    let deleted = add(lasting()).await;
    let compromised = add(lasting()).await;
    let plan = client.plan_disabling(disabled.secret_id()).await.unwrap();
    client.confirm(plan).await.unwrap();
    let plan = client.plan_deletion(deleted.secret_id()).await.unwrap();
    client.confirm(plan).await.unwrap();
    let _ = client.delete_in_emergency(compromised.secret_id(), None).await.unwrap();
    let old = platform.contoso.client(gone.client_id());
    let plan = old.plan_client_deletion().await.unwrap();
    old.confirm(plan).await.unwrap();
    platform.clock.advance(Days::new(1));

    let of = |reason, issued: &Issued| {
        let text = issued.client_secret().expose().to_owned();
        (reason, issued.client_id().to_string(), text)
    };
    let ours = |reason, text: &str| (reason, issued.client_id().to_string(), text.to_owned());
    let text = issued.client_secret().expose();
    vec![
        (Reason::UnknownClient, "no-such-client".to_owned(), text.to_owned()),
        (Reason::UnknownClient, "not a client ID".to_owned(), text.to_owned()),
        of(Reason::ClientDeleted, &gone),
        ours(Reason::Wrong, gone.client_secret().expose()),
        ours(Reason::Mistyped, &text[..52]),
        ours(Reason::LooksLikeSecretId, "1"),
        of(Reason::Ended, &short),
        of(Reason::NotYetStarted, &future),
        of(Reason::Disabled, &disabled),
        of(Reason::Deleted, &deleted),
        of(Reason::Compromised, &compromised),
    ]
}

#[test]
fn rule_05_outside_every_denial_is_the_same() {
    let platform = lenient(4);
    block_on(async {
        let mut faces = BTreeSet::new();
        let mut reasons = BTreeSet::new();
        for (reason, client_id, secret) in one_of_each(&platform).await {
            let error = platform.registry.authenticate(&client_id, &secret).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthenticated);
            let source = std::error::Error::source(&error).map(ToString::to_string);
            faces.insert((error.to_string(), error.kind().http_status(), source));
            let denied = denied::<()>(Err(error));
            assert_eq!(denied.reason(), reason);
            faces.insert((denied.to_string(), 401, None));
            reasons.insert(reason.to_string());
        }
        assert_eq!(faces.into_iter().collect::<Vec<_>>(), [("invalid client".to_owned(), 401, None)]);
        assert_eq!(reasons.len(), 10, "all but the one that only signatures have");
    });
}

#[test]
fn a_client_id_in_any_other_spelling_is_unknown() {
    let platform = Platform::new();
    block_on(async {
        let issued = platform.register("calendar app").await;
        let id = issued.client_id().as_str();
        let spellings = [
            id.to_uppercase(),
            id.replace('-', ""),
            format!("{{{id}}}"),
            format!(" {id}"),
            format!("{id} "),
            format!("{id}\0"),
            format!("{id}\n"),
            id[..35].to_owned(),
            format!("{id}0"),
            format!("urn:uuid:{id}"),
            id.replacen('-', "\u{2010}", 1),
            String::new(),
            "a".repeat(1 << 20),
            "../../etc/passwd".to_owned(),
            "00000000-0000-0000-0000-000000000000".to_owned(),
        ];
        for spelling in spellings {
            let denied = platform.denied(&spelling, issued.client_secret().expose()).await;
            assert_eq!(denied.reason(), Reason::UnknownClient);
            assert_eq!((denied.client_id(), denied.secret_id()), (None, None));
        }
    });
}

/// Callers swap the two. What could be a client secret is not looked up, since stores and drivers log what they are asked
/// for, and neither logged nor kept.
#[test]
fn rule_08_a_client_secret_in_place_of_the_client_id_is_not_looked_up() {
    for prefix in ["crs", "acme"] {
        let policy = Policy::default().with_secret_prefix(prefix).unwrap();
        let platform = Platform::seeded(11, policy);
        let issued = block_on(platform.register("calendar app"));
        let (id, secret) = (issued.client_id().as_str(), issued.client_secret().expose());
        platform.store.loads();
        let cut = &secret[..secret.len() - 9];
        let slip = secret.replacen('_', "_-", 1);
        let foreign = secret.replacen(prefix, "other", 1);
        let long = format!("{secret}x");
        for swapped in [secret, cut, &slip, &foreign, &long] {
            let (denied, lines) = logged(|| block_on(platform.denied(swapped, id)));
            assert_eq!(denied.reason(), Reason::LooksLikeClientSecret, "{swapped}");
            assert_eq!(denied.client_id(), None);
            assert_eq!(platform.store.loads(), 0, "{swapped}");
            assert!(
                !lines.is_empty() && !lines.iter().any(|line| line.contains(&swapped[5..40])),
                "{lines:?}"
            );
        }
        // The rest of what is no client ID is unknown, and an imported one may begin alike.
        for other in [&secret[..20], "not a client ID"] {
            assert_eq!(block_on(platform.denied(other, id)).reason(), Reason::UnknownClient, "{other}");
        }
        platform.store.loads();
        let hexadecimal = "acme_9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c";
        let imported = ["crs_calendar-app-of-contoso", hexadecimal];
        for id in imported.into_iter().filter(|id| prefix == "crs" || *id != hexadecimal) {
            assert_eq!(block_on(platform.denied(id, secret)).reason(), Reason::UnknownClient);
            assert_eq!(platform.store.loads(), 1);
        }
    }
}

/// Labels, names, domains, URLs and IDs are public: each of them would show a client secret to everybody, for ever.
#[test]
fn rule_08_no_public_field_takes_a_client_secret() {
    let platform = Platform::seeded(13, Policy::default().with_secret_prefix("acme").unwrap());
    let issued = block_on(platform.register("calendar app"));
    let secret = issued.client_secret().expose();
    let client = platform.contoso.client(issued.client_id());
    let (place, year) = (Availability::Worldwide, Lifetime::OneYear);
    let url = format!("https://app.contoso.com/done?secret={secret}&x=1");
    let leaky = [
        ClientDetails::new(&format!("app with {secret}"), "app.contoso.com", "https://app.contoso.com/")
            .unwrap(),
        ClientDetails::new("calendar app", "app.contoso.com", &url).unwrap(),
    ];
    let label = || Label::parse(secret).unwrap();
    let add_in = AddIn::new(secret, place).unwrap();
    let operator = platform.registry.as_operator("ann").unwrap();
    let commits = platform.store.commits().len();
    platform.store.loads();
    let mut answers = vec![];
    for details in leaky {
        answers.push(
            block_on(platform.contoso.register_with(details.clone(), place, NewSecret::lasting(year)))
                .map(drop),
        );
        answers.push(block_on(client.change_details(details.clone())).map(drop));
        let imported = ImportedClient::new(ClientId::parse("legacy-app").unwrap(), contoso(), details, place);
        answers.push(block_on(operator.import(imported)).map(drop));
    }
    answers.push(block_on(client.add_secret(NewSecret::lasting(year).labelled(label()))).map(drop));
    answers.push(block_on(client.rotate(Rotation::overlap(Days::new(2)).labelled(label()))).map(drop));
    answers.push(block_on(client.associate(&add_in)).map(drop));
    answers.push(block_on(platform.contoso.client_of(add_in.id())).map(drop));
    answers.push(block_on(platform.contoso.client_named(secret)).map(drop));
    for (position, answer) in answers.into_iter().enumerate() {
        match answer.unwrap_err() {
            Error::Refused(Refusal::Invalid(invalid)) => assert_eq!(invalid.problem(), Problem::ClientSecret),
            other => panic!("{position}: {other}"),
        }
    }
    for invalid in [
        platform.registry.as_seller(secret).unwrap_err(),
        platform.registry.as_operator(secret).unwrap_err(),
        operator.seller(secret).unwrap_err(),
    ] {
        assert_eq!(invalid.problem(), Problem::ClientSecret);
    }
    assert_eq!(platform.store.commits().len(), commits, "nothing was to be kept");
}

fn contoso() -> SellerId {
    SellerId::parse("contoso").unwrap()
}

/// A text that no client ID may be is not one in any other place either.
#[test]
fn rule_08_what_looks_like_a_client_secret_is_no_client_id() {
    let platform = Platform::seeded(12, Policy::default().with_secret_prefix("acme").unwrap());
    let issued = block_on(platform.register("calendar app"));
    let secret = issued.client_secret().expose();
    for text in [secret, &secret[..secret.len() - 1], &format!("{secret}0")] {
        let error = ClientId::parse(text).unwrap_err();
        assert_eq!((error.field(), error.problem()), (Field::ClientId, Problem::ClientSecret));
        assert!(error.to_string().contains("swapped") && !error.to_string().contains(&text[..12]), "{error}");
        assert!(serde_json::from_str::<ClientId>(&format!("\"{text}\"")).is_err());
        let mac = "A".repeat(43);
        assert!(Signature::parse(&format!("v1:{text}:1:{mac}")).is_err());
    }
    // Cut short, only the policy tells; an import has it at hand.
    let id = ClientId::parse(&secret[..40]).unwrap();
    let imported = ImportedClient::new(id, contoso(), details("legacy"), Availability::Worldwide);
    let operator = platform.registry.as_operator("ann").unwrap();
    let refused = block_on(operator.import(imported)).unwrap_err();
    let Error::Refused(Refusal::Invalid(invalid)) = refused else { panic!("{refused}") };
    assert_eq!((invalid.field(), invalid.problem()), (Field::ClientId, Problem::ClientSecret));
    // What a store holds already is read back.
    let stored = RecordId::parse(secret).unwrap();
    assert_eq!(stored.client_id().unwrap().as_str(), secret);
}

#[test]
fn a_megabyte_is_denied_like_anything_else() {
    let platform = Platform::new();
    block_on(async {
        let issued = platform.register("calendar app").await;
        let text = issued.client_secret().expose();
        let long = "a".repeat(1 << 20);
        for (secret, reason) in [
            (long.clone(), Reason::Wrong),
            ("7".repeat(1 << 20), Reason::Wrong),
            (" ".repeat(1 << 20), Reason::Wrong),
            (format!("{text}{long}"), Reason::Mistyped),
            (format!("{text}{}", "\0".repeat(1 << 20)), Reason::Mistyped),
            ("\u{1f511}".repeat(1 << 18), Reason::Wrong),
        ] {
            assert_eq!(platform.reason(issued.client_id(), &secret).await, reason);
        }
        let both = platform.denied(&long, &long).await;
        assert_eq!(both.reason(), Reason::UnknownClient);
    });
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

#[test]
fn a_store_that_does_not_answer_denies_nobody() {
    let platform = Platform::new();
    block_on(async {
        let issued = platform.register("calendar app").await;
        platform.store.knobs.load_fails.on();
        for secret in [issued.client_secret().expose(), "no such secret"] {
            let error =
                platform.registry.authenticate(issued.client_id().as_str(), secret).await.unwrap_err();
            assert!(matches!(error, AccessError::Unavailable(_)));
            assert_eq!(error.kind().http_status(), 503);
            assert_ne!(error.to_string(), "invalid client");
        }
        // That this is no client ID is known without asking.
        let denied = platform.denied("not a client ID", "no such secret").await;
        assert_eq!(denied.reason(), Reason::UnknownClient);
        platform.store.knobs.load_fails.off();
        platform.authenticate(issued.client_id(), issued.client_secret()).await;
    });
}

#[test]
fn authenticating_never_commits() {
    let platform = lenient(5);
    block_on(async {
        let cases = one_of_each(&platform).await;
        let issued = platform.register("yet another app").await;
        let before = platform.store.commits().len();
        let revision = || async {
            let snapshot = platform.contoso.client(issued.client_id()).snapshot().await;
            snapshot.unwrap().client().revision()
        };
        let at_first = revision().await;
        for _ in 0..3 {
            for (_, client_id, secret) in &cases {
                platform.denied(client_id, secret).await;
            }
            platform.authenticate(issued.client_id(), issued.client_secret()).await;
            platform.clock.advance(Duration::from_secs(600));
        }
        assert_eq!(platform.store.notes(), 0, "last uses are written when the application says so");
        platform.registry.flush_last_uses().await.unwrap();
        assert!(platform.store.notes() > 0);
        assert_eq!(platform.store.commits().len(), before);
        assert_eq!(revision().await, at_first);
    });
}

/// Every text that the API hands out about a client, except the plaintext in `Issued`.
async fn everything_told(platform: &Platform, client_id: &ClientId) -> String {
    let client = platform.contoso.client(client_id);
    let snapshot = client.snapshot().await.unwrap();
    let events = client.trail(Revision::ZERO, usize::MAX).await.unwrap();
    let secrets: Vec<_> = snapshot.client().secrets().collect();
    let plan = client.plan_deletion(secret_id(1)).await.unwrap();
    [
        format!("{snapshot:?} {:?}", snapshot.client().timeline()),
        serde_json::to_string(&events).unwrap(),
        serde_json::to_string(&secrets).unwrap(),
        serde_json::to_string(&plan).unwrap(),
    ]
    .concat()
}

#[test]
fn rule_08_a_client_secret_is_shown_once() {
    let platform = Platform::new();
    block_on(async {
        let first = platform.register("calendar app").await;
        let client = platform.contoso.client(first.client_id());
        let second = client.rotate(Rotation::overlap(Days::new(30))).await.unwrap();
        let text = Seeded::new(8).text("!#$%&*+;<>?@^|~", 40);
        let imported =
            ImportedSecret::new(ClientSecret::parse(&text).unwrap(), first.validity(), KeyEncoding::Utf8);
        let third = client.import_secret(imported).await.unwrap();

        let told = everything_told(&platform, first.client_id()).await;
        let snapshot = client.snapshot().await.unwrap();
        for issued in [&first, &second] {
            let text = issued.client_secret().expose();
            let hint = snapshot.client().secret(issued.secret_id()).unwrap().hint().unwrap();
            assert_eq!(hint.as_str(), &text[4..8]);
            assert!(told.contains(hint.as_str()), "or this test looks at nothing");
            for start in 4..=text.len() - 5 {
                assert!(!told.contains(&text[start..start + 5]));
            }
        }
        assert_eq!(snapshot.client().secret(third).unwrap().hint(), None);
        for start in 0..=text.len() - 3 {
            assert!(!told.contains(&text[start..start + 3]));
        }
    });
}

#[test]
fn rule_08_a_call_whose_future_is_dropped_leaves_a_secret_that_was_never_used() {
    let platform = Platform::new();
    block_on(async {
        let issued = platform.register("calendar app").await;
        let client = platform.contoso.client(issued.client_id());
        platform.store.knobs.commit_waits.on();
        {
            let mut call = Box::pin(client.add_secret(NewSecret::lasting(Lifetime::OneYear)));
            assert!(crate::support::poll_once(call.as_mut()).is_pending());
        }
        // The store goes on with what it was given.
        platform.store.knobs.commit_waits.off();
        let commit = platform.store.commits().pop().unwrap();
        client_registry::store::Store::commit(&platform.store, &commit).await.unwrap();
        let snapshot = client.snapshot().await.unwrap();
        let listed: Vec<_> = snapshot.client().secrets().map(client_registry::Secret::id).collect();
        assert_eq!(listed, [secret_id(1), secret_id(2)]);
        assert_eq!(snapshot.last_used(secret_id(2)), None);
    });
}

/// What a seller is told of a client ID that belongs to somebody else, is what it is told of one that nobody has.
#[test]
fn rule_15_somebody_elses_client_id_answers_as_if_it_did_not_exist() {
    let platform = Platform::new();
    block_on(async {
        let issued = platform.register("calendar app").await;
        let add_in = AddIn::new("mail-helper", Availability::Worldwide).unwrap();
        let theirs = platform.contoso.client(issued.client_id());
        theirs.associate(&add_in).await.unwrap();
        let seller = platform.registry.as_seller("fabrikam").unwrap();
        let own = seller.register(details("calendar app"), Lifetime::OneYear).await.unwrap();
        let plan = theirs.plan_deletion(secret_id(1)).await.unwrap();
        let before = platform.store.commits().len();

        let nobody: ClientId = "no-such-client".parse().unwrap();
        for id in [issued.client_id(), &nobody] {
            let client = seller.client(id);
            let secret = || {
                let text = Seeded::new(8).text("abcdefghijklmnop", 40);
                ClientSecret::parse(&text).unwrap()
            };
            let imported = ImportedSecret::new(secret(), issued.validity(), KeyEncoding::Utf8);
            let new = || NewSecret::lasting(Lifetime::OneYear);
            let one = secret_id(1);
            let answers = [
                client.snapshot().await.map(drop),
                client.trail(Revision::ZERO, 10).await.map(drop),
                client.change_details(details("mine now")).await.map(drop),
                client.add_secret(new()).await.map(drop),
                client.import_secret(imported).await.map(drop),
                client.rotate(Rotation::overlap(Days::new(1))).await.map(drop),
                client.promote(one).await.map(drop),
                client.schedule_promotion(one, instant("2026-04-01T00:00:00Z")).await.map(drop),
                client.withdraw_promotion(one).await.map(drop),
                client.enable(one).await.map(drop),
                client.plan_disabling(one).await.map(drop),
                client.plan_deletion(one).await.map(drop),
                client.plan_client_deletion().await.map(drop),
                client.delete_in_emergency(one, None).await.map(drop),
                client.delete_in_emergency(one, Some(new())).await.map(drop),
                client.mark_compromised(one).await.map(drop),
                client.associate(&add_in).await.map(drop),
                client.dissociate(add_in.id()).await.map(drop),
                client.move_add_in(add_in.id(), own.client_id()).await.map(drop),
                seller.client(own.client_id()).move_add_in(add_in.id(), id).await.map(drop),
            ];
            for (position, answer) in answers.into_iter().enumerate() {
                assert!(
                    matches!(answer, Err(Error::Refused(Refusal::UnknownClient))),
                    "call {position}: {answer:?}"
                );
            }
            let confirmed = client.confirm(plan.clone()).await.unwrap_err();
            assert_eq!(confirmed.to_string(), Refusal::UnknownClient.to_string());
        }
        assert!(seller.client_of(add_in.id()).await.unwrap().is_none());
        let page = seller.clients(None, 100).await.unwrap();
        assert_eq!(page.items().len(), 1);
        let taken = seller.client(own.client_id()).associate(&add_in).await.unwrap_err();
        assert!(matches!(taken, Error::AddInTaken { by: None, .. }), "{taken:?}");
        assert_eq!(platform.store.commits().len(), before + 1, "only the last one was tried");

        let operator = platform.registry.as_operator("ann").unwrap();
        let found = operator.client_of(add_in.id()).await.unwrap().unwrap();
        assert_eq!(found.client().id(), issued.client_id());
    });
}

/// A compromised secret was presented: whoever reads the log is alarmed, and of nothing else.
#[test]
fn rule_10_only_a_compromised_secret_alarms() {
    let platform = lenient(6);
    let cases = block_on(one_of_each(&platform));
    for (reason, client_id, secret) in cases {
        let (_, lines) = logged(|| block_on(platform.denied(&client_id, &secret)));
        let alarms = lines.iter().filter(|line| line.starts_with("WARN")).count();
        assert_eq!(alarms, usize::from(reason == Reason::Compromised), "{lines:?}");
        assert_eq!(lines.len(), 1, "{lines:?}");
    }
}

/// A use that is on its way to the store is a use.
#[test]
fn rule_09_a_plan_sees_a_use_that_another_call_is_just_writing() {
    let platform = Platform::new();
    block_on(async {
        let issued = platform.register("calendar app").await;
        let client = platform.contoso.client(issued.client_id());
        let _next = client.add_secret(NewSecret::lasting(Lifetime::OneYear)).await.unwrap();
        platform.authenticate(issued.client_id(), issued.client_secret()).await;
        let store: &Watched = &platform.store;
        store.knobs.note_waits.on();
        let mut flush = Box::pin(platform.registry.flush_last_uses());
        assert!(crate::support::poll_once(flush.as_mut()).is_pending());
        store.knobs.note_waits.off();

        let plan = client.plan_deletion(issued.secret_id()).await.unwrap();
        assert_eq!(plan.last_used(), Some(instant(crate::support::START)));
        assert!(matches!(plan.obstacles(), [Obstacle::UsedRecently { .. }]));
        flush.await.unwrap();
    });
}

/// Of two valid secrets the older one signs, until the other is promoted.
#[test]
fn rule_06_an_authenticated_client_knows_whether_its_secret_signs() {
    let platform = Platform::new();
    block_on(async {
        let issued = platform.register("calendar app").await;
        let client = platform.contoso.client(issued.client_id());
        let next = client.add_secret(NewSecret::lasting(Lifetime::OneYear)).await.unwrap();
        let signs = async |presented: &Issued| {
            platform.authenticate(issued.client_id(), presented.client_secret()).await.signs()
        };
        assert_eq!((signs(&issued).await, signs(&next).await), (true, false));
        client.promote(next.secret_id()).await.unwrap();
        assert_eq!((signs(&issued).await, signs(&next).await), (false, true));
    });
}

/// The codes that logs and metrics are searched for. A denial itself has one code for all of them.
#[test]
fn every_reason_has_its_code() {
    for (reason, code) in [
        (Reason::UnknownClient, "unknown_client"),
        (Reason::LooksLikeClientSecret, "looks_like_client_secret"),
        (Reason::ClientDeleted, "client_deleted"),
        (Reason::Wrong, "wrong"),
        (Reason::Mistyped, "mistyped"),
        (Reason::LooksLikeSecretId, "looks_like_secret_id"),
        (Reason::Ended, "ended"),
        (Reason::NotYetStarted, "not_yet_started"),
        (Reason::Disabled, "disabled"),
        (Reason::Deleted, "deleted"),
        (Reason::Compromised, "compromised"),
        (Reason::CannotSign, "cannot_sign"),
    ] {
        assert_eq!(reason.code(), code);
    }
    let denied = block_on(Platform::new().denied("calendar-app", "no such secret"));
    assert_eq!(
        (denied.reason().code(), denied.code(), denied.kind()),
        ("unknown_client", "denied", ErrorKind::Unauthenticated)
    );
}
