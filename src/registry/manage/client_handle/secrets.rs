//! Adding, importing and enabling secrets (rules 3, 4, 12 and 18).
//!
//! A client secret that is issued here leaves the registry once, in the [`Issued`] value of the call that made it (rule 8).

use crate::client::{ImportedSecret, NewSecret};
use crate::registry::manage::applied::hand_over_one;
use crate::registry::manage::trace::Operation;
use crate::registry::{ClientHandle, Error, Outcome};
use crate::secret::{Issued, Secret};
use crate::store::Store;
use crate::value::SecretId;

/// # Adding and enabling secrets
impl<S: Store> ClientHandle<S> {
    /// Adds a secret and issues its client secret. The secret that signs now continues to sign (rule 6).
    ///
    /// A dropped call may leave a secret whose client secret nobody has. It is the last secret that
    /// [`snapshot`](Self::snapshot) lists, and was never used: remove it with [`plan_deletion`](Self::plan_deletion) and
    /// [`confirm`](Self::confirm).
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
    /// println!("deploy secret {}: {}", second.secret_id(), second.client_secret().expose());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Besides the [errors of every call](Self#errors-of-every-call):
    /// - [`Refusal::TooManySecrets`](crate::Refusal::TooManySecrets): the client has as many secrets that have not
    ///   ended as the policy allows (rule 3).
    /// - [`Refusal::LifetimeTooLong`](crate::Refusal::LifetimeTooLong): the policy allows no such lifetime (rule 4).
    /// - [`Refusal::StartsInThePast`](crate::Refusal::StartsInThePast): the chosen start has passed.
    /// - [`Refusal::Invalid`](crate::Refusal::Invalid): the validity is empty or overflows, or the label contains a client
    ///   secret.
    /// - [`Refusal::SecretIdsUsedUp`](crate::Refusal::SecretIdsUsedUp): the client has used every secret ID.
    pub async fn add_secret(&self, new: NewSecret) -> Result<Issued, Error> {
        let client_secret = self.view.registry.new_client_secret()?;
        let result = self
            .apply("add_secret", |client, context| client.add_secret(&new, &client_secret, context))
            .await;
        hand_over_one(result, client_secret)
    }

    /// Imports a secret that was made elsewhere (rule 18), and returns its ID in this registry. Importing the same client
    /// secret with the same label, purpose, validity and key encoding again changes nothing.
    ///
    /// A dropped call may have imported the secret: give it again, which then only returns the ID.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// # let calendar = contoso.client(issued.client_id());
    /// # use client_registry::client::ImportedSecret;
    /// # use client_registry::secret::KeyEncoding;
    /// # use client_registry::value::Validity;
    /// let text = ClientSecret::parse("8f3kd02-Lx91mq+Zt7wTavRe")?;
    /// let validity = Validity::new("2026-01-01T00:00:00Z".parse::<Timestamp>()?, None)?;
    /// let secret = calendar.import_secret(ImportedSecret::new(text, validity, KeyEncoding::Utf8)).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Besides the [errors of every call](Self#errors-of-every-call):
    /// - [`Refusal::SecretExists`](crate::Refusal::SecretExists): the client already has this client secret with another label,
    ///   purpose, validity or key encoding.
    /// - [`Refusal::Remembered`](crate::Refusal::Remembered): this client secret was deleted from the client and stays dead
    ///   (rule 10).
    /// - [`Refusal::Weak`](crate::Refusal::Weak): the client secret is easily guessed.
    /// - [`Refusal::Invalid`](crate::Refusal::Invalid): the client secret looks mistyped, or cannot be decoded as its key
    ///   encoding says.
    /// - [`Refusal::EndedLongAgo`](crate::Refusal::EndedLongAgo): the secret ended before all ended ones that the client keeps,
    ///   so it would be forgotten at once (rule 3).
    /// - [`Refusal::TooManySecrets`](crate::Refusal::TooManySecrets): as for [`add_secret`](Self::add_secret).
    /// - [`Refusal::CannotSign`](crate::Refusal::CannotSign), [`Refusal::NotValidThen`](crate::Refusal::NotValidThen): the
    ///   import marks the secret as the one that signs today, but it is for passwords only, or not valid now.
    pub async fn import_secret(&self, secret: ImportedSecret) -> Result<SecretId, Error> {
        let applied =
            self.apply("import_secret", |client, context| client.import_secret(&secret, context)).await?;
        let client = applied.opened.client()?;
        match client.holder_of(&client.verifier_of(secret.client_secret()))?.map(Secret::id) {
            Some(secret) => Ok(secret),
            None => unreachable!("the core has imported the secret, found it, or refused"),
        }
    }

    /// Enables a disabled secret (rule 12). Its validity stays as it is.
    ///
    /// A dropped call may have enabled the secret: give it again, or [disable](Self::plan_disabling) it.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// # let calendar = contoso.client(issued.client_id());
    /// # let (first, _) = (issued.secret_id(), calendar.add_secret(NewSecret::lasting(Lifetime::OneYear)).await?);
    /// let plan = calendar.plan_disabling(first).await?;
    /// calendar.confirm(plan).await?;
    /// calendar.enable(first).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Besides the [errors of every call](Self#errors-of-every-call):
    /// [`Refusal::UnknownSecret`](crate::Refusal::UnknownSecret) when the client has no such secret.
    pub async fn enable(&self, secret: SecretId) -> Result<Outcome, Error> {
        self.change(Operation::about("enable", secret), |client, context| client.enable(secret, context))
            .await
    }
}
