//! What the policy allows: `https`, loopback on request, private schemes by name, and what it can never be asked for.

use client_registry::value::{Problem, RedirectUrl};
use client_registry::{ClientDetails, Lifetime, Policy, Refusal};

use crate::support::{Desk, into_client, one_secret, start};
use crate::values::{MARKER, instant, register};

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

#[test]
fn a_refused_scheme_is_named_and_nothing_more_of_the_url() {
    let url = format!("http://app.contoso.com/{MARKER}?{MARKER}");
    let now = instant("2026-01-01T00:00:00Z");
    let refusal = register(&url, Lifetime::OneYear, &Policy::default(), now).unwrap_err();
    let said = format!("{refusal} {refusal:?}");
    assert!(said.contains("http") && !said.contains(MARKER), "{said}");
}
