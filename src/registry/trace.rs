//! What the log hears of an operation: one span each, with who, which client and secret, after how many attempts, and
//! what came of it. IDs alone, at every level (rule 8).
//!
//! | level | what |
//! | --- | --- |
//! | error | the store holds what was not written there |
//! | warn | a compromised client secret was presented; a clock lags; a commit's outcome is not known |
//! | info | something was changed |
//! | debug | everything else: a look, a refusal, somebody let in or denied, a signature |
//!
//! Errors and the first two warnings are [alarms](super::alarm): one a minute for each client, with the number of those
//! that were kept back.

use std::fmt::Display;

use tracing::Span;
use tracing::field::Empty;

use super::Outcome;
use super::command::Applied;
use crate::id::{Actor, ClientId, SecretId};

/// The span of something that an actor asked for.
pub(super) fn span(operation: &'static str, actor: &Actor, client_id: Option<&ClientId>) -> Span {
    tracing::info_span!(
        "registry",
        operation,
        %actor,
        client_id = client_id.map(ClientId::as_str),
        secret = Empty,
        revision = Empty,
        attempts = Empty,
        outcome = Empty,
    )
}

/// Notes in the current span, and in an event, what a command came to.
pub(super) fn command<T, E: Display>(result: &Result<Applied<T>, E>, attempts: usize) {
    let span = Span::current();
    span.record("attempts", attempts);
    match result {
        Ok(Applied { outcome, opened, added, .. }) => {
            let secret = added.first().copied().map(SecretId::number);
            let client_id = opened.client_id().as_str();
            let revision = opened.revision().number();
            span.record("client_id", client_id).record("revision", revision);
            if let Some(secret) = secret {
                span.record("secret", secret);
            }
            match outcome {
                Outcome::Changed => {
                    span.record("outcome", "changed");
                    tracing::info!(client_id, secret, revision, attempts, "changed");
                }
                Outcome::Unchanged => {
                    span.record("outcome", "unchanged");
                    tracing::debug!(client_id, revision, attempts, "unchanged");
                }
            }
        }
        Err(error) => {
            span.record("outcome", "refused");
            tracing::debug!(%error, attempts, "not changed");
        }
    }
}
