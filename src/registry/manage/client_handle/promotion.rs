//! Choosing which secret signs (rule 7).

use crate::registry::manage::trace::Operation;
use crate::registry::{ClientHandle, Error, Outcome};
use crate::store::Store;
use crate::value::{SecretId, Timestamp};

/// # Choosing which secret signs
impl<S: Store> ClientHandle<S> {
    /// Promotes a secret: it signs from now on, and the others stay passwords (rule 7).
    ///
    /// A dropped call may have promoted the secret: give it again, or promote the secret that signed before.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// # let calendar = contoso.client(issued.client_id());
    /// let second = calendar.add_secret(NewSecret::lasting(Lifetime::OneYear)).await?;
    /// calendar.promote(second.secret_id()).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Besides the [errors of every call](Self#errors-of-every-call):
    /// - [`Refusal::UnknownSecret`](crate::Refusal::UnknownSecret): the client has no such secret.
    /// - [`Refusal::CannotSign`](crate::Refusal::CannotSign): the secret is for passwords only.
    /// - [`Refusal::NotValidThen`](crate::Refusal::NotValidThen): the secret is not valid now.
    /// - [`Refusal::KeyDropped`](crate::Refusal::KeyDropped): an older version of this crate removed its signing key.
    pub async fn promote(&self, secret: SecretId) -> Result<Outcome, Error> {
        self.change(Operation::about("promote", secret), |client, context| client.promote(secret, context))
            .await
    }

    /// Schedules a promotion: the secret signs from the instant `at` on (rule 7). It replaces an earlier scheduled promotion of
    /// this secret.
    ///
    /// A dropped call may have scheduled the promotion: give it again, or [withdraw it](Self::withdraw_promotion).
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// # let calendar = contoso.client(issued.client_id());
    /// # let now = calendar.snapshot().await?.at();
    /// let second = calendar.add_secret(NewSecret::lasting(Lifetime::OneYear)).await?;
    /// let tomorrow = now.saturating_add(std::time::Duration::from_secs(24 * 60 * 60));
    /// calendar.schedule_promotion(second.secret_id(), tomorrow).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`promote`](Self::promote), and:
    /// - [`Refusal::NotValidThen`](crate::Refusal::NotValidThen): the secret is not valid at that instant.
    /// - [`Refusal::InThePast`](crate::Refusal::InThePast): the instant has passed.
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

    /// Withdraws the scheduled promotion of a secret (rule 7).
    ///
    /// A dropped call may have withdrawn the promotion: given again, it is refused with
    /// [`Refusal::NothingScheduled`](crate::Refusal::NothingScheduled). To undo it, [schedule](Self::schedule_promotion) the
    /// promotion again.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// # let calendar = contoso.client(issued.client_id());
    /// # let second = calendar.add_secret(NewSecret::lasting(Lifetime::OneYear)).await?;
    /// # let at = calendar.snapshot().await?.at().saturating_add(std::time::Duration::from_secs(3600));
    /// calendar.schedule_promotion(second.secret_id(), at).await?;
    /// calendar.withdraw_promotion(second.secret_id()).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Besides the [errors of every call](Self#errors-of-every-call):
    /// - [`Refusal::UnknownSecret`](crate::Refusal::UnknownSecret): the client has no such secret.
    /// - [`Refusal::NothingScheduled`](crate::Refusal::NothingScheduled): no promotion of the secret is scheduled, most often
    ///   because it has taken effect already. Then promote another secret instead.
    pub async fn withdraw_promotion(&self, secret: SecretId) -> Result<Outcome, Error> {
        self.change(Operation::about("withdraw_promotion", secret), |client, context| {
            client.withdraw_promotion(secret, context)
        })
        .await
    }
}
