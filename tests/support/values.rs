//! The values that tests begin with: a seller, details, instants, secrets that were made elsewhere.

use std::time::Duration;

use client_registry::client::ImportedSecret;
use client_registry::clock::ManualClock;
use client_registry::secret::KeyEncoding;
use client_registry::value::{KeyId, Validity};
use client_registry::{
    AddIn, Availability, ClientDetails, ClientId, ClientSecret, Days, Keyring, Lifetime, NewSecret, SecretId,
    SellerId, Timestamp,
};

/// The seller that owns the clients here.
pub(crate) fn contoso() -> SellerId {
    SellerId::parse("contoso").unwrap()
}

pub(crate) fn client_id(text: &str) -> ClientId {
    ClientId::parse(text).unwrap()
}

/// Details with this friendly name.
pub(crate) fn details(friendly_name: &str) -> ClientDetails {
    ClientDetails::new(friendly_name, "app.contoso.com", "https://app.contoso.com/done").unwrap()
}

pub(crate) fn add_in(number: usize) -> AddIn {
    AddIn::new(&format!("add-in-{number}"), Availability::Worldwide).unwrap()
}

pub(crate) fn secret_id(number: u32) -> SecretId {
    SecretId::new(number).unwrap()
}

/// The instant of this text.
pub(crate) fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// When most tests begin.
pub(crate) const START: &str = "2026-03-01T09:00:00Z";

/// The instant of [`START`].
pub(crate) fn start() -> Timestamp {
    instant(START)
}

/// The instant `millis` later, or earlier if negative.
pub(crate) fn later(from: Timestamp, millis: i64) -> Timestamp {
    Timestamp::from_millis(from.as_millis() + millis).unwrap()
}

pub(crate) fn days(count: u32) -> Duration {
    Days::new(count).into()
}

pub(crate) fn days_later(from: Timestamp, count: u32) -> Timestamp {
    from.saturating_add(days(count))
}

pub(crate) fn lasting_days(count: u32) -> NewSecret {
    NewSecret::lasting(Lifetime::Days(Days::new(count)))
}

pub(crate) fn validity(from: Timestamp, until: Timestamp) -> Validity {
    Validity::new(from, Some(until)).unwrap()
}

/// A client secret that was made elsewhere, a different one for each number.
pub(crate) fn foreign_text(number: usize) -> String {
    format!("kX3v-Qm7z.Tb9w_Rj2y+{number:08}-abcdef")
}

pub(crate) fn foreign(number: usize, validity: Validity) -> ImportedSecret {
    ImportedSecret::new(ClientSecret::parse(&foreign_text(number)).unwrap(), validity, KeyEncoding::Utf8)
}

/// A clock that stands at [`START`].
pub(crate) fn clock() -> ManualClock {
    ManualClock::new(START.parse().unwrap())
}

/// The keyring of registries in a file.
pub(crate) fn keyring() -> Keyring {
    Keyring::new(KeyId::parse("2026").unwrap(), &KEY).unwrap()
}

pub(crate) const KEY: [u8; 32] = *b"thirty-two bytes to seal it with";

/// An error with all that lies behind it.
pub(crate) fn in_words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        words.push_str(&format!(": {error}"));
        next = error.source();
    }
    words
}
