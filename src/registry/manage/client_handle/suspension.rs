//! Suspending a client and resuming it (rule 20).

use crate::registry::{ClientHandle, Error, Outcome};
use crate::store::Store;

/// # Suspending
impl<S: Store> ClientHandle<S> {
    /// Suspends the client: until it is [resumed](Self::resume) nothing of it authenticates, signs or verifies (rule 20).
    ///
    /// Its secrets stay as they are, and can be rotated and deleted while it is suspended. An operator's suspension replaces a
    /// seller's, and only an operator lifts it. Other nodes follow within their [freshness](crate::Freshness).
    ///
    /// A dropped call may have suspended the client: give it again, or resume the client.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// # let calendar = contoso.client(issued.client_id());
    /// calendar.suspend().await?;
    /// assert!(calendar.snapshot().await?.client().suspension().is_some());
    /// calendar.resume().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Only the [errors of every call](Self#errors-of-every-call).
    pub async fn suspend(&self) -> Result<Outcome, Error> {
        self.change("suspend", |client, context| client.suspend(context)).await
    }

    /// Resumes a suspended client (rule 20).
    ///
    /// A dropped call may have resumed the client: give it again, or [suspend](Self::suspend) the client.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// # let calendar = contoso.client(issued.client_id());
    /// calendar.suspend().await?;
    /// assert_eq!(calendar.resume().await?, Outcome::Changed);
    /// assert_eq!(calendar.resume().await?, Outcome::Unchanged);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Besides the [errors of every call](Self#errors-of-every-call):
    /// [`Refusal::SuspendedByOperator`](crate::Refusal::SuspendedByOperator) if an operator suspended the client and the actor
    /// is a seller.
    pub async fn resume(&self) -> Result<Outcome, Error> {
        self.change("resume", |client, context| client.resume(context)).await
    }
}
