//! App domains: ASCII host names with an optional port.

use client_registry::value::{AppDomain, Field, Problem};
use proptest::prelude::*;
use url::{Host, Url};

use super::refused;

/// A host name of this many characters in labels of at most 63.
pub(super) fn of_length(n: usize) -> String {
    let mut name: String = (1..=n).map(|at| if at % 64 == 0 { '.' } else { 'a' }).collect();
    if name.ends_with('.') {
        name.replace_range(n - 2.., ".a");
    }
    name
}

fn form(text: &str) -> &'static str {
    match refused::<AppDomain>(text, Field::AppDomain) {
        Problem::Form(what) => what,
        other => panic!("{text}: {other}"),
    }
}

#[test]
fn host_names_are_accepted_and_kept_in_lowercase() {
    for (text, host, port) in [
        ("app.contoso.com", "app.contoso.com", None),
        ("www.contoso.com:3333", "www.contoso.com", Some(3333)),
        ("App.CONTOSO.com:1", "app.contoso.com", Some(1)),
        ("localhost:65535", "localhost", Some(65535)),
        ("a", "a", None),
        ("3com.com", "3com.com", None),
        ("1.2.3.com", "1.2.3.com", None),
        ("0x7f.example", "0x7f.example", None),
        ("a.0xg", "a.0xg", None),
        ("a.1a", "a.1a", None),
        ("a--b.c-d", "a--b.c-d", None),
        ("xn.xn-a", "xn.xn-a", None),
        ("axn--b.example", "axn--b.example", None),
    ] {
        let domain = AppDomain::parse(text).unwrap();
        assert_eq!((domain.host(), domain.port()), (host, port), "{text}");
        assert_eq!(domain.as_str(), text.to_ascii_lowercase());
    }
}

/// RFC 1035 section 2.3.4.
#[test]
fn labels_have_63_characters_and_names_253() {
    let label = "a".repeat(63);
    let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
    assert_eq!(longest.len(), 253);
    assert!(AppDomain::parse(&label).is_ok() && AppDomain::parse(&format!("{label}.{label}")).is_ok());
    assert!(form(&format!("{label}a")).contains("63"));
    assert!(form(&format!("a.{label}a.com")).contains("63"));
    for port in ["", ":1", ":65535"] {
        assert!(AppDomain::parse(&format!("{longest}{port}")).is_ok(), "{port}");
        let problem = refused::<AppDomain>(&format!("{longest}a{port}"), Field::AppDomain);
        assert_eq!(problem, Problem::TooLong { max: 253 }, "{port}");
    }
}

#[test]
fn labels_are_letters_digits_and_inner_hyphens() {
    for text in ["-a.com", "a-.com", "a.-com", "a.com-", "-", "a.-.com", "a.com-:80"] {
        assert!(form(text).contains("hyphen"), "{text}");
    }
    for text in [".", "a..com", ".a.com", "a.com.", "a.com.:80", ":80", "..", ":", "::1", "::"] {
        assert!(form(text).contains("empty label"), "{text}");
    }
    for b in 0..=127u8 {
        let c = char::from(b);
        let text = format!("ap{c}p.contoso.com");
        let ok = c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
        assert_eq!(AppDomain::parse(&text).is_ok(), ok, "{text:?}");
        if !ok && c != '/' && c != ':' {
            assert_eq!(
                refused::<AppDomain>(&text, Field::AppDomain),
                Problem::Character { at: 2 },
                "{text:?}"
            );
        }
    }
    for text in [
        "_dmarc.contoso.com",
        "a_b.com",
        "*.contoso.com",
        "a b.com",
        "user@contoso.com",
        "a.com?x",
        "a.com#x",
    ] {
        assert!(matches!(refused::<AppDomain>(text, Field::AppDomain), Problem::Character { .. }), "{text}");
    }
}

#[test]
fn there_is_no_scheme_and_no_path() {
    for text in ["https://app.contoso.com", "http://a", "HTTPS://a", "x://a", "://a", "a://"] {
        assert!(form(text).contains("scheme"), "{text}");
    }
    for text in ["a.com/", "a.com/b", "/", "//a.com", "a.com:80/", "https:/a.com"] {
        assert!(form(text).contains("path"), "{text}");
    }
    for text in ["https:a.com", "mailto:a", "a\\b.com", "user:word@a.com"] {
        refused::<AppDomain>(text, Field::AppDomain);
    }
}

#[test]
fn there_is_no_international_name_in_either_form() {
    for text in [
        "bücher.example",
        "а.com", // Cyrillic
        "ａ.com",
        "a。com",
        "例え.テスト",
        "faß.de",
        "xn--bcher-kva.example",
        "XN--BCHER-KVA.example",
        "Xn--p1ai",
        "a.xN--p1ai:80",
        "xn--",
        "a.xn--a.b",
    ] {
        match refused::<AppDomain>(text, Field::AppDomain) {
            Problem::Form(what) => {
                assert!(what.contains("international") || text == "xn--", "{text}: {what}")
            }
            other => panic!("{text}: {other}"),
        }
    }
}

#[test]
fn there_is_no_ip_address_in_any_spelling() {
    for text in [
        "127.0.0.1",
        "127.0.0.1:80",
        "1.2.3",
        "1.2",
        "1",
        "2130706433",
        "017700000001",
        "0x7f.1",
        "0x7f000001",
        "0X7F.0.0.0X1",
        "0x",
        "0x:80",
        "a.0x",
        "256.256.256.256",
        "1.2.3.4.5",
        "a.1",
        "contoso.123",
        "99999999999999999999",
        "[::1]",
        "[::1]:80",
        "[::ffff:127.0.0.1]",
        "[",
        "[v1.x]",
    ] {
        assert!(form(text).contains("IP address"), "{text}");
    }
    for text in ["fe80::1", "::1", "1::", "2001:db8::1"] {
        refused::<AppDomain>(text, Field::AppDomain);
    }
}

#[test]
fn ports_are_1_to_65535_in_one_spelling() {
    for port in ["1", "80", "443", "65535"] {
        let domain = AppDomain::parse(&format!("a.com:{port}")).unwrap();
        assert_eq!(domain.port().map(|port| port.to_string()).as_deref(), Some(port));
    }
    for port in [
        "", "0", "00", "080", "65536", "99999", "+80", "-1", " 80", "80 ", "8 0", "0x50", "80:80", ":80",
        "a", "8.0",
    ] {
        assert!(form(&format!("a.com:{port}")).contains("port"), "{port:?}");
    }
    assert!(form("a.com:８０").contains("international"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_host_name_is_read_by_everybody_alike(
        text in "[a-zA-Z0-9]([a-z0-9-]{0,8}[a-z0-9])?(\\.[a-z0-9]{1,6}){0,4}\\.[a-zA-Z]{1,6}(:[1-9][0-9]{0,3})?",
    ) {
        prop_assume!(!text.to_lowercase().contains("xn--"));
        second_opinion(&AppDomain::parse(&text).unwrap())?;
    }

    /// One character more, in any place: it is refused, or everybody still reads the same host.
    #[test]
    fn a_host_name_with_a_slip_in_it(
        good in "([a-z0-9x-]{1,5}\\.){0,3}[a-z0-9x]{1,3}(:[0-9]{1,5})?",
        c in prop_oneof![any::<char>(), (0..128u8).prop_map(char::from)],
        at in any::<prop::sample::Index>(),
    ) {
        let mut text = good;
        text.insert(at.index(text.len() + 1), c);
        if let Ok(domain) = AppDomain::parse(&text) {
            prop_assert_eq!(domain.as_str(), text.to_ascii_lowercase());
            second_opinion(&domain)?;
        }
    }
}

fn second_opinion(domain: &AppDomain) -> Result<(), TestCaseError> {
    let url = Url::parse(&format!("ms://{domain}/")).unwrap();
    prop_assert_eq!(url.port(), domain.port());
    let url = Url::parse(&format!("https://{domain}/")).unwrap();
    prop_assert_eq!(url.host(), Some(Host::Domain(domain.host())));
    prop_assert_eq!(url.port_or_known_default(), domain.port().or(Some(443)));
    prop_assert!(!domain.host().split('.').any(|label| label.starts_with("xn--")));
    Ok(())
}
