//! A client as it is kept at rest: a readable body, and the material of its sealed part.
//!
//! For each secret the material has the verifier, a byte that tells whether there is a MAC key, and the MAC key; the remembered
//! verifiers follow. The order is that of the body. This is a stored format: its bytes must not change. The body has types of
//! its own, which the public JSON does not share.

mod body;

use zeroize::Zeroizing;

pub(crate) use self::body::Body;
use self::body::{ActiveBody, DeletedBody, PromotionBody, RememberedBody, SecretBody, SuspensionBody};
use super::extras::Extras;
use super::gathered::gathered;
use super::signing::Foreseen;
use super::tombstone::{Remembered, Tombstone};
use super::{Client, ClientState, Held};
use crate::secret::{MacKey, Verifier, VerifierPrefix};
use crate::value::{ClientId, Revision};

impl Client {
    pub(crate) fn to_body(&self) -> Body {
        Body::Active(Box::new(ActiveBody {
            owner: self.owner.clone(),
            details: self.details.clone(),
            availability: self.availability,
            registered_at: self.registered_at,
            changed_at: self.changed_at,
            secrets: self.secrets.iter().map(SecretBody::of).collect(),
            promotions: self.promotions().iter().copied().map(PromotionBody).collect(),
            add_ins: self.add_ins().to_vec(),
            remembered: bodies(self.candidates()),
            last_secret: self.last_secret,
            steps: self.steps,
            last_event: self.head,
            attributes: self.attributes().clone(),
            suspension: self.suspension().cloned().map(SuspensionBody),
            transferred_at: self.transferred_at(),
        }))
    }

    pub(crate) fn material(&self) -> Zeroizing<Vec<u8>> {
        let most = self.secrets.len() * (VERIFIER + 1 + MAC_KEY) + self.candidates().len() * VERIFIER;
        let mut material = Zeroizing::new(Vec::with_capacity(most));
        for held in &self.secrets {
            material.extend_from_slice(&*held.verifier.to_bytes());
            match &held.mac_key {
                Some(mac_key) => {
                    material.push(1);
                    material.extend_from_slice(&*mac_key.to_bytes());
                }
                None => material.push(0),
            }
        }
        write_remembered(self.candidates(), &mut material);
        material
    }
}

impl Tombstone {
    pub(crate) fn to_body(&self) -> Body {
        Body::Deleted(DeletedBody {
            owner: self.owner().clone(),
            changed_at: self.changed_at(),
            remembered: bodies(self.candidates()),
            last_event: self.head(),
        })
    }

    pub(crate) fn material(&self) -> Zeroizing<Vec<u8>> {
        let mut material = Zeroizing::new(Vec::with_capacity(self.candidates().len() * VERIFIER));
        write_remembered(self.candidates(), &mut material);
        material
    }
}

impl ClientState {
    /// Returns the client that was kept, or `None` if body and material do not belong together.
    pub(crate) fn from_kept(id: ClientId, revision: Revision, body: Body, material: &[u8]) -> Option<Self> {
        let mut material = Material(material);
        let state = match body {
            Body::Active(body) => {
                let body = *body;
                let mut held = Vec::with_capacity(body.secrets.len());
                for secret in body.secrets {
                    held.push(secret.held(material.verifier()?, material.mac_key()?)?);
                }
                date_the_replaced(&mut held);
                let extras = Extras {
                    attributes: body.attributes,
                    suspension: body.suspension.map(|SuspensionBody(suspension)| suspension),
                    transferred_at: body.transferred_at,
                    promotions: body
                        .promotions
                        .into_iter()
                        .map(|PromotionBody(promotion)| promotion)
                        .collect(),
                    add_ins: body.add_ins,
                    remembered: material.remembered(&body.remembered)?,
                };
                let mut client = Client {
                    owner: body.owner,
                    details: body.details,
                    availability: body.availability,
                    registered_at: body.registered_at,
                    changed_at: body.changed_at,
                    revision,
                    secrets: held.into_boxed_slice(),
                    prefix: VerifierPrefix::of(&id),
                    extras: extras.boxed(),
                    last_secret: body.last_secret,
                    steps: body.steps,
                    head: body.last_event,
                    foreseen: Foreseen::NOTHING,
                    id,
                };
                client.foreseen = client.foresee();
                Self::Active(client)
            }
            Body::Deleted(DeletedBody { owner, changed_at, remembered, last_event }) => {
                let remembered = material.remembered(&remembered)?;
                Self::Deleted(Tombstone::kept(id, owner, revision, changed_at, last_event, remembered))
            }
        };
        material.0.is_empty().then_some(state)
    }
}

/// A record of format 1 does not say when the end of a replaced secret was set: when its replacement was added, if that is here.
fn date_the_replaced(secrets: &mut [Held]) {
    let added: Vec<_> = secrets.iter().map(|held| (held.secret.id, held.secret.added_at)).collect();
    for Held { secret, .. } in secrets {
        if let Some(by) = secret.replaced_by.filter(|_| secret.end_set_at.is_none()) {
            secret.end_set_at = added.iter().find(|(id, _)| *id == by).map(|(_, at)| *at);
        }
    }
}

fn bodies(remembered: &[Remembered]) -> Vec<RememberedBody> {
    let bodies = remembered.iter().map(Remembered::secret_and_revocation);
    bodies.map(|(secret, revocation)| RememberedBody { secret, revocation }).collect()
}

fn write_remembered(remembered: &[Remembered], material: &mut Vec<u8>) {
    for one in remembered {
        material.extend_from_slice(&*one.verifier.to_bytes());
    }
}

/// Returns all places in the material where a verifier may lie: each where one does, and perhaps others. The body alone tells where
/// the secrets end and the remembered verifiers begin. So the former are looked for from the beginning, as far as they can go, and the
/// latter from the end.
pub(super) fn possible_verifiers(material: &[u8]) -> Vec<&[u8; VERIFIER]> {
    let mut of_secrets = Material(material);
    let held = std::iter::from_fn(|| {
        let verifier = of_secrets.take()?;
        if of_secrets.mac_key().is_none() {
            of_secrets = Material(&[]);
        }
        Some(verifier)
    });
    held.chain(material.as_rchunks().1).collect()
}

/// The material that has not been read yet.
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

    /// Reads the MAC key, if the material says that there is one.
    fn mac_key(&mut self) -> Option<Option<MacKey>> {
        match self.take()? {
            [0] => Some(None),
            [1] => Some(Some(MacKey::from_bytes(self.take()?))),
            _ => None,
        }
    }

    fn remembered(&mut self, bodies: &[RememberedBody]) -> Option<Vec<Remembered>> {
        // Counted first, so that the vector has its final size from the start.
        let (verifiers, rest) = self.0.split_at_checked(bodies.len() * VERIFIER)?;
        self.0 = rest;
        let (verifiers, _) = verifiers.as_chunks();
        let both = bodies.iter().zip(verifiers);
        Some(gathered(both.map(|(RememberedBody { secret, revocation }, verifier)| Remembered {
            secret: *secret,
            revocation: *revocation,
            verifier: Verifier::from_bytes(verifier),
        })))
    }
}

const VERIFIER: usize = 32;
const MAC_KEY: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::client::{CommandContext, NewSecret, Refusal};
    use crate::entropy::SystemEntropy;
    use crate::secret::ClientSecret;
    use crate::value::{Actor, Availability, ClientDetails, Lifetime, Policy, SellerId};

    proptest! {
        /// The search for leaks must not miss one, wherever the secrets end and the remembered begin (rule 23).
        #[test]
        fn rule_23_every_verifier_of_a_material_is_looked_at(
            secrets in prop::collection::vec((any::<[u8; VERIFIER]>(), prop::option::of(any::<[u8; 32]>())), 0..6),
            remembered in prop::collection::vec(any::<[u8; VERIFIER]>(), 0..6),
        ) {
            let mut material = Vec::new();
            for (verifier, key) in &secrets {
                material.extend(verifier);
                match key {
                    Some(half) => material.extend([&[1][..], half, half].concat()),
                    None => material.push(0),
                }
            }
            material.extend(remembered.concat());
            let found = possible_verifiers(&material);
            for verifier in secrets.iter().map(|(verifier, _)| verifier).chain(&remembered) {
                prop_assert!(found.contains(&verifier));
            }
            prop_assert!(found.len() <= 2 * (material.len() / VERIFIER));
        }
    }

    /// A record of an older version may lack the MAC key of a secret that is valid now: the refusal says that, not that the
    /// secret is invalid.
    #[test]
    fn rule_19_a_secret_without_its_key_is_refused_as_such() {
        let owner = SellerId::parse("contoso").unwrap();
        let (actor, policy) = (Actor::Seller(owner.clone()), Policy::default());
        let now = "2026-03-01T09:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap().into();
        let context = CommandContext { actor: &actor, policy: &policy, now };
        let details =
            ClientDetails::new("calendar app", "app.contoso.com", "https://app.contoso.com/done").unwrap();
        let client_secret = ClientSecret::generate(&policy, &SystemEntropy).unwrap();
        let new = NewSecret::lasting(Lifetime::OneYear);
        let id = ClientId::from_random([7; 16]);
        let registered = Client::register(
            id.clone(),
            owner,
            details,
            Availability::Worldwide,
            &new,
            &client_secret,
            &context,
        );
        let (state, _) = registered.unwrap().change().unwrap().into_parts();
        let client = state.active().unwrap();
        let secret = client.secrets().next().unwrap().id();
        assert!(client.promote(secret, &context).is_ok());

        // A vector that grows leaves a copy behind (rule 8).
        assert_eq!(client.material().capacity(), client.material().len());
        let mut material = client.material()[..VERIFIER].to_vec();
        material.push(0);
        let kept = ClientState::from_kept(id, client.revision(), client.to_body(), &material).unwrap();
        let kept = kept.active().unwrap();
        assert_eq!(kept.valid_at(now).count(), 1);
        assert_eq!(kept.signing_at(now).secret(), None);
        let refusal = Refusal::KeyDropped { secret };
        assert_eq!(kept.promote(secret, &context).unwrap_err(), refusal);
        let later = now.saturating_add(std::time::Duration::from_secs(60));
        assert_eq!(kept.schedule_promotion(secret, later, &context).unwrap_err(), refusal);
        let end = client.secret(secret).unwrap().validity().until().unwrap();
        let not_then = Refusal::NotValidThen { at: end };
        assert_eq!(kept.schedule_promotion(secret, end, &context).unwrap_err(), not_then);
    }
}
