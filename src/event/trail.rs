//! Checking a trail, with this crate or without it (rule 16).
//!
//! The documentation of [`check_trail`] is the specification of the chain, to the byte. It describes a format that is stored,
//! so it changes only when a new fact is added.

use super::{Event, EventHash};

/// Checks that `events` are the complete trail of a client in order, from the event after `start` up to `head` (rule 16).
///
/// `start` is [`EventHash::START`] if the trail is read from its beginning. `head` is the hash that the client's record names:
/// [`ClientHandle::head`](crate::ClientHandle::head), which also works for a deleted client.
///
/// # Checking without this crate
/// Give a third party the [text](Event::text) of each event, one per line, and the head over another channel:
///
/// ```
/// # use client_registry::event::EventHash;
/// # use client_registry::value::Revision;
/// # use client_registry::*;
/// # pollster::block_on(async {
/// # let registry = Registry::in_memory();
/// # let details = ClientDetails::new("calendar app", "app.contoso.com", "https://app.contoso.com/done")?;
/// # let contoso = registry.as_seller("contoso")?;
/// # let issued = contoso.register(details, Lifetime::OneYear).await?;
/// # let client = contoso.client(issued.client_id());
/// # let mut file = Vec::new();
/// let head = client.head().await?;
/// let (mut after, mut last) = (Revision::ZERO, EventHash::START);
/// while last != head {
///     let events = client.trail(after, 1000).await?;
///     for event in &events {
///         file.extend_from_slice(event.text().as_bytes());
///         file.push(b'\n');
///         (after, last) = (event.revision(), event.hash());
///     }
///     if events.is_empty() {
///         return Err("the trail does not end at its head".into());
///     }
/// }
/// println!("{head}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
///
/// This Python program checks them. It exits with 0 if the trail is complete, 1 if it is not, and 2 if it could not be checked, and
/// prints why:
///
/// ```python
#[doc = include_str!("verify_trail.py")]
/// ```
///
/// # The chain, to the byte
/// The hash of an event is SHA-256 over the ASCII characters `client-registry/event/1`, one zero byte, and the text of the event.
/// An event names the hash of the one before as `previous`, in 64 lowercase hexadecimal digits; the first event of a client
/// names 64 zeros. The hash of the last event is the head.
///
/// The text is one JSON object in UTF-8, without white space between its parts and without a line feed anywhere. Its members, in
/// this order:
///
/// | member | holds |
/// | --- | --- |
/// | `client_id` | the client ID |
/// | `revision` | the revision that the commit made, in decimal digits |
/// | `at` | the instant: `2026-03-01T09:00:00.000Z`, always with three decimals and `Z` |
/// | `actor` | `{"seller":"…"}` or `{"operator":"…"}` |
/// | `fact` | an object: first `what`, then the fields of the [`Fact`](super::Fact) with this name, in the order of its documentation |
/// | `signing` | `{"before":…,"after":…}`: the secret that signed before and after, a number or `null`. Absent if it is the same |
/// | `previous` | the hash of the previous event |
///
/// `signing` is the only member that can be absent; any other missing value is `null` (a secret without a label, a validity
/// without an end). A validity is `{"from":…,"until":…}`; details are `friendly_name`, `app_domain` and
/// `redirect_url`; attributes are an object of strings, in the order of the bytes of their keys; the origin of a secret is
/// `"generated"` or `{"imported":{"key_encoding":"utf8"}}` (or `"base64"`). In strings, the quotation mark and the backslash are escaped with a backslash, and control characters are written as `\b`, `\t`,
/// `\n`, `\f`, `\r` or `\u00` with two lowercase hexadecimal digits. No other character is escaped, not even `/` or one beyond
/// ASCII.
///
/// # Errors
/// [`BrokenTrail`] names the first event that does not follow the previous one, or says that the last one is not `head`.
pub fn check_trail<'a>(
    events: impl IntoIterator<Item = &'a Event>,
    start: EventHash,
    head: EventHash,
) -> Result<(), BrokenTrail> {
    let mut last = start;
    for (position, event) in events.into_iter().enumerate() {
        if event.previous() != last {
            return Err(BrokenTrail::At { position });
        }
        last = event.hash();
    }
    if last == head { Ok(()) } else { Err(BrokenTrail::Head) }
}

/// The trail is broken: events are missing, were edited or were reordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BrokenTrail {
    /// The event at this position does not follow the previous one.
    #[error("event {position} does not follow the previous one: the trail was edited or reordered")]
    At {
        /// The position in the trail, counted from 0.
        position: usize,
    },
    /// The last event is not the one that the client's record names.
    #[error("the trail does not end where the client's record says: events are missing or were edited")]
    Head,
}
