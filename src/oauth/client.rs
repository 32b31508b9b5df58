//! Clients as requests bring them: one that proved who it is, and one that did not.

use crate::oauth::{ClientAuthMethod, Form};
use crate::registry::Authenticated;
use crate::value::ClientId;

/// A client that presented a valid client secret, with the other parameters of its request.
#[derive(Debug)]
pub struct ProvenClient {
    authenticated: Authenticated,
    form: Form,
    method: ClientAuthMethod,
}

impl ProvenClient {
    pub(super) fn new(authenticated: Authenticated, form: Form, method: ClientAuthMethod) -> Self {
        Self { authenticated, form, method }
    }

    /// Returns the client ID.
    #[must_use]
    pub fn client_id(&self) -> &ClientId {
        self.authenticated.client_id()
    }

    /// Returns what authenticating found: the client, the secret that it presented, attributes.
    #[must_use]
    pub fn authenticated(&self) -> &Authenticated {
        &self.authenticated
    }

    /// Returns the parameters of the form, without the client secret.
    #[must_use]
    pub fn form(&self) -> &Form {
        &self.form
    }

    /// Returns the way in which the client authenticated.
    #[must_use]
    pub fn method(&self) -> ClientAuthMethod {
        self.method
    }

    /// Takes the value apart.
    #[must_use]
    pub fn into_parts(self) -> (Authenticated, Form) {
        (self.authenticated, self.form)
    }
}

/// A client ID that a request names without any proof (`none`, RFC 6749 section 3.2.1). It was not looked up: no client may
/// have it, or a client that has secrets. Allow only what needs no authentication, such as redeeming a code that PKCE binds
/// (RFC 7636).
#[derive(Debug)]
pub struct UnprovenClient {
    client_id: ClientId,
    form: Form,
}

impl UnprovenClient {
    pub(super) fn new(client_id: ClientId, form: Form) -> Self {
        Self { client_id, form }
    }

    /// Returns the client ID that the request names.
    #[must_use]
    pub fn claimed_id(&self) -> &ClientId {
        &self.client_id
    }

    /// Returns the parameters of the form.
    #[must_use]
    pub fn form(&self) -> &Form {
        &self.form
    }

    /// Takes the value apart.
    #[must_use]
    pub fn into_parts(self) -> (ClientId, Form) {
        (self.client_id, self.form)
    }
}
