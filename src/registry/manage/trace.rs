//! The spans and events of the log: one span for each operation, with the actor, the client, the secret, the number of
//! attempts and the outcome. Only IDs are logged, at every level (rule 8): never a name, a domain or a secret.
//!
//! The module [`log`](crate::log) lists the lines, and what may change of them.

use std::fmt::Display;

use tracing::Span;
use tracing::field::Empty;

use crate::log::ALARM;
use crate::registry::manage::applied::Applied;
use crate::registry::{Error, Outcome};
use crate::value::{Actor, ClientId, SecretId};

/// The name of an operation, and the secret that it is about, if there is one.
#[derive(Clone, Copy)]
pub(in crate::registry) struct Operation {
    name: &'static str,
    secret: Option<SecretId>,
}

impl Operation {
    pub(in crate::registry) fn about(name: &'static str, secret: impl Into<Option<SecretId>>) -> Self {
        Self { name, secret: secret.into() }
    }

    fn secret(self) -> Option<u32> {
        self.secret.map(SecretId::number)
    }
}

impl From<&'static str> for Operation {
    fn from(name: &'static str) -> Self {
        Self { name, secret: None }
    }
}

/// The span of an operation.
pub(in crate::registry) fn span(
    operation: impl Into<Operation>,
    actor: &Actor,
    client_id: Option<&ClientId>,
) -> Span {
    let operation = operation.into();
    tracing::info_span!(
        "registry",
        operation = operation.name,
        %actor,
        client_id = client_id.map(ClientId::as_str),
        secret = operation.secret(),
        added = Empty,
        revision = Empty,
        attempts = Empty,
        outcome = Empty,
    )
}

/// Notes the outcome of a command in its span, and in an event within it. An added secret stands under `secret`, unless the
/// command is about another one.
pub(in crate::registry) fn command<T, E: Display>(
    span: &Span,
    operation: Operation,
    result: &Result<Applied<T>, E>,
    attempts: usize,
) {
    span.record("attempts", attempts);
    let about = operation.secret();
    match result {
        Ok(Applied { outcome, opened, added, .. }) => {
            let added = added.first().copied().map(SecretId::number);
            let client_id = opened.client_id().as_str();
            let revision = opened.revision().number();
            span.record("revision", revision);
            if let Some(added) = added {
                span.record(if about.is_some() { "added" } else { "secret" }, added);
            }
            let (secret, added) = (about.or(added), added.filter(|_| about.is_some()));
            match outcome {
                Outcome::Changed => {
                    span.record("outcome", "changed");
                    span.in_scope(|| tracing::info!(client_id, secret, added, revision, attempts, "changed"));
                }
                Outcome::Unchanged => {
                    span.record("outcome", "unchanged");
                    span.in_scope(|| tracing::debug!(client_id, secret, revision, attempts, "unchanged"));
                }
            }
        }
        Err(error) => {
            span.record("outcome", "refused");
            span.in_scope(|| tracing::debug!(secret = about, %error, attempts, "not changed"));
        }
    }
}

/// Notes what became of moving an add-in, in an event within the span.
pub(in crate::registry) fn moved(
    span: &Span,
    from: &ClientId,
    to: &ClientId,
    result: &Result<Outcome, Error>,
) {
    span.in_scope(|| match result {
        Ok(outcome) => tracing::info!(client_id = from.as_str(), to = to.as_str(), ?outcome, "moved"),
        Err(error) => tracing::debug!(%error, "not moved"),
    });
}

/// Warns that an emergency left no valid secret.
pub(in crate::registry) fn nothing_left(client_id: &ClientId, secret: SecretId) {
    let (client_id, secret) = (client_id.as_str(), secret.number());
    tracing::warn!(
        target: ALARM,
        client_id,
        secret,
        "no valid secret is left: the client cannot authenticate until one is added"
    );
}
