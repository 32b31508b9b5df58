//! Which add-ins use the client ID (rules 1, 2 and 14).

use crate::registry::{ClientHandle, Error, Outcome};
use crate::store::Store;
use crate::value::{AddIn, AddInId, ClientId};

/// # Add-ins
impl<S: Store> ClientHandle<S> {
    /// Associates an add-in with this client ID (rule 1). The application vouches that the actor owns the add-in.
    ///
    /// A dropped call may have associated the add-in: give it again, or [dissociate](Self::dissociate) it.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// # let calendar = contoso.client(issued.client_id());
    /// calendar.associate(&AddIn::new("addin-17", Availability::Worldwide)?).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Besides the [errors of every call](Self#errors-of-every-call):
    /// - [`Error::AddInTaken`]: the add-in has another client ID, which is named if the actor may see it. [Move
    ///   it](Self::move_add_in) instead.
    /// - [`Refusal::AvailabilityDiffers`](crate::Refusal::AvailabilityDiffers): the add-in is offered where the client ID is
    ///   not (rule 2).
    /// - [`Refusal::TooManyAddIns`](crate::Refusal::TooManyAddIns): the client ID serves 256 add-ins already.
    /// - [`Refusal::Invalid`](crate::Refusal::Invalid): the add-in's ID is a client secret (rule 8).
    pub async fn associate(&self, add_in: &AddIn) -> Result<Outcome, Error> {
        self.change("associate", |client, context| client.associate(add_in, context)).await
    }

    /// Dissociates an add-in from this client ID.
    ///
    /// A dropped call may have ended the association: give it again, or [associate](Self::associate) the add-in again.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// # let calendar = contoso.client(issued.client_id());
    /// let add_in = AddIn::new("addin-17", Availability::Worldwide)?;
    /// calendar.associate(&add_in).await?;
    /// calendar.dissociate(add_in.id()).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Only the [errors of every call](Self#errors-of-every-call).
    pub async fn dissociate(&self, add_in: &AddInId) -> Result<Outcome, Error> {
        self.change("dissociate", |client, context| client.dissociate(add_in, context)).await
    }

    /// Moves an add-in from this client ID to another one of the same seller, in one commit: at no instant does the add-in have
    /// none or two (rule 14).
    ///
    /// A dropped call leaves the add-in with the one client ID or with the other: give it again, or move it back.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// # let calendar = contoso.client(issued.client_id());
    /// # let add_in = AddIn::new("addin-17", Availability::Worldwide)?;
    /// # calendar.associate(&add_in).await?;
    /// let details = ClientDetails::new("agenda", "contoso.com", "https://contoso.com/done")?;
    /// let agenda = contoso.register(details, Lifetime::OneYear).await?;
    /// calendar.move_add_in(add_in.id(), agenda.client_id()).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Besides the [errors of every call](Self#errors-of-every-call), which may be about this client ID or about `to`:
    /// - [`Refusal::NotAssociated`](crate::Refusal::NotAssociated): the add-in is associated with neither of the two client
    ///   IDs.
    /// - [`Refusal::Suspended`](crate::Refusal::Suspended): the other client ID is suspended (rule 20).
    /// - [`Refusal::AvailabilityDiffers`](crate::Refusal::AvailabilityDiffers), [`Refusal::OtherOwner`](crate::Refusal::OtherOwner): the
    ///   two client IDs differ in availability or seller.
    /// - [`Refusal::NoValidSecret`](crate::Refusal::NoValidSecret): the other client ID has no valid secret, so the
    ///   add-in would be cut off.
    /// - [`Refusal::TooManyAddIns`](crate::Refusal::TooManyAddIns): the other client ID serves 256 add-ins already.
    pub async fn move_add_in(&self, add_in: &AddInId, to: &ClientId) -> Result<Outcome, Error> {
        self.view.move_add_in(&self.client_id, to, add_in, self.tied_to).await
    }
}
