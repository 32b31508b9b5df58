//! A ring whose client secrets are read again: a rotation through files, without a restart. What is read while the files are written is
//! looked at in `src/ring/config.rs`.

use std::fs;
use std::path::PathBuf;

use client_registry::clock::ManualClock;
use client_registry::ring::{CallError, RingConfig, SecretSource, Slot};
use client_registry::secret::KeyEncoding;
use client_registry::{AccessError, Days, Rotation, SecretRing};
use pollster::block_on;

use super::{Answer, Answers, Text, call, id, ring_secret, sign, text};
use crate::support::{Platform, START, Scratch, secret_id};

/// The files that a configuration names.
struct Files {
    scratch: Scratch,
    primary: PathBuf,
    secondary: PathBuf,
}

impl Files {
    fn new() -> Self {
        let scratch = Scratch::in_memory();
        let [primary, secondary] = ["client-secret", "secondary"].map(|name| scratch.path().join(name));
        Self { scratch, primary, secondary }
    }

    fn config(&self) -> RingConfig {
        RingConfig::new(id(), SecretSource::file(&self.primary))
            .with_secondary(SecretSource::file(&self.secondary))
    }

    /// As a careful operator does: nobody reads half a client secret.
    fn write(&self, slot: Slot, secret: &str) {
        let new = self.scratch.path().join("new");
        fs::write(&new, format!("{secret}\n")).unwrap();
        let path = if slot == Slot::Primary { &self.primary } else { &self.secondary };
        fs::rename(new, path).unwrap();
    }

    fn ring(&self) -> (SecretRing, ManualClock) {
        let clock = ManualClock::new(START.parse().unwrap());
        (SecretRing::from_config(self.config()).unwrap().with_clock(clock.clone()), clock)
    }
}

fn texts<const N: usize>() -> [Text; N] {
    std::array::from_fn(|seed| text(seed as u64 + 1, KeyEncoding::Utf8))
}

fn verified(ring: &SecretRing, secret: &Text) -> Option<Slot> {
    ring.verify_mac(&sign(secret, b"message"), b"message").ok()
}

const PRIMARY: Option<Slot> = Some(Slot::Primary);
const SECONDARY: Option<Slot> = Some(Slot::Secondary);
/// The platform has not heard of the primary client secret.
const OLD_ONE_ONLY: Answers = Answers { primary: Answer::InvalidClient, secondary: Answer::Welcome };
const WELCOME: Answers = Answers { primary: Answer::Welcome, secondary: Answer::Welcome };

/// The whole way: the platform rotates, an operator writes two files, and the add-in goes on.
#[test]
fn rule_17_a_rotation_through_files_needs_no_restart() {
    let (files, platform) = (Files::new(), Platform::new());
    block_on(async {
        let issued = platform.register("calendar app").await;
        let client_id = issued.client_id().clone();
        let old = issued.client_secret().expose();
        files.write(Slot::Primary, old);
        let config = RingConfig::new(client_id.clone(), SecretSource::file(&files.primary))
            .with_secondary(SecretSource::file(&files.secondary));
        let ring = SecretRing::from_config(config).unwrap().with_clock(platform.clock.clone());
        let call = async || {
            ring.call(async |credentials| {
                let (id, secret) = (credentials.client_id().as_str(), credentials.client_secret().expose());
                match platform.registry.authenticate(id, secret).await {
                    Ok(who) => Ok(who.secret_id()),
                    Err(AccessError::Denied(denied)) => Err(CallError::InvalidClient(denied.reason())),
                    Err(other) => panic!("{other}"),
                }
            })
            .await
        };
        let inbound = async || {
            let signature = platform.registry.sign(&client_id, b"message").await.unwrap();
            ring.verify(&signature, b"message").ok()
        };
        assert_eq!((call().await, inbound().await), (Ok(secret_id(1)), PRIMARY));

        let client = platform.contoso.client(&client_id);
        let next = client.rotate(Rotation::overlap(Days::new(30))).await.unwrap();
        files.write(Slot::Secondary, old);
        assert_eq!(ring.reload(), Ok(false), "both files hold the same");
        assert_eq!((call().await, inbound().await), (Ok(secret_id(1)), PRIMARY));
        files.write(Slot::Primary, next.client_secret().expose());
        assert_eq!(ring.reload(), Ok(true));
        assert_eq!((call().await, inbound().await), (Ok(secret_id(2)), SECONDARY));

        platform.clock.advance(Days::new(30));
        assert_eq!((call().await, inbound().await), (Ok(secret_id(2)), PRIMARY));
        fs::remove_file(&files.secondary).unwrap();
        assert_eq!(ring.reload(), Ok(true));
        assert_eq!((call().await, inbound().await), (Ok(secret_id(2)), PRIMARY));
        assert!(ring.state().secondary.is_none());
    });
}

#[test]
fn rule_17_a_reload_that_changes_nothing_changes_nothing() {
    let (files, [one, two, three]) = (Files::new(), texts());
    files.write(Slot::Primary, &two.0);
    files.write(Slot::Secondary, &one.0);
    let (ring, _) = files.ring();
    assert_eq!(call(&ring, OLD_ONE_ONLY).0, [Slot::Primary, Slot::Secondary]);
    verified(&ring, &two).unwrap();
    let before = ring.state();
    assert_eq!(before.tried_first, Slot::Secondary);
    files.write(Slot::Primary, &format!(" {} ", *two.0));
    for _ in 0..3 {
        assert_eq!(ring.reload(), Ok(false));
        assert_eq!(ring.state(), before);
    }
    assert_eq!(call(&ring, WELCOME).0, [Slot::Secondary], "what worked last is tried first");

    // With another pair begins another attempt.
    files.write(Slot::Primary, &three.0);
    assert_eq!(ring.reload(), Ok(true));
    assert_eq!(call(&ring, WELCOME).0, [Slot::Primary]);
    let secondary = ring.state().secondary;
    assert_eq!(secondary.unwrap().last_accepted, before.secondary.unwrap().last_accepted);
}

#[test]
fn rule_17_a_reload_that_fails_keeps_what_the_ring_has() {
    let (files, [one, two, three]) = (Files::new(), texts());
    files.write(Slot::Primary, &two.0);
    files.write(Slot::Secondary, &one.0);
    let (ring, _) = files.ring();
    call(&ring, OLD_ONE_ONLY).1.unwrap();
    assert_eq!([&one, &two].map(|text| verified(&ring, text)), [SECONDARY, PRIMARY]);
    let before = ring.state();
    let fails = |code| {
        assert_eq!(ring.reload().unwrap_err().code(), code);
        assert_eq!(ring.state(), before);
        assert_eq!([&one, &two, &three].map(|text| verified(&ring, text)), [SECONDARY, PRIMARY, None]);
    };
    files.write(Slot::Primary, "");
    fails("source_empty");
    fs::remove_file(&files.primary).unwrap();
    fails("source_missing");
    // Neither is replaced alone.
    files.write(Slot::Primary, &three.0);
    files.write(Slot::Secondary, &two.0[..20]);
    fails("source_invalid");
    files.write(Slot::Secondary, &two.0);
    assert_eq!(ring.reload(), Ok(true));
    assert_eq!([&one, &two, &three].map(|text| verified(&ring, text)), [None, SECONDARY, PRIMARY]);
}

#[test]
fn rule_17_a_call_goes_on_with_what_it_had_before_a_reload() {
    let (files, [one, two, three]) = (Files::new(), texts());
    files.write(Slot::Primary, &two.0);
    files.write(Slot::Secondary, &one.0);
    let (ring, _) = files.ring();
    let mut presented = vec![];
    let outcome = block_on(ring.call(|credentials| {
        presented.push(credentials.client_secret().expose().to_owned());
        files.write(Slot::Secondary, &two.0);
        files.write(Slot::Primary, &three.0);
        assert_eq!(ring.reload(), Ok(presented.len() == 1));
        std::future::ready(match credentials.slot() {
            Slot::Primary => Err(CallError::InvalidClient(())),
            Slot::Secondary => Ok(()),
        })
    }));
    assert_eq!((outcome, presented), (Ok(()), vec![two.0.to_string(), one.0.to_string()]));
    // That the one which is secondary now was refused is known; who takes whose place is not.
    let state = ring.state();
    assert_eq!((state.tried_first, state.primary.last_refused), (Slot::Primary, None));
    assert!(state.secondary.unwrap().last_refused.is_some());
}

#[test]
fn rule_17_what_was_added_stays_until_the_next_reload() {
    let (files, [one, two]) = (Files::new(), texts());
    files.write(Slot::Primary, &one.0);
    let (ring, _) = files.ring();
    ring.add(ring_secret(&two));
    assert_eq!([&one, &two].map(|text| verified(&ring, text)), [SECONDARY, PRIMARY]);
    assert_eq!(ring.reload(), Ok(true));
    assert_eq!([&one, &two].map(|text| verified(&ring, text)), [PRIMARY, None]);

    let alone = SecretRing::new(id(), ring_secret(&one), None);
    alone.add(ring_secret(&two));
    assert_eq!(alone.reload(), Ok(false), "it has no configuration");
    assert_eq!([&one, &two].map(|text| verified(&alone, text)), [SECONDARY, PRIMARY]);
}
