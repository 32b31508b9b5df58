//! `ClientHandle`: one client ID, as one actor may manage it.
//!
//! The commands stand in families, one file each: queries, details, secrets, promotion, rotation, plans, emergencies,
//! add-ins. None of them decides a rule: each loads the client, asks the core and commits. Every command's docs say what a
//! dropped call leaves behind; a new command states that too. A client of another seller answers as if it did not exist
//! (rule 15), so nothing may be read of it before [`View::load`] has let the actor through.

mod add_ins;
mod attributes;
mod details;
mod emergency;
mod ends;
mod overlap;
mod plans;
mod promotion;
mod queries;
mod rotation;
mod secrets;
mod suspension;
mod transfer;

use std::fmt::{self, Display};

pub use self::emergency::EmergencyDeletion;
use crate::client::{Client, CommandContext, Decision, LastUses, Refusal};
use crate::record::Opened;
use crate::registry::manage::applied::Applied;
use crate::registry::manage::command::Command;
use crate::registry::manage::trace::{self, Operation};
use crate::registry::manage::view::View;
use crate::registry::{Error, Outcome};
use crate::store::{MemoryStore, Store};
use crate::value::{ClientId, Revision};

/// One client ID in the hands of an actor: looks at it and changes it.
///
/// [`Seller::client`](crate::Seller::client) and [`Operator::client`](crate::Operator::client) return one. A handle may be made
/// for a client ID that does not exist: every call looks the client up.
///
/// ```
/// # use client_registry::*;
/// # #[pollster::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let contoso = Registry::in_memory().as_seller("contoso")?;
/// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
/// let issued = contoso.register(details, Lifetime::OneYear).await?;
/// let calendar = contoso.client(issued.client_id());
/// let next = calendar.rotate(Rotation::overlap(Days::new(30))).await?;
/// assert_eq!(calendar.snapshot().await?.client().secrets().count(), 2);
/// # Ok(()) }
/// ```
///
/// # Errors of every call
///
/// | error | meaning |
/// | --- | --- |
/// | [`Refusal::UnknownClient`] | the client ID does not exist, or the actor may not see it (rule 15) |
/// | [`Refusal::ClientDeleted`] | the client ID was deleted; only its trail is left (rule 13) |
/// | [`Error::Unavailable`] | the store did not answer, or what it holds cannot be used |
///
/// Commands, which change the client, may also answer:
///
/// | error | meaning |
/// | --- | --- |
/// | [`Refusal::ClockBehind`] | the clock of this node is more than a minute behind the client's last change; only sellers see it (rule 19) |
/// | [`Error::Contention`] | other callers changed the client at each attempt: give the command again |
/// | [`Error::MovedOn`] | the command was [tied to a revision](Self::if_at), and the client has changed since |
/// | [`Error::TooLarge`] | the record of the client would become too large: remove something first |
/// | [`Error::KeyRetired`] | the primary key of this node's keyring was retired: restart the node with another primary key |
/// | [`Error::Entropy`] | the source of randomness failed; nothing was issued |
/// | [`Error::Unresolved`] | the store did not say whether the change was made: [resolve](crate::Registry::resolve) it |
///
/// Each method lists the errors that it can answer besides these. Most commands can be given twice, and the second one changes
/// nothing; see [`Outcome`].
///
/// # Callers that go away
///
/// When the browser closes the connection, or a timeout ends, a server drops the future of the handler, and with it the
/// command. A dropped command is carried out completely or not at all (rule 16), and the caller does not learn which. The docs
/// of each command say what a dropped call may leave behind, and how to find and undo that. For most commands it is enough to
/// give the command again. Only a client secret is lost for good: it was in the dropped future.
///
/// Run a command that must not be dropped in a task of the runtime, which continues when the handler is dropped. Deliver or
/// keep the issued client secret inside that task:
///
/// ```
/// # use client_registry::*;
/// # async fn keep_for_the_seller(_: Issued) {}
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let contoso = Registry::in_memory().as_seller("contoso")?;
/// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
/// # let issued = contoso.register(details, Lifetime::OneYear).await?;
/// let calendar = contoso.client(issued.client_id());
/// let rotating = tokio::spawn(async move {
///     let next = calendar.rotate(Rotation::overlap(Days::new(30))).await?;
///     keep_for_the_seller(next).await;
///     Ok::<(), Error>(())
/// });
/// rotating.await??; // dropping this does not stop the task
/// # Ok(()) }
/// ```
pub struct ClientHandle<S = MemoryStore> {
    view: View<S>,
    client_id: ClientId,
    tied_to: Option<Revision>,
}

impl<S: Store> ClientHandle<S> {
    pub(in crate::registry) fn new(view: View<S>, client_id: ClientId) -> Self {
        Self { view, client_id, tied_to: None }
    }

    /// Returns a handle whose commands are tied to a revision. If the client has changed since that revision, a command is
    /// refused with [`Error::MovedOn`], which holds the client as it is now. So a command does not undo a change that its
    /// caller has not seen.
    ///
    /// Use it for a command that replaces something (details, attributes, a promotion, an end), with the revision that the user
    /// has seen. Confirming a plan always checks the plan's own revision. An emergency deletion (rule 9) and marking a deleted
    /// secret as compromised ignore the revision.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// # let calendar = contoso.client(issued.client_id());
    /// let seen = calendar.snapshot().await?.client().revision(); // in the form that the seller fills in
    /// # calendar.associate(&AddIn::new("calendar-add-in", Availability::Worldwide)?).await?;
    /// let details = ClientDetails::new("agenda", "contoso.com", "https://contoso.com/done")?;
    /// match calendar.if_at(seen).change_details(details).await {
    ///     Err(Error::MovedOn { now }) => println!("another caller was faster: {:?}", now.client().details()),
    ///     other => println!("{other:?}"),
    /// }
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn if_at(&self, revision: Revision) -> Self {
        Self { view: self.view.clone(), client_id: self.client_id.clone(), tied_to: Some(revision) }
    }

    /// Returns the client ID that the handle is for.
    ///
    /// ```
    /// # use client_registry::*;
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// let calendar = contoso.client(&ClientId::parse("calendar-app")?);
    /// assert_eq!(calendar.id().as_str(), "calendar-app"); // whether there is such a client, the next call says
    /// # Ok::<(), InvalidValue>(())
    /// ```
    #[must_use]
    pub fn id(&self) -> &ClientId {
        &self.client_id
    }

    pub(super) async fn change(
        &self,
        operation: impl Into<Operation>,
        decide: impl Fn(&Client, &CommandContext<'_>) -> Result<Decision, Refusal> + Send + Sync,
    ) -> Result<Outcome, Error> {
        self.apply(operation, decide).await.map(|applied| applied.outcome)
    }

    async fn apply(
        &self,
        operation: impl Into<Operation>,
        decide: impl Fn(&Client, &CommandContext<'_>) -> Result<Decision, Refusal> + Send + Sync,
    ) -> Result<Applied<()>, Error> {
        let command = Command::new(&self.client_id, operation).tied_to(self.tied_to);
        let decide = |opened: &Opened, _: &LastUses, context: &CommandContext<'_>| {
            Ok((decide(opened.client()?, context)?, ()))
        };
        self.view.carry_out(command, decide).await
    }

    /// As [`apply`](Self::apply), for a command that is decided by the last uses of the secrets too.
    async fn apply_by_uses<E: From<Error> + Display>(
        &self,
        operation: impl Into<Operation>,
        decide: impl Fn(&Client, &LastUses, &CommandContext<'_>) -> Result<Decision, E> + Send + Sync,
    ) -> Result<Applied<()>, E> {
        let command = Command::new(&self.client_id, operation).by_uses().tied_to(self.tied_to);
        let decide = |opened: &Opened, uses: &LastUses, context: &CommandContext<'_>| {
            Ok((decide(opened.client().map_err(Error::from)?, uses, context)?, ()))
        };
        self.view.carry_out(command, decide).await
    }

    fn span(&self, operation: impl Into<Operation>) -> tracing::Span {
        trace::span(operation, &self.view.actor, Some(&self.client_id))
    }
}

impl<S: Store> fmt::Debug for ClientHandle<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientHandle")
            .field("actor", &self.view.actor)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
