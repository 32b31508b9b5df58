//! The JSON of errors: their codes, and their problem details.

use std::collections::BTreeMap;

use client_registry::problem::ProblemDetails;
use client_registry::store::{StoreError, StoreErrorKind};
use client_registry::{AccessError, ClientDetails, Error, Lifetime, Registry};
use pollster::block_on;

use super::{are_written, is_written};
use crate::support::details;

/// The codes of errors with the HTTP status of each, from the table in the docs, which is held against the errors.
#[test]
fn codes() {
    let table = include_str!("../../../src/value/codes.md");
    let rows = table.lines().filter(|line| line.starts_with("| `")).map(|line| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        (cells[1].trim_matches('`'), cells[3].parse::<u16>().unwrap())
    });
    is_written("codes.json", &rows.collect::<BTreeMap<_, _>>());
}

/// One of each kind of telling: a value, a rule, a denial, a store.
#[test]
fn problem_details() {
    let invalid = ClientDetails::new("calendar", "contoso.com", "contoso.com/done").unwrap_err();
    let registry = Registry::in_memory();
    let contoso = registry.as_seller("contoso").unwrap();
    let refused = block_on(contoso.register(details("calendar"), Lifetime::Unlimited)).unwrap_err();
    let denied = block_on(registry.authenticate("calendar-app", "wrong")).unwrap_err();
    let down = Error::from(StoreError::with_source(StoreErrorKind::Unavailable, "10.0.0.7 refused"));
    assert!(matches!(denied, AccessError::Denied(_)));
    are_written(
        "problems.json",
        [
            ProblemDetails::from(&invalid),
            ProblemDetails::from(&refused),
            ProblemDetails::from(&denied).with_types_at("https://docs.contoso.com/errors/"),
            ProblemDetails::from(&down),
        ],
    );
}
