//! The details of a client ID, parsed once: friendly name, app domain, redirect URL, availability.
//!
//! Parsing says what a value is. Whether a redirect scheme is allowed is for [`Policy`](crate::Policy) to say, when a
//! command decides.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::invalid::{Field, InvalidValue, Problem};
use crate::redirect::RedirectUrl;

/// Where a client ID or an add-in is offered (rule 2). The two have separate issuers; it never changes.
///
/// Exhaustive on purpose: there is no third place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    /// Everywhere but in China.
    Worldwide,
    /// In China only.
    ChinaOnly,
}

impl fmt::Display for Availability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Worldwide => "worldwide",
            Self::ChinaOnly => "China only",
        })
    }
}

/// What a seller says of a client ID: friendly name, app domain, redirect URL.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ClientDetails {
    friendly_name: FriendlyName,
    app_domain: AppDomain,
    redirect_url: RedirectUrl,
}

impl ClientDetails {
    /// Parses the three texts.
    ///
    /// ```
    /// # use client_registry::ClientDetails;
    /// let details = ClientDetails::new("calendar app", "app.contoso.com", "https://app.contoso.com/done")?;
    /// assert_eq!(details.friendly_name().as_str(), "calendar app");
    /// # Ok::<(), client_registry::InvalidValue>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidValue`] of the first text that is not a value; see [`FriendlyName`], [`AppDomain`] and
    /// [`RedirectUrl`].
    pub fn new(friendly_name: &str, app_domain: &str, redirect_url: &str) -> Result<Self, InvalidValue> {
        Ok(Self {
            friendly_name: FriendlyName::parse(friendly_name)?,
            app_domain: AppDomain::parse(app_domain)?,
            redirect_url: RedirectUrl::parse(redirect_url)?,
        })
    }

    /// The name that tells the seller which client ID this is.
    #[must_use]
    pub fn friendly_name(&self) -> &FriendlyName {
        &self.friendly_name
    }

    /// The domain that the add-in runs on.
    #[must_use]
    pub fn app_domain(&self) -> &AppDomain {
        &self.app_domain
    }

    /// Where users go after they agreed.
    #[must_use]
    pub fn redirect_url(&self) -> &RedirectUrl {
        &self.redirect_url
    }
}

/// Declares a value that is a text checked by `$parse`.
macro_rules! text_value {
    ($name:ident) => {
        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidValue;

            fn from_str(text: &str) -> Result<Self, InvalidValue> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidValue;

            fn try_from(text: String) -> Result<Self, InvalidValue> {
                Self::parse(&text)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}
pub(crate) use text_value;

/// The name by which a seller recognises a client ID.
///
/// 1 to 100 characters; no control characters, no invisible ones, no white space at the ends. Two names of one seller
/// are the same when their [keys](Self::key) are (rule 15).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct FriendlyName(Box<str>);

text_value!(FriendlyName);

impl FriendlyName {
    /// Parses the text.
    ///
    /// # Errors
    /// [`InvalidValue`] when it is empty, too long, or has a character that is not allowed.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        check_title(Field::FriendlyName, text)?;
        Ok(Self(Box::from(text)))
    }

    /// What two spellings of one name have in common: lower case, folded by Unicode's NFKC, without characters that
    /// draw nothing.
    #[must_use]
    pub fn key(&self) -> NameKey {
        let nfkc = icu_normalizer::ComposingNormalizer::new_nfkc();
        let drawn: String = self.0.chars().filter(|&c| !is_joiner(c)).collect();
        // A sigma has two lower cases, by its place in the word.
        let folded = nfkc.normalize(&drawn).to_lowercase().replace('ς', "σ");
        // Lower case can undo the composition ("İ" becomes two characters), hence once more.
        NameKey(Box::from(&*nfkc.normalize(&folded)))
    }
}

/// What stores compare friendly names by, as bytes (rule 15). See [`FriendlyName::key`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NameKey(Box<str>);

impl NameKey {
    /// The key's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What somebody calls a secret: "deploy of March".
///
/// 1 to 100 characters; no control characters, no invisible ones, no white space at the ends.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Label(Box<str>);

text_value!(Label);

impl Label {
    /// Parses the text.
    ///
    /// # Errors
    /// [`InvalidValue`] when it is empty, too long, or has a character that is not allowed.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        check_title(Field::Label, text)?;
        Ok(Self(Box::from(text)))
    }
}

/// The domain that an add-in runs on: an ASCII host name with an optional port.
///
/// Kept in lowercase. Labels have 1 to 63 letters, digits or inner hyphens, the name at most 253 characters (RFC 1035
/// section 2.3.4, RFC 1123 section 2.1), the port 1 to 65535. No scheme, no path, no IP address, and no international
/// name in either form (neither `bücher.example` nor `xn--bcher-kva.example`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct AppDomain(Box<str>);

text_value!(AppDomain);

impl AppDomain {
    /// Parses the text.
    ///
    /// # Errors
    /// [`InvalidValue`] when it is not a host name with an optional port.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        check_app_domain(text)?;
        Ok(Self(text.to_ascii_lowercase().into_boxed_str()))
    }

    /// The host name without the port, in lowercase.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }

    /// The port, if one was given.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.0.split_once(':').and_then(|(_, port)| port.parse().ok())
    }
}

fn check_title(field: Field, text: &str) -> Result<(), InvalidValue> {
    const MAX: usize = 100;
    let invalid = |problem| Err(InvalidValue::new(field, problem));
    if text.is_empty() {
        return invalid(Problem::Empty);
    }
    // A character has at most four bytes: a megabyte is refused without being read.
    if text.len() > 4 * MAX || text.chars().count() > MAX {
        return invalid(Problem::TooLong { max: MAX });
    }
    if let Some((at, _)) = text.char_indices().find(|&(_, c)| c.is_control() || is_invisible(c)) {
        return invalid(Problem::Character { at });
    }
    let drawn = text.trim_matches(is_joiner);
    if drawn.is_empty() {
        return invalid(Problem::Form("has no visible character"));
    }
    if drawn.trim().len() != drawn.len() {
        return invalid(Problem::SpaceAtEnds);
    }
    Ok(())
}

/// Characters that draw nothing or reorder what stands beside them: with them, two names look alike or a line of a
/// log reads differently. [Joiners](is_joiner) stay, and do not count in keys.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
        | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Joiners and variation selectors: they draw nothing themselves, and Persian, Mongolian and emoji need them.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
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
    // A name whose last label is a number is read as an IPv4 address (WHATWG URL, "ends in a number").
    let last = host.rsplit('.').next().unwrap_or_default();
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

/// A decimal number from 1 to 65535 without sign or leading zero.
pub(crate) fn is_port(text: &str) -> bool {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    digits && text.parse::<u16>().is_ok()
}
