//! What an attempt leaves behind, a store that is down, and the other parameters of the form.

use client_registry::oauth::{ClientRequest, ClientVerdict, ExposedInformation, OAuthError};
use client_registry::store::StoreError;
use client_registry::{AccessError, Lifetime, NewSecret, Reason};
use http::HeaderMap;
use pollster::block_on;

use super::{Sent, reason};
use crate::authentication::one_of_each;
use crate::support::{Platform, logged, start};

fn post(id: &str, secret: &str) -> Sent {
    Sent::new().form(format!("client_id={}&client_secret={}", super::encoded(id), super::encoded(secret)))
}

/// However it is sent, a denial has the reason that authenticating gives it, and its answer is the same as every other one's.
#[test]
fn rule_05_every_reason_has_the_same_answer() {
    let platform = crate::authentication::lenient(3);
    let cases = block_on(one_of_each(&platform));
    let mut answers = std::collections::BTreeSet::new();
    for (expected, id, secret) in &cases {
        for sent in [Sent::new().basic(id, secret), post(id, secret)] {
            let error = sent.to(&platform.registry).unwrap_err();
            assert_eq!(reason(&error), Some(*expected), "{id}");
            let response = error.response();
            let challenge = response.headers().contains_key("www-authenticate");
            answers.insert((
                challenge,
                response.status().as_u16(),
                response.body().clone(),
                error.to_string(),
            ));
        }
    }
    assert_eq!(answers.len(), 2, "with a challenge and without one: {answers:?}");
}

#[test]
fn rule_09_an_attempt_is_one_use_and_one_line_in_the_log() {
    let platform = Platform::new();
    let issued = block_on(platform.register("calendar app"));
    let (id, secret) = (issued.client_id(), issued.client_secret().expose());
    for sent in [Sent::new().basic(id.as_str(), secret), post(id.as_str(), secret)] {
        let (answer, log) = logged(|| sent.to(&platform.registry));
        assert!(matches!(answer, Ok(ClientVerdict::Proven(_))));
        assert_eq!(log.len(), 1, "{log:?}");
        assert!(log[0].contains("authenticated") && log[0].contains(id.as_str()), "{log:?}");
    }
    assert_eq!(block_on(platform.last_used(id, issued.secret_id())), Some(start()));
    block_on(platform.registry.flush_last_uses()).unwrap();
    assert_eq!(platform.store.notes(), 1);
    let (answer, log) = logged(|| Sent::new().basic(id.as_str(), "wrong").to(&platform.registry));
    assert_eq!(answer.unwrap_err().reason(), "wrong");
    assert_eq!(log.len(), 1, "{log:?}");
    assert!(log[0].contains("denied") && log[0].contains("wrong client secret"), "{log:?}");
}

#[test]
fn rule_10_a_compromised_client_secret_is_one_alarm() {
    let platform = Platform::new();
    let issued = block_on(platform.register("calendar app"));
    let client = platform.contoso.client(issued.client_id());
    let next = NewSecret::lasting(Lifetime::OneYear);
    let _ = block_on(client.delete_in_emergency(issued.secret_id(), Some(next))).unwrap();
    let sent = Sent::new().basic(issued.client_id().as_str(), issued.client_secret().expose());
    let (answer, log) = logged(|| sent.to(&platform.registry));
    assert_eq!(reason(&answer.unwrap_err()), Some(Reason::Compromised));
    assert_eq!(log.len(), 1, "{log:?}");
    assert!(log[0].contains("WARN") && log[0].contains("kept_back=0"), "{log:?}");
}

#[test]
fn a_store_that_is_down_is_503_and_never_a_denial() {
    let platform = Platform::new();
    let issued = block_on(platform.register("calendar app"));
    let (id, secret) = (issued.client_id().as_str(), issued.client_secret().expose());
    platform.store.knobs.load_fails.on();
    for sent in [
        Sent::new().basic(id, secret),
        Sent::new().basic(id, "wrong"),
        post(id, secret),
        Sent::new().basic("no-such-client", "wrong"),
    ] {
        let error = sent.to(&platform.registry).unwrap_err();
        let response = error.response();
        assert_eq!((response.status().as_u16(), error.reason()), (503, "unavailable"));
        assert_eq!(response.headers()["retry-after"], "5");
        assert_eq!(
            response.body().as_slice(),
            br#"{"error":"temporarily_unavailable","error_description":"try again later"}"#
        );
        assert!(error.denied().is_none());
        let source = std::error::Error::source(&error).unwrap();
        assert!(matches!(source.downcast_ref(), Some(AccessError::Unavailable(_))), "{source}");
    }
    // A client ID alone needs no store, and what is malformed is found without one.
    assert!(matches!(
        Sent::new().form(format!("client_id={id}")).to(&platform.registry),
        Ok(ClientVerdict::Unproven(_))
    ));
    assert_eq!(Sent::new().to(&platform.registry).unwrap_err().reason(), "no_credentials");
}

/// Never run: that it compiles is the test.
#[test]
fn what_is_public_crosses_threads() {
    fn sends<T: Send>(_: impl FnOnce(Platform) -> T) {}
    fn everywhere<T: Send + Sync + Unpin + 'static>() {}
    let (headers, request) =
        (HeaderMap::new(), || ClientRequest::parse(&HeaderMap::new(), None, b"").unwrap());
    sends(
        |platform| async move { platform.registry.authenticate_request(&headers, None, b"").await.map(drop) },
    );
    sends(|platform| async move { platform.registry.authenticate_client(request()).await.map(drop) });
    everywhere::<ClientRequest>();
    everywhere::<ClientVerdict>();
    everywhere::<OAuthError>();
    everywhere::<ExposedInformation>();
}

/// What an application makes of its own call is answered in the same way, without a challenge.
#[test]
fn an_access_error_has_an_answer() {
    let platform = Platform::new();
    let error = block_on(platform.registry.authenticate("calendar-app", "wrong")).unwrap_err();
    let response = OAuthError::from(error).response();
    assert_eq!(response.status(), 401);
    assert!(!response.headers().contains_key("www-authenticate"));
    let down = || StoreError::new(client_registry::store::StoreErrorKind::Corrupt);
    assert_eq!(OAuthError::from(AccessError::from(down())).response().status(), 503);
    assert_eq!(OAuthError::from(down()).response().status(), 503);
}

#[test]
fn the_other_parameters_are_there_and_the_client_secret_is_not() {
    let platform = Platform::new();
    let issued = block_on(platform.register("calendar app"));
    let (id, secret) = (issued.client_id().as_str(), issued.client_secret().expose());
    let sent = Sent::new().form(format!(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&client_id={id}&client_secret={secret}&scope=a+b&resource=1&state=&resource=2"
    ));
    let Ok(ClientVerdict::Proven(client)) = sent.to(&platform.registry) else { panic!("not let in") };
    assert_eq!(client.authenticated().secret_id(), issued.secret_id());
    let form = client.form();
    assert_eq!(form.get("grant_type"), Some("urn:ietf:params:oauth:grant-type:token-exchange"));
    assert_eq!((form.get("scope"), form.get("state"), form.get("client_id")), (Some("a b"), None, Some(id)));
    assert_eq!(form.all("resource").collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(form.get("client_secret"), None);
    assert!(form.iter().all(|(name, value)| name != "client_secret" && !value.contains(secret)));
    let (authenticated, form) = client.into_parts();
    assert_eq!((authenticated.client_id().as_str(), form.iter().count()), (id, 5));
}
