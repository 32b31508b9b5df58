//! `ClientMetadata`: what a client asks to be registered with, under the names of RFC 7591.

use std::fmt;

use serde::de::{DeserializeSeed, Error, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use url::Url;

use crate::oauth::{ClientAuthMethod, ErrorCode, OAuthError};
use crate::value::object::Object;
use crate::value::{AppDomain, ClientDetails, FriendlyName, InvalidValue, RedirectUrl};

/// The metadata of a registration request (RFC 7591 section 2), as details of a client.
///
/// `client_name` is the friendly name. `redirect_uris` must have exactly one member. The app domain is that of `client_uri`, or, where that
/// is left out, the host of the redirect URI; it has at most 2,048 bytes. `token_endpoint_auth_method` may be `client_secret_basic` or `client_secret_post`. Other
/// members are ignored, as the RFC says.
///
/// ```
/// # use client_registry::oauth::ClientMetadata;
/// let metadata = ClientMetadata::parse(
///     br#"{"client_name":"calendar","redirect_uris":["https://app.contoso.com/done"],"logo_uri":"x"}"#,
/// )?;
/// assert_eq!(metadata.details().app_domain().as_str(), "app.contoso.com");
/// # Ok::<(), client_registry::oauth::OAuthError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientMetadata {
    details: ClientDetails,
    method: ClientAuthMethod,
}

#[derive(Deserialize)]
struct Unchecked {
    #[serde(default, deserialize_with = "text")]
    client_name: Option<String>,
    #[serde(default, deserialize_with = "only_text")]
    redirect_uris: Option<String>,
    #[serde(default, deserialize_with = "text")]
    client_uri: Option<String>,
    #[serde(default, deserialize_with = "text")]
    token_endpoint_auth_method: Option<String>,
}

impl ClientMetadata {
    /// Parses the JSON of a registration request.
    ///
    /// # Errors
    /// `invalid_redirect_uri` or `invalid_client_metadata` (RFC 7591 section 3.2.2), the latter also for more than 16 KiB of JSON. No
    /// error repeats what was sent.
    pub fn parse(json: &[u8]) -> Result<Self, OAuthError> {
        let unchecked = match json.len() {
            ..=MAX_JSON => Unchecked::read(json),
            _ => None,
        };
        let unchecked = unchecked.ok_or(wrong("the body is not a JSON object of client metadata"))?;
        let name = unchecked.client_name.ok_or(wrong("client_name is missing"))?;
        let friendly_name =
            FriendlyName::parse(&name).map_err(|invalid| wrong(invalid.field().accepted()))?;
        let redirect =
            unchecked.redirect_uris.ok_or(wrong_redirect("redirect_uris must have exactly one member"))?;
        let redirect_url =
            RedirectUrl::parse(&redirect).map_err(|invalid| wrong_redirect(invalid.field().accepted()))?;
        let app_domain = match &unchecked.client_uri {
            Some(uri) => domain_of(uri),
            None => redirect_url.host().map(AppDomain::parse),
        };
        let app_domain = app_domain
            .and_then(Result::ok)
            .ok_or(wrong("client_uri must be a web address with a host name, or left out"))?;
        let method = match unchecked.token_endpoint_auth_method.as_deref() {
            None | Some("client_secret_basic") => ClientAuthMethod::SecretBasic,
            Some("client_secret_post") => ClientAuthMethod::SecretPost,
            Some(_) => {
                return Err(wrong(
                    "token_endpoint_auth_method must be client_secret_basic or client_secret_post",
                ));
            }
        };
        Ok(Self { details: ClientDetails::from_parts(friendly_name, app_domain, redirect_url), method })
    }

    /// Returns the details to register the client with.
    #[must_use]
    pub fn details(&self) -> &ClientDetails {
        &self.details
    }

    /// Takes the details.
    #[must_use]
    pub fn into_details(self) -> ClientDetails {
        self.details
    }

    /// Returns the way in which the client means to authenticate. Every client may use either way.
    #[must_use]
    pub fn method(&self) -> ClientAuthMethod {
        self.method
    }
}

impl Unchecked {
    fn read(json: &[u8]) -> Option<Self> {
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let unchecked = Self::deserialize(Object(&mut deserializer)).ok()?;
        deserializer.end().is_ok().then_some(unchecked)
    }
}

/// Reads a text, if there is one. One that is longer than any value is not kept: it reads as an empty one, which is none either.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    ReadText.deserialize(deserializer)
}

/// Reads the one text of a list; `None` if the list has no member or more than one. Not more than one is kept.
fn only_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    deserializer.deserialize_option(ReadOnlyText)
}

struct ReadText;

impl<'de> DeserializeSeed<'de> for ReadText {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<String>, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for ReadText {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_none<E: Error>(self) -> Result<Option<String>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<String>, D::Error> {
        deserializer.deserialize_str(self)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<String>, E> {
        Ok(Some(if text.len() <= MAX_TEXT { text.to_owned() } else { String::new() }))
    }
}

struct ReadOnlyText;

impl<'de> Visitor<'de> for ReadOnlyText {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of texts")
    }

    fn visit_none<E: Error>(self) -> Result<Option<String>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<String>, D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut texts: A) -> Result<Option<String>, A::Error> {
        let mut only = texts.next_element_seed(ReadText)?.flatten();
        while texts.next_element::<IgnoredAny>()?.is_some() {
            only = None;
        }
        Ok(only)
    }
}

/// Returns the host and port of a web address, the port if it is written: the parser drops the one that the scheme has anyway.
fn domain_of(uri: &str) -> Option<Result<AppDomain, InvalidValue>> {
    let url = Url::parse(uri).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
    let (host, port) = (url.host_str()?, url.port_or_known_default()?);
    let authority = uri.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
    let is_written = authority.is_some_and(|authority| authority.ends_with(&format!(":{port}")));
    Some(match is_written || url.port().is_some() {
        true => AppDomain::parse(&format!("{host}:{port}")),
        false => AppDomain::parse(host),
    })
}

fn wrong(what: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClientMetadata).described(what)
}

fn wrong_redirect(what: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRedirectUri).described(what)
}

/// The largest JSON in bytes. The parser puts a text with escapes together in a buffer that grows to four times as many at most.
const MAX_JSON: usize = 16 * 1024;
/// The longest text that may be a value, in bytes: a redirect URL has 2,048 at most, and so has the address of a web page here.
const MAX_TEXT: usize = 2048;
