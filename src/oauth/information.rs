//! `ClientInformation`: a client under the names of RFC 7591, and the one place where a client secret is written as JSON.

use std::fmt;

use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

use crate::client::Client;
use crate::oauth::ClientAuthMethod;
use crate::oauth::expiry::expires_at;
use crate::secret::Issued;
use crate::value::{ClientId, FriendlyName, RedirectUrl};

/// The answer of a registration endpoint about a client (RFC 7591 section 3.2.1), without a client secret.
///
/// As JSON it has `client_id`, `client_id_issued_at` in seconds since 1970, `client_name`, `redirect_uris` and `client_uri`, which is
/// the app domain as a URL; and `token_endpoint_auth_method`, if it was [given](Self::authenticating_by).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClientInformation {
    client_id: ClientId,
    client_id_issued_at: i64,
    client_name: FriendlyName,
    redirect_uris: [RedirectUrl; 1],
    client_uri: String,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "name_of")]
    token_endpoint_auth_method: Option<ClientAuthMethod>,
}

impl ClientInformation {
    /// Returns what a registration endpoint says of a client, such as the one in a [`Snapshot`](crate::Snapshot).
    #[must_use]
    pub fn of(client: &Client) -> Self {
        let details = client.details();
        Self {
            client_id: client.id().clone(),
            client_id_issued_at: client.registered_at().as_secs(),
            client_name: details.friendly_name().clone(),
            redirect_uris: [details.redirect_url().clone()],
            client_uri: format!("https://{}", details.app_domain()),
            token_endpoint_auth_method: None,
        }
    }

    /// Adds the way in which the client means to authenticate, as its [request](crate::oauth::ClientMetadata::method) said it. The
    /// registry does not keep it: every client may use either way.
    #[must_use]
    pub fn authenticating_by(self, method: ClientAuthMethod) -> Self {
        Self { token_endpoint_auth_method: Some(method), ..self }
    }

    /// Returns the JSON of a registration response, with `client_secret` and `client_secret_expires_at`; `None` if the client secret
    /// belongs to another client.
    ///
    /// Nothing else in this crate writes a client secret as JSON. The bytes are wiped when they are dropped. The server
    /// must protect them: send them with `Cache-Control: no-store`, and log no body of this endpoint.
    ///
    /// ```
    /// # use client_registry::oauth::ClientInformation;
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// let snapshot = contoso.client(issued.client_id()).snapshot().await?;
    /// let answer = ClientInformation::of(snapshot.client()).expose_json(&issued).ok_or("of another client")?;
    /// let json: serde_json::Value = serde_json::from_slice(answer.expose())?;
    /// assert_eq!(json["client_secret"], issued.client_secret().expose());
    /// assert_eq!(json["client_name"], "calendar");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn expose_json(&self, issued: &Issued) -> Option<ExposedInformation> {
        if *issued.client_id() != self.client_id {
            return None;
        }
        let public = serde_json::to_vec(self).ok()?;
        let public = public.strip_suffix(b"}")?;
        let expires = format!(",\"client_secret_expires_at\":{}", expires_at(issued.validity()));
        let secret = issued.client_secret().expose().as_bytes();
        // Of a client secret, which is printable ASCII, JSON escapes quotes and backslashes.
        let escapes = secret.iter().filter(|b| is_escaped(**b)).count();
        let parts = [public, expires.as_bytes(), SECRET];
        let len = parts.iter().map(|part| part.len()).sum::<usize>() + secret.len() + escapes + END.len();
        let mut json = Zeroizing::new(Vec::with_capacity(len));
        parts.iter().for_each(|part| json.extend_from_slice(part));
        for byte in secret {
            if is_escaped(*byte) {
                json.push(b'\\');
            }
            json.push(*byte);
        }
        json.extend_from_slice(END);
        debug_assert_eq!(json.capacity(), len, "a buffer that grows leaves copies behind");
        Some(ExposedInformation(json))
    }
}

/// A registration response with a client secret in it, in memory that is wiped.
pub struct ExposedInformation(Zeroizing<Vec<u8>>);

impl ExposedInformation {
    /// Returns the JSON. The caller is responsible for where it goes.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for ExposedInformation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExposedInformation").finish_non_exhaustive()
    }
}

/// Only called where there is a method.
fn name_of<S: Serializer>(method: &Option<ClientAuthMethod>, to: S) -> Result<S::Ok, S::Error> {
    method.map(ClientAuthMethod::as_str).serialize(to)
}

fn is_escaped(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\')
}

const SECRET: &[u8] = b",\"client_secret\":\"";
const END: &[u8] = b"\"}";
