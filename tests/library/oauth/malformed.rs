//! Any bytes at all: no panic, and no piece of a client secret in anything that is written.

use client_registry::oauth::{ClientRequest, Form, OAuthError};
use client_registry::{Registry, oauth};
use proptest::prelude::*;

use super::{FORM, Sent, basic};

const NEEDLE: &str = "s3cr3t-Needle-Of-The-Haystack";

fn all_texts(error: &OAuthError) -> String {
    let source =
        std::error::Error::source(error).map(|source| format!("{source} {source:?}")).unwrap_or_default();
    let response = error.response();
    format!("{error} {error:?} {error:#?} {source} {response:?} {}", String::from_utf8_lossy(response.body()))
}

fn parse(authorization: &[Vec<u8>], query: &str, body: &[u8]) -> Result<ClientRequest, OAuthError> {
    let values = authorization.iter().map(Vec::as_slice);
    ClientRequest::parse_values(values, [FORM.as_bytes()], Some(query), body)
}

/// Pieces of requests, with the needle in any place.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(NEEDLE.to_owned()),
        Just("client_id".to_owned()),
        Just("client_secret".to_owned()),
        Just("client_assertion".to_owned()),
        "[=&+%:]",
        "%[0-9a-fA-F]{2}",
        "[a-z]{1,3}",
    ]
}

fn pieces() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_bytes_panic(
        authorization in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..3),
        query in ".{0,30}",
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let _ = parse(&authorization, &query, &body);
        let _ = Form::parse(&body);
        let _ = oauth::ClientMetadata::parse(&body);
        let pair = basic(&body);
        let _ = parse(&[pair.into_bytes()], "", b"");
    }

    #[test]
    fn no_piece_of_a_request_is_in_any_text(header in prop::option::of(pieces()), query in pieces(), body in pieces()) {
        let registry = Registry::in_memory();
        let mut sent = Sent::new().form(body.clone()).query(&query);
        if let Some(pair) = &header {
            sent = sent.authorization(basic(pair.as_bytes()));
        }
        let authorization: Vec<_> = header.iter().map(|pair| basic(pair.as_bytes()).into_bytes()).collect();
        if let Ok(request) = parse(&authorization, &query, body.as_bytes()) {
            // A client ID is public, and shown by a type of its own if it is one.
            let shown = format!("{request:?} {:?}", request.form());
            prop_assert!(!shown.contains(NEEDLE), "{}", shown);
        }
        if let Err(error) = sent.to(&registry) {
            prop_assert!(!all_texts(&error).contains(NEEDLE), "{}", all_texts(&error));
        }
    }
}

/// Bodies and headers of the greatest size, of the kinds that cost most.
#[test]
fn the_largest_requests_are_read_in_no_time() {
    let registry = Registry::in_memory();
    for filler in ["%41", "&", "=", "+", "%", "a=&", "\u{1f511}"] {
        let body = filler.repeat(oauth::MAX_BODY / filler.len());
        let _ = Sent::new().form(body).to(&registry);
        let pair = filler.repeat(oauth::MAX_AUTHORIZATION / 2 / filler.len());
        let sent = Sent::new().basic(&pair, &pair).query(&filler.repeat(oauth::MAX_QUERY / filler.len()));
        let _ = sent.to(&registry);
    }
}
