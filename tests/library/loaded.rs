//! What is asked on the platform's side besides authenticating: a client that was loaded ahead, whether a secret is alive, and
//! messages that name the secret which signs them.

use std::time::Duration;

use client_registry::*;
use pollster::block_on;

use crate::support::{Platform, denied, secret_id};

/// It answers as `authenticate` does, for as long as the freshness says and no longer, and sees nothing of what happens meanwhile.
#[test]
fn a_loaded_client_answers_within_the_freshness_and_no_longer() {
    block_on(async {
        let platform = Platform::new();
        let issued = platform.register("calendar app").await;
        let (id, text) = (issued.client_id(), issued.client_secret().expose());
        let loaded = platform.registry.load_client(id.as_str()).await.unwrap();
        assert_eq!(loaded.authenticate(text).unwrap().secret_id(), issued.secret_id());
        assert!(platform.last_used(id, issued.secret_id()).await.is_some(), "it is a use");
        platform.contoso.client(id).suspend().await.unwrap();
        assert!(loaded.authenticate(text).is_ok(), "it is as stale as it may be");
        assert_eq!(platform.reason(id, text).await, Reason::Suspended);

        platform.clock.advance(Duration::from_millis(4_999));
        assert!(loaded.is_fresh() && loaded.authenticate(text).is_ok());
        platform.clock.advance(Duration::from_millis(1));
        assert!(!loaded.is_fresh());
        for presented in [text, "wrong"] {
            let late = loaded.authenticate(presented);
            assert!(matches!(late, Err(AccessError::Unavailable(_))), "{late:?}");
        }
        let again = platform.registry.load_client(id.as_str()).await.unwrap();
        assert_eq!(denied(again.authenticate(text)).reason(), Reason::Suspended);
    });
}

/// Whether there is such a client shows in the answers alone, and they are those of `authenticate`.
#[test]
fn a_client_id_that_is_none_is_answered_as_by_authenticating() {
    block_on(async {
        let platform = Platform::new();
        let issued = platform.register("calendar app").await;
        let text = issued.client_secret().expose();
        let gone = platform.register("old app").await;
        let old = platform.contoso.client(gone.client_id());
        old.confirm(old.plan_client_deletion().await.unwrap()).await.unwrap();
        let upper = issued.client_id().as_str().to_uppercase();
        for id in [
            issued.client_id().as_str(),
            gone.client_id().as_str(),
            "no-such-client",
            &upper,
            "",
            "a b",
            text,
        ] {
            let loaded = platform.registry.load_client(id).await.unwrap();
            for presented in ["wrong", &text[1..], gone.client_secret().expose()] {
                let asked = platform.denied(id, presented).await;
                let answered = denied(loaded.authenticate(presented));
                assert_eq!(
                    (answered.reason(), answered.to_string()),
                    (asked.reason(), asked.to_string()),
                    "{id}"
                );
            }
        }
    });
}

/// "It is not a use": a token that is checked again and again keeps no secret from being deleted.
#[test]
fn asking_whether_a_secret_is_alive_is_no_use() {
    block_on(async {
        let platform = Platform::new();
        let issued = platform.register("calendar app").await;
        let (id, first) = (issued.client_id(), issued.secret_id());
        let client = platform.contoso.client(id);
        let other =
            client.add_secret(NewSecret::lasting(Lifetime::Days(Days::new(9)))).await.unwrap().secret_id();
        let is_alive = async |secret| platform.registry.is_alive(id, secret).await.unwrap();
        assert!(is_alive(first).await && is_alive(other).await && !is_alive(secret_id(9)).await);
        assert_eq!(platform.last_used(id, first).await, None);
        assert!(
            !platform.registry.is_alive(&ClientId::parse("no-such-client").unwrap(), first).await.unwrap()
        );
        client.suspend().await.unwrap();
        assert!(!is_alive(first).await);
        client.resume().await.unwrap();
        let plan = client.plan_disabling(first).await.unwrap();
        client.confirm(plan).await.unwrap();
        assert!(!is_alive(first).await && is_alive(other).await);
        client.enable(first).await.unwrap();
        platform.clock.advance(Days::new(9));
        assert!(is_alive(first).await && !is_alive(other).await, "it has ended");
        let plan = client.plan_client_deletion().await.unwrap();
        client.confirm(plan).await.unwrap();
        assert!(!is_alive(first).await);
    });
}

/// The message is asked for once for each secret that signs, after it was chosen; where nothing signs, not at all.
#[test]
fn a_message_is_made_once_with_the_secret_that_signs_it() {
    block_on(async {
        let platform = Platform::new();
        let issued = platform.register("calendar app").await;
        let id = issued.client_id();
        let client = platform.contoso.client(id);
        let second = client.add_secret(NewSecret::lasting(Lifetime::OneYear)).await.unwrap();
        client.promote(second.secret_id()).await.unwrap();
        let mut asked = Vec::new();
        let message = |secret: SecretId| format!("kid {secret}");
        let signature = platform
            .registry
            .sign_with(id, |secret| {
                asked.push(secret);
                message(secret)
            })
            .await
            .unwrap();
        assert_eq!((&asked[..], signature.secret_id()), (&[second.secret_id()][..], second.secret_id()));
        assert_eq!(signature.mac(), platform.registry.sign(id, b"kid 2").await.unwrap().mac());
        asked.clear();
        let mut ask = |secret| {
            asked.push(secret);
            message(secret)
        };
        let signatures = platform.registry.sign_all_with(id, &mut ask).await.unwrap();
        assert_eq!(asked, [second.secret_id(), issued.secret_id()]);
        for (signature, secret) in signatures.iter().zip(&asked) {
            assert_eq!(signature.secret_id(), *secret);
            platform.registry.verify(signature, message(*secret).as_bytes()).await.unwrap();
        }

        client.suspend().await.unwrap();
        let never = |_: SecretId| -> Vec<u8> { panic!("nothing signs") };
        let refused = platform.registry.sign_with(id, never).await;
        assert!(matches!(refused, Err(SignError::Suspended)), "{refused:?}");
        let refused = platform.registry.sign_all_with(id, never).await;
        assert!(matches!(refused, Err(SignError::Suspended)), "{refused:?}");
        client.resume().await.unwrap();
        platform.clock.advance(Days::new(4 * 366));
        let refused = platform.registry.sign_with(id, never).await;
        assert!(matches!(refused, Err(SignError::NoSigningSecret)), "{refused:?}");
    });
}
