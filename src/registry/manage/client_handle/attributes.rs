//! The strings that an application attaches to a client (rule 24).

use crate::registry::{ClientHandle, Error, Outcome};
use crate::store::Store;
use crate::value::Attributes;

/// # Changing the attributes
impl<S: Store> ClientHandle<S> {
    /// Replaces the attributes (rule 24), which [`authenticate`](crate::Registry::authenticate) returns from then on.
    ///
    /// All attributes are replaced. To change one of several, read the others from a snapshot and [tie the command to its
    /// revision](Self::if_at).
    ///
    /// A dropped call leaves the old attributes or the new ones: give it again.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// # let calendar = contoso.client(issued.client_id());
    /// use client_registry::value::Attributes;
    ///
    /// calendar.change_attributes(Attributes::new([("scopes", "calendar.read")])?).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Besides the [errors of every call](Self#errors-of-every-call): [`Refusal::Invalid`](crate::Refusal::Invalid) when a
    /// client secret stands in the attributes, which are public (rule 8).
    pub async fn change_attributes(&self, attributes: Attributes) -> Result<Outcome, Error> {
        self.change("change_attributes", |client, context| {
            client.change_attributes(attributes.clone(), context)
        })
        .await
    }
}
