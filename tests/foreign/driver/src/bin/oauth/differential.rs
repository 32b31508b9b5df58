//! The endpoint beside `oidc-provider`: the same requests, the same status and error code. Where it differs on purpose, the difference is
//! listed with its reason, and has to be there.

use serde_json::Value;

use crate::http;
use crate::platform::Platform;
use crate::requests::{self, Request};
use crate::tally::Tally;

/// A difference on purpose: what is sent, our answer, theirs, and why.
type Difference = (&'static str, (u16, &'static str), (u16, &'static str), &'static str);

const DIFFERENCES: &[Difference] = &[
    ("Basic, raw", TOKEN, INVALID_REQUEST, BOTH),
    ("Basic, a wrong secret in UTF-8", INVALID_CLIENT, INVALID_REQUEST, ONE),
    ("Basic, bytes that are not UTF-8", INVALID_CLIENT, INVALID_REQUEST, ONE),
    ("Basic, a control character", INVALID_CLIENT, INVALID_REQUEST, ONE),
    ("Basic, an empty secret", INVALID_CLIENT, INVALID_REQUEST, ONE),
    ("Basic, an empty client ID", INVALID_CLIENT, INVALID_REQUEST, ONE),
    ("Basic, expired", INVALID_CLIENT, (400, "invalid_client"), EXP),
    ("post, expired", INVALID_CLIENT, (400, "invalid_client"), EXP),
    ("no client at all", INVALID_CLIENT, INVALID_REQUEST, NONE),
    ("introspection without a client", INVALID_CLIENT, INVALID_REQUEST, NONE),
    ("Bearer", INVALID_CLIENT, INVALID_REQUEST, SCHEME),
    ("an assertion that is no JWT", INVALID_CLIENT, INVALID_REQUEST, ASSERT),
    ("Basic and an empty secret in the body", INVALID_REQUEST, TOKEN, EMPTY),
    ("two Authorization headers", INVALID_REQUEST, TOKEN, HEADERS),
    ("a client secret in the URL as well", INVALID_REQUEST, TOKEN, URL),
    ("an unknown parameter twice", INVALID_REQUEST, TOKEN, TWICE),
];

const TOKEN: (u16, &str) = (200, "token");
const INVALID_CLIENT: (u16, &str) = (401, "invalid_client");
const INVALID_REQUEST: (u16, &str) = (400, "invalid_request");

const BOTH: &str = "RFC 6749 section 2.3.1 asks for form encoding, but Authlib and requests-oauthlib send Basic raw: both are read";
const ONE: &str =
    "a text that cannot be a client secret is denied like any other wrong one: every denial looks alike";
const EXP: &str =
    "an end is not told to the caller; and RFC 6749 section 5.2 demands 401 where Basic was tried";
const NONE: &str = "RFC 6749 section 5.2 names no client authentication as a case of invalid_client";
const SCHEME: &str =
    "RFC 6749 section 5.2 names an unsupported authentication method as a case of invalid_client";
const ASSERT: &str =
    "assertions are not supported, whatever is in them: invalid_client, as for one that is a JWT";
const EMPTY: &str = "stricter than RFC 6749 section 3.2, which takes an empty parameter for one that was left out: the sender is in error";
const HEADERS: &str =
    "RFC 9110 section 5.3: the field is no list, and two readers of the request may come to two clients";
const URL: &str = "RFC 6749 section 2.3.1: credentials must not be in the URL, where logs keep them";
const TWICE: &str = "RFC 6749 section 3.2: parameters must not be included more than once, known or not";

/// Returns how many requests there are, and how many of them get a token from us.
pub(crate) fn run(platform: &Platform, ours: &str, theirs: &str, tally: &mut Tally) -> (usize, usize) {
    let requests = requests::all(platform);
    let mut tokens = 0;
    for request in &requests {
        let [ours, theirs] = [ours, theirs].map(|url| verdict(url, request));
        tokens += usize::from(ours.1 == TOKEN.1);
        let holds = match DIFFERENCES.iter().find(|(what, ..)| *what == request.what) {
            Some((_, our, their, _)) => same(&ours, our).and(same(&theirs, their)),
            None => same(&ours, &(theirs.0, &*theirs.1)),
        };
        tally.check(format!("beside oidc-provider: {}", request.what), holds);
    }
    let unknown =
        DIFFERENCES.iter().filter(|(what, ..)| !requests.iter().any(|request| request.what == *what));
    tally.check(
        "beside oidc-provider: each difference belongs to a request",
        match unknown.count() {
            0 => Ok(()),
            count => Err(format!("{count} do not")),
        },
    );
    (requests.len(), tokens)
}

/// Returns the status, and the error code or what a success is.
fn verdict(url: &str, request: &Request) -> (u16, String) {
    let response = match http::post(url, request.path, &request.headers, &request.body) {
        Ok(response) => response,
        Err(error) => return (0, error.to_string()),
    };
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let word = match (&body["error"], &body["access_token"], &body["active"]) {
        (Value::String(code), ..) => code.clone(),
        (_, Value::String(_), _) if body["token_type"] == "Bearer" => "token".to_owned(),
        (_, _, Value::Bool(active)) => format!("active: {active}"),
        _ => String::from_utf8_lossy(&response.body).into_owned(),
    };
    // Both have to say these.
    let no_store = response.header("cache-control").is_some_and(|value| value.contains("no-store"));
    let has_header = request.headers.iter().any(|(name, _)| name == "authorization");
    let challenge = response.header("www-authenticate").is_some_and(|value| value.starts_with("Basic "));
    let word = if no_store { word } else { format!("{word}, but it may be cached") };
    match response.status == 401 && has_header != challenge {
        true => (401, format!("{word}, with a challenge: {challenge}")),
        false => (response.status, word),
    }
}

fn same(found: &(u16, String), expected: &(u16, &str)) -> Result<(), String> {
    match (found.0, &*found.1) == *expected {
        true => Ok(()),
        false => Err(format!("{found:?} instead of {expected:?}")),
    }
}
