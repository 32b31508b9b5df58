//! The rows of the table.

mod authenticate;
mod decide;
pub mod memory;
mod postgres;
mod sign;
mod sqlite;
mod threads;

use crate::report::Report;

/// Measures the rows that were asked for.
pub fn measure(report: &mut Report, has_postgres: bool) {
    authenticate::measure(report);
    threads::measure(report);
    sign::measure(report);
    decide::measure(report);
    memory::measure(report);
    sqlite::measure(report);
    if has_postgres {
        postgres::measure(report);
    }
}
