//! A client as it is kept at rest: a body that everybody may read, and the material that its sealed part holds.
//!
//! Of each secret the material has the verifier and, after a byte that says whether there is one, the MAC key; then the
//! verifiers that are remembered. The order is that of the body.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::gathered::gathered;
use super::tombstone::{Fate, Remembered, Tombstone};
use super::{Client, ClientState, Held, Promotion};
use crate::details::{Availability, ClientDetails};
use crate::event::{EventHash, Revision};
use crate::id::{AddInId, ClientId, SecretId, SellerId};
use crate::mac::MacKey;
use crate::secret::Secret;
use crate::validity::Timestamp;
use crate::verifier::Verifier;

/// What is kept of a client and may be read by everybody; format 1.
#[derive(Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum Body {
    Active(Box<ActiveBody>),
    Deleted { owner: SellerId, changed_at: Timestamp, remembered: Vec<RememberedBody>, last_event: EventHash },
}

#[derive(Serialize, Deserialize)]
pub(crate) struct ActiveBody {
    owner: SellerId,
    details: ClientDetails,
    availability: Availability,
    registered_at: Timestamp,
    changed_at: Timestamp,
    secrets: Vec<Secret>,
    promotions: Vec<Promotion>,
    add_ins: Vec<AddInId>,
    remembered: Vec<RememberedBody>,
    last_secret: Option<SecretId>,
    steps: u64,
    last_event: EventHash,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct RememberedBody {
    secret: SecretId,
    fate: Fate,
}

impl Client {
    pub(crate) fn to_body(&self) -> Body {
        Body::Active(Box::new(ActiveBody {
            owner: self.owner.clone(),
            details: self.details.clone(),
            availability: self.availability,
            registered_at: self.registered_at,
            changed_at: self.changed_at,
            secrets: self.secrets().cloned().collect(),
            promotions: self.promotions.clone(),
            add_ins: self.add_ins.clone(),
            remembered: bodies(&self.remembered),
            last_secret: self.last_secret,
            steps: self.steps,
            last_event: self.head,
        }))
    }

    pub(crate) fn material(&self) -> Zeroizing<Vec<u8>> {
        let most = self.secrets.len() * (VERIFIER + 1 + MAC_KEY) + self.remembered.len() * VERIFIER;
        let mut material = Zeroizing::new(Vec::with_capacity(most));
        for (held, verifier) in self.secrets.iter().zip(&self.verifiers) {
            material.extend_from_slice(&*verifier.to_bytes());
            match &held.mac_key {
                Some(mac_key) => {
                    material.push(1);
                    material.extend_from_slice(&*mac_key.to_bytes());
                }
                None => material.push(0),
            }
        }
        write_remembered(&self.remembered, &mut material);
        material
    }
}

impl Tombstone {
    pub(crate) fn to_body(&self) -> Body {
        Body::Deleted {
            owner: self.owner().clone(),
            changed_at: self.changed_at(),
            remembered: bodies(self.candidates()),
            last_event: self.head(),
        }
    }

    pub(crate) fn material(&self) -> Zeroizing<Vec<u8>> {
        let mut material = Zeroizing::new(Vec::with_capacity(self.candidates().len() * VERIFIER));
        write_remembered(self.candidates(), &mut material);
        material
    }
}

impl ClientState {
    /// The client that was kept; `None` when body and material do not belong together.
    pub(crate) fn from_kept(id: ClientId, revision: Revision, body: Body, material: &[u8]) -> Option<Self> {
        let mut material = Material(material);
        let state = match body {
            Body::Active(body) => {
                let body = *body;
                let mut held = Vec::with_capacity(body.secrets.len());
                let mut verifiers = Vec::with_capacity(body.secrets.len());
                for secret in body.secrets {
                    verifiers.push(material.verifier()?);
                    held.push(Held { secret, mac_key: material.mac_key()? });
                }
                Self::Active(Client {
                    id,
                    owner: body.owner,
                    details: body.details,
                    availability: body.availability,
                    registered_at: body.registered_at,
                    changed_at: body.changed_at,
                    revision,
                    secrets: held,
                    verifiers,
                    promotions: body.promotions,
                    add_ins: body.add_ins,
                    remembered: material.remembered(&body.remembered)?,
                    last_secret: body.last_secret,
                    steps: body.steps,
                    head: body.last_event,
                })
            }
            Body::Deleted { owner, changed_at, remembered, last_event } => {
                let remembered = material.remembered(&remembered)?;
                Self::Deleted(Tombstone::kept(id, owner, revision, changed_at, last_event, remembered))
            }
        };
        material.0.is_empty().then_some(state)
    }
}

fn bodies(remembered: &[Remembered]) -> Vec<RememberedBody> {
    let bodies = remembered.iter().map(Remembered::secret_and_fate);
    bodies.map(|(secret, fate)| RememberedBody { secret, fate }).collect()
}

fn write_remembered(remembered: &[Remembered], material: &mut Vec<u8>) {
    for one in remembered {
        material.extend_from_slice(&*one.verifier.to_bytes());
    }
}

/// What has not been read yet.
struct Material<'a>(&'a [u8]);

impl<'a> Material<'a> {
    fn take<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(taken)
    }

    fn verifier(&mut self) -> Option<Verifier> {
        self.take().map(Verifier::from_bytes)
    }

    /// The MAC key, if it says that there is one.
    fn mac_key(&mut self) -> Option<Option<MacKey>> {
        match self.take()? {
            [0] => Some(None),
            [1] => Some(Some(MacKey::from_bytes(self.take()?))),
            _ => None,
        }
    }

    fn remembered(&mut self, bodies: &[RememberedBody]) -> Option<Vec<Remembered>> {
        // Counted first, so that what is gathered has room for all of it from the start.
        let (verifiers, rest) = self.0.split_at_checked(bodies.len() * VERIFIER)?;
        self.0 = rest;
        let (verifiers, _) = verifiers.as_chunks();
        let both = bodies.iter().zip(verifiers);
        Some(gathered(both.map(|(RememberedBody { secret, fate }, verifier)| Remembered {
            secret: *secret,
            fate: *fate,
            verifier: Verifier::from_bytes(verifier),
        })))
    }
}

const VERIFIER: usize = 32;
const MAC_KEY: usize = 64;
