//! What the log hears: an operation with who, which client and secret, how many attempts and what came of it; alarms once
//! a minute, with the number of those that were kept back.

#![cfg(test)]

mod support;

use std::time::Duration;

use client_registry::store::{MemoryStore, Record, Store};
use client_registry::*;
use pollster::block_on;
use support::{Platform, logged, number};

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

    let (answer, lines) = logged(|| block_on(client.enable(number(1))));
    assert_eq!(answer.unwrap(), Outcome::Unchanged);
    assert_eq!(
        (count(&lines, &["DEBUG", "unchanged"]), count(&lines, &["INFO", " changed"])),
        (1, 0),
        "{lines:#?}"
    );
    let (answer, lines) = logged(|| block_on(client.promote(number(9))));
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
    let details = support::details("calendar app");
    let issued = block_on(contoso.register(details, Availability::Worldwide, Lifetime::OneYear)).unwrap();
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
