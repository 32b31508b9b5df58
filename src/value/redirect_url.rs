//! Redirect URLs: kept exactly as written, compared exactly (RFC 6749 section 3.1.2, RFC 9700 section 4.1).
//!
//! An attacker profits when two parsers read a URL differently. So a text reaches the URL parser only if every character is one
//! of RFC 3986, and it is refused if the parser reads another host than the written one. Loosen nothing here without a test for
//! that.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use url::{Host, Url};

use crate::value::app_domain::is_port;
use crate::value::text::text_value;
use crate::value::{Field, InvalidValue, Problem};

/// The URL that users are sent to after they gave their consent.
///
/// An absolute URL of at most 2,048 characters of RFC 3986, without fragment and user info. The original text is kept and
/// compared exactly. The [`Policy`](crate::Policy) decides which schemes are allowed: `https`, and if configured `http` on
/// loopback and custom schemes by name.
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
pub struct RedirectUrl(Box<str>);

text_value!(RedirectUrl, "({:?})");

impl RedirectUrl {
    /// Parses a redirect URL.
    ///
    /// # Errors
    /// [`InvalidValue`] if the text is not such a URL.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        check(text).map_err(|problem| InvalidValue::new(Field::RedirectUrl, problem))?;
        Ok(Self(Box::from(text)))
    }

    /// Returns a URL of an authenticated record, which was parsed when it came in: its form is checked, but no URL parser looks
    /// at it again.
    pub(crate) fn stored(text: &str) -> Result<Self, InvalidValue> {
        check_form(text).map_err(|problem| InvalidValue::new(Field::RedirectUrl, problem))?;
        Ok(Self(Box::from(text)))
    }

    /// Returns the scheme as written, without the colon.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }

    /// Returns the host as written, without the port, or `None` for a URL without `//`.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        authority(&self.0).map(|authority| host_and_port(authority).0)
    }

    /// Returns whether the host is loopback: `localhost`, `127.0.0.0/8` or `[::1]` (RFC 8252 section 7.3).
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match Url::parse(&self.0).ok().as_ref().and_then(Url::host) {
            Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    pub(crate) fn has_scheme(&self, scheme: &str) -> bool {
        self.scheme().eq_ignore_ascii_case(scheme)
    }
}

/// Returns whether the text is a URI scheme (RFC 3986 section 3.1).
pub(crate) fn is_scheme(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic())
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

fn check(text: &str) -> Result<(), Problem> {
    let (scheme, authority) = check_form(text)?;
    let Ok(url) = Url::parse(text) else {
        return Err(Problem::Form("is not a URL"));
    };
    // After these schemes, parsers find a host behind any number of slashes (WHATWG URL, "special scheme").
    let web = ["https", "http", "wss", "ws", "ftp"].iter().any(|web| scheme.eq_ignore_ascii_case(web));
    match authority {
        None if web => Err(Problem::Form("has no host")),
        None => Ok(()),
        Some(authority) => {
            let (host, port) = host_and_port(authority);
            if port.is_some_and(|port| !is_port(port)) {
                return Err(Problem::Form("has a port that is not a number from 1 to 65535"));
            }
            if web && !url.host_str().is_some_and(|read| read.eq_ignore_ascii_case(host)) {
                return Err(Problem::Form(
                    "has a host that URL parsers read differently from how it is written",
                ));
            }
            Ok(())
        }
    }
}

/// Checks what can be told without a URL parser, and returns the scheme and the authority.
fn check_form(text: &str) -> Result<(&str, Option<&str>), Problem> {
    const MAX: usize = 2048;
    if text.is_empty() {
        return Err(Problem::Empty);
    }
    if text.len() > MAX {
        return Err(Problem::TooLong { max: MAX });
    }
    if let Some(at) = text.bytes().position(|b| !is_rfc3986(b)) {
        return Err(Problem::Character { at });
    }
    check_percent_encoding(text)?;
    if text.contains('#') {
        return Err(Problem::Form("has a fragment"));
    }
    let Some((scheme, rest)) = text.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) else {
        return Err(Problem::Form("has no scheme"));
    };
    if scheme.len() > MAX_SCHEME {
        return Err(Problem::Form("has a scheme of more than 64 characters"));
    }
    let authority = authority(text);
    if authority.is_some_and(|authority| authority.contains('@')) {
        return Err(Problem::Form("has user info"));
    }
    let after_authority = rest.get(authority.map_or(0, |a| a.len() + "//".len())..).unwrap_or_default();
    if after_authority.contains(['[', ']']) {
        return Err(Problem::Form("has a bracket outside the host"));
    }
    Ok((scheme, authority))
}

/// The longest scheme that a policy can allow.
pub(crate) const MAX_SCHEME: usize = 64;

/// Returns whether a byte is an unreserved or reserved character or the percent sign (RFC 3986 section 2).
fn is_rfc3986(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&b)
}

fn check_percent_encoding(text: &str) -> Result<(), Problem> {
    for (at, _) in text.match_indices('%') {
        let digits = text.as_bytes().get(at + 1..at + 3);
        if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
            return Err(Problem::Character { at });
        }
    }
    Ok(())
}

/// Returns the part between `//` and the path, the query or the end.
fn authority(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once(':')?;
    let rest = rest.strip_prefix("//")?;
    rest.split(['/', '?', '#']).next()
}

fn host_and_port(authority: &str) -> (&str, Option<&str>) {
    let host_ends = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    let colon = authority.get(host_ends..).and_then(|rest| rest.find(':')).map(|at| host_ends + at);
    match colon.and_then(|at| Some((authority.get(..at)?, authority.get(at + 1..)?))) {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    }
}
