//! What ends when, and the notices that are due before it does: the registry against a naive model, in windows and pages
//! of every size.

mod cases;
mod histories;
mod indexes;
mod market;
