//! The platform's messages to add-ins: Standard Webhooks, signed with every secret that signs, so that an add-in verifies them before,
//! during and after a rotation.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use client_registry::entropy::{Entropy, SystemEntropy};
use client_registry::{ClientId, Timestamp};
use data_encoding::HEXLOWER;
use serde_json::Value;
use token_endpoint::webhook;

use crate::shared::Marketplace;

/// The latest messages, of this process.
#[derive(Debug, Default)]
pub struct Deliveries(Mutex<VecDeque<Delivery>>);

/// A message that was sent to an add-in.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The client ID of the add-in.
    pub client_id: ClientId,
    /// When it was sent.
    pub at: Timestamp,
    /// What it was about.
    pub about: String,
    /// What became of it.
    pub outcome: Result<(), String>,
}

impl Deliveries {
    /// Returns the latest messages to a client ID, newest first.
    pub fn to(&self, client_id: &ClientId) -> Vec<Delivery> {
        self.table().iter().filter(|one| one.client_id == *client_id).take(SHOWN).cloned().collect()
    }

    fn note(&self, delivery: Delivery) {
        let mut table = self.table();
        table.push_front(delivery);
        table.truncate(KEPT);
    }

    fn table(&self) -> MutexGuard<'_, VecDeque<Delivery>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends an event to the webhook of a client ID, which its attribute `webhook_url` names. It is sent again a few times if the add-in
/// does not accept it, with the same message ID.
pub async fn send(
    app: &Marketplace,
    client_id: &ClientId,
    url: &str,
    about: &str,
    event: &Value,
) -> Result<(), String> {
    let mut random = [0; 16];
    let outcome = match SystemEntropy.fill(&mut random) {
        Ok(()) => deliver(app, client_id, url, &format!("msg_{}", HEXLOWER.encode(&random)), event).await,
        Err(error) => Err(error.to_string()),
    };
    let (client_id, at, about) = (client_id.clone(), app.now(), about.to_owned());
    app.deliveries.note(Delivery { client_id, at, about, outcome: outcome.clone() });
    outcome
}

async fn deliver(
    app: &Marketplace,
    client_id: &ClientId,
    url: &str,
    message_id: &str,
    event: &Value,
) -> Result<(), String> {
    let mut outcome = Err("it was not sent".to_owned());
    for attempt in 0..ATTEMPTS {
        tokio::time::sleep(PAUSE * attempt).await;
        outcome = match webhook::send(&app.platform, (client_id, url), message_id, event).await {
            Ok(status) if status.is_success() => return Ok(()),
            Ok(status) => Err(format!("the add-in answered {status}")),
            Err(error) => Err(error.to_string()),
        };
    }
    outcome
}

const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(200);
const KEPT: usize = 200;
const SHOWN: usize = 8;
