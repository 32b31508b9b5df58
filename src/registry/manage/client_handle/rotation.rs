//! Rotating: a new secret comes, and the old ones end by themselves (rule 11).

use crate::client::Rotation;
use crate::registry::manage::applied::hand_over_one;
use crate::registry::{ClientHandle, Error};
use crate::secret::Issued;
use crate::store::Store;

/// # Rotating
impl<S: Store> ClientHandle<S> {
    /// Rotates: issues a new secret, and ends the secrets that it replaces after the overlap (rule 11).
    ///
    /// A dropped call may leave a rotation under way whose new client secret nobody has. That secret would sign once the
    /// replaced ones have ended. Given again, the call is refused with
    /// [`Refusal::RotationUnderway`](crate::Refusal::RotationUnderway), which names the new secret and says that it was never
    /// used; a [`review`](Self::review) reports it as well ([`Finding::NeverUsed`](crate::Finding::NeverUsed)). [Call
    /// off](Self::call_off) that rotation, and rotate again.
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
    /// Besides the [errors of every call](Self#errors-of-every-call), checked in this order:
    /// - [`Refusal::RotationUnderway`](crate::Refusal::RotationUnderway): an earlier rotation of this purpose is still under
    ///   way. It comes first, so the error about an overlap that is too short, even of zero, is seen only once no rotation is
    ///   under way.
    /// - [`Refusal::OverlapTooShort`](crate::Refusal::OverlapTooShort): the overlap is shorter than the policy allows: an hour
    ///   by default, and never zero. [`Refusal::OverlapTooLong`](crate::Refusal::OverlapTooLong): it ends after the last
    ///   supported instant.
    /// - [`Refusal::UnknownSecret`](crate::Refusal::UnknownSecret), [`Refusal::CannotReplace`](crate::Refusal::CannotReplace),
    ///   [`Refusal::NothingToReplace`](crate::Refusal::NothingToReplace): the rotation names a secret that the client does not
    ///   have, one that cannot be replaced, or an empty list.
    /// - [`Refusal::LifetimeTooLong`](crate::Refusal::LifetimeTooLong), [`Refusal::Invalid`](crate::Refusal::Invalid): the
    ///   policy does not allow the lifetime, or the validity is empty or overflows.
    /// - [`Refusal::OutsideOverlap`](crate::Refusal::OutsideOverlap), [`Refusal::CannotSign`](crate::Refusal::CannotSign),
    ///   [`Refusal::NotValidThen`](crate::Refusal::NotValidThen): the new secret cannot begin to sign as asked: the instant is
    ///   outside the overlap, the secret is for passwords only, or it is not valid at that instant.
    /// - [`Refusal::TooManySecrets`](crate::Refusal::TooManySecrets): the client has as many secrets that have not ended as the
    ///   policy allows (rule 3).
    /// - [`Refusal::SecretIdsUsedUp`](crate::Refusal::SecretIdsUsedUp): the client has used every secret ID.
    ///   [`Refusal::Invalid`](crate::Refusal::Invalid): the label contains a client secret.
    pub async fn rotate(&self, rotation: Rotation) -> Result<Issued, Error> {
        let client_secret = self.view.registry.new_client_secret()?;
        let rotated = self.apply_by_uses("rotate", |client, uses, context| {
            client.rotate(&rotation, &client_secret, uses, context).map_err(Error::from)
        });
        let result = rotated.await;
        hand_over_one(result, client_secret)
    }
}
