//! Values: each is parsed once and valid from then on. They know nothing of clients, stores or time.

pub(crate) mod app_domain;
pub(crate) mod coded;
pub(crate) mod details;
pub(crate) mod error_kind;
pub(crate) mod id;
pub(crate) mod invalid;
pub(crate) mod name;
pub(crate) mod policy;
pub(crate) mod redacted;
pub(crate) mod redirect_url;
pub(crate) mod revision;
pub(crate) mod secret_text;
pub(crate) mod text;
pub(crate) mod timestamp;
pub(crate) mod validity;

pub use self::app_domain::AppDomain;
pub use self::details::{Availability, ClientDetails};
pub use self::error_kind::ErrorKind;
pub use self::id::{Actor, AddIn, AddInId, ClientId, KeyId, OperatorId, SecretId, SellerId};
pub use self::invalid::{Field, InvalidValue, Problem};
pub use self::name::{FriendlyName, Label, NameKey};
pub use self::policy::Policy;
pub use self::redirect_url::RedirectUrl;
pub use self::revision::Revision;
pub(crate) use self::secret_text::Looks;
pub use self::timestamp::Timestamp;
pub use self::validity::{Days, Lifetime, Validity};
