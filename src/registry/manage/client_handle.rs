//! One client ID, as one actor may manage it.

use std::fmt::{
    Debug, {self},
};

use tracing::Instrument;

use crate::client::{
    Client, ClientDeletion, CommandContext, Decision, ImportedSecret, LastUses, NewSecret, Plan, Planned,
    Refusal, Replacement, Rotation, SecretDeletion, SecretDisabling,
};
use crate::event::{Event, EventHash};
use crate::record::Opened;
use crate::registry::manage::command::{Applied, Effort, hand_over, hand_over_one};
use crate::registry::manage::trace;
use crate::registry::manage::trace::Operation;
use crate::registry::manage::view::View;
use crate::registry::{ConfirmError, Error, Outcome, Snapshot};
use crate::review::Finding;
use crate::secret::{ClientSecret, Issued, Secret, Verifier};
use crate::store::{MemoryStore, Store};
use crate::store_error::tampered;
use crate::value::{AddIn, AddInId, ClientDetails, ClientId, Revision, SecretId, Timestamp};

/// A client ID in the hands of an actor. Holding one says nothing about whether the client exists: every call looks.
///
/// All calls answer [`Refusal::UnknownClient`] for a client ID that the actor may not see (rule 15), and
/// [`Error::Unavailable`] when the store does not answer. See [`Outcome`] for what happens
/// when a command is given twice.
///
/// # Callers that go away
///
/// A server drops the future of a handler when the browser closes the connection or a timeout is over, and the command with it.
/// A command that is dropped is carried out wholly or not at all (rule 16), and nobody is told which. Each command says below
/// what it leaves behind, and how that is found and undone; for most of them it is enough to give the command again. Only a
/// client secret cannot be had again: it was in the future that was dropped.
///
/// A command that should not be dropped is given to a task of the runtime, which goes on when the handler does not. What was
/// issued is delivered, or kept for the caller, inside that task:
///
/// ```
/// # use client_registry::*;
/// # async fn keep_for_the_seller(_: Issued) {}
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let registry = Registry::in_memory();
/// # let contoso = registry.as_seller("contoso")?;
/// # let details = ClientDetails::new("calendar app", "app.contoso.com", "https://app.contoso.com/done")?;
/// # let issued = contoso.register(details, Lifetime::OneYear).await?;
/// let calendar = contoso.client(issued.client_id());
/// let rotating = tokio::spawn(async move {
///     let next = calendar.rotate(Rotation::overlap(Days::new(30))).await?;
///     keep_for_the_seller(next).await;
///     Ok::<(), Error>(())
/// });
/// rotating.await??; // dropping this does not stop the task
/// # Ok(())
/// # }
/// ```
pub struct ClientHandle<S = MemoryStore> {
    view: View<S>,
    client_id: ClientId,
}

/// What an emergency deletion came to.
#[derive(Debug)]
#[must_use = "it owns the client secret of the replacement"]
#[non_exhaustive]
pub enum EmergencyDeletion {
    /// The secret is deleted and marked compromised. No replacement was asked for.
    Deleted {
        /// The valid secrets that are left. With none, the add-in is cut off until it has another one; the log says so too.
        valid_left: Vec<SecretId>,
    },
    /// The secret is deleted and marked compromised, and this one was issued in the same commit.
    Replaced(Issued),
    /// The secret is deleted and marked compromised, and there is no replacement.
    NotReplaced {
        /// Why not.
        why: Error,
        /// The valid secrets that are left, as above.
        valid_left: Vec<SecretId>,
    },
}

/// What an emergency deletion came to, as the core and the registry see it.
struct Emergency {
    replacement: Replacement,
    valid_left: Vec<SecretId>,
}

impl<S: Store> ClientHandle<S> {
    pub(in crate::registry) fn new(view: View<S>, client_id: ClientId) -> Self {
        Self { view, client_id }
    }

    /// The client ID.
    #[must_use]
    pub fn id(&self) -> &ClientId {
        &self.client_id
    }

    /// The client as it is now, with the last uses of its secrets.
    ///
    /// # Errors
    /// [`Refusal::UnknownClient`], [`Refusal::ClientDeleted`]
    pub async fn snapshot(&self) -> Result<Snapshot, Error> {
        let looked = async {
            let opened = self.view.load(&self.client_id).await?;
            self.view.look_at(&opened).await?.ok_or_else(|| Refusal::ClientDeleted.into())
        };
        looked.instrument(self.span("snapshot")).await
    }

    /// What its seller should know now: what does not work, what will stop working, what could be better; see
    /// [`Client::review`]. What matters most comes first.
    ///
    /// # Errors
    /// [`Refusal::UnknownClient`], [`Refusal::ClientDeleted`]
    pub async fn review(&self) -> Result<Vec<Finding>, Error> {
        let snapshot = self.snapshot().await?;
        Ok(snapshot.review(self.view.registry.policy()))
    }

    /// The client's trail after a revision: the events of at most `limit` commits (at most 1,000), also after its deletion
    /// (rule 16). Begin with [`Revision::ZERO`] and go on with the revision of the last event.
    ///
    /// # Errors
    /// [`Refusal::UnknownClient`]
    pub async fn trail(&self, after: Revision, limit: usize) -> Result<Vec<Event>, Error> {
        let limit = limit.clamp(1, MAX_COMMITS);
        let read = async {
            self.view.load(&self.client_id).await?;
            let commits = self.view.registry.history(&self.client_id, after, limit).await?;
            let texts = commits.iter().flat_map(|commit| &commit.events);
            let events: Vec<_> = texts.map(Event::parse).collect::<Result<_, _>>()?;
            match events.iter().all(|event| *event.client_id() == self.client_id) {
                true => Ok(events),
                false => Err(tampered("the trail of one client has events of another").into()),
            }
        };
        read.instrument(self.span("trail")).await
    }

    /// The hash of the client's latest event, as its record vouches for it; also after its deletion (rule 16).
    ///
    /// With it, whoever holds the trail can prove that nothing was left out, edited or added, without this crate: see
    /// [`check_trail`](crate::event::check_trail).
    ///
    /// # Errors
    /// [`Refusal::UnknownClient`]
    pub async fn head(&self) -> Result<EventHash, Error> {
        let looked = async { Ok(self.view.load(&self.client_id).await?.head()) };
        looked.instrument(self.span("head")).await
    }

    /// Changes the details.
    ///
    /// A call that is dropped leaves the old details or the new ones: give it again.
    ///
    /// # Errors
    /// [`Error::NameTaken`], or a [`Refusal`] as by [`Client::change_details`].
    pub async fn change_details(&self, details: ClientDetails) -> Result<Outcome, Error> {
        self.change("change_details", |client, context| client.change_details(details.clone(), context)).await
    }

    /// Adds a secret. The one that signs goes on signing (rule 6).
    ///
    /// A call that is dropped may leave a secret that nobody has. [`snapshot`](Self::snapshot) lists it, the last in the
    /// order of IDs and never used; [`plan_deletion`](Self::plan_deletion) and [`confirm`](Self::confirm) remove it.
    ///
    /// # Errors
    /// A [`Refusal`] as by [`Client::add_secret`].
    pub async fn add_secret(&self, new: NewSecret) -> Result<Issued, Error> {
        let client_secret = self.view.registry.new_client_secret()?;
        let result = self
            .apply("add_secret", |client, context| client.add_secret(&new, &client_secret, context))
            .await;
        hand_over_one(result, client_secret)
    }

    /// Imports a secret that was made elsewhere (rule 18), and answers which one it is here.
    ///
    /// A call that is dropped may have imported the secret: given again, it answers which one it is.
    ///
    /// # Errors
    /// A [`Refusal`] as by [`Client::import_secret`].
    pub async fn import_secret(&self, secret: ImportedSecret) -> Result<SecretId, Error> {
        let applied =
            self.apply("import_secret", |client, context| client.import_secret(&secret, context)).await?;
        let verifier = Verifier::of(&self.client_id, secret.client_secret());
        let found = applied.opened.client()?.holder_of(&verifier)?.map(Secret::id);
        // The core has imported it, found it, or refused.
        found.ok_or_else(|| Refusal::EndedLongAgo.into())
    }

    /// Rotates: issues a secret and lets the ones it replaces end after the overlap (rule 11).
    ///
    /// A call that is dropped may leave a rotation under way with a new secret that nobody has, and that signs in the end.
    /// Given again, it is then refused with [`Refusal::RotationUnderway`], which names the new secret and says that it was
    /// never used; a [`review`](Self::review) warns of it too ([`Finding::NeverUsed`]). Delete that secret
    /// ([`plan_deletion`](Self::plan_deletion), [`confirm`](Self::confirm)) and rotate again. What was replaced still ends
    /// after the overlap of the first rotation at the latest.
    ///
    /// # Errors
    /// A [`Refusal`] as by [`Client::rotate`].
    pub async fn rotate(&self, rotation: Rotation) -> Result<Issued, Error> {
        // Of another seller's client nobody learns so much as that it has uses (rule 15).
        self.view.load(&self.client_id).await?;
        let uses = self.last_uses().await?;
        let client_secret = self.view.registry.new_client_secret()?;
        let decide = |client: &Client, context: &CommandContext<'_>| {
            client.rotate(&rotation, &client_secret, &uses, context)
        };
        let result = self.apply("rotate", decide).await;
        hand_over_one(result, client_secret)
    }

    /// Lets a secret sign from now on (rule 7).
    ///
    /// A call that is dropped may have promoted the secret: give it again, or promote the one that signed before.
    ///
    /// # Errors
    /// A [`Refusal`] as by [`Client::promote`].
    pub async fn promote(&self, secret: SecretId) -> Result<Outcome, Error> {
        self.change(Operation::about("promote", secret), |client, context| client.promote(secret, context))
            .await
    }

    /// Lets a secret sign from an instant on (rule 7).
    ///
    /// A call that is dropped may have scheduled the promotion: give it again, or [withdraw it](Self::withdraw_promotion).
    ///
    /// # Errors
    /// A [`Refusal`] as by [`Client::schedule_promotion`].
    pub async fn schedule_promotion(
        &self,
        secret: SecretId,
        at: impl Into<Timestamp>,
    ) -> Result<Outcome, Error> {
        let at = at.into();
        self.change(Operation::about("schedule_promotion", secret), |client, context| {
            client.schedule_promotion(secret, at, context)
        })
        .await
    }

    /// Takes back the scheduled promotion of a secret (rule 7).
    ///
    /// A call that is dropped may have withdrawn the promotion: given again, it is then refused with
    /// [`Refusal::NothingScheduled`]. [Scheduling](Self::schedule_promotion) it again undoes it.
    ///
    /// # Errors
    /// A [`Refusal`] as by [`Client::withdraw_promotion`].
    pub async fn withdraw_promotion(&self, secret: SecretId) -> Result<Outcome, Error> {
        self.change(Operation::about("withdraw_promotion", secret), |client, context| {
            client.withdraw_promotion(secret, context)
        })
        .await
    }

    /// Switches a disabled secret on again (rule 12).
    ///
    /// A call that is dropped may have enabled the secret: give it again, or [disable](Self::plan_disabling) it.
    ///
    /// # Errors
    /// [`Refusal::UnknownSecret`]
    pub async fn enable(&self, secret: SecretId) -> Result<Outcome, Error> {
        self.change(Operation::about("enable", secret), |client, context| client.enable(secret, context))
            .await
    }

    /// What disabling a secret would do (rule 12). Carried out by [`confirm`](Self::confirm).
    ///
    /// A call that is dropped leaves nothing behind: a plan changes nothing.
    ///
    /// # Errors
    /// [`Refusal::UnknownSecret`]
    pub async fn plan_disabling(&self, secret: SecretId) -> Result<Plan<SecretDisabling>, Error> {
        self.plan(Operation::about("plan_disabling", secret), |client, uses, context| {
            client.plan_disabling(secret, uses, context)
        })
        .await
    }

    /// What deleting a secret would do (rule 9). Carried out by [`confirm`](Self::confirm).
    ///
    /// Knows every use on this node, and every use on a node that follows the feed that is more than a minute old; see
    /// [`Registry::flush_last_uses`](crate::Registry::flush_last_uses) for other nodes.
    ///
    /// A call that is dropped leaves nothing behind: a plan changes nothing.
    ///
    /// # Errors
    /// [`Refusal::UnknownSecret`]
    pub async fn plan_deletion(&self, secret: SecretId) -> Result<Plan<SecretDeletion>, Error> {
        self.plan(Operation::about("plan_deletion", secret), |client, uses, context| {
            client.plan_deletion(secret, uses, context)
        })
        .await
    }

    /// What deleting the client ID would do (rule 13). Carried out by [`confirm`](Self::confirm).
    ///
    /// A call that is dropped leaves nothing behind: a plan changes nothing.
    ///
    /// # Errors
    /// [`Refusal::UnknownClient`], [`Refusal::ClientDeleted`]
    pub async fn plan_client_deletion(&self) -> Result<Plan<ClientDeletion>, Error> {
        self.plan("plan_client_deletion", |client, uses, context| client.plan_client_deletion(uses, context))
            .await
    }

    /// Carries out a plan, if what it says still holds and nothing stands in its way.
    ///
    /// A call that is dropped may have carried out the plan. Given again, a deletion is then refused with
    /// [`Refusal::UnknownSecret`], that of the client ID with [`Refusal::ClientDeleted`], and a disabling answers
    /// [`ConfirmError::Changed`]; nothing is done twice. A disabling is undone by [`enable`](Self::enable), a deletion by
    /// nothing.
    ///
    /// # Errors
    /// [`ConfirmError::Obstructed`] and [`ConfirmError::Changed`] hold the plan as it would be made now.
    pub async fn confirm<C>(&self, plan: Plan<C>) -> Result<Outcome, ConfirmError<C>>
    where
        C: Planned,
    {
        self.view.load(&self.client_id).await.map_err(ConfirmError::from)?;
        let uses = self.last_uses().await?;
        let applied = self
            .view
            .change(
                Operation::about("confirm", plan.consequences.secret_id()),
                &self.client_id,
                |client, context| {
                    let transition = client.confirm(&plan, &uses, context);
                    Ok((transition.map_err(|error| error.map_failed(Error::from))?, ()))
                },
            )
            .await;
        applied.map(|applied| applied.outcome)
    }

    /// Deletes a secret at once and marks it compromised (rules 9 and 10): no plan, no obstacle. Can issue the
    /// replacement in the same commit. One that the policy refuses does not stop the deletion: look for
    /// [`EmergencyDeletion::NotReplaced`]. Where no valid secret is left, the answer and the log say so: the add-in is cut off.
    ///
    /// While others change the client it is tried again for ten seconds, and a store that lets commits wait makes it first.
    ///
    /// A call that is dropped may have deleted the secret, and issued a replacement that nobody has. Give it again without a
    /// replacement: that marks the secret compromised if it is not yet, and changes nothing otherwise.
    /// [`snapshot`](Self::snapshot) lists a replacement that was issued, the last in the order of IDs and never used: delete
    /// it as after [`add_secret`](Self::add_secret).
    ///
    /// # Errors
    /// [`Refusal::UnknownSecret`]. No rule stands against it otherwise; on a deleted client it marks the secret
    /// compromised. [`Error::Unavailable`] and [`Error::Unresolved`] when the store does not do it, never
    /// [`Error::Contention`].
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
            // What does not wait for a replacement does not fail for want of one either.
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
            (None, _) => EmergencyDeletion::Deleted { valid_left },
        })
    }

    /// Marks a secret compromised that was deleted before, also after the client's deletion (rule 10).
    ///
    /// A call that is dropped may have marked the secret: give it again.
    ///
    /// # Errors
    /// [`Refusal::NotDeleted`], [`Refusal::UnknownSecret`]
    pub async fn mark_compromised(&self, secret: SecretId) -> Result<Outcome, Error> {
        let applied = self
            .view
            .change_any(
                Operation::about("mark_compromised", secret),
                &self.client_id,
                Effort::Emergency,
                |opened, context| {
                    let transition = match opened {
                        Opened::Active(live) => live.client().mark_compromised(secret, context)?,
                        Opened::Deleted(tombstone) => tombstone.mark_compromised(secret, context)?,
                    };
                    Ok::<_, Error>((transition, ()))
                },
            )
            .await?;
        Ok(applied.outcome)
    }

    /// Associates an add-in with this client ID (rule 1).
    ///
    /// A call that is dropped may have associated the add-in: give it again, or [dissociate](Self::dissociate) it.
    ///
    /// # Errors
    /// [`Error::AddInTaken`], or a [`Refusal`] as by [`Client::associate`].
    pub async fn associate(&self, add_in: &AddIn) -> Result<Outcome, Error> {
        self.change("associate", |client, context| client.associate(add_in, context)).await
    }

    /// Ends the association of an add-in with this client ID.
    ///
    /// A call that is dropped may have ended the association: give it again, or [associate](Self::associate) the add-in.
    ///
    /// # Errors
    /// [`Refusal::UnknownClient`], [`Refusal::ClientDeleted`]
    pub async fn dissociate(&self, add_in: &AddInId) -> Result<Outcome, Error> {
        self.change("dissociate", |client, context| client.dissociate(add_in, context)).await
    }

    /// Moves an add-in from this client ID to another one of the same seller, in one commit: at no instant does it have
    /// none or two (rule 14).
    ///
    /// A call that is dropped leaves the add-in with the one client ID or with the other: give it again, or move it back.
    ///
    /// # Errors
    /// A [`Refusal`] as by [`Client::move_add_in`].
    pub async fn move_add_in(&self, add_in: &AddInId, to: &ClientId) -> Result<Outcome, Error> {
        self.view.move_add_in(&self.client_id, to, add_in).await
    }

    /// Deletes in an emergency. Where the record has no room for it, secrets that ended are forgotten, the longest-ended first.
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
        let decide = |opened: &Opened, context: &CommandContext<'_>| match opened {
            Opened::Active(live) => live.client().delete_and_forget(secret, replacement, forget, context),
            Opened::Deleted(tombstone) => {
                let transition = tombstone.delete_in_emergency(secret, context)?;
                let refused = replacement.map(|_| Replacement::Refused(Refusal::ClientDeleted));
                Ok((transition, refused.unwrap_or(Replacement::NotRequested)))
            }
        };
        let operation = Operation::about("delete_in_emergency", secret);
        let applied = self
            .view
            .change_any(operation, &self.client_id, Effort::Emergency, |opened, context| {
                Ok::<_, Error>(decide(opened, context)?)
            })
            .await?;
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
        let Applied { outcome, opened, added, extra: replacement } = applied;
        Ok(Applied { outcome, opened, added, extra: Emergency { replacement, valid_left } })
    }

    /// The same where a replacement was asked for and cannot be issued.
    async fn emergency_without(&self, secret: SecretId, why: Error) -> Result<EmergencyDeletion, Error> {
        let valid_left = self.emergency(secret, None).await?.extra.valid_left;
        Ok(EmergencyDeletion::NotReplaced { why, valid_left })
    }

    async fn change(
        &self,
        command: impl Into<Operation>,
        decide: impl Fn(&Client, &CommandContext<'_>) -> Result<Decision, Refusal> + Send + Sync,
    ) -> Result<Outcome, Error> {
        self.apply(command, decide).await.map(|applied| applied.outcome)
    }

    async fn apply(
        &self,
        command: impl Into<Operation>,
        decide: impl Fn(&Client, &CommandContext<'_>) -> Result<Decision, Refusal> + Send + Sync,
    ) -> Result<Applied<()>, Error> {
        let decide = |client: &Client, context: &CommandContext<'_>| Ok((decide(client, context)?, ()));
        self.view.change(command, &self.client_id, decide).await
    }

    async fn plan<C>(
        &self,
        command: impl Into<Operation>,
        plan: impl Fn(&Client, &LastUses, &CommandContext<'_>) -> Result<Plan<C>, Refusal> + Send + Sync,
    ) -> Result<Plan<C>, Error> {
        let planned = async {
            let opened = self.view.load(&self.client_id).await?;
            let uses = self.last_uses().await?;
            Ok(plan(opened.client()?, &uses, &self.view.context(&opened))?)
        };
        planned.instrument(self.span(command)).await
    }

    fn span(&self, operation: impl Into<Operation>) -> tracing::Span {
        trace::span(operation, &self.view.actor, Some(&self.client_id))
    }

    async fn last_uses(&self) -> Result<LastUses, Error> {
        let inner = &self.view.registry.inner;
        // So that a plan that is confirmed on another node is judged by the same uses. Those that cannot be written are kept,
        // and count here all the same.
        let _ = inner.uses.flush_of(&inner.store, &self.client_id, &*inner.clock).await;
        Ok(inner.uses.of(&inner.store, &self.client_id, &*inner.clock).await?)
    }
}

impl<S: Store> Debug for ClientHandle<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientHandle")
            .field("actor", &self.view.actor)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// The most commits of a trail that are read at once.
const MAX_COMMITS: usize = 1000;
