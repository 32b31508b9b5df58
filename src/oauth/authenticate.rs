//! Judging a request: the registry's verdict on what a client presented.

use http::HeaderMap;

use crate::log::DENIED;
use crate::oauth::fault::RequestFault;
use crate::oauth::form::{CLIENT_ID, CLIENT_SECRET, Form, text};
use crate::oauth::request::{ClientAuthMethod, ClientRequest, Presented};
use crate::oauth::{OAuthError, ProvenClient, UnprovenClient};
use crate::registry::Registry;
use crate::store::Store;
use crate::value::ClientId;
use crate::value::secret_text::{could_be_secret, cut};

/// The verdict on a request that is not refused.
#[derive(Debug)]
pub enum ClientVerdict {
    /// The client presented a valid client secret.
    Proven(ProvenClient),
    /// The request names a client ID without any proof (`none`). The caller may be a public client, or anyone else.
    Unproven(UnprovenClient),
}

impl ClientVerdict {
    /// Returns the client if it presented a valid client secret. Use it at endpoints where every client has a secret.
    ///
    /// # Errors
    /// `invalid_client` if the request has no proof.
    pub fn proven(self) -> Result<ProvenClient, OAuthError> {
        match self {
            Self::Proven(client) => Ok(client),
            Self::Unproven(_) => Err(refused(RequestFault::Unproven, false)),
        }
    }
}

impl<S: Store> Registry<S> {
    /// Authenticates the client of an OAuth request by `client_secret_basic` or `client_secret_post` (RFC 6749 section 2.3.1), given
    /// the headers of the request, the query of its URL, and its body.
    ///
    /// With Basic, client ID and client secret are read both as they are and form-decoded, since senders differ. Both readings
    /// are always tried; together they are one use, one line in the log and at most one alarm. Client secrets are compared as
    /// in [`authenticate`](Self::authenticate): texts that are not UTF-8, or have control characters, are denied like any other
    /// (RFC 7617 section 2).
    ///
    /// A request that names a client ID alone is [`Unproven`](ClientVerdict::Unproven): nothing is looked up for it.
    ///
    /// In a hyper service:
    ///
    /// ```
    /// # use client_registry::Registry;
    /// # use client_registry::oauth::ClientVerdict;
    /// # use http::{Request, Response};
    /// async fn token(registry: Registry, request: Request<Vec<u8>>) -> Response<Vec<u8>> {
    ///     let (parts, body) = request.into_parts(); // collected up to `oauth::MAX_BODY`
    ///     let verdict = registry.authenticate_request(&parts.headers, parts.uri.query(), &body).await;
    ///     match verdict.and_then(ClientVerdict::proven) {
    ///         Ok(client) => Response::new(format!("a token for {}", client.client_id()).into_bytes()),
    ///         Err(error) => error.response(),
    ///     }
    /// }
    /// # pollster::block_on(async {
    /// # let request = Request::builder().header("authorization", "Basic YTpi").body(vec![]).unwrap();
    /// # assert_eq!(token(Registry::in_memory(), request).await.status(), 401);
    /// # });
    /// ```
    ///
    /// # Errors
    /// An [`OAuthError`], which is the answer:
    /// - `invalid_request` (400) if the request is malformed, authenticates in more than one way, has two `Authorization` headers or a
    ///   parameter twice, or a client secret in its URL,
    /// - `invalid_client` (401) if the credentials do not match, or the client authenticates in a way that is not supported,
    /// - `temporarily_unavailable` (503) if the store did not answer.
    pub async fn authenticate_request(
        &self,
        headers: &HeaderMap,
        query: Option<&str>,
        body: &[u8],
    ) -> Result<ClientVerdict, OAuthError> {
        match ClientRequest::parse(headers, query, body) {
            Ok(request) => self.authenticate_client(request).await,
            Err(error) => {
                tracing::debug!(target: DENIED, reason = error.reason(), "client authentication refused");
                Err(error)
            }
        }
    }

    /// Authenticates the client of a request that was parsed before. A handler of a framework with its own header types, such
    /// as actix, parses it with [`ClientRequest::parse_values`]:
    ///
    /// ```
    /// # use client_registry::Registry;
    /// # use client_registry::oauth::{ClientRequest, ClientVerdict, OAuthError};
    /// # struct HttpRequest;
    /// # impl HttpRequest { fn values(&self, _: &str) -> Vec<&[u8]> { vec![] } fn query_string(&self) -> &str { "" } }
    /// async fn token(registry: &Registry, request: HttpRequest, body: &[u8]) -> Result<String, OAuthError> {
    ///     // `request.headers().get_all(name).map(|value| value.as_bytes())`
    ///     let (authorization, content_type) = (request.values("authorization"), request.values("content-type"));
    ///     let request =
    ///         ClientRequest::parse_values(authorization, content_type, Some(request.query_string()), body)?;
    ///     let client = registry.authenticate_client(request).await?.proven()?;
    ///     Ok(format!("a token for {}", client.client_id()))
    /// }
    /// # let refused = pollster::block_on(token(&Registry::in_memory(), HttpRequest, b"")).unwrap_err();
    /// # assert_eq!(refused.reason(), "no_credentials");
    /// ```
    ///
    /// # Errors
    /// An [`OAuthError`], which is the answer:
    /// - `invalid_client` (401) if the credentials do not match,
    /// - `temporarily_unavailable` (503) if the store did not answer.
    pub async fn authenticate_client(&self, request: ClientRequest) -> Result<ClientVerdict, OAuthError> {
        let method = request.method();
        let ClientRequest { presented, mut form } = request;
        let answer = match &presented {
            Presented::ClientId => return self.unproven(form),
            Presented::Basic(basic) => {
                self.authenticate_readings(text(basic.client_id()), basic.secrets()).await
            }
            Presented::Post => {
                let value = |name| text(form.raw(name).unwrap_or_default());
                self.authenticate(value(CLIENT_ID), value(CLIENT_SECRET)).await
            }
        };
        drop(presented);
        form.wipe_secret();
        match answer {
            Ok(client) => Ok(ClientVerdict::Proven(ProvenClient::new(client, form, method))),
            Err(error) => Err(OAuthError::of_access(error, method == ClientAuthMethod::SecretBasic)),
        }
    }

    /// Looks nothing up. A text that may be a client secret is refused, so that no application logs it as a client ID.
    fn unproven(&self, form: Form) -> Result<ClientVerdict, OAuthError> {
        let presented = text(form.raw(CLIENT_ID).unwrap_or_default());
        let prefix = self.policy().secret_prefix();
        match ClientId::parse(presented) {
            Ok(client_id) if !could_be_secret(cut(presented), prefix) => {
                Ok(ClientVerdict::Unproven(UnprovenClient::new(client_id, form)))
            }
            _ => Err(refused(RequestFault::NotAClientId, false)),
        }
    }
}

/// Logs a refusal, and returns its answer. `challenged` says whether the request had an `Authorization` header.
pub(super) fn refused(fault: RequestFault, challenged: bool) -> OAuthError {
    tracing::debug!(target: DENIED, reason = fault.code(), "client authentication refused");
    fault.into_error(challenged)
}
