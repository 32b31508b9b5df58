//! Client secrets and signatures that are presented, and the reasons of denials.

use client_registry::*;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{System, attributes_number, number, seller_number};
use crate::model::answer::Answer;
use crate::model::home::Home;
use crate::model::naive::{BASE64_TEXT, Present, Text};
use crate::support::block_on;

impl<S: Home> System<S> {
    pub(crate) fn authenticate(&self, client: Option<usize>, present: Present) -> Answer {
        let client_id = client.map_or("no-such-client", |client| self.ids[client].as_str());
        let presented = match present {
            Present::Exactly(text) => self.text(text),
            Present::Beginning(text) => self.text(text)[..20].to_owned(),
            Present::Extended(text) => self.text(text) + "x",
            Present::Mistyped(text) => {
                let mut text = self.text(text).into_bytes();
                text[10] = if text[10] == b'x' { b'y' } else { b'x' };
                String::from_utf8(text).unwrap()
            }
            Present::Number(number) => number.to_string(),
            Present::Garbage => "open sesame".to_owned(),
        };
        match block_on(self.registry.authenticate(client_id, &presented)) {
            Ok(who) => {
                assert_eq!(who.client_id().as_str(), client_id);
                Answer::In {
                    secret: who.secret_id().number(),
                    signs: who.signs(),
                    newer: number(who.newer()),
                    ends: who.ends().map(Timestamp::as_millis),
                    owner: seller_number(who.owner()),
                    attributes: attributes_number(who.attributes()),
                }
            }
            Err(error) => denied(&error),
        }
    }

    pub(crate) fn present_all(&self, client: usize) -> Answer {
        let issued = (0..self.texts.len()).map(Text::Generated);
        let all = issued.chain((0..7).map(Text::Pool));
        Answer::Several(all.map(|text| self.authenticate(Some(client), Present::Exactly(text))).collect())
    }

    pub(super) fn signed(&mut self, signatures: Result<Vec<Signature>, SignError>) -> Answer {
        match signatures {
            Ok(signatures) => {
                let ids = signatures.iter().map(|signature| signature.secret_id().number()).collect();
                self.signatures.extend(signatures);
                Answer::SignedBy(ids)
            }
            Err(SignError::ClientDeleted) => Answer::Refused("ClientDeleted"),
            Err(SignError::Suspended) => Answer::Refused("Suspended"),
            Err(SignError::NoSigningSecret) => Answer::Refused("NoSigningSecret"),
            Err(error) => panic!("{error}"),
        }
    }

    pub(super) fn presented(&self, signature: usize, forged: bool) -> Signature {
        let signature = &self.signatures[signature];
        let mut mac = *signature.mac();
        mac[7] ^= u8::from(forged);
        Signature::new(signature.client_id().clone(), signature.secret_id(), mac)
    }

    /// Whether the latest signatures are what any HMAC makes with these texts.
    pub(crate) fn check_signatures(&self, texts: &[Text]) {
        let latest = &self.signatures[self.signatures.len() - texts.len()..];
        for (signature, text) in latest.iter().zip(texts) {
            let key = match *text {
                BASE64_TEXT => (0..32).collect(),
                text => self.text(text).into_bytes(),
            };
            let mut hmac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            hmac.update(MESSAGE);
            hmac.verify_slice(signature.mac()).expect("signed with the client secret");
        }
    }
}

pub(super) fn verified(verified: Result<Verified, AccessError>) -> Answer {
    match verified {
        Ok(verified) => Answer::Verified(verified.secret_id().number()),
        Err(error) => denied(&error),
    }
}

fn denied(error: &AccessError) -> Answer {
    let AccessError::Denied(denied) = error else { panic!("{error}") };
    let reason = match denied.reason() {
        Reason::UnknownClient => "UnknownClient",
        Reason::ClientDeleted => "ClientDeleted",
        Reason::Wrong => "Wrong",
        Reason::Mistyped => "Mistyped",
        Reason::LooksLikeSecretId => "LooksLikeSecretId",
        Reason::Ended => "Ended",
        Reason::NotYetStarted => "NotYetStarted",
        Reason::Disabled => "Disabled",
        Reason::Deleted => "Deleted",
        Reason::Compromised => "Compromised",
        Reason::CannotSign => "CannotSign",
        Reason::Suspended => "Suspended",
        other => panic!("{other}"),
    };
    assert_eq!(error.to_string(), "invalid client", "the outside gets one answer");
    Answer::Denied(reason, number(denied.secret_id()))
}

pub(super) const MESSAGE: &[u8] = b"what the platform sends";
