//! Values: each is parsed once and valid from then on. They know nothing of clients, stores or time.

pub(crate) mod app_domain;
pub(crate) mod details;
pub(crate) mod error_kind;
pub(crate) mod id;
pub(crate) mod invalid;
pub(crate) mod name;
pub(crate) mod policy;
pub(crate) mod redacted;
pub(crate) mod redirect_url;
pub(crate) mod secret_text;
pub(crate) mod text;
pub(crate) mod validity;
