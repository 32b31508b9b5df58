//! Receiving: headers and body are verified with either client secret of a ring, in the order of what it costs.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::guard::Guard;
use super::{WebhookError, WebhookHeaders};
use crate::ring::{SecretRing, Slot};
use crate::value::Timestamp;

impl SecretRing {
    /// Verifies a message of the platform with either client secret: headers and body, exactly the bytes that came. The message must
    /// have been signed at most 5 minutes before or after now, by the clock of the ring.
    ///
    /// A message that comes twice passes twice: a [`WebhookReceiver`] refuses the second one if it is told to
    /// [remember](WebhookReceiver::remembering).
    ///
    /// # Errors
    /// [`WebhookError`] says why the message is not accepted.
    pub fn verify_webhook(
        &self,
        headers: &WebhookHeaders,
        body: &[u8],
    ) -> Result<VerifiedWebhook, WebhookError> {
        verify(self, TOLERANCE, headers, body)
    }
}

/// The receiver of an add-in's messages: a ring, a tolerance, and, if configured, a memory of the messages that were accepted.
///
/// ```
/// # use std::sync::Arc;
/// # use client_registry::*;
/// use client_registry::webhooks::{WebhookError, WebhookReceiver};
///
/// # #[pollster::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let registry = Registry::in_memory();
/// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
/// # let issued = registry.as_seller("contoso")?.register(details, Lifetime::OneYear).await?;
/// # let headers = registry.sign_webhook(issued.client_id(), "msg_1", b"{}").await?;
/// # let ring = Arc::new(SecretRing::new(issued.client_id().clone(), issued.into_client_secret(), None));
/// let receiver = WebhookReceiver::new(ring).remembering(10_000);
/// receiver.verify(&headers, b"{}")?;
/// assert_eq!(receiver.verify(&headers, b"{}").unwrap_err(), WebhookError::Replayed);
/// # Ok(()) }
/// ```
pub struct WebhookReceiver {
    ring: Arc<SecretRing>,
    tolerance: Duration,
    room: usize,
    /// `None` if every message that is verified is accepted.
    guard: Option<Mutex<Guard>>,
}

impl WebhookReceiver {
    /// Returns a receiver that verifies with a ring, with a tolerance of 5 minutes and no memory of messages.
    #[must_use]
    pub fn new(ring: impl Into<Arc<SecretRing>>) -> Self {
        Self { ring: ring.into(), tolerance: TOLERANCE, room: 0, guard: None }
    }

    /// Sets how long before or after now a message may have been signed. Set it before the receiver is used.
    #[must_use]
    pub fn tolerating(self, tolerance: Duration) -> Self {
        let receiver = Self { tolerance, ..self };
        match receiver.guard {
            Some(_) => receiver.remembering_in(),
            None => receiver,
        }
    }

    /// Lets the receiver accept each message once: it remembers the IDs of up to `messages` messages, each for twice the tolerance and
    /// a minute, 11 minutes unless configured otherwise. Give it room for as many as the add-in receives in that time.
    ///
    /// A message that is not verified is not remembered. If the receiver is full, it refuses messages
    /// ([`WebhookError::Full`]) until it may forget the earliest one; it never forgets early. It measures by the monotonic clock,
    /// so a wall clock that is set back by up to a minute lets no message pass twice. The memory is that of this process alone, and ends
    /// with it.
    #[must_use]
    pub fn remembering(self, messages: usize) -> Self {
        Self { room: messages, ..self }.remembering_in()
    }

    fn remembering_in(self) -> Self {
        Self { guard: Some(Mutex::new(Guard::new(self.room, self.tolerance))), ..self }
    }

    /// Verifies a message: headers and body, exactly the bytes that came. Of messages with one ID that come at the same time, one is
    /// accepted.
    ///
    /// # Errors
    /// [`WebhookError`] says why the message is not accepted.
    pub fn verify(&self, headers: &WebhookHeaders, body: &[u8]) -> Result<VerifiedWebhook, WebhookError> {
        let verified = verify(&self.ring, self.tolerance, headers, body)?;
        if let Some(mut guard) = self.guard() {
            guard.accept(headers.id(), self.ring.clock().monotonic())?;
        }
        Ok(verified)
    }

    /// Forgets a message that was accepted and could not be processed. The platform sends it again under the same ID, and it is then
    /// accepted again. It can be presented again by an attacker, too, until it is too old. A copy that comes while the first one is being
    /// processed is refused as [`Replayed`](WebhookError::Replayed); answered with success, it may be the last one that the platform sends.
    /// Put what must not be lost into a queue before it is processed.
    pub fn forget(&self, headers: &WebhookHeaders) {
        if let Some(mut guard) = self.guard() {
            guard.forget(headers.id());
        }
    }

    /// Returns the ring.
    #[must_use]
    pub fn ring(&self) -> &SecretRing {
        &self.ring
    }

    fn guard(&self) -> Option<MutexGuard<'_, Guard>> {
        let guard = self.guard.as_ref()?;
        Some(guard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for WebhookReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookReceiver")
            .field("ring", &self.ring)
            .field("tolerance", &self.tolerance)
            .field("remembered", &self.guard().map(|guard| guard.len()))
            .finish_non_exhaustive()
    }
}

/// A message that was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedWebhook {
    slot: Slot,
    signed_at: Timestamp,
}

impl VerifiedWebhook {
    /// Returns which client secret of the ring signed the message.
    #[must_use]
    pub fn slot(&self) -> Slot {
        self.slot
    }

    /// Returns when the message was signed, in whole seconds.
    #[must_use]
    pub fn signed_at(&self) -> Timestamp {
        self.signed_at
    }
}

fn verify(
    ring: &SecretRing,
    tolerance: Duration,
    headers: &WebhookHeaders,
    body: &[u8],
) -> Result<VerifiedWebhook, WebhookError> {
    let (now, signed_at) = (ring.clock().wall(), headers.signed_at());
    if now.saturating_since(signed_at) > tolerance {
        return Err(WebhookError::TooOld { signed_at });
    }
    if signed_at.saturating_since(now) > tolerance {
        return Err(WebhookError::TooNew { signed_at });
    }
    let macs = headers.macs();
    if macs.is_empty() {
        return Err(WebhookError::NoSignature);
    }
    let head = headers.head();
    let slot = ring.verify_by(|mac_key| mac_key.verify_parts(head.as_bytes(), body, &macs))?;
    Ok(VerifiedWebhook { slot, signed_at })
}

/// How long before or after now a message may have been signed unless configured otherwise, as in the libraries of the specification.
const TOLERANCE: Duration = Duration::from_secs(5 * 60);
