//! The requests that both servers get, good and bad ones.

use data_encoding::BASE64;

use crate::platform::Platform;

pub(crate) struct Request {
    pub(crate) what: &'static str,
    pub(crate) path: &'static str,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// A form with a grant.
    fn of(what: &'static str, body: &str) -> Self {
        let body = format!("grant_type=client_credentials{body}").into_bytes();
        Self { what, path: "/token", headers: vec![], body }.with("content-type", FORM)
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn basic(self, id: &str, secret: &str) -> Self {
        self.with("authorization", &basic(id, secret))
    }

    fn body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    fn typed(mut self, content_type: &str) -> Self {
        self.headers.retain(|(name, _)| name != "content-type");
        self.with("content-type", content_type)
    }
}

pub(crate) fn all(platform: &Platform) -> Vec<Request> {
    let [right, odd, expired] = ["right", "imported, + / = % : &", "expired"].map(|what| platform.row(what));
    let (id, secret) = (&*right.id, &*right.secret);
    let (odd_id, odd_secret) = (&*odd.id, &*odd.secret);
    let good = |what| Request::of(what, "").basic(id, secret);
    let post =
        |id: &str, secret: &str| format!("&client_id={}&client_secret={}", encoded(id), encoded(secret));
    let own = post(id, secret);
    let introspect = |request: Request, body: &str| Request { path: "/introspect", ..request.body(body) };
    vec![
        // Good ones
        good("Basic"),
        Request::of("Basic, the scheme in lower case, a comma in the body", "&a=b,c")
            .with("authorization", &basic(id, secret).replacen('B', "b", 1)),
        Request::of("Basic, form-encoded", "").basic(&encoded(odd_id), &encoded(odd_secret)),
        Request::of("Basic, raw", "").basic(odd_id, odd_secret),
        Request::of("Basic and the same client_id in the body", &format!("&client_id={id}"))
            .basic(id, secret),
        Request::of("post", &own),
        Request::of("post, imported", &post(odd_id, odd_secret)),
        Request::of("post, a charset in the content type", &own)
            .typed("application/x-www-form-urlencoded; charset=UTF-8"),
        Request::of("post, an unknown parameter", &format!("{own}&unknown=1")),
        introspect(good("introspection of what is no token"), "token=nothing"),
        // The client
        Request::of("Basic, a wrong secret", "").basic(id, "wrong"),
        Request::of("Basic, a wrong secret in UTF-8", "").basic(id, "\u{20ac}\u{1f511}"),
        Request::of("Basic, bytes that are not UTF-8", "").with(
            "authorization",
            &format!("Basic {}", BASE64.encode(&[id.as_bytes(), b":\xff\xfe"].concat())),
        ),
        Request::of("Basic, a control character", "").basic(id, "a\u{7}b"),
        Request::of("Basic, an unknown client", "").basic("nobodys-app", secret),
        Request::of("Basic, expired", "").basic(&expired.id, &expired.secret),
        Request::of("Basic, an empty secret", "").basic(id, ""),
        Request::of("Basic, an empty client ID", "").basic("", secret),
        Request::of("post, a wrong secret", &post(id, "wrong")),
        Request::of("post, a wrong secret in UTF-8", &post(id, "\u{20ac}\u{1f511}")),
        Request::of("post, an unknown client", &post("nobodys-app", secret)),
        Request::of("post, expired", &post(&expired.id, &expired.secret)),
        Request::of("post, an empty secret", &post(id, "")),
        Request::of("post, no client ID", &format!("&client_secret={secret}")),
        Request::of("a client ID alone", &format!("&client_id={id}")),
        Request::of("an unknown client ID alone", "&client_id=nobodys-app"),
        Request::of("no client at all", ""),
        // The way
        Request::of("Basic and post", &own).basic(id, secret),
        Request::of("Basic and an empty secret in the body", "&client_secret=").basic(id, secret),
        Request::of("Basic and another client_id in the body", &format!("&client_id={}", expired.id))
            .basic(id, secret),
        good("two Authorization headers").basic(id, secret),
        Request::of("Bearer", "").with("authorization", "Bearer 0123456789"),
        Request::of("an Authorization header without credentials", "").with("authorization", "Basic"),
        Request::of("Basic, not base64", "").with("authorization", "Basic %%%%"),
        Request::of("Basic, no colon", "")
            .with("authorization", &format!("Basic {}", BASE64.encode(id.as_bytes()))),
        Request::of("Basic, base64 without padding", "")
            .with("authorization", basic(id, "wrong").trim_end_matches('=')),
        Request::of(
            "an assertion",
            &format!("&client_assertion_type={ASSERTION}&client_assertion={}", jwt(id)),
        ),
        Request::of(
            "an assertion that is no JWT",
            &format!("&client_assertion_type={ASSERTION}&client_assertion=x"),
        ),
        Request::of(
            "an assertion and Basic",
            &format!("&client_assertion_type={ASSERTION}&client_assertion={}", jwt(id)),
        )
        .basic(id, secret),
        Request { path: SECRET_IN_URL, ..good("a client secret in the URL as well") },
        // The form
        Request::of("client_id twice", &format!("{own}&client_id={id}")),
        Request::of("client_secret twice", &format!("{own}&client_secret={secret}")),
        Request::of("grant_type twice", &format!("{own}&grant_type=client_credentials")),
        Request::of("scope twice", &format!("{own}&scope=a&scope=a")),
        Request::of("an unknown parameter twice", &format!("{own}&unknown=1&unknown=1")),
        good("no grant_type").body("scope=a"),
        good("an empty grant_type").body("grant_type="),
        good("an unknown grant_type").body("grant_type=unknown"),
        good("a grant_type that the server has not").body("grant_type=password&username=a&password=b"),
        good("JSON").typed("application/json").body("{\"grant_type\":\"client_credentials\"}"),
        Request { headers: vec![], ..Request::of("post, no content type", &own) },
        good("no body").body(""),
        good("a body of 60,000 bytes")
            .body(format!("grant_type=client_credentials&a={}", "x".repeat(60_000))),
        introspect(good("introspection without a token"), "a=b"),
        introspect(Request::of("introspection without a client", ""), "token=nothing"),
        introspect(Request::of("introspection, a wrong secret", "").basic(id, "wrong"), "token=nothing"),
    ]
}

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", BASE64.encode(format!("{id}:{secret}").as_bytes()))
}

/// A JWT whose maker knows no secret.
fn jwt(id: &str) -> String {
    let part = |text: String| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
    let claims =
        format!("{{\"iss\":\"{id}\",\"sub\":\"{id}\",\"aud\":\"x\",\"jti\":\"1\",\"exp\":4000000000}}");
    format!("{}.{}.{}", part("{\"alg\":\"HS256\"}".to_owned()), part(claims), part("x".repeat(32)))
}

fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

const FORM: &str = "application/x-www-form-urlencoded";
const SECRET_IN_URL: &str = "/token?client_secret=x";
const ASSERTION: &str = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
