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
        /// The valid secrets that are left. If there are none, the add-in cannot authenticate until it receives another secret,
        /// and a warning is logged.
        valid_left: Vec<SecretId>,
    },
    /// The replacement was issued in the same commit.
    Replaced(Issued),
    /// A replacement was asked for, but not issued. The secret is deleted all the same: add another one with
    /// [`ClientHandle::add_secret`].
    NotReplaced {
        /// The reason why no replacement was issued.
        why: Error,
        /// The valid secrets that are left. If there are none, the add-in cannot authenticate until it receives another secret.
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
    /// Deletes a secret at once and marks it compromised, without a plan and whatever obstacles there are (rules 9 and 10). It
    /// can issue the replacement in the same commit. If the replacement cannot be issued, the secret is deleted all the same,
    /// and the answer is [`EmergencyDeletion::NotReplaced`].
    ///
    /// If no valid secret is left, the add-in cannot authenticate any longer: the answer says so, and a warning is logged.
    ///
    /// If other callers change the client at the same moment, the deletion is tried again for up to ten seconds. A store that
    /// queues commits puts this one first.
    ///
    /// A dropped call may have deleted the secret, and may have issued a replacement whose client secret nobody has. Give it
    /// again without a replacement: if the secret is deleted already, that changes nothing. A replacement that was issued is
    /// the last secret that [`snapshot`](Self::snapshot) lists, and was never used: remove it with
    /// [`plan_deletion`](Self::plan_deletion) and [`confirm`](Self::confirm).
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
    ///   not see it. No other rule refuses an emergency deletion. On a deleted client it marks the secret compromised.
    /// - [`Error::Unavailable`]: the store did not answer, or what it holds cannot be used. Nothing was written.
    /// - [`Error::KeyRetired`]: the primary key of this node's keyring was retired. Nothing was written: give the command on
    ///   another node.
    /// - [`Error::Unresolved`]: the store did not say whether the secret was deleted: [resolve](crate::Registry::resolve) it.
    ///
    /// It never answers [`Error::Contention`].
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

    /// Marks a deleted secret as compromised, so that presenting it raises an alarm (rule 10). It works after the client's
    /// deletion, too.
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
    /// Besides the [errors of every call](Self#errors-of-every-call), but never [`Refusal::ClientDeleted`]:
    /// - [`Refusal::NotDeleted`]: the secret has not been deleted. [Delete it in an emergency](Self::delete_in_emergency),
    ///   which also marks it.
    /// - [`Refusal::UnknownSecret`]: the client never had the secret, or no longer remembers it.
    pub async fn mark_compromised(&self, secret: SecretId) -> Result<Outcome, Error> {
        let command = Command::new(&self.client_id, Operation::about("mark_compromised", secret));
        let decide = |opened: &Opened, _: &LastUses, context: &CommandContext<'_>| {
            let decision = match opened {
                Opened::Active(live) => live.mark_compromised(secret, context)?,
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
                Ok::<_, Error>(live.delete_and_forget(secret, replacement, forget, context)?)
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
                let at = self.view.registry.instant_of(live);
                live.valid_at(at).map(Secret::id).collect()
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
