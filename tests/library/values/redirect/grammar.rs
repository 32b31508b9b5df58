//! The form of a redirect URL, part by part: characters, fragment, user info, host and port.

use client_registry::value::{Field, Problem, RedirectUrl};

use crate::values::refused;

const UNRESERVED: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
const SUB_DELIMS: &str = "!$&'()*+,;=";

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
