//! Values: each is parsed once and valid from then on. They know nothing of clients, stores or time.
//!
//! IDs, names, URLs, instants, validities and the [`Policy`] live here. A value has private fields and one way in, `parse` or a
//! constructor, which fails with [`InvalidValue`]: it names the [`Field`], the [`Problem`] and what is accepted, and never
//! repeats the input, since client secrets get pasted into wrong fields. The same check runs when a value is read from JSON.
//!
//! ```
//! use client_registry::value::{AppDomain, Field, Problem};
//!
//! let error = AppDomain::parse("https://app.contoso.com").unwrap_err();
//! assert_eq!(error.field(), Field::AppDomain);
//! assert_eq!(error.problem(), Problem::Form("has a scheme"));
//! assert!(error.to_string().starts_with("app domain has a scheme; accepted: an ASCII host name such as app.contoso.com"));
//! ```
//!
//! A value states what something is. Whether it is allowed is for the [`Policy`] to say, at the moment a command decides.

pub(crate) mod actor;
pub(crate) mod add_in;
pub(crate) mod app_domain;
pub(crate) mod attributes;
pub(crate) mod bytes;
pub(crate) mod client_id;
pub(crate) mod coded;
pub(crate) mod details;
pub(crate) mod error_kind;
pub(crate) mod id;
pub(crate) mod invalid;
pub(crate) mod member;
pub(crate) mod name;
pub(crate) mod object;
pub(crate) mod policy;
pub(crate) mod redacted;
pub(crate) mod redirect_url;
pub(crate) mod report;
pub(crate) mod revision;
pub(crate) mod secret_id;
pub(crate) mod secret_text;
pub(crate) mod text;
pub(crate) mod timestamp;
pub(crate) mod validity;
pub(crate) mod variable;

pub use self::actor::Actor;
pub use self::add_in::AddIn;
pub use self::app_domain::AppDomain;
pub use self::attributes::Attributes;
pub use self::client_id::ClientId;
pub use self::details::{Availability, ClientDetails};
pub use self::error_kind::ErrorKind;
pub use self::id::{AddInId, KeyId, OperatorId, SellerId};
pub use self::invalid::{Field, InvalidValue, Problem};
pub use self::name::{FriendlyName, Label, NameKey};
pub use self::policy::Policy;
pub use self::redirect_url::RedirectUrl;
pub use self::revision::Revision;
pub use self::secret_id::SecretId;
pub(crate) use self::secret_text::Looks;
pub use self::timestamp::Timestamp;
pub use self::validity::{Days, Lifetime, Validity};
