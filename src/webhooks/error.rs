//! Errors of sending and of receiving a message. None holds a part of a header, of a body or of a client secret.

use crate::registry::SignError;
use crate::ring::SignatureMismatch;
use crate::value::Timestamp;
use crate::value::coded::coded;

/// The reason why a message was not signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignWebhookError {
    /// A message cannot have this ID.
    #[error(
        "the message ID does not have 1 to 256 printable ASCII characters without spaces and full stops: give the message another one"
    )]
    MessageId,
    /// The client does not sign at the moment, or the store did not answer.
    #[error(transparent)]
    Sign(#[from] SignError),
}

coded! {
    SignWebhookError {
        Self::MessageId => Invalid "message_id_invalid",
        ;
        Self::Sign(error) => error,
    }
}

/// The reason why a message was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// A header is missing.
    #[error("the header {header} is missing")]
    Missing {
        /// The name of the header.
        header: &'static str,
    },
    /// A header stands more than once.
    #[error("the header {header} stands more than once")]
    Repeated {
        /// The name of the header.
        header: &'static str,
    },
    /// A header cannot be read.
    #[error("the header {header} {problem}")]
    Malformed {
        /// The name of the header.
        header: &'static str,
        /// What is wrong with it, in words: "has more than 256 characters".
        problem: &'static str,
    },
    /// The message was signed before the tolerance (5 minutes unless configured otherwise). If it is new, compare the clocks of
    /// both sides.
    #[error(
        "the message was signed at {signed_at}, too long ago: have it sent again; if it was signed a moment ago, compare the clocks of \
         both sides"
    )]
    TooOld {
        /// The timestamp of the message.
        signed_at: Timestamp,
    },
    /// The message was signed later than the tolerance after now. Compare the clocks of both sides.
    #[error("the message was signed at {signed_at}, in the future: compare the clocks of both sides")]
    TooNew {
        /// The timestamp of the message.
        signed_at: Timestamp,
    },
    /// The message has no signature of version `v1`.
    #[error("the message has no signature of version v1, the only version that is supported")]
    NoSignature,
    /// Neither client secret of the ring made one of the signatures: the body was changed, or the ring lacks the client secret
    /// that signed. [`SignatureMismatch`] says what to check.
    #[error(transparent)]
    Signature(#[from] SignatureMismatch),
    /// A message with this ID was accepted before. Do nothing, and answer the sender with success: it repeats a message whose
    /// answer it did not receive.
    #[error(
        "a message with this ID was accepted before: do nothing, and answer the sender with success, not with this error"
    )]
    Replayed,
    /// The receiver cannot remember more messages. Answer 503, and give
    /// [`remembering`](crate::webhooks::WebhookReceiver::remembering) a larger number.
    #[error("the receiver cannot remember more messages: answer 503, so that the message is sent again")]
    Full,
}

coded! {
    WebhookError {
        Self::Missing { .. } => Unauthenticated "webhook_header_missing",
        Self::Repeated { .. } => Unauthenticated "webhook_header_repeated",
        Self::Malformed { .. } => Unauthenticated "webhook_header_malformed",
        Self::TooOld { .. } => Unauthenticated "webhook_too_old",
        Self::TooNew { .. } => Unauthenticated "webhook_too_new",
        Self::NoSignature => Unauthenticated "webhook_no_signature",
        Self::Replayed => Conflict "webhook_replayed",
        Self::Full => Unavailable "webhook_receiver_full",
        ;
        Self::Signature(error) => error,
    }
}
