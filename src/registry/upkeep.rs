//! Upkeep: keys, resealing, checking, exporting and importing.
//!
//! The methods are those of [`Registry`](crate::Registry) and [`RegistryBuilder`](crate::RegistryBuilder); this module has the
//! types that they take and return.
//!
//! - [`Registry::check`](crate::Registry::check) reads everything that the store holds and returns a [`CheckReport`].
//! - [`Registry::keys`](crate::Registry::keys) lists the keys as [`KeyStatus`];
//!   [`retire_key`](crate::Registry::retire_key) retires one.
//! - [`Registry::reseal`](crate::Registry::reseal) seals all records anew under the primary key, a few at a time:
//!   [`Resealing`].
//! - [`Registry::export`](crate::Registry::export) and [`RegistryBuilder::import`](crate::RegistryBuilder::import) move a registry to
//!   another store: [`ExportSummary`], [`ImportSummary`].
//!
//! ```
//! # use client_registry::Registry;
//! # pollster::block_on(async {
//! # let registry = Registry::in_memory();
//! let report = registry.check().await?;
//! assert!(report.is_clean(), "{:?}", report.discrepancies);
//! # Ok::<(), client_registry::store::StoreError>(())
//! # }).unwrap();
//! ```

pub(in crate::registry) mod check;
pub(in crate::registry) mod keys;
pub(in crate::registry) mod open;
pub(in crate::registry) mod reseal;
pub(in crate::registry) mod transfer;

pub use self::check::{CheckReport, Discrepancy, DiscrepancyKind, Lookup};
pub use self::keys::{KeyStatus, RetireError};
pub use self::reseal::{Resealed, Resealing};
pub use self::transfer::{ExportError, ExportSummary, ImportError, ImportSummary};
