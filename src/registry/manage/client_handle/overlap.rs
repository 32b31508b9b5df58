//! The overlap of a rotation: calling the rotation off, and closing it early (rule 11).

use crate::client::{CallingOff, ClosingEarly, Plan};
use crate::registry::manage::trace::Operation;
use crate::registry::{ClientHandle, ConfirmError, Error, Outcome};
use crate::store::Store;
use crate::value::SecretId;

/// # Calling off a rotation, and closing it early
impl<S: Store> ClientHandle<S> {
    /// Plans to call off the rotation that issued a secret (rule 11). [`confirm`](Self::confirm) carries the plan out.
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
    /// let next = calendar.rotate(Rotation::overlap(Days::new(30))).await?;
    /// let plan = calendar.plan_calling_off(next.secret_id()).await?;
    /// assert_eq!(plan.restores(), [issued.secret_id()]);
    /// calendar.confirm(plan).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Besides the [errors of every call](Self#errors-of-every-call):
    /// - [`Refusal::NotUnderway`](crate::Refusal::NotUnderway): no secret that this one replaced still runs.
    /// - [`Refusal::CannotCallOff`](crate::Refusal::CannotCallOff): an older version of this crate made the rotation, and did
    ///   not keep the former ends.
    /// - [`Refusal::UnknownSecret`](crate::Refusal::UnknownSecret): the client has no such secret.
    pub async fn plan_calling_off(&self, new_secret: SecretId) -> Result<Plan<CallingOff>, Error> {
        self.plan(Operation::about("plan_calling_off", new_secret), |client, uses, context| {
            client.plan_calling_off(new_secret, uses, context)
        })
        .await
    }

    /// Calls off a rotation in one call, if the plan has no obstacles: "I lost the new secret before I deployed it" (rule 11).
    ///
    /// The new secret is deleted. The secrets that it replaced and that still run get back their former ends and scheduled
    /// promotions. From then on the client signs and authenticates as if it had not been rotated.
    ///
    /// A dropped call may have called off the rotation. Given again, it is refused with
    /// [`Refusal::UnknownSecret`](crate::Refusal::UnknownSecret): the new secret is gone.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// # let calendar = contoso.client(issued.client_id());
    /// let next = calendar.rotate(Rotation::overlap(Days::new(30))).await?;
    /// calendar.call_off(next.secret_id()).await?;
    /// assert_eq!(calendar.snapshot().await?.signing().secret(), Some(issued.secret_id()));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// - [`ConfirmError::Obstructed`](crate::client::ConfirmError::Obstructed): an obstacle stands in the way. It holds the plan.
    /// - [`ConfirmError::Failed`](crate::client::ConfirmError::Failed): one of the errors of
    ///   [`plan_calling_off`](Self::plan_calling_off).
    pub async fn call_off(&self, new_secret: SecretId) -> Result<Outcome, ConfirmError<CallingOff>> {
        self.at_once(Operation::about("call_off", new_secret), |client, uses, context| {
            client.call_off(new_secret, uses, context)
        })
        .await
    }

    /// Plans to close the overlap of a rotation early: the secrets that `new_secret` replaced end now (rule 11).
    /// [`confirm`](Self::confirm) carries the plan out.
    ///
    /// A dropped call leaves nothing behind: a plan changes nothing.
    ///
    /// ```
    /// # use client_registry::*;
    /// # async fn example(calendar: ClientHandle, next: Issued) -> Result<(), Box<dyn std::error::Error>> {
    /// let plan = calendar.plan_closing(next.secret_id()).await?;
    /// println!("secrets {:?} end now, last used: {:?}", plan.ends(), plan.last_uses());
    /// calendar.confirm(plan).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Besides the [errors of every call](Self#errors-of-every-call):
    /// - [`Refusal::NotUnderway`](crate::Refusal::NotUnderway): no secret that this one replaced still runs.
    /// - [`Refusal::Invalid`](crate::Refusal::Invalid): a replaced secret began in this very millisecond, so its validity would be
    ///   empty (rule 4).
    /// - [`Refusal::UnknownSecret`](crate::Refusal::UnknownSecret): the client has no such secret.
    pub async fn plan_closing(&self, new_secret: SecretId) -> Result<Plan<ClosingEarly>, Error> {
        self.plan(Operation::about("plan_closing", new_secret), |client, uses, context| {
            client.plan_closing(new_secret, uses, context)
        })
        .await
    }

    /// Closes the overlap of a rotation in one call, if the plan has no obstacles: "the new one is everywhere, end the old one
    /// now" (rule 11).
    ///
    /// A dropped call may have closed the overlap. Given again, it is refused with
    /// [`Refusal::NotUnderway`](crate::Refusal::NotUnderway).
    ///
    /// ```
    /// # use client_registry::*;
    /// # async fn example(calendar: ClientHandle, next: Issued) {
    /// use client_registry::client::ConfirmError;
    ///
    /// match calendar.close_early(next.secret_id()).await {
    ///     Err(ConfirmError::Obstructed(plan)) => println!("not yet: {:?}", plan.obstacles()),
    ///     other => println!("{other:?}"),
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// - [`ConfirmError::Obstructed`](crate::client::ConfirmError::Obstructed): an obstacle stands in the way. It holds the plan.
    /// - [`ConfirmError::Failed`](crate::client::ConfirmError::Failed): one of the errors of [`plan_closing`](Self::plan_closing).
    pub async fn close_early(&self, new_secret: SecretId) -> Result<Outcome, ConfirmError<ClosingEarly>> {
        self.at_once(Operation::about("close_early", new_secret), |client, uses, context| {
            client.close_early(new_secret, uses, context)
        })
        .await
    }
}
