//! Sealing and opening: XChaCha20-Poly1305 over the material, with the rest of the record as associated data.
//!
//! One operation hides the material and makes the whole record tamper-evident: a store that swaps records, edits a date,
//! revives a deleted secret or flips a bit yields [`StoreErrorKind::Tampered`], never a client. Each nonce is 24 random
//! bytes. The material is encrypted in place, so no plaintext copy of it is left (rule 8).

use chacha20poly1305::XNonce;
use chacha20poly1305::aead::AeadInOut;
use zeroize::Zeroizing;

use super::frame::{FORMAT, RecordParts, Sealed, readable};
use super::{Opened, RecordId, body};
use crate::entropy::{Entropy, EntropyError};
use crate::event::EventHash;
use crate::record::{Keyring, NamedKey};
use crate::store_error::{StoreError, StoreErrorKind, tampered};
use crate::value::{KeyId, Revision};

/// Seals and opens the records of one registry.
#[derive(Debug, Clone)]
pub(crate) struct Sealing {
    pub(crate) keyring: Keyring,
    pub(crate) registry_id: [u8; 16],
}

/// The reason why a record was not sealed. Nothing was written.
#[derive(Debug)]
pub(crate) enum SealingError {
    Entropy(EntropyError),
    TooLarge,
}

impl Sealing {
    /// Seals a client or a tombstone under the primary key.
    pub(crate) fn seal(&self, opened: &Opened, entropy: &dyn Entropy) -> Result<Sealed, SealingError> {
        let (body, material) = body::write(opened);
        let id = RecordId::from(opened.client_id());
        self.seal_parts(id, opened.revision(), &body, &material, entropy)
    }

    /// Seals a body and its material under the primary key.
    pub(crate) fn seal_parts(
        &self,
        id: RecordId<'_>,
        revision: Revision,
        body: &str,
        material: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Sealed, SealingError> {
        let key = self.keyring.primary_key();
        let parts = RecordParts {
            format: FORMAT,
            registry_id: self.registry_id,
            id,
            revision,
            key_id: key.id(),
            body,
            sealed: &[],
        };
        let sealed = encrypt(key, &readable(&parts), material, entropy)?;
        Sealed::new(RecordParts { sealed: &sealed, ..parts }).map_err(|_| SealingError::TooLarge)
    }

    /// Opens the record of a client.
    pub(crate) fn open(&self, id: RecordId<'_>, sealed: &Sealed) -> Result<Opened, StoreError> {
        let material = self.open_parts(id, sealed)?;
        body::read(sealed, &material)
    }

    /// Authenticates the record of a client, and opens it if its material is wanted. Returns the hash of its latest event in any case.
    pub(crate) fn open_if(
        &self,
        id: RecordId<'_>,
        sealed: &Sealed,
        is_wanted: impl FnOnce(&[u8]) -> bool,
    ) -> Result<(EventHash, Option<Opened>), StoreError> {
        let material = self.open_parts(id, sealed)?;
        if !is_wanted(&material) {
            return Ok((body::head(sealed)?, None));
        }
        let opened = body::read(sealed, &material)?;
        Ok((opened.head(), Some(opened)))
    }

    /// Authenticates a record, and returns its material.
    pub(crate) fn open_parts(
        &self,
        id: RecordId<'_>,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        if sealed.id() != id {
            return Err(tampered("the record of one client stands under the ID of another"));
        }
        if sealed.registry_id() != self.registry_id {
            return Err(tampered("the record is one of another registry"));
        }
        let key = self.keyring.key(sealed.key_id()).ok_or_else(|| missing_key(sealed.key_id()))?;
        decrypt(key, &readable(&sealed.parts()), sealed.sealed())
    }

    /// Seals the record anew under the primary key. Its body stays the same, byte for byte.
    pub(crate) fn reseal(&self, sealed: &Sealed, entropy: &dyn Entropy) -> Result<Sealed, ResealError> {
        let material = self.open_parts(sealed.id(), sealed).map_err(ResealError::Store)?;
        self.seal_parts(sealed.id(), sealed.revision(), sealed.body(), &material, entropy)
            .map_err(ResealError::Sealing)
    }
}

/// The reason why a record was not resealed.
#[derive(Debug)]
pub(crate) enum ResealError {
    Store(StoreError),
    Sealing(SealingError),
}

/// Returns nonce, ciphertext and tag. The material is encrypted in place, so no copy of it is left.
fn encrypt(
    key: &NamedKey,
    readable: &[u8],
    material: &[u8],
    entropy: &dyn Entropy,
) -> Result<Zeroizing<Vec<u8>>, SealingError> {
    let mut nonce = [0; NONCE];
    entropy.fill(&mut nonce).map_err(SealingError::Entropy)?;
    let mut sealed = Zeroizing::new(Vec::with_capacity(NONCE + material.len() + TAG));
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(material);
    let (_, text) = sealed.split_at_mut(NONCE);
    let tag = key
        .seal()
        .encrypt_inout_detached(&XNonce::from(nonce), readable, text.into())
        .map_err(|_| SealingError::TooLarge)?;
    sealed.extend_from_slice(&tag);
    Ok(sealed)
}

fn decrypt(key: &NamedKey, readable: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let cut_short = || tampered("its sealed part is cut short");
    let (nonce, rest) = sealed.split_first_chunk::<NONCE>().ok_or_else(cut_short)?;
    let (text, tag) = rest.split_last_chunk::<TAG>().ok_or_else(cut_short)?;
    let mut material = Zeroizing::new(text.to_vec());
    key.seal()
        .decrypt_inout_detached(
            &XNonce::from(*nonce),
            readable,
            material.as_mut_slice().into(),
            &(*tag).into(),
        )
        .map_err(|_| tampered("it does not authenticate"))?;
    Ok(material)
}

pub(crate) fn missing_key(key_id: &KeyId) -> StoreError {
    StoreError::with_source(StoreErrorKind::MissingKey, format!("key {key_id}"))
}

const NONCE: usize = 24;
const TAG: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{Client, CommandContext};
    use crate::entropy::SystemEntropy;
    use crate::value::{Actor, ClientId, Label};
    use crate::{
        Availability, ClientDetails, ClientSecret, Event, Lifetime, NewSecret, Policy, Purpose, Timestamp,
    };

    fn sealing(ids: &[&str]) -> Sealing {
        let mut keys = ids.iter().zip(1u8..).map(|(id, seed)| {
            (
                KeyId::parse(id).unwrap(),
                std::array::from_fn(|at| seed.wrapping_mul(31) ^ u8::try_from(at).unwrap()),
            )
        });
        let (id, key) = keys.next().unwrap();
        let keyring = Keyring::new(id, &key).unwrap();
        Sealing {
            keyring: keys.fold(keyring, |ring, (id, key)| ring.with(id, &key).unwrap()),
            registry_id: [7; 16],
        }
    }

    fn registered(id: ClientId) -> (Opened, Vec<Event>) {
        registered_with(id, &NewSecret::lasting(Lifetime::OneYear))
    }

    fn registered_with(id: ClientId, new: &NewSecret) -> (Opened, Vec<Event>) {
        let policy = Policy::default();
        let actor = Actor::Seller("contoso".parse().unwrap());
        let now: Timestamp = "2026-03-01T09:00:00Z".parse().unwrap();
        let context = CommandContext { actor: &actor, policy: &policy, now };
        let details = ClientDetails::new("a", "app.contoso.com", "https://app.contoso.com/").unwrap();
        let secret = ClientSecret::generate(&policy, &SystemEntropy).unwrap();
        let owner = "contoso".parse().unwrap();
        let made = Client::register(id, owner, details, Availability::Worldwide, new, &secret, &context);
        let (state, events) = made.unwrap().change().unwrap().into_parts();
        (Opened::new(state), events)
    }

    /// Of two records of a client, one is as much larger as what it keeps, in the body or in the sealed part.
    #[test]
    fn a_record_is_as_much_larger_as_what_it_keeps() {
        let sealing = sealing(&["2026"]);
        let sizes = |new: NewSecret| {
            let (opened, _) = registered_with(ClientId::parse("calendar").unwrap(), &new);
            let sealed = sealing.seal(&opened, &SystemEntropy).unwrap();
            (sealed.to_bytes().len(), opened.kept_size())
        };
        let year = || NewSecret::lasting(Lifetime::OneYear);
        let (len, kept) = sizes(year());
        // One that cannot sign has no MAC key, which is sealed; a label stands in the body.
        let labelled = |len| year().labelled(Label::parse(&"x".repeat(len)).unwrap());
        let password = year().for_purpose(Purpose::PasswordOnly);
        for other in
            [labelled(1), labelled(100), password.clone(), password.labelled(Label::parse("x").unwrap())]
        {
            let (other_len, other_kept) = sizes(other);
            assert_ne!(len, other_len);
            assert_eq!(len + other_kept, other_len + kept);
        }
    }

    /// The longest IDs there are, and one that an earlier version accepted although it looks like a client secret.
    #[test]
    fn every_id_is_sealed_opened_and_resealed() {
        let (longest_key, like_a_secret) = ("k".repeat(32), format!("abcde_{}", "7".repeat(49)));
        assert!(ClientId::parse(&like_a_secret).is_err());
        for id in ["calendar", &"i".repeat(64), &like_a_secret] {
            let id = ClientId::stored(id).unwrap();
            let (opened, events) = registered(id.clone());
            for event in events {
                assert_eq!(Event::parse(event.text()).unwrap(), event);
                let json = serde_json::to_string(&event).unwrap();
                assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event);
                assert_eq!(event.text().client_id().as_ref(), Some(&id));
            }
            let sealed = sealing(&[&longest_key]).seal(&opened, &SystemEntropy).unwrap();
            let again = Sealed::from_bytes(&sealed.to_bytes()).unwrap();
            assert_eq!(sealing(&[&longest_key]).open((&id).into(), &again).unwrap().client_id(), &id);
            let other = sealing(&["other", &longest_key]);
            assert!(other.open((&id).into(), &again).is_err(), "other keys");
            let keyring = sealing(&[&longest_key]).keyring;
            let key = std::array::from_fn(|at| 99 ^ u8::try_from(at).unwrap());
            let both = Keyring::new(KeyId::parse("new").unwrap(), &key).unwrap();
            let old = std::array::from_fn(|at| 31 ^ u8::try_from(at).unwrap());
            let both = both.with(keyring.primary().clone(), &old).unwrap();
            let both = Sealing { keyring: both, registry_id: [7; 16] };
            let resealed = both.reseal(&again, &SystemEntropy).unwrap();
            assert_eq!(resealed.key_id().as_str(), "new");
            assert_eq!(resealed.body(), sealed.body());
            let resealed = Sealed::from_bytes(&resealed.to_bytes()).unwrap();
            assert_eq!(both.open((&id).into(), &resealed).unwrap().client_id(), &id);
        }
    }
}
