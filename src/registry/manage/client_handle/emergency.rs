//! Deleting at once a secret that is in the wrong hands, and marking deleted ones compromised (rules 9 and 10).
//!
//! Nothing stands in the way of an emergency: no obstacle, no full record, no lack of a replacement, no clock. Keep it so.

use crate::client::{CommandContext, LastUses, NewSecret, Refusal, Replacement};
use crate::record::Opened;
use crate::registry::manage::applied::{Applied, hand_over};
use crate::registry::manage::command::Command;
use crate::registry::manage::trace::{self, Operation};
use crate::registry::{ClientHandle, Error, Outcome};
use crate::secret::{ClientSecret, Issued, Secret};
use crate::store::Store;
use crate::value::SecretId;

/// The result of an emergency deletion. In all cases the secret is deleted and marked compromised.
#[derive(Debug)]
#[must_use = "it owns the client secret of the replacement"]
#[non_exhaustive]
pub enum EmergencyDeletion {
    /// No replacement was asked for.
    Deleted {
        /// The valid secrets that are left. With none, the add-in is cut off until it gets another one; the log says so too.
        valid_left: Vec<SecretId>,
    },
    /// The replacement was issued in the same commit.
    Replaced(Issued),
    /// No replacement was issued, though one was asked for.
    NotReplaced {
        /// The reason.
        why: Error,
        /// The valid secrets that are left, as above.
        valid_left: Vec<SecretId>,
    },
}

/// What the core decided about the replacement, and what is left.
struct Emergency {
    replacement: Replacement,
    valid_left: Vec<SecretId>,
}

/// # Emergencies
impl<S: Store> ClientHandle<S> {
    /// Deletes a secret at once and marks it compromised (rules 9 and 10): no plan, no obstacle. It can issue the replacement
    /// in the same commit. A replacement that the policy refuses does not stop the deletion: look for
    /// [`EmergencyDeletion::NotReplaced`]. Where no valid secret is left, the answer and the log say so: the add-in is cut off.
    ///
    /// While others change the client it is tried again for ten seconds, and a store that lets commits wait makes it first.
    ///
    /// A dropped call may have deleted the secret, and issued a replacement whose client secret nobody has. Give it again
    /// without a replacement: that marks the secret compromised if it is not yet, and changes nothing otherwise.
    /// [`snapshot`](Self::snapshot) lists a replacement that was issued, the last in the order of IDs and never used: delete it
    /// as after [`add_secret`](Self::add_secret).
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// # let calendar = contoso.client(issued.client_id());
    /// let new = NewSecret::lasting(Lifetime::OneYear);
    /// match calendar.delete_in_emergency(issued.secret_id(), Some(new)).await? {
    ///     EmergencyDeletion::Replaced(next) => println!("deploy {}", next.client_secret().expose()),
    ///     other => println!("deleted without a replacement: {other:?}"),
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// - [`Refusal::UnknownClient`], [`Refusal::UnknownSecret`]: the client ID or the secret does not exist, or the actor may
    ///   not see it. No other rule stands against an emergency; on a deleted client it marks the secret compromised.
    /// - [`Error::Unavailable`], [`Error::KeyRetired`]: nothing was written.
    /// - [`Error::Unresolved`]: the store did not say whether it was.
    ///
    /// Never [`Error::Contention`].
    pub async fn delete_in_emergency(
        &self,
        secret: SecretId,
        replacement: Option<NewSecret>,
    ) -> Result<EmergencyDeletion, Error> {
        let Some(new) = replacement else {
            let valid_left = self.emergency(secret, None).await?.extra.valid_left;
            return Ok(EmergencyDeletion::Deleted { valid_left });
        };
        let client_secret = match self.view.registry.new_client_secret() {
            Ok(client_secret) => client_secret,
            // A deletion that does not wait for a replacement does not fail for want of one either.
            Err(error) => return self.emergency_without(secret, error.into()).await,
        };
        let result = self.emergency(secret, Some((&new, &client_secret))).await;
        // Nor for want of room.
        if let Err(Error::TooLarge) = result {
            return self.emergency_without(secret, Error::TooLarge).await;
        }
        let (issued, Emergency { replacement, valid_left }) = hand_over(result, client_secret)?;
        Ok(match (issued, replacement) {
            (Some(issued), _) => EmergencyDeletion::Replaced(issued),
            (None, Replacement::Refused(refusal)) => {
                EmergencyDeletion::NotReplaced { why: refusal.into(), valid_left }
            }
            (None, Replacement::Added(_) | Replacement::NotRequested) => {
                unreachable!("the core has added the replacement that was asked for, or refused it")
            }
        })
    }

    /// Marks a deleted secret compromised, also after the client's deletion (rule 10).
    ///
    /// A dropped call may have marked the secret: give it again.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// # let calendar = contoso.client(issued.client_id());
    /// # let _ = calendar.add_secret(NewSecret::lasting(Lifetime::OneYear)).await?;
    /// let plan = calendar.plan_deletion(issued.secret_id()).await?;
    /// calendar.confirm(plan).await?;
    /// calendar.mark_compromised(issued.secret_id()).await?; // it was found on a stranger's machine
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Besides the [errors of every call](Self#errors-of-every-call): [`Refusal::NotDeleted`] when the secret is still there:
    /// [delete it in an emergency](Self::delete_in_emergency); [`Refusal::UnknownSecret`] when the client never had it or no
    /// longer remembers it. Never [`Refusal::ClientDeleted`].
    pub async fn mark_compromised(&self, secret: SecretId) -> Result<Outcome, Error> {
        let command = Command::new(&self.client_id, Operation::about("mark_compromised", secret));
        let decide = |opened: &Opened, _: &LastUses, context: &CommandContext<'_>| {
            let decision = match opened {
                Opened::Active(live) => live.client().mark_compromised(secret, context)?,
                Opened::Deleted(tombstone) => tombstone.mark_compromised(secret, context)?,
            };
            Ok::<_, Error>((decision, ()))
        };
        self.view.carry_out(command.in_emergency(), decide).await.map(|applied| applied.outcome)
    }

    /// Deletes in an emergency. Where the record has no room for it, ended secrets are forgotten, the longest-ended first.
    async fn emergency(
        &self,
        secret: SecretId,
        replacement: Option<(&NewSecret, &ClientSecret)>,
    ) -> Result<Applied<Emergency>, Error> {
        let mut done = self.emergency_forgetting(secret, replacement, 0).await;
        if let Err(Error::TooLarge) = done {
            let opened = self.view.load(&self.client_id).await?;
            let ended = opened.client().map_or(0, |client| {
                let at = self.view.registry.instant_of(client);
                client.secrets().filter(|secret| secret.validity().has_ended(at)).count()
            });
            for forget in 1..=ended {
                done = self.emergency_forgetting(secret, replacement, forget).await;
                if !matches!(done, Err(Error::TooLarge)) {
                    break;
                }
            }
        }
        done
    }

    async fn emergency_forgetting(
        &self,
        secret: SecretId,
        replacement: Option<(&NewSecret, &ClientSecret)>,
        forget: usize,
    ) -> Result<Applied<Emergency>, Error> {
        let command = Command::new(&self.client_id, Operation::about("delete_in_emergency", secret));
        let decide = |opened: &Opened, _: &LastUses, context: &CommandContext<'_>| match opened {
            Opened::Active(live) => {
                Ok::<_, Error>(live.client().delete_and_forget(secret, replacement, forget, context)?)
            }
            Opened::Deleted(tombstone) => {
                let decision = tombstone.delete_in_emergency(secret, context)?;
                let refused = replacement.map(|_| Replacement::Refused(Refusal::ClientDeleted));
                Ok((decision, refused.unwrap_or(Replacement::NotRequested)))
            }
        };
        let applied = self.view.carry_out(command.in_emergency(), decide).await?;
        let valid_left: Vec<_> = match &applied.opened {
            Opened::Active(live) => {
                let at = self.view.registry.instant_of(live.client());
                live.client().valid_at(at).map(Secret::id).collect()
            }
            Opened::Deleted(_) => Vec::new(),
        };
        if valid_left.is_empty() {
            trace::nothing_left(&self.client_id, secret);
        }
        Ok(applied.map(|replacement| Emergency { replacement, valid_left }))
    }

    /// Deletes in an emergency where the replacement that was asked for cannot be issued.
    async fn emergency_without(&self, secret: SecretId, why: Error) -> Result<EmergencyDeletion, Error> {
        let valid_left = self.emergency(secret, None).await?.extra.valid_left;
        Ok(EmergencyDeletion::NotReplaced { why, valid_left })
    }
}
