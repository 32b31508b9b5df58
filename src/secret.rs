//! Client secrets: the plaintext, what is kept of it, and what it signs (rules 4, 6 and 8).
//!
//! [`ClientSecret`] is the plaintext. It is generated or parsed, shown once as [`Issued`], and wiped when it is dropped. A
//! registry keeps no plaintext: it keeps a [`Secret`], which holds what may be shown (ID, label, purpose, validity, state,
//! hint), and two derived values that are never shown: a verifier, which recognises the client secret as a password, and a MAC
//! key, which signs. [`Signature`] is what the platform's messages carry.
//!
//! ```
//! use client_registry::entropy::SystemEntropy;
//! use client_registry::{ClientSecret, Policy};
//!
//! let secret = ClientSecret::generate(&Policy::default(), &SystemEntropy)?;
//! assert!(secret.expose().starts_with("crs_")); // the only way to the plaintext
//! assert_eq!(format!("{secret:?}"), "ClientSecret { .. }");
//! # Ok::<(), client_registry::entropy::EntropyError>(())
//! ```
//!
//! The verifier and the MAC key are written into sealed records. Their files state the formats, which must not change.

mod base64;
pub(crate) mod client_secret;
pub(crate) mod mac;
pub(crate) mod signature;
mod stack;
pub(crate) mod verifier;
#[cfg(feature = "webhooks")]
mod whsec;

pub use self::client_secret::{ClientSecret, Issued};
pub use self::mac::KeyEncoding;
pub(crate) use self::mac::MacKey;
pub use self::signature::Signature;
pub(crate) use self::stack::wipe_stack;
pub(crate) use self::verifier::{Verifier, VerifierPrefix};

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::value::object::Object;
use crate::value::redacted::{redact, redacted};
use crate::value::{Label, SecretId, Timestamp, Validity, secret_text};

/// The public attributes of a client secret. Nothing in it helps to guess the plaintext.
///
/// Its [JSON](crate::json) has no state, since the state depends on the instant; that of
/// [`Client::view`](crate::client::Client::view) has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Secret {
    pub(crate) id: SecretId,
    pub(crate) label: Option<Label>,
    pub(crate) purpose: Purpose,
    pub(crate) validity: Validity,
    pub(crate) issued_until: Option<Timestamp>,
    pub(crate) origin: Origin,
    pub(crate) hint: Option<Hint>,
    pub(crate) added_at: Timestamp,
    pub(crate) disabled_since: Option<Timestamp>,
    pub(crate) replaced_by: Option<SecretId>,
    #[serde(skip)]
    pub(crate) last_enabled: LastEnabled,
    /// When the present end was set, if it is not the one that the secret was issued with.
    #[serde(skip)]
    pub(crate) end_set_at: Option<Timestamp>,
}

/// The instant, and the step of its client, at which a secret was added or last enabled, whichever is later (rule 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LastEnabled {
    pub(crate) at: Timestamp,
    pub(crate) step: u64,
}

impl Secret {
    /// Returns the ID of the secret, a number within its client.
    #[must_use]
    pub fn id(&self) -> SecretId {
        self.id
    }

    /// Returns the label.
    #[must_use]
    pub fn label(&self) -> Option<&Label> {
        self.label.as_ref()
    }

    /// Returns the purpose.
    #[must_use]
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Returns the interval in which the secret may be valid.
    #[must_use]
    pub fn validity(&self) -> Validity {
        self.validity
    }

    /// Returns the end that the secret was issued with; `None` if it had none. The end of the secret is never moved past this
    /// instant (rule 21). An older version of this crate did not keep it: of a secret that such a version replaced in a rotation,
    /// this is the end that the rotation set.
    #[must_use]
    pub fn issued_until(&self) -> Option<Timestamp> {
        self.issued_until
    }

    /// Returns whether the secret was generated or imported.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Returns the hint: four characters of a generated client secret, or `None` for an imported one (rule 8).
    #[must_use]
    pub fn hint(&self) -> Option<Hint> {
        self.hint
    }

    /// Returns when the secret was added or imported.
    #[must_use]
    pub fn added_at(&self) -> Timestamp {
        self.added_at
    }

    /// Returns when the secret was disabled, if it is disabled (rule 12).
    #[must_use]
    pub fn disabled_since(&self) -> Option<Timestamp> {
        self.disabled_since
    }

    /// Returns the secret that a rotation replaced this one with (rule 11); `None` if it was not replaced.
    #[must_use]
    pub fn replaced_by(&self) -> Option<SecretId> {
        self.replaced_by
    }

    /// Returns the state of the secret at `t`.
    #[must_use]
    pub fn state_at(&self, t: impl Into<Timestamp>) -> SecretState {
        let t = t.into();
        if self.validity.has_ended(t) {
            SecretState::Ended
        } else if self.disabled_since.is_some() {
            SecretState::Disabled
        } else if !self.validity.has_started(t) {
            SecretState::NotYetStarted
        } else {
            SecretState::Valid
        }
    }

    /// Returns whether the secret is valid at `t` (rule 4): enabled, and `from <= t < until`.
    #[must_use]
    pub fn is_valid_at(&self, t: impl Into<Timestamp>) -> bool {
        self.state_at(t) == SecretState::Valid
    }

    /// Returns the instant since which a valid secret counts as valid: the latest of the instant at which it was added, its
    /// `from`, and the instant at which it was last enabled (rule 6).
    ///
    /// If the clock was set back, a secret that is added or enabled counts as added no earlier than those before it. Then this
    /// instant is later than [`added_at`](Self::added_at). So adding or enabling a secret never makes it sign in place of
    /// another one.
    #[must_use]
    pub fn valid_since(&self) -> Timestamp {
        self.last_enabled.at.max(self.validity.from())
    }

    /// Orders valid secrets by how long they have been valid, the longest first (rule 6).
    pub(crate) fn seniority(&self) -> (Timestamp, u64, SecretId) {
        (self.valid_since(), self.last_enabled.step, self.id)
    }
}

redacted! {
    /// The purpose of a secret.
    ///
    /// Exhaustive on purpose: a third purpose would be a new rule.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Purpose {
        /// The secret is a password and can be the signing secret.
        SigningAndPassword,
        /// The secret is a password. No signing key is kept.
        PasswordOnly,
    }
}

#[allow(
    clippy::derivable_impls,
    reason = "`redacted!` declares the variants twice, and `#[default]` may stand once"
)]
impl Default for Purpose {
    fn default() -> Self {
        Self::SigningAndPassword
    }
}

impl Purpose {
    /// Returns whether a secret of this purpose can sign.
    #[must_use]
    pub fn signs(self) -> bool {
        self == Self::SigningAndPassword
    }
}

/// The origin of a client secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Origin {
    /// It was generated here from 256 random bits.
    Generated,
    /// It was made elsewhere and imported (rule 18).
    Imported {
        /// How the text is read as a signing key.
        key_encoding: KeyEncoding,
    },
}

/// An origin as it is read. Its variants have braces, since `serde` accepts unknown members beside a variant without them.
#[derive(Deserialize)]
#[serde(rename = "Origin", tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum UncheckedOrigin {
    Generated {},
    Imported { key_encoding: KeyEncoding },
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let unchecked = UncheckedOrigin::deserialize(Object(deserializer));
        Ok(match unchecked.map_err(|error| redact(error, "Origin"))? {
            UncheckedOrigin::Generated {} => Self::Generated,
            UncheckedOrigin::Imported { key_encoding } => Self::Imported { key_encoding },
        })
    }
}

/// The state of a secret at some instant.
///
/// Exhaustive on purpose: rule 4 knows no other state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretState {
    /// The start of its validity lies in the future.
    NotYetStarted,
    /// It works as a password, and may sign if its purpose allows that.
    Valid,
    /// It is disabled (rule 12).
    Disabled,
    /// Its validity has ended. This is final, whether the secret is disabled or not.
    Ended,
}

impl fmt::Display for SecretState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NotYetStarted => "not yet started",
            Self::Valid => "valid",
            Self::Disabled => "disabled",
            Self::Ended => "ended",
        })
    }
}

/// The hint of a generated client secret: its first four characters after the prefix. They tell the secrets of a client apart,
/// and leave 232 bits unknown.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hint([u8; 4]);

impl Hint {
    /// Returns the hint of a generated client secret, or `None` for an imported one (rule 8).
    pub(crate) fn of(client_secret: &ClientSecret) -> Option<Self> {
        client_secret.is_generated().then(|| secret_text::hint(client_secret.expose())).flatten().map(Self)
    }

    /// Returns the four characters.
    #[must_use]
    #[expect(clippy::expect_used, reason = "unreachable: a hint is made from `[A-Za-z0-9]` alone")]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a hint is ASCII")
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hint({})", self.as_str())
    }
}

impl Serialize for Hint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Hint {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::value::text::deserialize(deserializer, |text| match <[u8; 4]>::try_from(text.as_bytes()) {
            Ok(hint) if hint.iter().all(u8::is_ascii_alphanumeric) => Ok(Self(hint)),
            _ => Err("a hint is four ASCII letters or digits"),
        })
    }
}
