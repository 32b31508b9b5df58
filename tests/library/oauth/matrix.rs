//! Every kind of request, with the status and the error code that answer it.

use client_registry::oauth::{ClientAuthMethod, MAX_AUTHORIZATION, MAX_BODY, MAX_PARAMETERS, MAX_QUERY};
use http::header::CONTENT_TYPE;
use pollster::block_on;

use super::{FORM, Sent, basic};
use crate::support::{Platform, logged};

/// What comes of a request: the method of a client that proved itself, an unproven one, or status, error code and reason.
#[derive(Debug, PartialEq)]
enum Outcome {
    Proven(ClientAuthMethod),
    Unproven,
    Refused { status: u16, error: String, reason: &'static str, challenge: bool },
}

fn outcome(platform: &Platform, sent: &Sent) -> Outcome {
    let error = match sent.to(&platform.registry) {
        Ok(client_registry::oauth::ClientVerdict::Proven(client)) => return Outcome::Proven(client.method()),
        Ok(client_registry::oauth::ClientVerdict::Unproven(_)) => return Outcome::Unproven,
        Err(error) => error,
    };
    let response = error.response();
    let json: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    let header = |name| response.headers().get(name).map(|value: &http::HeaderValue| value.to_str().unwrap());
    assert_eq!(header("content-type"), Some("application/json"));
    assert_eq!((header("cache-control"), header("pragma")), (Some("no-store"), Some("no-cache")));
    assert_eq!(header("retry-after").is_some(), response.status() == 503);
    if let Some(challenge) = header("www-authenticate") {
        assert_eq!(challenge, "Basic realm=\"oauth\", charset=\"UTF-8\"");
    }
    Outcome::Refused {
        status: response.status().as_u16(),
        error: json["error"].as_str().unwrap().to_owned(),
        reason: error.reason(),
        challenge: header("www-authenticate").is_some(),
    }
}

const BASIC: Outcome = Outcome::Proven(ClientAuthMethod::SecretBasic);
const POST: Outcome = Outcome::Proven(ClientAuthMethod::SecretPost);

/// 400, and no challenge.
fn bad(reason: &'static str) -> Outcome {
    Outcome::Refused { status: 400, error: "invalid_request".into(), reason, challenge: false }
}

/// 401 to a request without an `Authorization` header.
fn invalid(reason: &'static str) -> Outcome {
    Outcome::Refused { status: 401, error: "invalid_client".into(), reason, challenge: false }
}

/// 401 to a request with an `Authorization` header.
fn challenged(reason: &'static str) -> Outcome {
    Outcome::Refused { status: 401, error: "invalid_client".into(), reason, challenge: true }
}

#[test]
fn every_kind_of_request_has_its_answer() {
    let platform = Platform::new();
    let issued = block_on(platform.register("calendar app"));
    let (id, secret) = (issued.client_id().as_str(), issued.client_secret().expose());
    let new = Sent::new;
    let right = || new().basic(id, secret);
    let post = |rest: &str| new().form(format!("client_id={id}&client_secret={secret}{rest}"));
    let wrong = "crs_wrong";
    let jwt = "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=a.b.c";
    let upper = basic(format!("{id}:{secret}").as_bytes()).replacen("Basic", "bASIC", 1);
    let unpadded = basic(format!("{id}:{secret}").as_bytes()).trim_end_matches('=').to_owned();
    let many = "&a=".repeat(MAX_PARAMETERS);
    let cases = [
        // Good ones.
        ("Basic", right(), BASIC),
        ("Basic with a form", right().form("grant_type=client_credentials"), BASIC),
        ("Basic with its own client ID", right().form(format!("client_id={id}&scope=a")), BASIC),
        ("Basic with an empty client ID", right().form("client_id="), BASIC),
        ("Basic in other letters", new().authorization(upper), BASIC),
        ("Basic without padding", new().authorization(unpadded), BASIC),
        ("post", post(""), POST),
        ("post with more", post("&grant_type=client_credentials&resource=a&resource=b"), POST),
        (
            "post with a charset",
            Sent { body: post("").body, ..new().header(CONTENT_TYPE, format!("{FORM}; charset=UTF-8")) },
            POST,
        ),
        (
            "post in other letters",
            Sent { body: post("").body, ..new().header(CONTENT_TYPE, FORM.to_uppercase()) },
            POST,
        ),
        (
            "a query without secrets",
            right().query("tenant=contoso&secret=x&Client_Id=other&client_id="),
            BASIC,
        ),
        (
            "its own client ID in the URL",
            right().query(&format!("client%5Fid={}", id.replace('-', "%2D"))),
            BASIC,
        ),
        // Nobody.
        ("a client ID alone", new().form(format!("client_id={id}")), Outcome::Unproven),
        ("an unknown client ID alone", new().form("client_id=no-such-client"), Outcome::Unproven),
        ("nothing", new(), invalid("no_credentials")),
        ("a form without a client", new().form("grant_type=client_credentials"), invalid("no_credentials")),
        ("an empty client ID", new().form("client_id="), invalid("no_credentials")),
        ("no possible client ID", new().form("client_id=%00"), invalid("not_a_client_id")),
        ("a client ID that is not UTF-8", new().form("client_id=%ff"), invalid("not_a_client_id")),
        (
            "a client secret as client ID",
            new().form(format!("client_id={secret}")),
            invalid("not_a_client_id"),
        ),
        // Wrong ones.
        ("Basic, wrong", new().basic(id, wrong), challenged("mistyped")),
        ("Basic, empty", new().basic(id, ""), challenged("wrong")),
        ("Basic, nothing at all", new().basic("", ""), challenged("unknown_client")),
        ("Basic, another client", new().basic("no-such-client", secret), challenged("unknown_client")),
        ("Basic, swapped", new().basic(secret, id), challenged("looks_like_client_secret")),
        ("Basic, not UTF-8", new().authorization(basic(b"\xff\xfe:\xff")), challenged("unknown_client")),
        (
            "Basic, a secret that is not UTF-8",
            new().authorization(basic(format!("{id}:").bytes().chain([0xff]).collect::<Vec<_>>().as_slice())),
            challenged("wrong"),
        ),
        ("Basic, control characters", new().basic(id, "\u{0}\r\n\u{7f}"), challenged("wrong")),
        ("Basic, UTF-8", new().basic(id, "Geheimnis-über-alle-Maßen-€"), challenged("wrong")),
        ("post, wrong", new().form(format!("client_id={id}&client_secret=x")), invalid("wrong")),
        ("post, empty", new().form(format!("client_id={id}&client_secret=")), invalid("wrong")),
        ("post, not UTF-8", new().form(format!("client_id={id}&client_secret=%ff%fe")), invalid("wrong")),
        (
            "post, control characters",
            new().form(format!("client_id={id}&client_secret=%00%0d")),
            invalid("wrong"),
        ),
        ("Bearer", new().authorization("Bearer abc"), challenged("unsupported_scheme")),
        (
            "Digest",
            new().authorization("Digest username=\"a\"").form(format!("client_id={id}")),
            challenged("unsupported_scheme"),
        ),
        ("an empty Authorization", new().authorization(""), challenged("unsupported_scheme")),
        ("a client assertion", new().form(jwt), invalid("assertion")),
        (
            "a client assertion with a client ID",
            new().form(format!("client_id={id}&{jwt}")),
            invalid("assertion"),
        ),
        (
            "the type of an assertion alone",
            new().form(format!("client_id={id}&client_assertion_type=")),
            invalid("assertion"),
        ),
        // More than one way.
        ("two headers", right().basic(id, secret), bad("two_authorizations")),
        ("two headers of two schemes", right().authorization("Bearer abc"), bad("two_authorizations")),
        (
            "Basic twice in one",
            new().authorization(format!("{0}, {0}", basic(b"a:b"))),
            bad("malformed_authorization"),
        ),
        (
            "Basic and post",
            right().form(format!("client_id={id}&client_secret={secret}")),
            bad("two_methods"),
        ),
        ("Basic and an empty secret", right().form("client_secret="), bad("two_methods")),
        ("Basic and an assertion", right().form(jwt), bad("two_methods")),
        ("post and an assertion", post(&format!("&{jwt}")), bad("two_methods")),
        ("Basic and another client ID", right().form("client_id=no-such-client"), bad("client_ids_differ")),
        (
            "Basic and another client ID in the URL",
            right().query("client_id=other"),
            bad("client_ids_differ"),
        ),
        (
            "post and another client ID in the URL",
            post("").query("a&client%5fid=other"),
            bad("client_ids_differ"),
        ),
        (
            "two client IDs in the URL",
            right().query(&format!("client_id={id}&client_id=other")),
            bad("client_ids_differ"),
        ),
        (
            "a client ID alone and another one in the URL",
            new().form(format!("client_id={id}")).query("client_id=other"),
            bad("client_ids_differ"),
        ),
        ("a client ID in the URL alone", new().query(&format!("client_id={id}")), invalid("no_credentials")),
        ("a secret without a client ID", new().form(format!("client_secret={secret}")), bad("no_client_id")),
        // Malformed.
        ("a parameter twice", post("&scope=a&scope=a"), bad("repeated_parameter")),
        ("a client ID twice", post(&format!("&client_id={id}")), bad("repeated_parameter")),
        ("a client secret twice", post("&client%5fsecret=x"), bad("repeated_parameter")),
        ("a parameter that is not UTF-8", post("&scope=%ff"), bad("not_utf8")),
        ("a secret in the URL", right().query(&format!("client_secret={secret}")), bad("secret_in_query")),
        ("a secret in the URL, encoded", right().query("a&client%5Fsecret"), bad("secret_in_query")),
        ("an assertion in the URL", new().query("client_assertion=a.b.c"), bad("secret_in_query")),
        ("Basic without a colon", new().authorization(basic(b"abc")), bad("malformed_authorization")),
        ("Basic without anything", new().authorization("Basic"), bad("malformed_authorization")),
        ("Basic not in base64", new().authorization("Basic ~~~"), bad("malformed_authorization")),
        ("no content type", Sent { body: post("").body, ..new() }, bad("not_a_form")),
        (
            "JSON",
            Sent { body: b"{}".to_vec(), ..new().header(CONTENT_TYPE, "application/json") },
            bad("not_a_form"),
        ),
        (
            "two content types",
            Sent { body: post("").body, ..new().header(CONTENT_TYPE, FORM).header(CONTENT_TYPE, FORM) },
            bad("not_a_form"),
        ),
        // Too much.
        ("too many parameters", new().form(format!("client_id={id}{many}")), bad("too_many_parameters")),
        ("too large", post(&format!("&a={}", "b".repeat(MAX_BODY))), bad("body_too_large")),
        (
            "a long header",
            new().authorization("Basic ".to_owned() + &"a".repeat(MAX_AUTHORIZATION)),
            bad("authorization_too_long"),
        ),
        ("a long query", right().query(&"a".repeat(MAX_QUERY + 1)), bad("query_too_long")),
    ];
    for (name, sent, expected) in cases {
        assert_eq!(outcome(&platform, &sent), expected, "{name}");
    }
}

#[test]
fn nothing_is_looked_up_for_what_proves_nothing_or_is_refused() {
    let platform = Platform::new();
    let issued = block_on(platform.register("calendar app"));
    let id = issued.client_id().as_str();
    platform.store.loads();
    for sent in [
        Sent::new().form(format!("client_id={id}")),
        Sent::new().form(format!("client_id={id}&client_assertion=a")),
        Sent::new().basic(id, "x").form("client_secret="),
        Sent::new().basic(id, "x").basic(id, "x"),
    ] {
        let _ = sent.to(&platform.registry);
        assert_eq!(platform.store.loads(), 0);
    }
    let unproven = Sent::new().form(format!("client_id={id}")).to(&platform.registry).unwrap();
    let error = unproven.proven().unwrap_err();
    assert_eq!((error.reason(), error.code().as_str()), ("unproven", "invalid_client"));
}

/// The log says why, and nothing of the request.
#[test]
fn what_is_refused_is_in_the_log_with_its_reason() {
    let platform = Platform::new();
    let sent = Sent::new().form("client_id=calendar-app&client_assertion=a.b.c");
    let (answer, log) = logged(|| sent.to(&platform.registry));
    answer.unwrap_err();
    assert_eq!(log.len(), 1, "{log:?}");
    assert!(log[0].contains("DEBUG") && log[0].contains("reason=\"assertion\""), "{log:?}");
    assert!(!log[0].contains("a.b.c") && !log[0].contains("calendar-app"), "{log:?}");
}
