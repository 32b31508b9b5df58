//! The three headers of a message, as names and values: no web framework has a part in them.

use std::fmt;

use data_encoding::{BASE64, BASE64_NOPAD};

use super::WebhookError;
use crate::secret::Signature;
use crate::value::Timestamp;

/// The headers of a message: its ID, the instant at which it was signed, and its signatures.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookHeaders {
    id: String,
    seconds: String,
    signed_at: Timestamp,
    signatures: String,
}

impl WebhookHeaders {
    /// The name of the header with the ID of the message.
    pub const ID: &'static str = "webhook-id";
    /// The name of the header with the instant at which the message was signed.
    pub const TIMESTAMP: &'static str = "webhook-timestamp";
    /// The name of the header with the signatures.
    pub const SIGNATURE: &'static str = "webhook-signature";

    /// Reads the headers of a message from those of a request: names and values. Names are compared without regard to case, and
    /// other headers are ignored. The headers of the crates `http` and `reqwest`, and lists of two texts, can be given as they are.
    ///
    /// ```
    /// # use client_registry::webhooks::WebhookHeaders;
    /// let headers = WebhookHeaders::parse([
    ///     ("content-type", "application/json"),
    ///     ("Webhook-Id", "msg_1"),
    ///     ("Webhook-Timestamp", "1772355600"),
    ///     ("Webhook-Signature", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="),
    /// ])?;
    /// assert_eq!(headers.id(), "msg_1");
    /// # Ok::<(), client_registry::webhooks::WebhookError>(())
    /// ```
    ///
    /// # Errors
    /// [`WebhookError::Missing`], [`Repeated`](WebhookError::Repeated), or [`Malformed`](WebhookError::Malformed): an ID may have 256
    /// characters and no full stop, a timestamp 12 digits, a list of signatures 4,096 characters and 64 signatures.
    pub fn parse<N: AsRef<str>, V: AsRef<[u8]>>(
        headers: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, WebhookError> {
        let (mut id, mut timestamp, mut signatures) = (None, None, None);
        for (name, value) in headers {
            let is = |wanted: &str| name.as_ref().eq_ignore_ascii_case(wanted);
            let value = value.as_ref();
            if is(Self::ID) {
                put(&mut id, Self::ID, read_id(value))?;
            } else if is(Self::TIMESTAMP) {
                put(&mut timestamp, Self::TIMESTAMP, read_timestamp(value))?;
            } else if is(Self::SIGNATURE) {
                put(&mut signatures, Self::SIGNATURE, read_signatures(value))?;
            }
        }
        let missing = |header| WebhookError::Missing { header };
        let (seconds, signed_at) = timestamp.ok_or(missing(Self::TIMESTAMP))?;
        Ok(Self {
            id: id.ok_or(missing(Self::ID))?,
            seconds,
            signed_at,
            signatures: signatures.ok_or(missing(Self::SIGNATURE))?,
        })
    }

    /// Returns the headers of a message that was signed. The ID was checked.
    pub(super) fn signed(id: &str, signed_at: Timestamp, signatures: &[Signature]) -> Self {
        let seconds = signed_at.as_secs();
        let mut list = String::with_capacity(signatures.len() * SIGNATURE_LEN);
        for signature in signatures {
            if !list.is_empty() {
                list.push(' ');
            }
            list.push_str(V1);
            BASE64.encode_append(signature.mac(), &mut list);
        }
        Self {
            id: id.to_owned(),
            seconds: seconds.to_string(),
            signed_at: Timestamp::from_millis(seconds * 1000).unwrap_or(signed_at),
            signatures: list,
        }
    }

    /// Returns the three headers, names and values, to be sent.
    #[must_use]
    pub fn pairs(&self) -> [(&'static str, &str); 3] {
        [(Self::ID, &self.id), (Self::TIMESTAMP, &self.seconds), (Self::SIGNATURE, &self.signatures)]
    }

    /// Returns the ID of the message.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns when the message was signed, in whole seconds.
    #[must_use]
    pub fn signed_at(&self) -> Timestamp {
        self.signed_at
    }

    /// Returns the signatures, separated by a space.
    #[must_use]
    pub fn signatures(&self) -> &str {
        &self.signatures
    }

    /// Returns what is signed before the body.
    pub(super) fn head(&self) -> String {
        head(&self.id, &self.seconds)
    }

    /// Returns the MACs of version `v1`. What has another version, or is not 32 bytes in padded base64, is none.
    pub(super) fn macs(&self) -> Vec<[u8; 32]> {
        self.signatures.split(' ').filter_map(|one| decode(one.strip_prefix(V1)?)).collect()
    }
}

/// Shows no signature.
impl fmt::Debug for WebhookHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookHeaders").field("signed_at", &self.signed_at).finish_non_exhaustive()
    }
}

/// Returns what is signed before the body.
pub(super) fn head(id: &str, seconds: &str) -> String {
    [id, ".", seconds, "."].concat()
}

/// Returns whether a message may have this ID.
pub(super) fn is_message_id(id: &[u8]) -> bool {
    (1..=MAX_ID).contains(&id.len()) && id.iter().all(|b| matches!(b, b'!'..=b'~') && *b != b'.')
}

fn put<T>(
    place: &mut Option<T>,
    header: &'static str,
    read: Result<T, &'static str>,
) -> Result<(), WebhookError> {
    if place.is_some() {
        return Err(WebhookError::Repeated { header });
    }
    *place = Some(read.map_err(|problem| WebhookError::Malformed { header, problem })?);
    Ok(())
}

fn read_id(value: &[u8]) -> Result<String, &'static str> {
    match is_message_id(value) {
        true => Ok(value.iter().copied().map(char::from).collect()),
        false if value.len() > MAX_ID => Err("has more than 256 characters"),
        false => Err("is not an ID: printable ASCII characters, without spaces and full stops"),
    }
}

/// Reads whole seconds in their one spelling, so that what is signed can be written again.
fn read_timestamp(value: &[u8]) -> Result<(String, Timestamp), &'static str> {
    const PROBLEM: &str = "is not a number of whole seconds since 1970";
    if value.len() > MAX_DIGITS || !value.iter().all(u8::is_ascii_digit) {
        return Err(PROBLEM);
    }
    let text: String = value.iter().copied().map(char::from).collect();
    let seconds: i64 = text.parse().map_err(|_| PROBLEM)?;
    match Timestamp::from_millis(seconds.saturating_mul(1000)) {
        Some(signed_at) if text == seconds.to_string() => Ok((text, signed_at)),
        _ => Err(PROBLEM),
    }
}

fn read_signatures(value: &[u8]) -> Result<String, &'static str> {
    if value.len() > MAX_SIGNATURES_LEN {
        return Err("has more than 4096 characters");
    }
    if !value.iter().all(|b| matches!(b, b' '..=b'~')) {
        return Err("has a character that is not printable ASCII");
    }
    if value.split(|b| *b == b' ').count() > MAX_SIGNATURES {
        return Err("has more than 64 signatures");
    }
    Ok(value.iter().copied().map(char::from).collect())
}

/// Decodes 32 bytes in their one spelling. A decoder of padded base64 would also take several texts in a row.
fn decode(text: &str) -> Option<[u8; 32]> {
    let text = text.strip_suffix('=')?.as_bytes();
    let mut bytes = [0; 32];
    let fits = BASE64_NOPAD.decode_len(text.len()) == Ok(bytes.len());
    (fits && BASE64_NOPAD.decode_mut(text, &mut bytes).is_ok()).then_some(bytes)
}

/// The version of signatures by HMAC-SHA-256, with the comma behind it.
const V1: &str = "v1,";
/// A space, the version, 44 characters of base64.
const SIGNATURE_LEN: usize = 1 + 3 + 44;
const MAX_ID: usize = 256;
/// Up to the year 33658.
const MAX_DIGITS: usize = 12;
const MAX_SIGNATURES: usize = 64;
const MAX_SIGNATURES_LEN: usize = 4096;
