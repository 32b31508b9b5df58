//! What a user would pick instead, used as its documentation shows.

pub mod oxide;
pub mod prefixed;
pub mod strings;
pub mod tink;
