//! The error of every value that could not be parsed.
//!
//! It names the field, the problem and what would be accepted. It never repeats the input: sooner or later a client secret is
//! pasted into the wrong field, and the error goes to a log (rule 8).

use std::fmt;

use crate::value::coded::coded;

/// The error for an input that is not a valid value of its field. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}; accepted: {}", field.accepted())]
pub struct InvalidValue {
    field: Field,
    problem: Problem,
}

coded! {
    InvalidValue {
        _ => Invalid "invalid_value",
    }
}

impl InvalidValue {
    pub(crate) fn new(field: Field, problem: Problem) -> Self {
        Self { field, problem }
    }

    /// Returns the field that the input was meant for.
    #[must_use]
    pub fn field(&self) -> Field {
        self.field
    }

    /// Returns what is wrong with the input.
    #[must_use]
    pub fn problem(&self) -> Problem {
        self.problem
    }
}

/// The field that an input was meant for. `Display` names it in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Field {
    /// [`ClientId`](crate::ClientId)
    ClientId,
    /// [`SecretId`](crate::SecretId)
    SecretId,
    /// [`SellerId`](crate::SellerId)
    SellerId,
    /// [`OperatorId`](crate::value::OperatorId)
    OperatorId,
    /// [`AddInId`](crate::AddInId)
    AddInId,
    /// [`FriendlyName`](crate::value::FriendlyName)
    FriendlyName,
    /// [`AppDomain`](crate::value::AppDomain)
    AppDomain,
    /// [`RedirectUrl`](crate::value::RedirectUrl)
    RedirectUrl,
    /// [`Label`](crate::value::Label)
    Label,
    /// [`Attributes`](crate::value::Attributes)
    Attributes,
    /// [`Timestamp`](crate::Timestamp)
    Timestamp,
    /// [`Validity`](crate::value::Validity)
    Validity,
    /// [`ClientSecret`](crate::ClientSecret)
    ClientSecret,
    /// The signing key that an imported client secret encodes, see [`KeyEncoding`](crate::secret::KeyEncoding)
    SigningKey,
    /// A key of Standard Webhooks, which the feature `webhooks` reads as a [`ClientSecret`](crate::ClientSecret)
    WebhookKey,
    /// [`Signature`](crate::Signature)
    Signature,
    /// `Policy::max_secrets`, see [`Policy`](crate::Policy)
    MaxSecrets,
    /// `Policy::secret_prefix`, see [`Policy`](crate::Policy)
    SecretPrefix,
    /// `Policy::redirect_scheme`, see [`Policy`](crate::Policy)
    RedirectScheme,
    /// [`KeyId`](crate::value::KeyId)
    KeyId,
    /// [`Keyring`](crate::Keyring)
    Keyring,
    /// [`RegistryId`](crate::record::RegistryId)
    RegistryId,
    /// The texts of [`Operator::find_leaked`](crate::Operator::find_leaked)
    LeakedTexts,
}

impl Field {
    /// Returns what the field accepts, in one line.
    #[must_use]
    pub fn accepted(self) -> &'static str {
        match self {
            Self::ClientId => "a lowercase GUID with hyphens, or 8 to 64 characters of A-Z a-z 0-9 . _ -",
            Self::SecretId => "a whole number from 1 to 4294967295",
            Self::SellerId | Self::OperatorId | Self::AddInId => {
                "1 to 128 printable ASCII characters without spaces"
            }
            Self::FriendlyName => {
                "1 to 100 characters, no control or invisible characters, no space at the ends"
            }
            Self::AppDomain => {
                "an ASCII host name such as app.contoso.com, at most 253 characters, with an optional port \
                 (no scheme, path, IP address or international name)"
            }
            Self::RedirectUrl => {
                "an absolute URL such as https://app.contoso.com/done, at most 2048 characters of RFC 3986, \
                 without user info or fragment"
            }
            Self::Label => "1 to 100 characters, no control or invisible characters, no space at the ends",
            Self::Attributes => {
                "keys of 1 to 64 characters, values of up to 512, no control characters, 4 KiB of UTF-8 in all"
            }
            Self::Timestamp => "an RFC 3339 timestamp such as 2026-03-01T09:00:00Z",
            Self::Validity => "an end after the start, both within the calendar",
            Self::ClientSecret => "24 to 512 printable ASCII characters",
            Self::SigningKey => "canonical base64 (standard alphabet, padded) of at least 24 bytes",
            Self::WebhookKey => {
                "whsec_ and the padded base64 of a client secret, or of a key of 24 to 384 bytes"
            }
            Self::Signature => "v1:<client ID>:<secret ID>:<43 characters of unpadded base64url>",
            Self::MaxSecrets => "2 to 32",
            Self::SecretPrefix => "1 to 5 characters of A-Z a-z 0-9",
            Self::RedirectScheme => "a private-use URI scheme such as ms-app (RFC 3986 section 3.1)",
            Self::KeyId => "1 to 32 characters of A-Z a-z 0-9 . _ -",
            Self::Keyring => {
                "<key ID>:<44 characters of padded base64>, the primary key first, others after it, separated by commas"
            }
            Self::RegistryId => "32 lowercase hexadecimal digits",
            Self::LeakedTexts => "up to 1,000 texts at a time",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClientId => "client ID",
            Self::SecretId => "secret ID",
            Self::SellerId => "seller ID",
            Self::OperatorId => "operator ID",
            Self::AddInId => "add-in ID",
            Self::FriendlyName => "friendly name",
            Self::AppDomain => "app domain",
            Self::RedirectUrl => "redirect URL",
            Self::Label => "label",
            Self::Attributes => "attributes",
            Self::Timestamp => "timestamp",
            Self::Validity => "validity",
            Self::ClientSecret => "client secret",
            Self::SigningKey => "signing key",
            Self::WebhookKey => "webhook key",
            Self::Signature => "signature",
            Self::MaxSecrets => "secret limit",
            Self::SecretPrefix => "secret prefix",
            Self::RedirectScheme => "redirect scheme",
            Self::KeyId => "key ID",
            Self::Keyring => "keyring",
            Self::RegistryId => "registry ID",
            Self::LeakedTexts => "leaked texts",
        })
    }
}

/// The problem with an input. `Display` says it in words that follow the name of the field: "is empty".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Problem {
    /// It is empty.
    Empty,
    /// It has fewer than `min` characters.
    TooShort {
        /// The minimum number of characters.
        min: usize,
    },
    /// It has more than `max` characters. The length is checked before anything else.
    TooLong {
        /// The maximum number of characters.
        max: usize,
    },
    /// The character that begins at this byte is not allowed.
    Character {
        /// The offset in bytes from the start of the text.
        at: usize,
    },
    /// It begins or ends with white space.
    SpaceAtEnds,
    /// It looks like a client secret, and the field is public. The text was not looked up, logged or stored. Check that two
    /// fields were not swapped.
    ClientSecret,
    /// It has another problem, in words: "is an IP address".
    Form(&'static str),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("is empty"),
            Self::TooShort { min } => write!(f, "has fewer than {min} characters"),
            Self::TooLong { max } => write!(f, "has more than {max} characters"),
            Self::Character { at } => write!(f, "has a character that is not allowed, at byte {at}"),
            Self::SpaceAtEnds => f.write_str("begins or ends with white space"),
            Self::ClientSecret => {
                f.write_str("may not hold a client secret, and this text looks like one: check that two fields were not swapped")
            }
            Self::Form(what) => f.write_str(what),
        }
    }
}
