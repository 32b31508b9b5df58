//! Rotation: a new secret is added, and the old ones end by themselves after an overlap (rule 11).
//!
//! One command does it all, so that no step can be forgotten. The overlap is what makes it safe: the add-in changes over while
//! both work.

use std::collections::BTreeSet;
use std::time::Duration;

use super::draft::{Addition, Draft};
use super::secrets::allowed_validity;
use super::{Client, CommandContext, Decision, LastUses, Promotion, Refusal};
use crate::secret::{ClientSecret, Origin, Purpose, Secret};
use crate::value::{Label, Lifetime, SecretId, Timestamp};

/// A rotation to be made: how long old and new secrets overlap, and options.
///
/// Unless configured otherwise, the new secret is valid for one year or as long as the policy allows, whichever is shorter. It
/// replaces all secrets of its purpose that have started and not ended, and signs once these have ended: by then the add-in
/// must know it anyway.
///
/// ```
/// # use client_registry::{Days, Lifetime, Rotation};
/// let usual = Rotation::overlap(Days::new(30));
/// let quick = Rotation::overlap(Days::new(2)).lasting(Lifetime::Days(Days::new(90))).signing_now();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    overlap: Duration,
    lifetime: Option<Lifetime>,
    label: Option<Label>,
    purpose: Purpose,
    replaces: Option<BTreeSet<SecretId>>,
    signs: Signs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signs {
    Now,
    At(Timestamp),
    WhenReplacedHaveEnded,
}

impl Rotation {
    /// Returns a rotation in which old and new secrets are both valid for this long: at least as long as the policy says
    /// ([`Policy::min_overlap`](crate::Policy::min_overlap)).
    #[must_use]
    pub fn overlap(overlap: impl Into<Duration>) -> Self {
        Self {
            overlap: overlap.into(),
            lifetime: None,
            label: None,
            purpose: Purpose::default(),
            replaces: None,
            signs: Signs::WhenReplacedHaveEnded,
        }
    }

    /// Sets the lifetime of the new secret.
    #[must_use]
    pub fn lasting(self, lifetime: Lifetime) -> Self {
        Self { lifetime: Some(lifetime), ..self }
    }

    /// Sets the label of the new secret.
    #[must_use]
    pub fn labelled(self, label: Label) -> Self {
        Self { label: Some(label), ..self }
    }

    /// Sets the purpose of the new secret, and of those that it replaces.
    #[must_use]
    pub fn for_purpose(self, purpose: Purpose) -> Self {
        Self { purpose, ..self }
    }

    /// Replaces only these secrets.
    #[must_use]
    pub fn replacing(self, secrets: impl IntoIterator<Item = SecretId>) -> Self {
        Self { replaces: Some(secrets.into_iter().collect()), ..self }
    }

    /// Lets the new secret sign from now on. Only for an add-in that already verifies with it.
    #[must_use]
    pub fn signing_now(self) -> Self {
        Self { signs: Signs::Now, ..self }
    }

    /// Lets the new secret sign from this instant on, which must lie within the overlap.
    #[must_use]
    pub fn signing_at(self, at: impl Into<Timestamp>) -> Self {
        Self { signs: Signs::At(at.into()), ..self }
    }
}

impl Client {
    /// Rotates (rule 11): adds a secret, and ends the secrets that it replaces after the overlap.
    ///
    /// A rotation whose new secret was deleted is not under way any longer: rotating again replaces the old secrets again. The
    /// last uses serve only the refusal, which says whether the new secret was ever used.
    ///
    /// # Errors
    /// A [`Refusal`] if an earlier rotation of that purpose is still under way, if a named secret cannot be replaced, if the
    /// new one cannot begin to sign as asked, if the client would have too many secrets, or if the policy does not allow the
    /// lifetime.
    pub fn rotate(
        &self,
        rotation: &Rotation,
        client_secret: &ClientSecret,
        uses: &LastUses,
        context: &CommandContext<'_>,
    ) -> Result<Decision, Refusal> {
        let now = self.admit(context)?;
        self.refuse_while_rotating(rotation.purpose, uses, now)?;
        let shortest = context.policy.min_overlap().max(Duration::from_millis(1));
        if rotation.overlap < shortest {
            return Err(Refusal::OverlapTooShort { shortest });
        }
        let overlap_ends = now.checked_add(rotation.overlap).ok_or(Refusal::OverlapTooLong)?;
        let replaced = self.replaced_by(rotation, now)?;
        let validity = match rotation.lifetime {
            Some(lifetime) => allowed_validity(lifetime, now, context.policy)?,
            None => allowed_validity(Lifetime::OneYear, now, context.policy)
                .or_else(|_| allowed_validity(context.policy.longest_lifetime(), now, context.policy))?,
        };
        let signs_at = rotation.signs_at(&replaced, now, overlap_ends)?;
        if let Some(at) = signs_at
            && !validity.runs(at)
        {
            return Err(Refusal::NotValidThen { at });
        }
        self.make_room(1, context.policy, now)?;
        if !client_secret.is_generated() {
            return Err(Refusal::NotGenerated);
        }

        let replaced: Vec<_> = replaced.iter().map(|secret| secret.id()).collect();
        let mut draft = Draft::of(self, context, now);
        let by = draft.add(Addition {
            client_secret,
            label: rotation.label.clone(),
            purpose: rotation.purpose,
            validity,
            origin: Origin::Generated,
        })?;
        for secret in replaced {
            draft.replace(secret, by, overlap_ends);
        }
        if let Some(at) = signs_at {
            draft.put_promotion(Promotion {
                follows: rotation.signs == Signs::WhenReplacedHaveEnded,
                ..draft.promotion(by, at)
            });
        }
        Ok(draft.into())
    }

    fn refuse_while_rotating(
        &self,
        purpose: Purpose,
        uses: &LastUses,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let underway = self.secrets().find_map(|secret| {
            let runs = secret.purpose() == purpose && secret.validity().runs(now);
            let by = self.replacement_of(secret).filter(|_| runs)?;
            let (until, last_used) = (secret.validity().until()?, uses.of(by));
            Some(Refusal::RotationUnderway { secret: secret.id(), until, by, last_used })
        });
        underway.map_or(Ok(()), Err)
    }

    /// Returns the secret that a rotation replaced this one with, unless that was deleted or forgotten.
    pub(crate) fn replacement_of(&self, secret: &Secret) -> Option<SecretId> {
        secret.replaced_by().filter(|by| self.secret(*by).is_some())
    }

    /// Returns the secrets that the rotation replaces: those of its purpose that have started and not ended, or those that it
    /// names.
    fn replaced_by(&self, rotation: &Rotation, now: Timestamp) -> Result<Vec<&Secret>, Refusal> {
        let replaceable =
            |secret: &&Secret| secret.purpose() == rotation.purpose && secret.validity().runs(now);
        match &rotation.replaces {
            None => Ok(self.secrets().filter(replaceable).collect()),
            Some(named) if named.is_empty() => Err(Refusal::NothingToReplace),
            Some(named) => named
                .iter()
                .map(|&id| {
                    let secret = self.known(id)?;
                    Some(secret).filter(replaceable).ok_or(Refusal::CannotReplace { secret: id })
                })
                .collect(),
        }
    }
}

impl Rotation {
    /// Returns when the new secret begins to sign, if its purpose signs.
    fn signs_at(
        &self,
        replaced: &[&Secret],
        now: Timestamp,
        overlap_ends: Timestamp,
    ) -> Result<Option<Timestamp>, Refusal> {
        let last_end = || {
            let ends = replaced.iter().map(|secret| secret.validity().ending_by(overlap_ends).until());
            ends.flatten().fold(now, Timestamp::max)
        };
        match (self.purpose, self.signs) {
            (Purpose::PasswordOnly, Signs::WhenReplacedHaveEnded) => Ok(None),
            (Purpose::PasswordOnly, Signs::Now | Signs::At(_)) => Err(Refusal::CannotSign),
            (Purpose::SigningAndPassword, Signs::Now) => Ok(Some(now)),
            (Purpose::SigningAndPassword, Signs::At(at)) if at < now || overlap_ends < at => {
                Err(Refusal::OutsideOverlap { at, now, overlap_ends })
            }
            (Purpose::SigningAndPassword, Signs::At(at)) => Ok(Some(at)),
            (Purpose::SigningAndPassword, Signs::WhenReplacedHaveEnded) => Ok(Some(last_end())),
        }
    }
}
