//! The memory of a receiver: which messages it has accepted, so that none is accepted twice.
//!
//! A message can be presented again until its timestamp is older than the tolerance. Its timestamp may lie in the future by as much,
//! so that is twice the tolerance after it was accepted at most; one minute more is for a wall clock that is set back. The time is
//! measured by the monotonic clock, so that no jump of the wall clock makes the guard forget. Room is bounded: a guard that is full
//! refuses, and never forgets early.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::WebhookError;

/// The messages that were accepted. Only messages that were verified get a place.
pub(super) struct Guard {
    room: usize,
    /// How long each is remembered.
    memory: Duration,
    accepted: BTreeSet<Message>,
    /// In the order in which they were accepted.
    order: VecDeque<(Duration, Message)>,
}

/// A message ID in a fixed length: the first half of its SHA-256.
type Message = [u8; 16];

impl Guard {
    pub(super) fn new(room: usize, tolerance: Duration) -> Self {
        let memory = tolerance.saturating_mul(2).saturating_add(SET_BACK);
        Self { room, memory, accepted: BTreeSet::new(), order: VecDeque::new() }
    }

    /// Remembers a message that was verified, at a reading of the monotonic clock. A message is accepted only if this succeeds.
    pub(super) fn accept(&mut self, id: &str, now: Duration) -> Result<(), WebhookError> {
        while let Some((since, message)) = self.order.front() {
            if now.saturating_sub(*since) < self.memory {
                break;
            }
            self.accepted.remove(message);
            self.order.pop_front();
        }
        let message = digest(id);
        if self.accepted.contains(&message) {
            return Err(WebhookError::Replayed);
        }
        if self.accepted.len() >= self.room {
            return Err(WebhookError::Full);
        }
        self.accepted.insert(message);
        self.order.push_back((now, message));
        Ok(())
    }

    /// Forgets a message, so that it is accepted when it is sent again.
    pub(super) fn forget(&mut self, id: &str) {
        let forgotten = digest(id);
        if self.accepted.remove(&forgotten) {
            self.order.retain(|(_, message)| *message != forgotten);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.accepted.len()
    }
}

fn digest(id: &str) -> Message {
    let digest: [u8; 32] = Sha256::digest(id).into();
    let (message, _) = digest.split_first_chunk().unwrap_or((&[0; 16], &[]));
    *message
}

/// By how much a wall clock may be set back without a message being accepted twice.
const SET_BACK: Duration = Duration::from_secs(60);
