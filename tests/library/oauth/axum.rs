//! The extractor: what it gives, what it answers, and where the registry comes from.

use axum_core::body::Body;
use axum_core::extract::{FromRef, FromRequest};
use axum_core::response::IntoResponse;
use client_registry::oauth::{AuthenticatedClient, MAX_BODY};
use client_registry::problem::ProblemDetails;
use client_registry::store::DynStore;
use client_registry::{ClientDetails, Registry};
use http::{Request, StatusCode};
use pollster::block_on;

use super::{FORM, basic};
use crate::support::{Platform, Watched, logged};

/// A state that has more than a registry.
#[derive(Clone)]
struct State(Registry<Watched>, #[expect(dead_code, reason = "something else")] u8);

impl FromRef<State> for Registry<Watched> {
    fn from_ref(state: &State) -> Self {
        state.0.clone()
    }
}

fn request(authorization: Option<String>, body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::post("/token?tenant=contoso").header("content-type", FORM);
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    request.body(body.into()).unwrap()
}

#[test]
fn a_handler_gets_the_client_and_the_form_or_is_not_called() {
    let platform = Platform::new();
    let issued = block_on(platform.register("calendar app"));
    let (id, secret) = (issued.client_id().as_str(), issued.client_secret().expose());
    let state = State(platform.registry.clone(), 0);
    let extract = |request| block_on(AuthenticatedClient::<Watched>::from_request(request, &state));
    let right = basic(format!("{id}:{secret}").as_bytes());

    let client = extract(request(Some(right.clone()), "grant_type=client_credentials&scope=a+b")).unwrap();
    assert_eq!(client.client_id(), issued.client_id());
    assert_eq!(client.authenticated().secret_id(), issued.secret_id());
    assert_eq!(client.form().get("scope"), Some("a b"));
    assert!(!format!("{client:?}").contains(secret));
    let client = extract(request(None, format!("client_id={id}&client_secret={secret}"))).unwrap();
    assert_eq!(client.into_parts().1.get("client_secret"), None);

    for (sent, status, reason) in [
        (request(Some(basic(b"a:b")), ""), 401, "unknown_client"),
        (request(None, format!("client_id={id}")), 401, "unproven"),
        (request(None, ""), 401, "no_credentials"),
        (request(Some(right.clone()), "a=1&a=2"), 400, "repeated_parameter"),
        (request(Some(right.clone()), "a".repeat(MAX_BODY + 1)), 400, "body_too_large"),
    ] {
        let error = extract(sent).unwrap_err();
        assert_eq!(error.reason(), reason);
        let response = error.into_response();
        assert_eq!(response.status().as_u16(), status, "{reason}");
        assert_eq!(response.headers()["cache-control"], "no-store");
    }
    platform.store.knobs.load_fails.on();
    let response = extract(request(Some(right), "")).unwrap_err().into_response();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
}

/// What the extractor itself refuses is in the log like everything else that is refused.
#[test]
fn a_body_that_is_refused_is_in_the_log() {
    let platform = Platform::new();
    let state = State(platform.registry.clone(), 0);
    let broken = Body::from_stream(Pieces(vec![Err(std::io::Error::other("the cable is cut"))]));
    for (body, reason) in
        [(Body::from("a".repeat(MAX_BODY + 1)), "body_too_large"), (broken, "body_unreadable")]
    {
        let sent = request(Some(basic(b"a:b")), body);
        let (answer, log) = logged(|| block_on(AuthenticatedClient::<Watched>::from_request(sent, &state)));
        assert_eq!(answer.unwrap_err().reason(), reason);
        assert_eq!(log.len(), 1, "{log:?}");
        assert!(log[0].contains("DEBUG") && log[0].contains(&format!("reason=\"{reason}\"")), "{log:?}");
    }
}

/// A body that comes in pieces, and one that breaks off.
#[test]
fn a_body_is_read_piece_by_piece() {
    let platform = Platform::new();
    let issued = block_on(platform.register("calendar app"));
    let body = format!("client_id={}&client_secret={}", issued.client_id(), issued.client_secret().expose());
    let stream = |mut pieces: Vec<Result<Vec<u8>, std::io::Error>>| {
        pieces.reverse();
        Body::from_stream(Pieces(pieces))
    };
    let state = State(platform.registry.clone(), 0);
    let extract = |body| block_on(AuthenticatedClient::<Watched>::from_request(request(None, body), &state));
    let pieces: Vec<_> = body.as_bytes().chunks(7).map(|piece| Ok(piece.to_vec())).collect();
    assert!(extract(stream(pieces)).is_ok());
    let broken = vec![Ok(body.into_bytes()), Err(std::io::Error::other("the cable is cut"))];
    assert_eq!(extract(stream(broken)).unwrap_err().reason(), "body_unreadable");
    let mut announced = request(Some(basic(b"a:b")), "scope=a");
    for (length, reason) in [(7, "unknown_client"), (6, "body_too_large"), (MAX_BODY + 1, "body_too_large")] {
        announced.headers_mut().insert("content-length", length.into());
        let (parts, _) = announced.into_parts();
        announced = Request::from_parts(parts.clone(), Body::from("scope=a"));
        let sent = Request::from_parts(parts, Body::from("scope=a"));
        let error = block_on(AuthenticatedClient::<Watched>::from_request(sent, &state)).unwrap_err();
        assert_eq!(error.reason(), reason, "{length}");
    }
    let endless: Vec<_> = (0..=MAX_BODY / 1000).map(|_| Ok(vec![b'a'; 1000])).collect();
    assert_eq!(extract(stream(endless)).unwrap_err().reason(), "body_too_large");
}

struct Pieces(Vec<Result<Vec<u8>, std::io::Error>>);

impl futures_util::Stream for Pieces {
    type Item = Result<Vec<u8>, std::io::Error>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.get_mut().0.pop())
    }
}

/// The registry itself is a state, whatever its store.
#[test]
fn a_registry_is_a_state() {
    fn is_extractor<T: FromRequest<S>, S>() {}
    is_extractor::<AuthenticatedClient, Registry>();
    is_extractor::<AuthenticatedClient<DynStore>, Registry<DynStore>>();
}

#[test]
fn problem_details_are_an_answer() {
    let error = ClientDetails::new("", "contoso.com", "https://contoso.com/done").unwrap_err();
    let response = ProblemDetails::from(&error).into_response();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
}
