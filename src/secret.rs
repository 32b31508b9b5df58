//! What everybody may know of a client secret: ID, label, purpose, validity, state, hint (rules 4, 6 and 8).

pub(crate) mod client_secret;
pub(crate) mod mac;
pub(crate) mod signature;
pub(crate) mod verifier;

pub use self::client_secret::{ClientSecret, Issued};
pub use self::mac::KeyEncoding;
pub(crate) use self::mac::MacKey;
pub use self::signature::Signature;
pub(crate) use self::verifier::Verifier;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::value::redacted::redacted;
use crate::value::{Label, SecretId, Timestamp, Validity, secret_text};

redacted! {
    /// What everybody may know of a client secret.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct Secret {
        pub(crate) id: SecretId,
        pub(crate) label: Option<Label>,
        pub(crate) purpose: Purpose,
        pub(crate) validity: Validity,
        pub(crate) origin: Origin,
        pub(crate) hint: Option<Hint>,
        pub(crate) added_at: Timestamp,
        pub(crate) disabled_since: Option<Timestamp>,
        pub(crate) replaced_by: Option<SecretId>,
        /// The later of its adding and its last enabling.
        pub(crate) standing: Standing,
    }
}

/// When, and as which of its client's steps, a secret was added or last enabled (rule 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Standing {
    pub(crate) at: Timestamp,
    pub(crate) step: u64,
}

impl Secret {
    /// Its number within the client.
    #[must_use]
    pub fn id(&self) -> SecretId {
        self.id
    }

    /// What somebody called it.
    #[must_use]
    pub fn label(&self) -> Option<&Label> {
        self.label.as_ref()
    }

    /// What it is good for.
    #[must_use]
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// From when until when it may be valid.
    #[must_use]
    pub fn validity(&self) -> Validity {
        self.validity
    }

    /// Whether it was generated here or imported.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Four characters of a generated one; none of an imported one (rule 8).
    #[must_use]
    pub fn hint(&self) -> Option<Hint> {
        self.hint
    }

    /// When it was added or imported.
    #[must_use]
    pub fn added_at(&self) -> Timestamp {
        self.added_at
    }

    /// Since when it is disabled, if it is (rule 12).
    #[must_use]
    pub fn disabled_since(&self) -> Option<Timestamp> {
        self.disabled_since
    }

    /// The secret that a rotation replaced it with (rule 11).
    #[must_use]
    pub fn replaced_by(&self) -> Option<SecretId> {
        self.replaced_by
    }

    /// What it is at `t`.
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

    /// Whether it is valid at `t` (rule 4): enabled, and `from <= t < until`.
    #[must_use]
    pub fn is_valid_at(&self, t: impl Into<Timestamp>) -> bool {
        self.state_at(t) == SecretState::Valid
    }

    /// Returns the instant since which it counts as valid, if it is valid: the latest of its adding, its `from` and its last
    /// enabling (rule 6).
    ///
    /// Where an operator works under a clock that was set back, what they add or enable counts as no earlier than what was
    /// added or enabled before: this instant is then later than [`added_at`](Self::added_at), so that adding or enabling a
    /// secret never takes signing from another one.
    #[must_use]
    pub fn valid_since(&self) -> Timestamp {
        self.standing.at.max(self.validity.from())
    }

    /// Orders the secrets that are valid by who has been so longest (rule 6).
    pub(crate) fn seniority(&self) -> (Timestamp, u64, SecretId) {
        (self.valid_since(), self.standing.step, self.id)
    }
}

redacted! {
    /// What a secret is good for.
    ///
    /// Exhaustive on purpose: a third purpose would be a new rule.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Purpose {
        /// It is a password and can be the signing secret.
        SigningAndPassword,
        /// It is a password. Nothing to sign with is kept.
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
    /// Whether a secret of this purpose can sign.
    #[must_use]
    pub fn signs(self) -> bool {
        self == Self::SigningAndPassword
    }
}

redacted! {
    /// Where a client secret was made.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
    #[serde(rename_all = "snake_case")]
    #[non_exhaustive]
    pub enum Origin {
        /// Here, from 256 random bits.
        Generated,
        /// Elsewhere (rule 18).
        Imported {
            /// How its text is read as a signing key.
            key_encoding: KeyEncoding,
        },
    }
}

redacted! {
    /// What a secret is at some instant.
    ///
    /// Exhaustive on purpose: these are all the answers of rule 4.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum SecretState {
        /// Its `from` is still to come.
        NotYetStarted,
        /// It is a password, and may sign if its purpose does.
        Valid,
        /// Somebody switched it off (rule 12).
        Disabled,
        /// Its `until` has passed. Disabled or not, it stays so.
        Ended,
    }
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

/// The first four characters of a generated client secret after its prefix: enough to tell siblings apart, 232 bits
/// short of the secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hint([u8; 4]);

impl Hint {
    /// The hint of a generated client secret; there is none of an imported one (rule 8).
    pub(crate) fn of(client_secret: &ClientSecret) -> Option<Self> {
        client_secret.is_generated().then(|| secret_text::hint(client_secret.expose())).flatten().map(Self)
    }

    /// The four characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Made from `[A-Za-z0-9]` alone.
        std::str::from_utf8(&self.0).unwrap_or_default()
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
