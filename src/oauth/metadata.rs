//! `ClientMetadata`: what a client asks to be registered with, under the names of RFC 7591.

use serde::Deserialize;
use url::Url;

use crate::oauth::{ClientAuthMethod, ErrorCode, MAX_BODY, OAuthError};
use crate::value::{AppDomain, ClientDetails, FriendlyName, InvalidValue, RedirectUrl};

/// The metadata of a registration request (RFC 7591 section 2), as details of a client.
///
/// `client_name` is the friendly name. `redirect_uris` must have exactly one member. The app domain is that of `client_uri`, or, where that
/// is left out, the host of the redirect URI. `token_endpoint_auth_method` may be `client_secret_basic` or `client_secret_post`. Other
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
    client_name: Option<String>,
    redirect_uris: Option<Vec<String>>,
    client_uri: Option<String>,
    token_endpoint_auth_method: Option<String>,
}

impl ClientMetadata {
    /// Parses the JSON of a registration request.
    ///
    /// # Errors
    /// `invalid_redirect_uri` or `invalid_client_metadata` (RFC 7591 section 3.2.2). No error repeats what was sent.
    pub fn parse(json: &[u8]) -> Result<Self, OAuthError> {
        let unchecked = match json.len() {
            ..=MAX_BODY => serde_json::from_slice::<Unchecked>(json).ok(),
            _ => None,
        };
        let unchecked = unchecked.ok_or(wrong("the body is not a JSON object of client metadata"))?;
        let name = unchecked.client_name.ok_or(wrong("client_name is missing"))?;
        let friendly_name =
            FriendlyName::parse(&name).map_err(|invalid| wrong(invalid.field().accepted()))?;
        let [redirect] = unchecked.redirect_uris.as_deref().unwrap_or_default() else {
            return Err(wrong_redirect("redirect_uris must have exactly one member"));
        };
        let redirect_url =
            RedirectUrl::parse(redirect).map_err(|invalid| wrong_redirect(invalid.field().accepted()))?;
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
        Ok(Self { details: ClientDetails::of(friendly_name, app_domain, redirect_url), method })
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

/// Returns the host and port of a web address.
fn domain_of(uri: &str) -> Option<Result<AppDomain, InvalidValue>> {
    let url = Url::parse(uri).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => AppDomain::parse(&format!("{host}:{port}")),
        None => AppDomain::parse(host),
    })
}

fn wrong(what: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClientMetadata).described(what)
}

fn wrong_redirect(what: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRedirectUri).described(what)
}
