//! Moving the end of a secret while it has not come (rule 21).

use crate::client::{EndMove, Plan};
use crate::registry::manage::trace::Operation;
use crate::registry::{ClientHandle, ConfirmError, Error, Outcome};
use crate::store::Store;
use crate::value::{SecretId, Timestamp};

/// # Moving an end
impl<S: Store> ClientHandle<S> {
    /// Plans to move the end of a secret (rule 21). [`confirm`](Self::confirm) carries the plan out.
    ///
    /// The plan describes the client at the new end: which secrets are valid then, and which one signs. A later end has no
    /// obstacles.
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
    /// # let tomorrow = calendar.snapshot().await?.at().saturating_add(std::time::Duration::from_secs(24 * 60 * 60));
    /// let plan = calendar.plan_end(issued.secret_id(), tomorrow).await?;
    /// assert!(!plan.obstacles().is_empty()); // it is the last valid one
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Besides the [errors of every call](Self#errors-of-every-call):
    /// - [`Refusal::AlreadyEnded`](crate::Refusal::AlreadyEnded): the secret has ended.
    /// - [`Refusal::InThePast`](crate::Refusal::InThePast): the new end has passed.
    /// - [`Refusal::EndTooLate`](crate::Refusal::EndTooLate): the new end is later than the one that the secret was issued with,
    ///   or than the policy allows.
    /// - [`Refusal::Invalid`](crate::Refusal::Invalid): the new end is not after the start of the secret.
    /// - [`Refusal::UnknownSecret`](crate::Refusal::UnknownSecret): the client has no such secret.
    pub async fn plan_end(
        &self,
        secret: SecretId,
        until: impl Into<Timestamp>,
    ) -> Result<Plan<EndMove>, Error> {
        let until = until.into();
        self.plan(Operation::about("plan_end", secret), |client, uses, context| {
            client.plan_end(secret, until, uses, context)
        })
        .await
    }

    /// Moves the end of a secret in one call, if its plan has no obstacles: "the customer needs another week" (rule 21).
    ///
    /// A promotion that begins when the replaced secrets have ended moves with the last of their ends. A scheduled promotion of
    /// this secret that would begin after its new end is withdrawn.
    ///
    /// A dropped call may have moved the end: give it again, which then changes nothing, or move the end back.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// # let calendar = contoso.client(issued.client_id());
    /// # use std::time::Duration;
    /// let next = calendar.rotate(Rotation::overlap(Days::new(7))).await?;
    /// let ends = calendar.snapshot().await?.client().secret(issued.secret_id()).and_then(|old| old.validity().until());
    /// let week_later = ends.ok_or("it has an end")?.saturating_add(Duration::from_secs(7 * 24 * 60 * 60));
    /// calendar.move_end(issued.secret_id(), week_later).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// - [`ConfirmError::Obstructed`](crate::client::ConfirmError::Obstructed): an obstacle stands in the way. It holds the
    ///   plan.
    /// - [`ConfirmError::Failed`](crate::client::ConfirmError::Failed): one of the errors of [`plan_end`](Self::plan_end).
    pub async fn move_end(
        &self,
        secret: SecretId,
        until: impl Into<Timestamp>,
    ) -> Result<Outcome, ConfirmError<EndMove>> {
        let until = until.into();
        self.at_once(Operation::about("move_end", secret), |client, uses, context| {
            client.move_end(secret, until, uses, context)
        })
        .await
    }
}
