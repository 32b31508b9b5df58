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
        let id_of_ring = id.clone();
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
        self.tokens(&id_of_ring).await;
        #[cfg(feature = "webhooks")]
        self.webhooks(&id_of_ring).await;
    }

    /// Tokens that are signed, verified and refused.
    async fn tokens(&mut self, id: &ClientId) {
        use client_registry::jwt::TYPE;
        use std::time::Duration;

        let registry = Registry::in_memory();
        let details = crate::support::details("calendar app");
        let issued =
            registry.as_seller("contoso").unwrap().register(details, Lifetime::OneYear).await.unwrap();
        let client_id = issued.client_id().clone();
        let (_, text) = self.issued(&issued);
        let ring = SecretRing::new(client_id.clone(), issued, None);
        let minutes = Duration::from_secs(300);
        let claims = serde_json::json!({"user": "ann"});
        let token = registry.sign_jwt(&client_id, &claims, minutes).await.unwrap();
        see!(self.walker, ring.verify_jwt::<serde_json::Value>(&token).unwrap());
        // A client secret in the place of a token, of claims and of a client ID.
        for token in [&*text, &format!("{text}.{text}.{text}"), &token[..token.len() - 1]] {
            see!(self.walker, ring.verify_jwt::<serde_json::Value>(token).unwrap_err());
        }
        let token =
            registry.sign_jwt(&client_id, &serde_json::json!({"user": [text]}), minutes).await.unwrap();
        let wrong_form = ring.verify_jwt::<std::collections::BTreeMap<String, u8>>(&token).unwrap_err();
        see!(self.walker, wrong_form, registry.sign_jwt(&client_id, &text, minutes).await.unwrap_err());
        see!(self.walker, registry.sign_jwt(id, &claims, minutes).await.unwrap_err());
        assert!(!TYPE.is_empty());
    }

    /// Messages that are signed, verified and refused, and keys in the form `whsec_`.
    #[cfg(feature = "webhooks")]
    async fn webhooks(&mut self, id: &ClientId) {
        use client_registry::webhooks::{WebhookHeaders, WebhookReceiver};

        let registry = Registry::in_memory();
        let details = crate::support::details("calendar app");
        let issued =
            registry.as_seller("contoso").unwrap().register(details, Lifetime::OneYear).await.unwrap();
        let (_, text) = self.issued(&issued);
        let whsec = issued.client_secret().expose_whsec(str::to_owned);
        let headers = registry.sign_webhook(issued.client_id(), "msg_1", b"body").await.unwrap();
        let ring = SecretRing::new(id.clone(), SharedSecret::parse_whsec(&whsec).unwrap(), None);
        let receiver = WebhookReceiver::new(ring).remembering(1);
        see!(self.walker, headers, receiver, receiver.verify(&headers, b"body").unwrap());
        see!(self.walker, receiver.verify(&headers, b"body").unwrap_err());
        see!(self.walker, receiver.verify(&headers, text.as_bytes()).unwrap_err());
        see!(self.walker, registry.sign_webhook(id, "msg_1", b"body").await.unwrap_err());
        let spaced = format!("{text} {whsec}");
        see!(self.walker, registry.sign_webhook(id, &spaced, b"body").await.unwrap_err());
        let swapped = [WebhookHeaders::ID, WebhookHeaders::TIMESTAMP, WebhookHeaders::SIGNATURE];
        for value in [&*text, &*whsec, &*spaced] {
            see!(self.walker, WebhookHeaders::parse(swapped.map(|name| (name, value))).unwrap_err());
        }
        for wrong in [&*text, &whsec[..30], &format!("{whsec}="), &format!("{whsec}AAAA")] {
            see!(self.walker, ClientSecret::parse_whsec(wrong).unwrap_err());
        }
        see!(self.walker, SecretSource::file(&whsec).in_whsec_form());
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
