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
    /// Besides the [errors of every call](Self#errors-of-every-call): [`Refusal::UnknownSecret`] when the client has no such
    /// secret; [`Refusal::ClockBehind`].
    pub async fn plan_disabling(&self, secret: SecretId) -> Result<Plan<SecretDisabling>, Error> {
        self.plan(Operation::about("plan_disabling", secret), |client, uses, context| {
            client.plan_disabling(secret, uses, context)
        })
        .await
    }

    /// Plans the deletion of a secret (rule 9). [`confirm`](Self::confirm) carries the plan out.
    ///
    /// The plan knows every use on this node, and every use on another node that follows the feed that is more than a minute
    /// old; see [`Registry::flush_last_uses`](crate::Registry::flush_last_uses) for nodes that do not.
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
    /// Besides the [errors of every call](Self#errors-of-every-call): [`Refusal::UnknownSecret`] when the client has no such
    /// secret; [`Refusal::ClockBehind`].
    pub async fn plan_deletion(&self, secret: SecretId) -> Result<Plan<SecretDeletion>, Error> {
        self.plan(Operation::about("plan_deletion", secret), |client, uses, context| {
            client.plan_deletion(secret, uses, context)
        })
        .await
    }

    /// Plans the deletion of the client ID (rule 13). [`confirm`](Self::confirm) carries the plan out.
    ///
    /// Nothing stands in the way of it, not even a use a moment ago: show what the plan says, its last use among it, and ask.
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
    /// Only the [errors of every call](Self#errors-of-every-call), [`Refusal::ClockBehind`] among them.
    pub async fn plan_client_deletion(&self) -> Result<Plan<ClientDeletion>, Error> {
        self.plan("plan_client_deletion", |client, uses, context| client.plan_client_deletion(uses, context))
            .await
    }

    /// Carries out a plan, if its consequences still hold and no obstacle stands in the way.
    ///
    /// A dropped call may have carried out the plan. Given again, the deletion of a secret is refused with
    /// [`Refusal::UnknownSecret`], that of the client ID with [`Refusal::ClientDeleted`], and a disabling answers
    /// [`ConfirmError::Changed`](crate::client::ConfirmError::Changed); nothing is done twice. [`enable`](Self::enable) undoes
    /// a disabling; nothing undoes a deletion.
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
    /// - [`ConfirmError::Obstructed`](crate::client::ConfirmError::Obstructed): an obstacle stands in the way. It holds the plan
    ///   as of now.
    /// - [`ConfirmError::Changed`](crate::client::ConfirmError::Changed): the client or a consequence has changed. It holds the
    ///   plan as of now, to be confirmed in place of the old one.
    /// - [`ConfirmError::Failed`](crate::client::ConfirmError::Failed): one of the [errors of every
    ///   call](Self#errors-of-every-call), [`Refusal::UnknownSecret`] when the secret is gone, or
    ///   [`Refusal::PlanOfAnotherClient`].
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
