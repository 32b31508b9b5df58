//! `Marketplace`: what the handlers share.

use std::path::PathBuf;
use std::sync::Arc;

use client_registry::store::DynStore;
use client_registry::{Registry, Timestamp};

use crate::account::SignIn;
use crate::catalogue::Catalogue;
use crate::events::Deliveries;
use crate::hand_over::HandOver;
use crate::mailbox::Mailbox;
use crate::rate::Rates;
use crate::resealer::Resealer;

/// The state of the router.
pub type App = Arc<Marketplace>;

/// What the handlers share.
#[derive(Debug)]
pub struct Marketplace {
    /// Client IDs and client secrets.
    pub registry: Registry<DynStore>,
    /// The add-ins and their listings, which are the marketplace's own.
    pub catalogue: Catalogue,
    /// Notices to sellers, as mails.
    pub mailbox: Mailbox,
    /// Brings records under the primary key.
    pub resealer: Resealer,
    /// The platform's side: tokens, and webhooks to add-ins.
    pub platform: token_endpoint::Server,
    /// Who may sign in.
    pub sign_in: Box<dyn SignIn>,
    /// Client secrets that wait to be shown, once.
    pub hand_over: HandOver,
    /// How often an address may try to sign in, or get a token.
    pub rates: Rates,
    /// The public address: the issuer of tokens.
    pub issuer: String,
    /// The trip calendar, an add-in that is shown in a frame.
    pub trip_calendar: Option<Framed>,
    /// The latest messages to add-ins.
    pub deliveries: Deliveries,
}

/// An add-in that runs beside the marketplace and is shown in a frame.
#[derive(Debug, Clone)]
pub struct Framed {
    /// The ID of the add-in.
    pub add_in: &'static str,
    /// Its public address.
    pub url: String,
    /// The file that takes its next client secret.
    pub secondary: PathBuf,
}

impl Marketplace {
    /// Returns the instant of the registry's clock.
    pub fn now(&self) -> Timestamp {
        self.registry.now()
    }
}
