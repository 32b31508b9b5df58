//! Transferring a client ID to another seller (rule 22).

use crate::registry::{ClientHandle, Error, Outcome};
use crate::store::Store;
use crate::value::secret_text::refuse_secret;
use crate::value::{Field, SellerId};

impl<S: Store> ClientHandle<S> {
    /// Transfers the client ID to another seller, with its add-ins, secrets, attributes and trail (rule 22). Only an operator can.
    ///
    /// From then on the old seller sees nothing of it, and the new seller sees all of it, including the old names in the trail.
    /// Nothing changes for the add-in: client ID, secrets and signing secret stay the same. Notices that were due before are
    /// not given again. Other nodes follow within their [freshness](crate::Freshness).
    ///
    /// A dropped call may have transferred the client ID: give it again, which then changes nothing, or transfer it back. Where two
    /// operators may transfer at the same time, tie the call to the revision that was seen ([`if_at`](Self::if_at)).
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let registry = Registry::in_memory();
    /// # let contoso = registry.as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// let calendar = registry.as_operator("ann")?.client(issued.client_id());
    /// let seen = calendar.snapshot().await?.client().revision();
    /// calendar.if_at(seen).transfer(&SellerId::parse("fabrikam")?).await?;
    /// let fabrikam = registry.as_seller("fabrikam")?;
    /// assert_eq!(fabrikam.client(issued.client_id()).snapshot().await?.client().secrets().len(), 1);
    /// assert!(contoso.client(issued.client_id()).snapshot().await.is_err());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Besides the [errors of every call](Self#errors-of-every-call):
    /// - [`Error::NameTaken`]: the other seller has a client ID of this friendly name. Change one of the two names first.
    /// - [`Refusal::OperatorsOnly`](crate::Refusal::OperatorsOnly): the actor is a seller.
    /// - [`Refusal::Invalid`](crate::Refusal::Invalid): the seller's ID contains a client secret (rule 8).
    pub async fn transfer(&self, to: &SellerId) -> Result<Outcome, Error> {
        refuse_secret(Field::SellerId, to.as_str())?;
        self.change("transfer", |client, context| client.transfer(to, context)).await
    }
}
