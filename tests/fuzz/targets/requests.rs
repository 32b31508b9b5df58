//! An OAuth request: four texts, separated by a NUL, are `Authorization`, `Content-Type`, the query and the body. `$` in them stands for
//! a client secret, which must appear in no answer and in no `Debug`.
#![no_main]

use client_registry::oauth::{ClientRequest, Form};
use libfuzzer_sys::fuzz_target;

const SECRET: &[u8] = b"crs_fuzzing-this-is-nobodys-secret-0123456789";

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(4, |byte| *byte == 0).map(with_secret);
    let mut next = || parts.next().unwrap_or_default();
    let (authorization, content_type, query, body) = (next(), next(), next(), next());
    let query = String::from_utf8_lossy(&query).into_owned();
    let values = |value: &[u8]| (!value.is_empty()).then(|| value.to_vec());
    let (authorization, content_type) = (values(&authorization), values(&content_type));
    let parsed =
        ClientRequest::parse_values(authorization.as_deref(), content_type.as_deref(), Some(&query), &body);
    match parsed {
        Ok(request) => shows_nothing(&format!("{request:?}")),
        Err(error) => {
            shows_nothing(&format!("{error:?} {error}"));
            shows_nothing(&String::from_utf8_lossy(error.response().body()));
        }
    }
    if let Err(error) = Form::parse(&body) {
        shows_nothing(&format!("{error:?} {error}"));
    }
});

fn with_secret(text: &[u8]) -> Vec<u8> {
    let pieces: Vec<_> = text.split(|byte| *byte == b'$').collect();
    pieces.join(SECRET)
}

fn shows_nothing(text: &str) {
    assert!(!text.as_bytes().windows(SECRET.len()).any(|window| window == SECRET), "{text}");
}
