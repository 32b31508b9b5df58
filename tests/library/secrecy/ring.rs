//! The add-in's side: rings, calls, and how they fail.

use client_registry::ring::{CallError, Credentials, SharedSecret};
use client_registry::secret::KeyEncoding;
use client_registry::*;

use super::Life;
use super::faces::{Walker, see};

impl Life {
    /// The add-in's side.
    pub(super) async fn ring(&mut self) {
        let id = ClientId::parse("calendar-app").unwrap();
        let (plain, base64) = (self.plain_text(&id), self.base64_text(&id));
        let primary = SharedSecret::from(ClientSecret::parse(&plain).unwrap());
        let secondary =
            SharedSecret::new(ClientSecret::parse(&base64).unwrap(), KeyEncoding::Base64).unwrap();
        let refused = SharedSecret::new(ClientSecret::parse(&plain).unwrap(), KeyEncoding::Base64);
        see!(self.walker, primary, secondary, refused.unwrap_err());
        let ring = SecretRing::new(id, primary, Some(secondary));
        see!(self.walker, ring, ring.verify_mac(&[7; 32], b"message").unwrap_err());
        let mut faces = vec![];
        let answer = ring
            .call(|credentials: Credentials| {
                let mut walker = Walker::default();
                let slot = credentials.slot();
                see!(walker, credentials, *credentials.client_secret(), slot);
                faces.push(walker);
                std::future::ready(Err::<(), _>(CallError::InvalidClient("invalid client")))
            })
            .await;
        assert_eq!((answer, faces.len()), (Err("invalid client"), 2));
        for walker in faces {
            self.walker.seen.extend(walker.seen);
            self.walker.texts.extend(walker.texts);
        }
        see!(self.walker, CallError::Failed("no route"), ring);
    }
}
