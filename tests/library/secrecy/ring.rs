//! The add-in's side: rings, calls, and how they fail.

use std::fs;

use client_registry::ring::{
    CallError, Credentials, Place, RingConfig, RingConfigError, SecretSource, SharedSecret,
};
use client_registry::secret::KeyEncoding;
use client_registry::*;

use super::Life;
use super::faces::{Walker, see};
use crate::support::Scratch;

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
        self.ring_of_files();
    }

    /// A ring whose client secrets are in files, and everything that may be wrong with one.
    fn ring_of_files(&mut self) {
        let (scratch, id) = (Scratch::in_memory(), ClientId::parse("calendar-app").unwrap());
        let path = scratch.path().join("client-secret");
        let source = SecretSource::file(&path);
        let config = RingConfig::new(id.clone(), source.clone()).with_secondary(source.clone());
        let (plain, next) = (self.plain_text(&id), self.plain_text(&id));
        fs::write(&path, &plain).unwrap();
        let ring = SecretRing::from_config(config.clone()).unwrap();
        ring.verify_mac(&crate::support::hmac(plain.as_bytes(), b"message"), b"message").unwrap();
        ring.add(ClientSecret::parse(&next).unwrap());
        let state = ring.state();
        see!(self.walker, source, config, ring, state, state.primary, state.secondary.unwrap());

        let mut codes = vec![];
        let mut fails = |content: &[u8]| {
            fs::write(&path, content).unwrap();
            let error = ring.reload().unwrap_err();
            if let RingConfigError::Invalid { place, source, .. } = &error {
                see!(self.walker, *place, *source);
            }
            see!(self.walker, error, error.kind());
            codes.push(error.code());
        };
        fails(b"");
        fails(&[plain.as_bytes(), b"\xff"].concat());
        fails(&[plain.as_bytes(), &[b'\n'; 4096]].concat());
        fails(format!("{plain}\n{next}").as_bytes());
        fails(format!("\"crs_{plain}\"").as_bytes());
        fails(&plain.as_bytes()[..23]);
        assert_eq!(codes[..3], ["source_empty", "source_not_unicode", "source_too_large"]);
        assert_eq!(codes[3..], ["source_invalid"; 3]);
        fs::remove_file(&path).unwrap();
        let error = ring.reload().unwrap_err();
        see!(self.walker, error, Place::Variable(None));

        // The client secret in place of where it is.
        for source in [SecretSource::file(&plain), SecretSource::variable(&plain)] {
            let config = RingConfig::new(id.clone(), source.clone());
            see!(self.walker, source, config, SecretRing::from_config(config.clone()).unwrap_err());
        }
    }
}
