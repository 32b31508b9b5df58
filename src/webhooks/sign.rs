//! Sending: the headers of a message in one call.

use super::headers::{head, is_message_id};
use super::{SignWebhookError, WebhookHeaders};
use crate::registry::Registry;
use crate::secret::MacKey;
use crate::store::Store;
use crate::value::{ClientId, Timestamp};

impl<S: Store> Registry<S> {
    /// Signs a message to an add-in with the signing secret of its client (rule 6), and returns the headers to send with the body.
    ///
    /// Prefer [`sign_webhook_with_all`](Self::sign_webhook_with_all): without an overlap it does the same. One signature is for receivers
    /// that cannot read several, and for add-ins that know the signing secret for sure.
    ///
    /// The application chooses the ID of the message: 1 to 256 printable ASCII characters without spaces and full stops. Send
    /// exactly the bytes of `body` as the body. When a message has to be sent again, call this method again with the same ID:
    /// the timestamp must be recent.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let registry = Registry::in_memory();
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = registry.as_seller("contoso")?.register(details, Lifetime::OneYear).await?;
    /// let headers = registry.sign_webhook(issued.client_id(), "msg_1", b"{}").await?;
    /// assert_eq!(headers.pairs()[0], ("webhook-id", "msg_1"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// - [`SignWebhookError::MessageId`]: a message cannot have this ID.
    /// - [`SignWebhookError::Sign`]: one of the errors of [`sign`](Self::sign).
    pub async fn sign_webhook(
        &self,
        client_id: &ClientId,
        message_id: &str,
        body: &[u8],
    ) -> Result<WebhookHeaders, SignWebhookError> {
        check(message_id)?;
        let now = self.now();
        let head = before_body(message_id, now);
        let mac = |_, mac_key: &MacKey| mac_key.sign_parts(head.as_bytes(), body);
        let signature = self.sign_by(client_id, mac).await?;
        Ok(WebhookHeaders::signed(message_id, now, &[signature]))
    }

    /// Signs a message like [`sign_webhook`](Self::sign_webhook), but with every valid secret that can sign, the signing secret
    /// first. During an overlap, an add-in that knows only one of them can then verify the message.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let registry = Registry::in_memory();
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let contoso = registry.as_seller("contoso")?;
    /// # let issued = contoso.register(details, Lifetime::OneYear).await?;
    /// # let id = issued.client_id();
    /// contoso.client(id).rotate(Rotation::overlap(Days::new(30))).await?;
    /// let headers = registry.sign_webhook_with_all(id, "msg_1", b"{}").await?;
    /// assert_eq!(headers.signatures().split(' ').count(), 2);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The same as for [`sign_webhook`](Self::sign_webhook).
    pub async fn sign_webhook_with_all(
        &self,
        client_id: &ClientId,
        message_id: &str,
        body: &[u8],
    ) -> Result<WebhookHeaders, SignWebhookError> {
        check(message_id)?;
        let now = self.now();
        let head = before_body(message_id, now);
        let mac = |_, mac_key: &MacKey| mac_key.sign_parts(head.as_bytes(), body);
        let signatures = self.sign_all_by(client_id, mac).await?;
        Ok(WebhookHeaders::signed(message_id, now, &signatures))
    }
}

fn check(message_id: &str) -> Result<(), SignWebhookError> {
    match is_message_id(message_id.as_bytes()) {
        true => Ok(()),
        false => Err(SignWebhookError::MessageId),
    }
}

fn before_body(message_id: &str, now: Timestamp) -> String {
    head(message_id, &now.as_secs().to_string())
}
