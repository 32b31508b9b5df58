//! The values of a row, each of which may be one that cannot be read.

use std::error::Error;
use std::fmt::Display;

use rusqlite::{ErrorCode, Row, Rows};

use super::fault::Fault;

/// The next row of a table, in which there may be a value that is longer than any that was written there.
pub(super) fn next<'a>(
    rows: &'a mut Rows<'_>,
    table: &'static str,
    column: &'static str,
    key: &dyn Display,
) -> Result<Option<&'a Row<'a>>, Fault> {
    rows.next().map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::TooBig) => {
            Fault::Cell { table, column, key: key.to_string(), source: Box::new(error) }
        }
        _ => error.into(),
    })
}

/// The values of a row, each of which may be one that cannot be read.
pub(super) struct Cells<'a> {
    pub(super) row: &'a Row<'a>,
    pub(super) table: &'static str,
    pub(super) key: &'a dyn Display,
}

impl<'a> Cells<'a> {
    pub(super) fn text(&self, position: usize, column: &'static str) -> Result<&'a str, Fault> {
        let value = self.row.get_ref(position)?;
        value.as_str().map_err(|error| self.unreadable(column, error))
    }

    pub(super) fn bytes<const N: usize>(
        &self,
        position: usize,
        column: &'static str,
    ) -> Result<[u8; N], Fault> {
        let bytes = self.blob(position, column)?;
        bytes.try_into().map_err(|error| self.unreadable(column, error))
    }

    pub(super) fn blob(&self, position: usize, column: &'static str) -> Result<&'a [u8], Fault> {
        let value = self.row.get_ref(position)?;
        value.as_blob().map_err(|error| self.unreadable(column, error))
    }

    pub(super) fn number<T>(&self, position: usize, column: &'static str) -> Result<T, Fault>
    where
        T: TryFrom<i64, Error: Into<Box<dyn Error + Send + Sync>>>,
    {
        let value = self.row.get_ref(position)?;
        let number = value.as_i64().map_err(|error| self.unreadable(column, error))?;
        number.try_into().map_err(|error| self.unreadable(column, error))
    }

    pub(super) fn unreadable(
        &self,
        column: &'static str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Fault {
        Fault::Cell { table: self.table, column, key: self.key.to_string(), source: source.into() }
    }
}
