//! Redirect URLs: two parsers that disagree about one are a way in.

use client_registry::value::{Field, Problem, RedirectUrl};
use client_registry::{ClientDetails, Lifetime, Policy, Refusal};
use proptest::prelude::*;
use url::Url;

use super::{MARKER, instant, refused, register};
use crate::support::{Desk, into_client, one_secret, start};

const UNRESERVED: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
const SUB_DELIMS: &str = "!$&'()*+,;=";

/// An accepted URL of this many characters.
pub(super) fn of_length(n: usize) -> String {
    let start = "https://app.contoso.com/";
    format!("{start}{}", "a".repeat(n - start.len()))
}

fn form(text: &str) -> &'static str {
    match refused::<RedirectUrl>(text, Field::RedirectUrl) {
        Problem::Form(what) => what,
        other => panic!("{text}: {other}"),
    }
}

/// Every character up to U+00FF in every kind of place, against the grammar of RFC 3986 (appendix A).
#[test]
fn only_the_characters_of_rfc_3986_in_their_places() {
    let alpha = &UNRESERVED[..52];
    let digits = "0123456789";
    let name = [UNRESERVED, SUB_DELIMS, "/?"].concat();
    let path = [UNRESERVED, SUB_DELIMS, ":@/?"].concat();
    let places: [(&str, &str, &str, String); 11] = [
        ("scheme begins", "", "x://host/", alpha.to_owned()),
        ("scheme", "a", "b://host/", [alpha, digits, "+-.:"].concat()),
        ("scheme ends", "https", "//host/", ":".to_owned()),
        ("host", "https://ho", "st.example/", name.clone()),
        ("host of one's own", "ms-app://ho", "st.example/", name),
        ("port", "https://host.example:8", "0/", [digits, "/?"].concat()),
        ("path", "https://host.example/a", "z", path.clone()),
        ("end", "https://host.example/a", "", path.clone()),
        ("query", "https://host.example/?a", "z", path.clone()),
        ("path without a host", "com.example.app:/a", "z", path.clone()),
        ("path alone", "com.example.app:a", "z", path),
    ];
    for (place, before, after, allowed) in places {
        for c in (0..=255u8).map(char::from) {
            let text = format!("{before}{c}{after}");
            let url = RedirectUrl::parse(&text);
            assert_eq!(url.is_ok(), allowed.contains(c), "{place}: {text:?} {url:?}");
            if !c.is_ascii() || !(UNRESERVED.contains(c) || SUB_DELIMS.contains(c) || ":/?#[]@%".contains(c))
            {
                let problem = Problem::Character { at: before.len() };
                assert_eq!(
                    url.unwrap_err().problem(),
                    problem,
                    "{place}: {text:?} gets as far as the parser"
                );
            }
        }
    }
}

#[test]
fn percent_signs_begin_two_hexadecimal_digits() {
    for text in ["https://a/%41", "https://a/%c3%A9?%00%0a", "com.example.app:/%2f"] {
        assert_eq!(RedirectUrl::parse(text).unwrap().as_str(), text);
    }
    for (text, at) in [
        ("https://a/%", 10),
        ("https://a/%4", 10),
        ("https://a/%zz", 10),
        ("https://a/%4g", 10),
        ("https://a/%%41", 10),
        ("https://a/%u0041", 10),
        ("https://a/%41?%", 14),
        ("https://a/?%+1", 11),
    ] {
        assert_eq!(refused::<RedirectUrl>(text, Field::RedirectUrl), Problem::Character { at }, "{text}");
    }
}

#[test]
fn there_is_no_fragment() {
    for text in [
        "https://a/#",
        "https://a#",
        "https://a/#x",
        "https://a/?#",
        "#",
        "com.example.app:/#x",
        "https://a/#@",
    ] {
        assert!(form(text).contains("fragment"), "{text}");
    }
    assert!(RedirectUrl::parse("https://a/%23x").is_ok(), "an escaped one is part of the path");
}

#[test]
fn there_is_no_user_info() {
    for text in [
        "https://user@host/",
        "https://user:word@host/",
        "https://user:@host/",
        "https://@host/",
        "https://:@host/",
        "https://a@b@c/",
        "https://a%40b@c/",
        "https://host@",
        "https://@",
        "https://good.example@evil.example",
        "https://good.example:443@evil.example/",
        "https://good.example@evil.example?x",
        "http://localhost@evil.example/",
        "ms-app://user@host/",
        "ms-app://@host",
        "HTTPS://user@host/",
        "ftp://user@host/",
    ] {
        assert!(form(text).contains("user info"), "{text}");
    }
    for text in
        ["https://a%40b/", "https://user%3Aword%40host/", "ftp:/user@host/", "ftp:user@host", "ws:///u@h/"]
    {
        form(text);
    }
    for text in ["https://host/@a", "https://host/a@b:c", "https://host?a@b", "com.example.app:/a@b"] {
        assert_eq!(RedirectUrl::parse(text).unwrap().as_str(), text, "not in the authority");
    }
}

/// A browser finds a host in each of these, and not the one that a reader sees.
#[test]
fn hosts_that_are_read_otherwise_are_refused() {
    for text in [
        "https:///x",
        "https:////x",
        "https:x",
        "https:/x",
        "https:",
        "https:/",
        "https://",
        "https:///",
        "https://?x",
        "https://:443/",
        "http:x",
        "HTTPS:x",
        "https:/user@host",
        "https://0x7f.1/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://017700000001/",
        "https://127.1/",
        "https://127.0.0.01/",
        "https://127.0.0.1./",
        "https://0/",
        "https://1.2.3/",
        "https://1.2.3.256/",
        "https://a.1/",
        "https://%41/",
        "https://%61pp.example/",
        "https://a%2eexample/",
        "https://a%2fb/",
        "https://a%00b/",
        "https://evil.example%2f.good.example/",
        "https://good.example%5c.evil.example/",
        "https://[::ffff:127.0.0.1]/",
        "https://[0:0:0:0:0:0:0:1]/",
        "https://[::0001]/",
        "https://[::1%25eth0]/",
        "https://[::1/",
        "https://::1]/",
        "https://[::1]x/",
        "https://x[::1]/",
        "https://[]/",
        "https://[v1.x]/",
        "https://[::1]:443]/",
        "https://[::1]:/",
        "https://xn--a/",
        "ftp:///host/",
        "ws:host",
    ] {
        form(text);
    }
}

#[test]
fn brackets_are_for_hosts() {
    for text in
        ["https://a/[b]", "https://a/?[]", "https://a/]", "https://a?[", "com.example.app:[x]", "x:/[", "x:]"]
    {
        assert!(form(text).contains("bracket"), "{text}");
    }
    for (text, host) in [
        ("https://[::1]/", "[::1]"),
        ("https://[2001:DB8::1]:8443/x", "[2001:DB8::1]"),
        ("ms-app://[::1]/", "[::1]"),
    ] {
        assert_eq!(RedirectUrl::parse(text).unwrap().host(), Some(host));
    }
}

#[test]
fn ports_are_1_to_65535_in_one_spelling() {
    for port in ["1", "80", "443", "65535"] {
        for scheme in ["https", "ms-app"] {
            let url = RedirectUrl::parse(&format!("{scheme}://host:{port}/")).unwrap();
            assert_eq!((url.scheme(), url.host()), (scheme, Some("host")));
        }
    }
    for port in ["", "0", "0443", "65536", "+443", "-1", "a", "443:443", "4_4", "4!"] {
        for text in [
            format!("https://host:{port}/"),
            format!("ms-app://host:{port}/"),
            format!("https://[::1]:{port}?"),
        ] {
            form(&text);
        }
    }
}

#[test]
fn a_url_is_absolute() {
    for text in [
        "app.contoso.com",
        "/done",
        "//app.contoso.com/",
        "done?x=https",
        ":",
        "://x",
        "1x://a",
        "-x:/",
        "+:",
        "a_b:/x",
    ] {
        assert!(form(text).contains("scheme"), "{text}");
    }
}

/// RFC 9700 section 4.1.3: compared exactly, so what is written is what is kept.
#[test]
fn urls_are_kept_and_compared_as_they_are_written() {
    let texts = [
        "https://a/",
        "https://a",
        "HTTPS://a/",
        "https://A/",
        "https://a:443/",
        "https://a./",
        "https://a/?",
        "https://a//",
        "https://a/.",
        "https://a/./",
        "https://a/b/..",
        "https://a/b/../",
        "https://a/%41",
        "https://a/A",
        "https://a/%7e",
        "https://a/%7E",
        "https://a/~",
        "https://a/;",
        "http://a/",
        "http://a:80/",
    ];
    for (i, one) in texts.iter().enumerate() {
        let url = RedirectUrl::parse(one).unwrap();
        assert_eq!((url.as_str(), &url.to_string()), (*one, &(*one).to_owned()));
        for (j, other) in texts.iter().enumerate() {
            assert_eq!(url == RedirectUrl::parse(other).unwrap(), i == j, "{one} {other}");
        }
    }
    let shouted = RedirectUrl::parse("HTTPS://App.Contoso.COM:443/").unwrap();
    assert_eq!((shouted.scheme(), shouted.host()), ("HTTPS", Some("App.Contoso.COM")));
    assert_eq!(RedirectUrl::parse("com.example.app:/cb").unwrap().host(), None);
}

const LOOPBACK: &[&str] = &[
    "http://localhost",
    "http://localhost/",
    "http://LOCALHOST:3000/cb",
    "HTTP://localhost?x",
    "http://127.0.0.1/",
    "http://127.0.0.1:49152/cb",
    "http://127.255.255.254/",
    "http://[::1]/",
    "http://[::1]:8080/cb",
];

const NOT_LOOPBACK: &[&str] = &[
    "http://app.contoso.com/",
    "http://localhost.evil.com/",
    "http://127.0.0.1.evil.com/",
    "http://evil.com/localhost",
    "http://evil.com/?127.0.0.1",
    "http://localhost-evil.com/",
    "http://xlocalhost/",
    "http://localhost./",
    "http://localhost,evil.com/",
    "http://localhost;.evil.com/",
    "http://sub.localhost/",
    "http://126.255.255.255/",
    "http://128.0.0.1/",
    "http://0.0.0.0/",
    "http://10.0.0.1/",
    "http://[::]/",
    "http://[::2]/",
    "http://[::ffff:7f00:1]/",
    "http://[fe80::1]/",
];

#[test]
fn loopback_is_this_machine_and_nothing_that_looks_like_it() {
    for text in LOOPBACK {
        assert!(RedirectUrl::parse(text).unwrap().is_loopback(), "{text}");
    }
    for text in NOT_LOOPBACK.iter().chain(&["com.example.app:/localhost", "com.example.app:localhost"]) {
        assert!(!RedirectUrl::parse(text).unwrap().is_loopback(), "{text}");
    }
}

fn allowed(url: &str, policy: &Policy) -> bool {
    match register(url, Lifetime::OneYear, policy, instant("2026-01-01T00:00:00Z")) {
        Ok(change) => {
            assert_eq!(change.added().len(), 1);
            true
        }
        Err(Refusal::RedirectNotAllowed { scheme }) => {
            assert_eq!(url.split(':').next(), Some(scheme.as_str()));
            false
        }
        Err(other) => panic!("{url}: {other}"),
    }
}

#[test]
fn by_default_only_https_is_allowed() {
    let policy = Policy::default();
    for url in ["https://a/", "HTTPS://a/", "https://127.0.0.1/", "hTTps://localhost:3000"] {
        assert!(allowed(url, &policy), "{url}");
    }
    let others = ["ms-app://s-1-15-2/", "com.example.app:/cb", "httpsx://a/", "https.x:/a", "http+x:/"];
    for url in LOOPBACK.iter().chain(NOT_LOOPBACK).chain(&others).chain(NEVER) {
        assert!(!allowed(url, &policy), "{url}");
    }
}

#[test]
fn http_is_allowed_on_loopback_on_request() {
    let policy = Policy::default().with_loopback_redirects();
    for url in LOOPBACK.iter().chain(&["https://a/"]) {
        assert!(allowed(url, &policy), "{url}");
    }
    for url in NOT_LOOPBACK.iter().chain(NEVER).chain(&[
        "ms-app://localhost/",
        "ws://localhost/",
        "ftp://127.0.0.1/",
    ]) {
        assert!(!allowed(url, &policy), "{url}");
    }
}

/// What an earlier policy allowed may stay. What is changed has to be allowed now.
#[test]
fn a_redirect_url_is_judged_when_it_changes() {
    let (client, strict) = one_secret();
    let lenient = Desk::owner().under(Policy::default().with_loopback_redirects());
    let with = |name: &str| ClientDetails::new(name, "app.contoso.com", "http://localhost/done").unwrap();
    let refusal = client.change_details(with("calendar app"), &strict.at(start())).unwrap_err();
    assert_eq!(refusal, Refusal::RedirectNotAllowed { scheme: "http".to_owned() });
    let client = into_client(client.change_details(with("calendar app"), &lenient.at(start())).unwrap());
    let client = into_client(client.change_details(with("diary app"), &strict.at(start())).unwrap());
    assert_eq!(client.details(), &with("diary app"));
}

#[test]
fn private_schemes_are_allowed_by_name() {
    let policy = Policy::default()
        .with_redirect_scheme("ms-app")
        .unwrap()
        .with_redirect_scheme("com.Example.App")
        .unwrap();
    for url in ["ms-app://s-1-15-2/", "MS-APP://x", "com.example.app:/cb", "COM.example.app:cb", "https://a/"]
    {
        assert!(allowed(url, &policy), "{url}");
    }
    for url in ["ms-ap://x", "ms-app2://x", "com.example.app.x:/cb", "com.example:/cb"] {
        assert!(!allowed(url, &policy), "{url}");
    }
    for url in LOOPBACK.iter().chain(NEVER) {
        assert!(!allowed(url, &policy), "{url}");
    }
}

/// URLs whatever the policy: a browser would run, show or fetch them itself.
const NEVER: &[&str] = &[
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "javascript://app.contoso.com/%0aalert(1)",
    "data:text/html,x",
    "data:text/html;base64,PHNjcmlwdD4=",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:https://a/x",
    "about:blank",
    "view-source:https://a/",
    "filesystem:https://a/temporary/x",
    "ftp://a/",
    "ws://a/",
    "wss://a/",
];

#[test]
fn what_a_browser_runs_itself_cannot_even_be_asked_for() {
    for url in NEVER {
        let scheme = url.split(':').next().unwrap();
        let error = Policy::default().with_redirect_scheme(scheme).unwrap_err();
        assert!(matches!(error.problem(), Problem::Form(_)), "{error}");
        assert!(Policy::default().with_redirect_scheme(&scheme.to_uppercase()).is_err(), "{scheme}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_url_keeps_its_text(
        text in "[hH]ttps?://[a-zA-Z0-9]{1,8}(\\.[a-z]{2,5}){1,3}(:[1-9][0-9]{0,3})?(/([a-z0-9._~!$&'()*+,;=:@-]|%[0-9a-fA-F]{2}){0,9}){0,3}(\\?[a-z/?]{0,9})?",
    ) {
        let url = RedirectUrl::parse(&text).unwrap();
        prop_assert_eq!(url.as_str(), &text);
        second_opinion(&url)?;
    }

    /// One character more or less, in any place: it is refused, or everybody reads the same URL.
    #[test]
    fn a_url_with_a_slip_in_it(
        good in "(https?|ftp|wss?|file|ms-app|x):/{0,3}([a-z]{1,3}(:[a-z]{0,2})?@)?([a-c.]{1,4}|[0-9.x]{1,6}|\\[[0-9:]{2,4}\\])(:[0-9]{0,5})?(/[a-z.%@]{0,4})?",
        c in prop_oneof![any::<char>(), (0..128u8).prop_map(char::from)],
        at in any::<prop::sample::Index>(),
        insert in prop::option::of(any::<bool>()),
    ) {
        let mut text = good;
        match insert {
            Some(true) => text.insert(at.index(text.len() + 1), c),
            Some(false) => drop(text.remove(at.index(text.len()))),
            None => {}
        }
        if let Ok(url) = RedirectUrl::parse(&text) {
            prop_assert_eq!(url.as_str(), &text);
            second_opinion(&url)?;
        }
    }

    #[test]
    fn a_url_of_anything(text in "(https?:|[a-z]:)?[!-~\\n\\\\ é]{0,30}") {
        if let Ok(url) = RedirectUrl::parse(&text) {
            second_opinion(&url)?;
        }
    }
}

fn second_opinion(url: &RedirectUrl) -> Result<(), TestCaseError> {
    let read = Url::parse(url.as_str()).unwrap();
    prop_assert_eq!(read.scheme(), url.scheme().to_ascii_lowercase());
    prop_assert_eq!(read.username(), "", "{}", url);
    prop_assert_eq!(read.password(), None, "{}", url);
    prop_assert_eq!(read.fragment(), None, "{}", url);
    if matches!(read.scheme(), "http" | "https" | "ws" | "wss" | "ftp") {
        let host = url.host().map(str::to_ascii_lowercase);
        prop_assert_eq!(read.host_str(), host.as_deref(), "{}", url);
    }
    if url.is_loopback() {
        let host = url.host().unwrap().to_ascii_lowercase();
        prop_assert!(host == "localhost" || host.starts_with("127.") || host == "[::1]", "{}", url);
    }
    Ok(())
}

#[test]
fn a_refused_scheme_is_named_and_nothing_more_of_the_url() {
    let url = format!("http://app.contoso.com/{MARKER}?{MARKER}");
    let now = instant("2026-01-01T00:00:00Z");
    let refusal = register(&url, Lifetime::OneYear, &Policy::default(), now).unwrap_err();
    let said = format!("{refusal} {refusal:?}");
    assert!(said.contains("http") && !said.contains(MARKER), "{said}");
}
