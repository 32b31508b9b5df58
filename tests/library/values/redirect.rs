//! Redirect URLs: two parsers that disagree about one are a way in.

mod allowed;
mod grammar;

use client_registry::value::RedirectUrl;
use proptest::prelude::*;
use url::Url;

/// An accepted URL of this many characters.
pub(super) fn of_length(n: usize) -> String {
    let start = "https://app.contoso.com/";
    format!("{start}{}", "a".repeat(n - start.len()))
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
