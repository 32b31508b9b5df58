//! Parsed values for the cases.

use std::time::Duration;

use crate::conformance::stop::Stop;
use crate::value::{AddInId, ClientDetails, ClientId, Days, SecretId, SellerId, Timestamp};

pub(in crate::conformance) fn add_in(id: &str) -> Result<AddInId, Stop> {
    Ok(AddInId::parse(id)?)
}

pub(in crate::conformance) fn seller(id: &str) -> Result<SellerId, Stop> {
    Ok(SellerId::parse(id)?)
}

pub(in crate::conformance) fn client_id(id: &str) -> Result<ClientId, Stop> {
    Ok(ClientId::parse(id)?)
}

pub(in crate::conformance) fn secret(number: u32) -> Result<SecretId, Stop> {
    SecretId::new(number).ok_or_else(|| Stop::unprepared(&"secrets are counted from 1"))
}

/// An instant this many milliseconds after the first change of every case.
pub(in crate::conformance) fn after_start(millis: i64) -> Result<Timestamp, Stop> {
    let at = START.checked_add(millis).and_then(Timestamp::from_millis);
    at.ok_or_else(|| Stop::unprepared(&"beyond the calendar"))
}

pub(in crate::conformance) fn days(days: u32) -> Duration {
    Days::new(days).into()
}

pub(super) fn details(name: &str) -> Result<ClientDetails, Stop> {
    Ok(ClientDetails::new(name, "app.contoso.com", "https://app.contoso.com/done")?)
}

/// 2026-03-01T09:00:00Z
pub(super) const START: i64 = 1_772_355_600_000;
