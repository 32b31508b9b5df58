//! The app domain: the host name that an add-in runs on.
//!
//! The grammar is that of DNS host names, narrower than what URL parsers accept. IP addresses and international names are
//! refused, since two spellings of one host must not look like two hosts.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::value::text::text_value;
use crate::value::{Field, InvalidValue, Problem};

/// The domain that an add-in runs on: an ASCII host name with an optional port.
///
/// It is kept in lowercase. A label has 1 to 63 letters, digits or inner hyphens, the name has at most 253 characters (RFC 1035
/// section 2.3.4, RFC 1123 section 2.1), and the port is 1 to 65535. A scheme, a path, an IP address and an international name
/// are refused, the latter in both forms (`bücher.example` and `xn--bcher-kva.example`).
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
pub struct AppDomain(Box<str>);

text_value!(AppDomain, "({:?})");

impl AppDomain {
    /// Parses an app domain.
    ///
    /// # Errors
    /// [`InvalidValue`] if the text is not a host name with an optional port.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        check_app_domain(text)?;
        Ok(Self(text.to_ascii_lowercase().into_boxed_str()))
    }

    /// Returns the host name without the port, in lowercase.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.split_once(':').map_or(&*self.0, |(host, _)| host)
    }

    /// Returns the port, if one was given.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.0.split_once(':').and_then(|(_, port)| port.parse().ok())
    }
}

fn check_app_domain(text: &str) -> Result<(), InvalidValue> {
    const MAX: usize = 253;
    const PORT: usize = ":65535".len();
    let invalid = |problem| Err(InvalidValue::new(Field::AppDomain, problem));
    if text.is_empty() {
        return invalid(Problem::Empty);
    }
    if text.len() > MAX + PORT {
        return invalid(Problem::TooLong { max: MAX });
    }
    if text.contains("://") {
        return invalid(Problem::Form("has a scheme"));
    }
    if text.contains('/') {
        return invalid(Problem::Form("has a path"));
    }
    if !text.is_ascii() {
        return invalid(Problem::Form("is an international domain name"));
    }
    if text.starts_with('[') {
        return invalid(Problem::Form("is an IP address"));
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    if let Some(at) = host.bytes().position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))) {
        return invalid(Problem::Character { at });
    }
    if host.len() > MAX {
        return invalid(Problem::TooLong { max: MAX });
    }
    for label in host.split('.') {
        match label.len() {
            0 => return invalid(Problem::Form("has an empty label")),
            1..=63 => {}
            _ => return invalid(Problem::Form("has a label of more than 63 characters")),
        }
        if label.starts_with('-') || label.ends_with('-') {
            return invalid(Problem::Form("has a label that begins or ends with a hyphen"));
        }
        if label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--")) {
            return invalid(Problem::Form("is an international domain name"));
        }
    }
    // URL parsers read a name whose last label is a number as an IPv4 address (WHATWG URL, "ends in a number").
    let last = host.rsplit_once('.').map_or(host, |(_, last)| last);
    let hex = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    if last.bytes().all(|b| b.is_ascii_digit())
        || hex.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
    {
        return invalid(Problem::Form("is an IP address"));
    }
    match port {
        None => Ok(()),
        Some(port) if is_port(port) => Ok(()),
        Some(_) => invalid(Problem::Form("has a port that is not a number from 1 to 65535")),
    }
}

/// Returns whether the text is a decimal number from 1 to 65535 without a sign or a leading zero.
pub(crate) fn is_port(text: &str) -> bool {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    digits && text.parse::<u16>().is_ok()
}
