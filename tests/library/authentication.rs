//! Rules 5 and 10 at the registry: a secret that is valid now authenticates its client, nothing else does, and a dead
//! one stays dead. Outside every denial is the same; inside, each has exactly the reason that the documentation gives.
//! Rules 8 and 15 where they meet authentication.

mod dead;
mod denials;
mod lives;
mod plaintexts;

use std::time::Duration;

use client_registry::client::Obstacle;
use client_registry::{Days, Issued, Lifetime, NewSecret, Policy, Reason};
use pollster::block_on;

use crate::support::{Platform, Watched, instant};

/// A platform on which nothing stands in the way of deleting but being the last.
pub(crate) fn lenient(seed: u64) -> Platform {
    let policy = Policy::default().with_max_secrets(12).unwrap().with_retire_after(Duration::ZERO);
    Platform::seeded(seed, policy)
}

/// One of each reason, with the client ID and the text that lead to it.
pub(crate) async fn one_of_each(platform: &Platform) -> Vec<(Reason, String, String)> {
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
