//! Taking out of use in calm: planned, looked at, confirmed (rules 9, 12 and 13).
//!
//! A plan changes nothing. Confirming decides anew, so nothing that a plan says is believed.

use tracing::Instrument;

use crate::client::{
    Client, ClientDeletion, CommandContext, Decision, LastUses, Plan, Planned, Refusal, SecretDeletion,
    SecretDisabling,
};
use crate::registry::manage::trace::Operation;
use crate::registry::{ClientHandle, ConfirmError, Error, Outcome};
use crate::store::Store;
use crate::value::SecretId;

/// # Deleting and disabling, with a plan
impl<S: Store> ClientHandle<S> {
    /// Plans the disabling of a secret (rule 12). [`confirm`](Self::confirm) carries the plan out.
    ///
    /// A dropped call leaves nothing behind: a plan changes nothing.
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
    /// let plan = calendar.plan_disabling(issued.secret_id()).await?;
    /// println!("then secret {:?} signs", plan.signs_next());
    /// calendar.confirm(plan).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Besides the [errors of every call](Self#errors-of-every-call):
    /// - [`Refusal::UnknownSecret`]: the client has no such secret.
    /// - [`Refusal::ClockBehind`]: the clock of this node is more than a minute behind the client's last change (rule 19).
    pub async fn plan_disabling(&self, secret: SecretId) -> Result<Plan<SecretDisabling>, Error> {
        self.plan(Operation::about("plan_disabling", secret), |client, uses, context| {
            client.plan_disabling(secret, uses, context)
        })
        .await
    }

    /// Plans the deletion of a secret (rule 9). [`confirm`](Self::confirm) carries the plan out.
    ///
    /// The plan knows every use on this node. Of the uses on another node that runs
    /// [`keep_fresh`](crate::Registry::keep_fresh), it knows those that are more than a minute old; a node that does not run it
    /// has to call [`flush_last_uses`](crate::Registry::flush_last_uses).
    ///
    /// A dropped call leaves nothing behind: a plan changes nothing.
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
    /// if plan.obstacles().is_empty() {
    ///     calendar.confirm(plan).await?;
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Besides the [errors of every call](Self#errors-of-every-call):
    /// - [`Refusal::UnknownSecret`]: the client has no such secret.
    /// - [`Refusal::ClockBehind`]: the clock of this node is more than a minute behind the client's last change (rule 19).
    pub async fn plan_deletion(&self, secret: SecretId) -> Result<Plan<SecretDeletion>, Error> {
        self.plan(Operation::about("plan_deletion", secret), |client, uses, context| {
            client.plan_deletion(secret, uses, context)
        })
        .await
    }

    /// Plans the deletion of the client ID (rule 13). [`confirm`](Self::confirm) carries the plan out.
    ///
    /// This plan has no obstacles, even if a secret was used a moment ago. So show the user what the plan says, above all the
    /// last use, and ask before you confirm it.
    ///
    /// A dropped call leaves nothing behind: a plan changes nothing.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// # let calendar = contoso.client(issued.client_id());
    /// let plan = calendar.plan_client_deletion().await?;
    /// println!("{} and {} add-ins lose access", plan.friendly_name(), plan.add_ins().len());
    /// calendar.confirm(plan).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Besides the [errors of every call](Self#errors-of-every-call): [`Refusal::ClockBehind`] if the clock of this node is
    /// more than a minute behind the client's last change (rule 19).
    pub async fn plan_client_deletion(&self) -> Result<Plan<ClientDeletion>, Error> {
        self.plan("plan_client_deletion", |client, uses, context| client.plan_client_deletion(uses, context))
            .await
    }

    /// Carries out a plan, if its consequences still hold and it has no obstacles (rule 9). The plan is decided anew, so it may
    /// come back from a browser as JSON: nothing in it is believed.
    ///
    /// A dropped call may have carried out the plan. Nothing is done twice: given again, the deletion of a secret is refused
    /// with [`Refusal::UnknownSecret`], the deletion of the client ID with [`Refusal::ClientDeleted`], and a disabling with
    /// [`ConfirmError::Changed`](crate::client::ConfirmError::Changed). [`enable`](Self::enable) undoes a disabling; nothing
    /// undoes a deletion.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// # let calendar = contoso.client(issued.client_id());
    /// # use client_registry::client::ConfirmError;
    /// let plan = calendar.plan_deletion(issued.secret_id()).await?;
    /// match calendar.confirm(plan).await {
    ///     Err(ConfirmError::Obstructed(plan)) => println!("not yet: {:?}", plan.obstacles()),
    ///     Err(ConfirmError::Changed(plan)) => println!("look at it again: {plan:?}"),
    ///     other => println!("{other:?}"),
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// - [`ConfirmError::Obstructed`](crate::client::ConfirmError::Obstructed): an obstacle stands in the way. The error holds
    ///   the plan as it is now: show its obstacles, each of which says what to do.
    /// - [`ConfirmError::Changed`](crate::client::ConfirmError::Changed): the client or a consequence has changed since the
    ///   plan was made. The error holds the new plan: show it, and confirm that one instead.
    /// - [`ConfirmError::Failed`](crate::client::ConfirmError::Failed): one of the [errors of every
    ///   call](Self#errors-of-every-call), [`Refusal::UnknownSecret`] if the secret is gone, or
    ///   [`Refusal::PlanOfAnotherClient`] if the plan is for another client ID.
    pub async fn confirm<C>(&self, plan: Plan<C>) -> Result<Outcome, ConfirmError<C>>
    where
        C: Planned,
    {
        let operation = Operation::about("confirm", plan.consequences.secret_id());
        self.at_once(operation, |client, uses, context| client.confirm(&plan, uses, context)).await
    }

    /// Carries out a command that is refused with its plan where that has obstacles.
    pub(super) async fn at_once<C: Planned>(
        &self,
        operation: Operation,
        decide: impl Fn(
            &Client,
            &LastUses,
            &CommandContext<'_>,
        ) -> Result<Decision, crate::client::ConfirmError<C>>
        + Send
        + Sync,
    ) -> Result<Outcome, ConfirmError<C>> {
        let done = self.apply_by_uses(operation, |client, uses, context| {
            decide(client, uses, context).map_err(|error| error.map_failed(Error::from))
        });
        done.await.map(|applied| applied.outcome)
    }

    pub(super) async fn plan<C>(
        &self,
        command: impl Into<Operation>,
        plan: impl Fn(&Client, &LastUses, &CommandContext<'_>) -> Result<Plan<C>, Refusal> + Send + Sync,
    ) -> Result<Plan<C>, Error> {
        let planned = async {
            let opened = self.view.load(&self.client_id).await?;
            let uses = self.view.last_uses(&self.client_id).await?;
            Ok(plan(opened.client()?, &uses, &self.view.context(&opened))?)
        };
        planned.instrument(self.span(command)).await
    }
}
