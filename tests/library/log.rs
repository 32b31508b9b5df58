//! What the log hears: an operation with who, which client and secret, how many attempts and what came of it; alarms once
//! a minute, with the number of those that were kept back.

use std::time::Duration;

use crate::support::{Platform, logged, secret_id};
use client_registry::store::{MemoryStore, Record, Store};
use client_registry::value::KeyId;
use client_registry::*;
use pollster::block_on;

/// The lines that have all of this in them.
fn count(lines: &[String], parts: &[&str]) -> usize {
    lines.iter().filter(|line| parts.iter().all(|part| line.contains(part))).count()
}

#[test]
fn a_command_is_heard_with_everything_that_it_is() {
    let platform = Platform::new();
    let (issued, lines) = logged(|| block_on(platform.register("calendar app")));
    let id = issued.client_id().as_str();
    assert_eq!(
        count(&lines, &["INFO", "changed", id, "secret=1", "revision=1", "attempts=1"]),
        1,
        "{lines:#?}"
    );
    assert_eq!(count(&lines, &["operation=\"register\"", "seller contoso"]), 1, "{lines:#?}");

    let client = platform.contoso.client(issued.client_id());
    let (next, lines) = logged(|| block_on(client.rotate(Rotation::overlap(Days::new(3)))));
    let _ = next.unwrap();
    assert_eq!(count(&lines, &["operation=\"rotate\"", id]), 1, "{lines:#?}");
    assert_eq!(count(&lines, &["INFO", "changed", "secret=2", "revision=2"]), 1, "{lines:#?}");

    let (answer, lines) = logged(|| block_on(client.enable(secret_id(1))));
    assert_eq!(answer.unwrap(), Outcome::Unchanged);
    assert_eq!(
        (count(&lines, &["DEBUG", "unchanged"]), count(&lines, &["INFO", " changed"])),
        (1, 0),
        "{lines:#?}"
    );
    let (answer, lines) = logged(|| block_on(client.promote(secret_id(9))));
    answer.unwrap_err();
    assert_eq!(count(&lines, &["DEBUG", "not changed", "attempts=1"]), 1, "{lines:#?}");

    let ((), lines) = logged(|| {
        block_on(async {
            platform.authenticate(issued.client_id(), issued.client_secret()).await;
            let signature = platform.registry.sign(issued.client_id(), b"message").await.unwrap();
            platform.registry.verify(&signature, b"message").await.unwrap();
        });
    });
    for what in ["authenticated", "signed", "verified"] {
        assert_eq!(count(&lines, &["DEBUG", what, id, "secret="]), 1, "{what}: {lines:#?}");
    }
}

/// Whatever a command comes to, the log says which secret it is about, and names the client once in its span.
#[test]
fn a_command_names_the_secret_that_it_is_about() {
    let policy = Policy::default().with_retire_after(Duration::ZERO);
    let platform = Platform::seeded(1, policy);
    let (issued, lines) = logged(|| block_on(platform.register("calendar app")));
    let spans = |lines: &[String]| {
        let is_span = |line: &&String| !["INFO", "DEBUG", "WARN"].iter().any(|level| line.contains(level));
        lines.iter().filter(is_span).map(|line| line.matches("client_id=").count()).sum::<usize>()
    };
    assert_eq!(spans(&lines), 1, "{lines:#?}");
    let client = platform.contoso.client(issued.client_id());
    for _ in 0..4 {
        let _ = block_on(client.add_secret(NewSecret::lasting(Lifetime::OneYear))).unwrap();
    }
    let disabling = block_on(client.plan_disabling(secret_id(2))).unwrap();
    let deletion = || block_on(client.plan_deletion(secret_id(3))).unwrap();
    let new = || Some(NewSecret::lasting(Lifetime::OneYear));
    type Case<'a> = (&'a str, Box<dyn Fn() + 'a>, &'a [&'a str]);
    let cases: [Case<'_>; 7] = [
        (
            "confirm",
            Box::new(|| assert_eq!(block_on(client.confirm(disabling.clone())).unwrap(), Outcome::Changed)),
            &["secret=2"],
        ),
        (
            "enable",
            Box::new(|| assert_eq!(block_on(client.enable(secret_id(2))).unwrap(), Outcome::Changed)),
            &["secret=2"],
        ),
        (
            "promote",
            Box::new(|| assert_eq!(block_on(client.promote(secret_id(2))).unwrap(), Outcome::Changed)),
            &["secret=2"],
        ),
        (
            "confirm",
            Box::new(|| assert_eq!(block_on(client.confirm(deletion())).unwrap(), Outcome::Changed)),
            &["secret=3"],
        ),
        (
            "delete_in_emergency",
            Box::new(|| drop(block_on(client.delete_in_emergency(secret_id(4), new())).unwrap())),
            &["secret=4", "added=6"],
        ),
        (
            "delete_in_emergency",
            Box::new(|| drop(block_on(client.delete_in_emergency(secret_id(5), None)))),
            &["secret=5"],
        ),
        (
            "mark_compromised",
            Box::new(|| {
                assert_eq!(block_on(client.mark_compromised(secret_id(3))).unwrap(), Outcome::Changed)
            }),
            &["secret=3"],
        ),
    ];
    for (operation, run, names) in &cases {
        let ((), lines) = logged(run);
        let changed = [&["INFO", "message=changed"], *names].concat();
        assert_eq!(count(&lines, &changed), 1, "{operation}: {lines:#?}");
        let span = format!("operation=\"{operation}\"");
        assert_eq!(count(&lines, &[&span, names[0]]), 1, "{operation}: {lines:#?}");
    }
    let ((), lines) =
        logged(|| assert_eq!(block_on(client.enable(secret_id(2))).unwrap(), Outcome::Unchanged));
    assert_eq!((spans(&lines), count(&lines, &["DEBUG", "unchanged", "secret=2"])), (1, 1), "{lines:#?}");
    let ((), lines) = logged(|| drop(block_on(client.delete_in_emergency(secret_id(99), None)).unwrap_err()));
    assert_eq!((spans(&lines), count(&lines, &["DEBUG", "not changed", "secret=99"])), (1, 1), "{lines:#?}");
}

/// An emergency asks nothing, so its answer and the log say when it cuts the add-in off.
#[test]
fn rule_09_an_emergency_deletion_says_what_is_left() {
    let platform = Platform::new();
    let issued = block_on(platform.register("calendar app"));
    let client = platform.contoso.client(issued.client_id());
    let _ = block_on(client.add_secret(NewSecret::lasting(Lifetime::OneYear))).unwrap();
    let warning = ["WARN", "no valid secret is left", issued.client_id().as_str()];
    let (answer, lines) = logged(|| block_on(client.delete_in_emergency(secret_id(1), None)).unwrap());
    let EmergencyDeletion::Deleted { valid_left } = answer else { panic!("{answer:?}") };
    assert_eq!((valid_left, count(&lines, &warning)), (vec![secret_id(2)], 0), "{lines:#?}");

    let too_long = NewSecret::lasting(Lifetime::Unlimited);
    let (answer, lines) =
        logged(|| block_on(client.delete_in_emergency(secret_id(2), Some(too_long))).unwrap());
    let EmergencyDeletion::NotReplaced { why, valid_left } = answer else { panic!("{answer:?}") };
    assert!(matches!(why, Error::Refused(Refusal::LifetimeTooLong { .. })));
    assert_eq!((valid_left, count(&lines, &warning)), (vec![], 1), "{lines:#?}");

    let new = NewSecret::lasting(Lifetime::OneYear).starting(crate::support::instant("2026-06-01T00:00:00Z"));
    let _ = block_on(client.add_secret(new)).unwrap();
    let (answer, lines) = logged(|| block_on(client.delete_in_emergency(secret_id(2), None)).unwrap());
    let EmergencyDeletion::Deleted { valid_left } = answer else { panic!("{answer:?}") };
    assert_eq!((valid_left, count(&lines, &warning)), (vec![], 1), "one that has not started: {lines:#?}");
}

#[test]
fn rule_10_an_alarm_is_heard_once_a_minute_with_what_was_kept_back() {
    let platform = Platform::new();
    let issued = block_on(platform.register("calendar app"));
    let client = platform.contoso.client(issued.client_id());
    let new = Some(NewSecret::lasting(Lifetime::OneYear));
    let _ = block_on(client.delete_in_emergency(issued.secret_id(), new)).unwrap();
    let present = |times: usize| {
        let ((), lines) = logged(|| {
            for _ in 0..times {
                let reason = block_on(platform.reason(issued.client_id(), issued.client_secret().expose()));
                assert_eq!(reason, Reason::Compromised);
            }
        });
        lines
    };
    let alarm = ["WARN", "compromised client secret", issued.client_id().as_str(), "secret=1"];
    let lines = present(100);
    assert_eq!(count(&lines, &[&alarm[..], &["kept_back=0"]].concat()), 1, "{lines:#?}");
    assert_eq!(count(&lines, &["WARN"]), 1, "{lines:#?}");
    platform.clock.advance(Duration::from_secs(59));
    assert_eq!(count(&present(1), &["WARN"]), 0);
    platform.clock.advance(Duration::from_secs(1));
    let lines = present(3);
    assert_eq!(count(&lines, &[&alarm[..], &["kept_back=100"]].concat()), 1, "{lines:#?}");
    assert_eq!(count(&lines, &["WARN"]), 1, "{lines:#?}");
}

#[test]
fn a_record_that_was_changed_in_the_store_is_an_alarm() {
    let store = MemoryStore::new();
    let key = std::array::from_fn(|at| u8::try_from(at).unwrap());
    let keyring = Keyring::new(KeyId::parse("2026").unwrap(), &key).unwrap();
    let registry = block_on(Registry::open(store.clone(), keyring)).unwrap();
    let contoso = registry.as_seller("contoso").unwrap();
    let details = crate::support::details("calendar app");
    let issued = block_on(contoso.register(details, Lifetime::OneYear)).unwrap();
    // The record under another ID.
    let other = ClientId::parse("calendar-app").unwrap();
    let record = block_on(store.load(issued.client_id().into())).unwrap().unwrap();
    let parts = store::RecordParts { id: (&other).into(), ..record.parts().unwrap() };
    let renamed = Record::from_parts(parts).unwrap();
    let adopted = store::Adopted::new(renamed, store::Index::default(), vec![]);
    block_on(store.adopt(&[adopted])).unwrap();
    let (answers, lines) = logged(|| {
        (0..3).map(|_| block_on(registry.authenticate(other.as_str(), "anything"))).collect::<Vec<_>>()
    });
    assert!(answers.iter().all(|answer| matches!(answer, Err(AccessError::Unavailable(_)))));
    assert_eq!(count(&lines, &["ERROR", "a record cannot be used", "calendar-app"]), 1, "{lines:#?}");
}

/// Alerts and filters go by these targets.
#[test]
fn alarms_and_denials_have_targets_of_their_own() {
    let platform = Platform::new();
    let issued = block_on(platform.register("calendar app"));
    let client = platform.contoso.client(issued.client_id());
    let _ = block_on(client.delete_in_emergency(issued.secret_id(), None)).unwrap();
    let (_, lines) = logged(|| {
        for secret in [issued.client_secret().expose(), "wrong"] {
            block_on(platform.registry.authenticate(issued.client_id().as_str(), secret)).unwrap_err();
        }
    });
    assert_eq!(count(&lines, &["WARN", "client_registry::alarm"]), 1, "{lines:#?}");
    assert_eq!(count(&lines, &["DEBUG", "client_registry::denied", "reason="]), 1, "{lines:#?}");
    assert_eq!((log::ALARM, log::DENIED), ("client_registry::alarm", "client_registry::denied"));
}

/// A wrong path or address is an empty store, and an empty store becomes a registry.
#[test]
fn a_new_registry_in_a_store_is_heard() {
    let key = || Keyring::new(KeyId::parse("2026").unwrap(), b"thirty-two bytes to seal it with").unwrap();
    let store = MemoryStore::new();
    let made = "a new registry was made in an empty store";
    let (registry, lines) = logged(|| block_on(Registry::open(store.clone(), key())).unwrap());
    let id = registry.id().unwrap().to_string();
    assert_eq!(count(&lines, &["WARN", made, &id]), 1, "{lines:#?}");
    let (_, lines) = logged(|| block_on(Registry::open(store, key())).unwrap());
    assert_eq!(count(&lines, &[made]), 0, "{lines:#?}");
}
