//! What a seller should know: each finding in a state that has it and in the nearest one that does not, and random
//! histories against the findings' own words.

mod cases;
mod histories;
pub(crate) mod words;
