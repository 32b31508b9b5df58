//! A platform with one client that is rotated, and an add-in that knows one or both of its client secrets.

use client_registry::ring::SharedSecret;
use client_registry::{
    ClientDetails, ClientId, ClientSecret, Days, Issued, Lifetime, Registry, Rotation, SecretRing, Seller,
};
use data_encoding::BASE64;
use pollster::block_on;

/// Where a rotation stands, and which of the two client secrets sign then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Before,
    During,
    After,
}

pub(crate) struct Platform {
    pub(crate) registry: Registry,
    contoso: Seller,
    pub(crate) id: ClientId,
    pub(crate) old: String,
    pub(crate) new: String,
    pub(crate) stage: Stage,
}

impl Platform {
    pub(crate) fn new() -> Self {
        let registry = Registry::in_memory();
        let contoso = registry.as_seller("contoso").expect("a seller ID");
        let details = ClientDetails::new("calendar app", "app.contoso.com", "https://app.contoso.com/done");
        let issued =
            block_on(contoso.register(details.expect("details"), Lifetime::OneYear)).expect("registered");
        let (id, old) = (issued.client_id().clone(), text(&issued));
        // A stranger's until there is a second one.
        let new = "0123456789 abcdefghijklm nopqrstuv".to_owned();
        Self { registry, contoso, id, old, new, stage: Stage::Before }
    }

    /// Goes to the next stage of the rotation.
    pub(crate) fn go_on(&mut self) {
        let client = self.contoso.client(&self.id);
        self.stage = match self.stage {
            Stage::Before => {
                let rotation = Rotation::overlap(Days::new(30));
                self.new = text(&block_on(client.rotate(rotation)).expect("rotated"));
                Stage::During
            }
            Stage::During => {
                let snapshot = block_on(client.snapshot()).expect("a snapshot");
                let newest = snapshot.client().secrets().last().expect("two secrets").id();
                block_on(client.close_early(newest)).expect("closed");
                Stage::After
            }
            Stage::After => Stage::After,
        };
    }

    /// The client secret that signs.
    pub(crate) fn signing(&self) -> &str {
        match self.stage {
            Stage::Before | Stage::During => &self.old,
            Stage::After => &self.new,
        }
    }

    /// The add-in, with both client secrets.
    pub(crate) fn ring(&self) -> SecretRing {
        let secret = |text: &str| SharedSecret::from(ClientSecret::parse(text).expect("a client secret"));
        match self.stage {
            Stage::Before => SecretRing::new(self.id.clone(), secret(&self.old), None),
            _ => SecretRing::new(self.id.clone(), secret(&self.new), Some(secret(&self.old))),
        }
    }
}

fn text(issued: &Issued) -> String {
    issued.client_secret().expose().to_owned()
}

/// The key of a client secret as the peers are told it.
pub(crate) fn key(text: &str) -> String {
    BASE64.encode(text.as_bytes())
}

/// The same in the form of webhooks.
pub(crate) fn whsec(text: &str) -> String {
    ClientSecret::parse(text).expect("a client secret").expose_whsec(str::to_owned)
}
