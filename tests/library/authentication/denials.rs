//! The caller sees one answer for every denial (rule 5), also for another seller's client ID (rule 15); the log has the reason.

use std::collections::BTreeSet;

use client_registry::client::ImportedSecret;
use client_registry::secret::KeyEncoding;
use client_registry::value::Revision;
use client_registry::{
    AccessError, AddIn, Availability, ClientId, ClientSecret, Days, Error, ErrorKind, Lifetime, NewSecret,
    Reason, Refusal, Rotation,
};
use pollster::block_on;

use super::{lenient, one_of_each};
use crate::support::{Platform, Seeded, denied, details, instant, secret_id};

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

/// A seller gets the same answer for another seller's client ID as for one that does not exist.
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
