//! Client secrets in the form of Standard Webhooks: `whsec_` and the padded base64 of the key.
//!
//! A client secret goes out as the base64 of its text, since its key is the UTF-8 bytes of the text. What comes in is either such a
//! text, or a key that was made elsewhere. Of the latter the base64 is taken as the client secret and decoded as the key. No random
//! key of 24 bytes or more is mistaken for a text: it would have to consist of printable ASCII characters alone. Both signs alike
//! anyway. Everything here runs in buffers of fixed size that are wiped (rule 8).

use data_encoding::BASE64;
use zeroize::Zeroizing;

use super::base64::decode;
use super::{ClientSecret, KeyEncoding};
use crate::value::secret_text::{MAX_LEN, MIN_LEN};
use crate::value::{Field, InvalidValue, Problem};

impl ClientSecret {
    /// Shows the client secret as the key of a Standard Webhooks library: `whsec_` and the padded base64 of its text. For the page on
    /// which a seller sees it once, beside the text, which is the password. The buffer is wiped afterwards; the caller is responsible for
    /// where the text goes.
    ///
    /// It is the key of a generated client secret, and of an imported one whose [`KeyEncoding`] is `Utf8`. Where that is `Base64`, the
    /// key is `whsec_` and the text as it is.
    ///
    /// ```
    /// # use client_registry::ClientSecret;
    /// let secret = ClientSecret::parse("0123456789 abcdefghijklm")?;
    /// secret.expose_whsec(|key| assert_eq!(key, "whsec_MDEyMzQ1Njc4OSBhYmNkZWZnaGlqa2xt"));
    /// # Ok::<(), client_registry::InvalidValue>(())
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "webhooks")))]
    pub fn expose_whsec<T>(&self, show: impl FnOnce(&str) -> T) -> T {
        let text = self.expose().as_bytes();
        let mut whsec = Zeroizing::new(String::with_capacity(PREFIX.len() + BASE64.encode_len(text.len())));
        whsec.push_str(PREFIX);
        BASE64.encode_append(text, &mut whsec);
        show(&whsec)
    }

    /// Parses a key of Standard Webhooks: `whsec_` and padded base64, canonical and of the standard alphabet. Returns the client secret
    /// with the key encoding that makes it this key.
    ///
    /// Where the bytes are 24 to 512 printable ASCII characters, they are the text of a client secret, and the encoding is `Utf8`: what
    /// [`expose_whsec`](Self::expose_whsec) has shown comes back. Otherwise the client secret is the base64 without the prefix, and the
    /// encoding is `Base64`.
    ///
    /// The text is copied; the caller has to wipe the original.
    ///
    /// # Errors
    /// [`InvalidValue`] if the text does not have that form, if the key has fewer than 24 or more than 384 bytes, or if it is a client
    /// secret with a slip.
    #[cfg_attr(docsrs, doc(cfg(feature = "webhooks")))]
    pub fn parse_whsec(text: &str) -> Result<(Self, KeyEncoding), InvalidValue> {
        let invalid = |problem| InvalidValue::new(Field::WebhookKey, Problem::Form(problem));
        let base64 = text.strip_prefix(PREFIX).ok_or(invalid("does not begin with whsec_"))?;
        if base64.len() > BASE64.encode_len(MAX_LEN) {
            return Err(invalid("is too long"));
        }
        let key = decode(base64.as_bytes()).ok_or(invalid("is not canonical base64 behind whsec_"))?;
        if key.len() < MIN_LEN {
            return Err(invalid("has fewer than 24 bytes"));
        }
        match std::str::from_utf8(&key) {
            Ok(text) if text.bytes().all(|b| matches!(b, b' '..=b'~')) => {
                Ok((Self::parse(text)?, KeyEncoding::Utf8))
            }
            _ if base64.len() > MAX_LEN => Err(invalid("has more than 384 bytes")),
            _ => Ok((Self::parse(base64)?, KeyEncoding::Base64)),
        }
    }
}

const PREFIX: &str = "whsec_";
