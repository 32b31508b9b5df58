//! Calls that fail, are dropped half-way, or get no randomness.

use std::sync::atomic::{AtomicUsize, Ordering};

use client_registry::entropy::{Entropy, EntropyError};
use client_registry::registry::Resolution;
use client_registry::secret::KeyEncoding;
use client_registry::{Days, Error, Lifetime, Registry, Rotation};
use pollster::block_on;

use super::search::{USED, searching};
use super::{Guarded, base64, importable, lasting, plain, platform};
use crate::support::{Seeded, details, poll_once, secret_id};

#[test]
fn rule_08_a_call_that_fails_leaves_no_plaintext_behind() {
    let search = searching();
    let platform = platform(7);
    let knobs = std::sync::Arc::clone(&platform.store.knobs);
    block_on(async {
        let issued = platform.register("calendar app").await;
        let client = platform.contoso.client(issued.client_id());
        drop(issued);

        knobs.load_fails.on();
        drop(client.add_secret(lasting()).await.unwrap_err());
        knobs.load_fails.off();
        search.nothing_found("a store that does not answer");

        // The plaintext goes with the error, and when that is dropped it is gone.
        knobs.commit_fails.on();
        let error = client.add_secret(lasting()).await.unwrap_err();
        let Error::Unresolved(unresolved) = error else { panic!("resolved: {error}") };
        let unresolved = platform.registry.resolve(*unresolved).await.unwrap_err();
        knobs.commit_fails.off();
        let resolution = platform.registry.resolve(unresolved).await.unwrap();
        assert!(matches!(&resolution, Resolution::Made(Some(_))));
        drop(resolution);
        search.nothing_found("an unknown outcome that was settled");

        knobs.commit_fails.on();
        drop(client.rotate(Rotation::overlap(Days::new(1))).await.unwrap_err());
        knobs.commit_fails.off();
        search.nothing_found("an unknown outcome that nobody settled");

        knobs.commit_fails.on();
        let error = client.add_secret(lasting()).await.unwrap_err();
        knobs.commit_fails.off();
        client.change_details(details("overtaken")).await.unwrap();
        let Error::Unresolved(unresolved) = error else { panic!("resolved: {error}") };
        let resolution = platform.registry.resolve(*unresolved).await.unwrap();
        assert!(matches!(resolution, Resolution::NotMade));
        search.nothing_found("a change that was not made");
    });
}

#[test]
fn rule_08_a_call_that_is_dropped_half_way_leaves_no_plaintext_behind() {
    let search = searching();
    let platform = platform(8);
    let knobs = std::sync::Arc::clone(&platform.store.knobs);
    let texts = Seeded::new(9);
    block_on(async {
        let issued = platform.register("calendar app").await;
        let client_id = issued.client_id().clone();
        let client = platform.contoso.client(&client_id);
        let (text, key) = (plain(&texts, 53), base64(&texts, 48));
        // While it looks, before it decides; and while it commits.
        for waits in [&knobs.load_waits, &knobs.commit_waits] {
            waits.on();
            let guarded = USED.load(Ordering::Relaxed);
            let mut calls: Vec<std::pin::Pin<Box<dyn Future<Output = ()>>>> = vec![
                Box::pin(async { drop(client.add_secret(lasting()).await) }),
                Box::pin(async { drop(client.rotate(Rotation::overlap(Days::new(1))).await) }),
                Box::pin(async { drop(client.delete_in_emergency(secret_id(1), Some(lasting())).await) }),
                Box::pin(async { drop(client.import_secret(importable(&text, KeyEncoding::Utf8)).await) }),
                Box::pin(async { drop(client.import_secret(importable(&key, KeyEncoding::Base64)).await) }),
            ];
            for call in &mut calls {
                assert!(poll_once(call.as_mut()).is_pending());
            }
            assert!(USED.load(Ordering::Relaxed) > guarded, "secrets were made");
            drop(calls);
            search.nothing_found("dropping calls half-way");
            waits.off();
        }
        // Never begun.
        drop(Box::pin(client.import_secret(importable(&text, KeyEncoding::Utf8))));
        drop(Box::pin(platform.registry.authenticate(client_id.as_str(), &text)));
        knobs.load_waits.on();
        let mut authenticate = Box::pin(platform.registry.authenticate(client_id.as_str(), &text));
        assert!(poll_once(authenticate.as_mut()).is_pending());
        drop(authenticate);
        search.nothing_found("dropping a call that authenticates");
    });
}

/// A source of randomness that fills the buffer and then says that it failed, from some call on.
#[derive(Debug)]
struct Drying {
    source: Guarded,
    left: AtomicUsize,
}

impl Entropy for Drying {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        self.source.fill(buffer)?;
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        left.map(drop).map_err(|_| EntropyError::new("the source is dry"))
    }
}

#[test]
fn rule_08_without_randomness_nothing_is_left_behind_either() {
    let search = searching();
    // Registering asks for a secret, a client ID and a commit ID; each of the three may be one too many.
    for left in 0..3 {
        let entropy = Drying { source: Guarded(Seeded::new(10)), left: AtomicUsize::new(left) };
        let registry = Registry::builder().entropy(entropy).in_memory();
        let contoso = registry.as_seller("contoso").unwrap();
        let call = contoso.register(details("calendar app"), Lifetime::OneYear);
        let error = block_on(call).unwrap_err();
        assert!(matches!(error, Error::Entropy(_)));
        assert!(USED.load(Ordering::Relaxed) > 0, "a secret was made");
        search.nothing_found("running out of randomness");
    }
}
