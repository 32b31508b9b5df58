//! Client secrets that came through Basic and forms, and the one that goes out as JSON.

use client_registry::oauth::{
    ClientInformation, ClientMetadata, ClientRequest, ClientVerdict, Form, MAX_AUTHORIZATION, MAX_BODY,
    MAX_QUERY,
};
use client_registry::secret::KeyEncoding;
use data_encoding::BASE64;
use pollster::block_on;
use zeroize::Zeroizing;

use super::search::{guard, searching};
use super::{importable, keep, plain, platform, slip};
use crate::support::Seeded;

/// The value of a header, in a buffer of the test's own that is wiped.
fn basic(id: &str, secret: &str) -> Zeroizing<String> {
    let mut pair = Zeroizing::new(String::with_capacity(id.len() + 1 + secret.len()));
    [id, ":", secret].iter().for_each(|part| pair.push_str(part));
    let mut value = Zeroizing::new(String::with_capacity(6 + BASE64.encode_len(pair.len())));
    value.push_str("Basic ");
    BASE64.encode_append(pair.as_bytes(), &mut value);
    guard(&value.as_bytes()[6..]);
    value
}

/// Every character as an escape.
fn escaped(text: &str) -> Zeroizing<String> {
    let mut escaped = Zeroizing::new(String::with_capacity(3 * text.len()));
    for byte in text.bytes() {
        escaped.push('%');
        for digit in [byte >> 4, byte & 15] {
            escaped.push(char::from_digit(u32::from(digit), 16).unwrap());
        }
    }
    guard(escaped.as_bytes());
    escaped
}

fn form(id: &str, secret: &str, rest: &str) -> Zeroizing<String> {
    let parts = ["client_id=", id, "&client_secret=", secret, rest];
    let mut body = Zeroizing::new(String::with_capacity(parts.iter().map(|part| part.len()).sum()));
    parts.iter().for_each(|part| body.push_str(part));
    body
}

#[test]
fn rule_08_no_freed_memory_holds_a_client_secret_of_a_request() {
    let search = searching();
    let platform = platform(21);
    block_on(async {
        let texts = Seeded::new(22);
        let issued = platform.register("calendar app").await;
        let text = keep(&issued);
        let id = issued.client_id().clone();
        let client = platform.contoso.client(&id);
        let imported = plain(&texts, 500);
        client.import_secret(importable(&imported, KeyEncoding::Utf8)).await.unwrap();
        search.nothing_found("setting up");

        let judge = async |header: Option<&str>, body: &str| {
            let (header, types) = (header.map(str::as_bytes), [&b"application/x-www-form-urlencoded"[..]]);
            let request = ClientRequest::parse_values(header, types, None, body.as_bytes())?;
            platform.registry.authenticate_client(request).await
        };
        for secret in [&**text, &**imported] {
            let coded = escaped(secret);
            for header in [basic(id.as_str(), secret), basic(id.as_str(), &coded)] {
                let answer = judge(Some(&header), "scope=a").await;
                assert!(matches!(answer, Ok(ClientVerdict::Proven(_))));
            }
            for body in [form(id.as_str(), secret, ""), form(id.as_str(), &coded, "&scope=a")] {
                let answer = judge(None, &body).await;
                assert!(matches!(answer, Ok(ClientVerdict::Proven(_))));
            }
            search.nothing_found("letting in");

            let wrong = slip(secret);
            judge(Some(&basic(id.as_str(), &wrong)), "").await.unwrap_err();
            judge(None, &form(id.as_str(), &wrong, "")).await.unwrap_err();
            judge(Some(&basic(secret, secret)), "").await.unwrap_err();
            judge(None, &form(secret, secret, "")).await.unwrap_err();
            judge(None, &form("nobody-at-all", secret, "")).await.unwrap_err();
            search.nothing_found("denying");

            let right = basic(id.as_str(), secret);
            let mut broken = Zeroizing::new(String::with_capacity(right.len() + 1));
            broken.push_str(&right);
            broken.push('~');
            judge(Some(&broken), "").await.unwrap_err();
            judge(Some(&right), &form(id.as_str(), secret, "")).await.unwrap_err();
            judge(None, &form(id.as_str(), secret, "&scope=%ff")).await.unwrap_err();
            judge(None, &form(id.as_str(), secret, "&client_id=again")).await.unwrap_err();
            judge(None, &form(id.as_str(), secret, "&client_assertion=a")).await.unwrap_err();
            // In the wrong place, too: as another parameter, and as a client ID that proves nothing.
            let swapped = form(secret, "", "");
            let _ = judge(None, &swapped[..10 + secret.len()]).await;
            let mut other = Zeroizing::new(String::with_capacity(5 + secret.len()));
            other.push_str("code=");
            other.push_str(secret);
            drop(Form::parse(other.as_bytes()).unwrap());
            search.nothing_found("refusing");
        }

        let snapshot = client.snapshot().await.unwrap();
        let exposed = ClientInformation::of(snapshot.client()).expose_json(&issued).unwrap();
        assert!(exposed.expose().windows(text.len()).any(|window| window == text.as_bytes()));
        drop(exposed);
        search.nothing_found("writing the JSON of a registration");
    });
}

/// Hostile requests of the greatest size and beyond it allocate a bounded number of bytes.
#[test]
fn no_request_allocates_more_than_64_kib() {
    let search = searching();
    let form = [&b"application/x-www-form-urlencoded"[..]];
    for size in [MAX_BODY, MAX_BODY + 1, 3 * MAX_BODY] {
        for filler in ["a", "%41", "&", "=", "+", "%", "a=&", "&a=b"] {
            let body = filler.repeat(size / filler.len());
            let query = filler.repeat(size.min(2 * MAX_QUERY) / filler.len());
            let authorization = format!("Basic {}", "YTpi".repeat(size.min(2 * MAX_AUTHORIZATION) / 8));
            let deep = "[".repeat(size);
            search.handed_out();
            let parse = |body: &str, query: &str| {
                drop(ClientRequest::parse_values(
                    [authorization.as_bytes()],
                    form,
                    Some(query),
                    body.as_bytes(),
                ));
            };
            parse(&body, "");
            let [total, largest] = search.handed_out();
            assert!(total <= 1 << 16, "{total} bytes of {} of {filler}", body.len());
            assert!(largest <= MAX_BODY, "a block of {largest}");
            parse("", &query);
            drop((ClientMetadata::parse(body.as_bytes()), ClientMetadata::parse(deep.as_bytes())));
            let [total, _] = search.handed_out();
            assert!(total <= 1 << 16, "{total} bytes of a query or of JSON");
        }
    }
}

/// The JSON that costs most: many small texts, and long ones with an escape, which the parser puts together in a buffer that grows.
#[test]
fn no_metadata_allocates_more_than_64_kib() {
    let search = searching();
    for size in [4_000, 16_000, 32_000, 3 * MAX_BODY] {
        let long = format!("{}\\n", "a".repeat(size));
        for json in [
            format!(r#"{{"redirect_uris":[{}""]}}"#, r#""","#.repeat(size / 3)),
            format!(r#"{{"redirect_uris":["{long}"]}}"#),
            format!(r#"{{"client_name":"{long}"}}"#),
            format!(r#"{{"client_uri":"{long}","client_name":"a"}}"#),
            format!(r#"{{"{long}":1}}"#),
            format!(r#"{{"other":[{}""]}}"#, r#""\n","#.repeat(size / 5)),
            format!("{{{}\"b\":1}}", r#""a":1,"#.repeat(size / 6)),
        ] {
            search.handed_out();
            drop(ClientMetadata::parse(json.as_bytes()));
            let [total, _] = search.handed_out();
            assert!(total <= 1 << 16, "{total} bytes of {}...", &json[..24]);
        }
    }
}

/// The extractor's own buffer counts as well.
#[cfg(feature = "axum")]
#[test]
fn no_extracted_request_allocates_more_than_64_kib() {
    use axum_core::extract::FromRequest;
    use client_registry::oauth::AuthenticatedClient;

    let search = searching();
    let registry = client_registry::Registry::in_memory();
    for filler in ["a", "%41", "&", "a=&", "&a=b"] {
        for announced in [true, false] {
            let body = filler.repeat(MAX_BODY / filler.len());
            let mut request = http::Request::post("/token")
                .header("content-type", "application/x-www-form-urlencoded")
                .header("authorization", format!("Basic {}", "YTpi".repeat(MAX_AUTHORIZATION / 4 - 2)));
            if announced {
                request = request.header("content-length", body.len());
            }
            let request = request.body(axum_core::body::Body::from(body)).unwrap();
            search.handed_out();
            drop(block_on(AuthenticatedClient::<client_registry::store::MemoryStore>::from_request(
                request, &registry,
            )));
            let [total, _] = search.handed_out();
            assert!(total <= 1 << 16, "{total} bytes of {filler}");
        }
    }
}
