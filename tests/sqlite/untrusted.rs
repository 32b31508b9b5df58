//! Somebody who can write to the file: what a node has refused it makes nothing of, and one damaged row is one client's
//! trouble.

mod damaged;
mod put_back;
mod rows;

use client_registry::store::{SqliteStore, StoreErrorKind};
use client_registry::{AccessError, Issued, Reason, Registry};
use pollster::block_on;

fn reason(registry: &Registry<SqliteStore>, issued: &Issued) -> Result<(), Result<Reason, StoreErrorKind>> {
    let secret = issued.client_secret().expose();
    match block_on(registry.authenticate(issued.client_id().as_str(), secret)) {
        Ok(_) => Ok(()),
        Err(AccessError::Denied(denied)) => Err(Ok(denied.reason())),
        Err(AccessError::Unavailable(error)) => Err(Err(error.kind())),
        Err(other) => panic!("{other}"),
    }
}
