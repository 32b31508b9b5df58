//! Changing what a client is called and where it lives (rule 15: a friendly name names one client ID of a seller).

use crate::registry::{ClientHandle, Error, Outcome};
use crate::store::Store;
use crate::value::ClientDetails;

/// # Changing the details
impl<S: Store> ClientHandle<S> {
    /// Changes the details: friendly name, app domain and redirect URL.
    ///
    /// A dropped call leaves the old details or the new ones: give it again.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// # let calendar = contoso.client(issued.client_id());
    /// let details = ClientDetails::new("agenda", "contoso.com", "https://contoso.com/done")?;
    /// calendar.change_details(details).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Besides the [errors of every call](Self#errors-of-every-call):
    /// - [`Error::NameTaken`]: the seller has another client ID of this friendly name.
    /// - [`Refusal::RedirectNotAllowed`](crate::Refusal::RedirectNotAllowed): the policy does not allow the scheme of the
    ///   redirect URL.
    /// - [`Refusal::Invalid`](crate::Refusal::Invalid): the details contain a client secret, and they are public (rule 8).
    pub async fn change_details(&self, details: ClientDetails) -> Result<Outcome, Error> {
        self.change("change_details", |client, context| client.change_details(details.clone(), context)).await
    }
}
