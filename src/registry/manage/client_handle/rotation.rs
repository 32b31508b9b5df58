//! Rotating: a new secret comes, and the old ones end by themselves (rule 11).

use crate::client::Rotation;
use crate::registry::manage::applied::hand_over_one;
use crate::registry::{ClientHandle, Error};
use crate::secret::Issued;
use crate::store::Store;

/// # Rotating
impl<S: Store> ClientHandle<S> {
    /// Rotates: issues a secret and lets the secrets that it replaces end after the overlap (rule 11).
    ///
    /// A dropped call may leave a rotation under way with a new secret whose client secret nobody has, and that signs in the
    /// end. Given again, it is refused with [`Refusal::RotationUnderway`](crate::Refusal::RotationUnderway), which
    /// names the new secret and says that it was never used; a [`review`](Self::review) warns of it too
    /// ([`Finding::NeverUsed`](crate::Finding::NeverUsed)). [Call off](Self::call_off) that rotation, and rotate again.
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
    /// println!("deploy within 30 days: {}", next.client_secret().expose());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Besides the [errors of every call](Self#errors-of-every-call):
    /// - [`Refusal::RotationUnderway`](crate::Refusal::RotationUnderway): a secret of this purpose is being rotated out
    ///   already.
    /// - [`Refusal::OverlapTooShort`](crate::Refusal::OverlapTooShort), [`Refusal::OverlapTooLong`](crate::Refusal::OverlapTooLong):
    ///   the overlap is shorter than the policy allows, or ends beyond the calendar.
    /// - [`Refusal::UnknownSecret`](crate::Refusal::UnknownSecret), [`Refusal::CannotReplace`](crate::Refusal::CannotReplace),
    ///   [`Refusal::NothingToReplace`](crate::Refusal::NothingToReplace): the rotation names secrets that cannot be
    ///   replaced, or none.
    /// - [`Refusal::OutsideOverlap`](crate::Refusal::OutsideOverlap), [`Refusal::CannotSign`](crate::Refusal::CannotSign),
    ///   [`Refusal::NotValidThen`](crate::Refusal::NotValidThen): the new secret cannot begin to sign as asked.
    /// - [`Refusal::TooManySecrets`](crate::Refusal::TooManySecrets), [`Refusal::LifetimeTooLong`](crate::Refusal::LifetimeTooLong),
    ///   [`Refusal::Invalid`](crate::Refusal::Invalid), [`Refusal::SecretIdsUsedUp`](crate::Refusal::SecretIdsUsedUp): as for
    ///   [`add_secret`](Self::add_secret).
    pub async fn rotate(&self, rotation: Rotation) -> Result<Issued, Error> {
        let client_secret = self.view.registry.new_client_secret()?;
        let rotated = self.apply_by_uses("rotate", |client, uses, context| {
            client.rotate(&rotation, &client_secret, uses, context).map_err(Error::from)
        });
        let result = rotated.await;
        hand_over_one(result, client_secret)
    }
}
