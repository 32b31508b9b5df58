//! The client secret itself, and what everybody may know of it (rules 4, 5 and 8).
//!
//! [`ClientSecret`] is the plaintext. It is generated here or parsed from what a caller moves in with, leaves through
//! one door, [`ClientSecret::expose`], and is wiped when dropped. It cannot be cloned, compared or serialized, so that
//! it is nowhere without somebody having put it there. [`Secret`] is all the rest.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use crate::entropy::{Entropy, EntropyError};
use crate::id::{ClientId, SecretId};
use crate::invalid::{Field, InvalidValue, Problem};
use crate::mac::KeyEncoding;
use crate::name::Label;
use crate::secret_text;
use crate::validity::{Timestamp, Validity};

/// The plaintext of a client secret.
///
/// Cannot be cloned, compared or serialized:
///
/// ```compile_fail,E0277
/// # use client_registry::ClientSecret;
/// fn clone_it<T: Clone>() {}
/// clone_it::<ClientSecret>();
/// ```
/// ```compile_fail,E0277
/// # use client_registry::ClientSecret;
/// fn compare_it<T: PartialEq>() {}
/// compare_it::<ClientSecret>();
/// ```
/// ```compile_fail,E0277
/// # use client_registry::ClientSecret;
/// fn serialize_it<T: serde::Serialize>() {}
/// serialize_it::<ClientSecret>();
/// ```
pub struct ClientSecret {
    text: SecretString,
    generated: bool,
}

impl ClientSecret {
    /// Takes a client secret that was made elsewhere: to import it (rule 18), or for a
    /// [`SecretRing`](crate::SecretRing).
    ///
    /// The text is copied; wiping the original is up to the caller.
    ///
    /// # Errors
    /// [`InvalidValue`] when it is not 24 to 512 printable ASCII characters.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let invalid = |problem| Err(InvalidValue::new(Field::ClientSecret, problem));
        match text.len() {
            0 => return invalid(Problem::Empty),
            1..MIN_LEN => return invalid(Problem::TooShort { min: MIN_LEN }),
            MIN_LEN..=MAX_LEN => {}
            _ => return invalid(Problem::TooLong { max: MAX_LEN }),
        }
        if let Some(at) = text.bytes().position(|b| !matches!(b, b' '..=b'~')) {
            return invalid(Problem::Character { at });
        }
        Ok(Self { text: SecretString::from(Box::<str>::from(text)), generated: false })
    }

    /// A new client secret: 256 bits from `entropy` in the text form that the crate's documentation describes.
    ///
    /// # Errors
    /// [`EntropyError`] when there is no randomness to be had.
    pub fn generate(prefix: &str, entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut bits = [0; 32];
        let filled = entropy.fill(&mut bits);
        let text = secret_text::write(prefix, &bits);
        bits.zeroize();
        filled.map(|()| Self { text: SecretString::from(text), generated: true })
    }

    /// The plaintext. Whoever calls this answers for where it goes.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.text.expose_secret()
    }

    /// Whether it was generated here, and so is known to be unguessable.
    pub(crate) fn is_generated(&self) -> bool {
        self.generated
    }

    /// Four characters by which a generated one can be told from its siblings (rule 8).
    pub(crate) fn hint(&self) -> Option<Hint> {
        self.generated.then(|| secret_text::hint(self.expose())).flatten().map(Hint)
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSecret").finish_non_exhaustive()
    }
}

/// A client secret that was just issued: the only time its plaintext is in anybody's hands (rule 8).
///
/// Cannot be cloned, compared or serialized:
///
/// ```compile_fail,E0277
/// # use client_registry::Issued;
/// fn clone_it<T: Clone>() {}
/// clone_it::<Issued>();
/// ```
/// ```compile_fail,E0277
/// # use client_registry::Issued;
/// fn compare_it<T: PartialEq>() {}
/// compare_it::<Issued>();
/// ```
/// ```compile_fail,E0277
/// # use client_registry::Issued;
/// fn serialize_it<T: serde::Serialize>() {}
/// serialize_it::<Issued>();
/// ```
#[must_use = "the client secret is shown once: dropped here, it is lost and the secret stays behind, never used"]
pub struct Issued {
    client_id: ClientId,
    secret_id: SecretId,
    validity: Validity,
    client_secret: ClientSecret,
}

impl Issued {
    pub(crate) fn new(
        client_id: ClientId,
        secret_id: SecretId,
        validity: Validity,
        client_secret: ClientSecret,
    ) -> Self {
        Self { client_id, secret_id, validity, client_secret }
    }

    /// The client ID that it is a secret of.
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// The secret's ID, by which it is managed from now on.
    pub fn secret_id(&self) -> SecretId {
        self.secret_id
    }

    /// From when until when it is valid.
    pub fn validity(&self) -> Validity {
        self.validity
    }

    /// The plaintext.
    pub fn client_secret(&self) -> &ClientSecret {
        &self.client_secret
    }

    /// The plaintext, to keep; the rest is in the registry.
    pub fn into_client_secret(self) -> ClientSecret {
        self.client_secret
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued")
            .field("client_id", &self.client_id)
            .field("secret_id", &self.secret_id)
            .field("validity", &self.validity)
            .finish_non_exhaustive()
    }
}

/// What everybody may know of a client secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

    /// Whether it is valid at `t` and of a purpose that signs.
    pub(crate) fn can_sign_at(&self, t: Timestamp) -> bool {
        self.purpose.signs() && self.is_valid_at(t)
    }

    /// Since when it is valid, if it is: the latest of its adding, its `from` and its last enabling (rule 6).
    #[must_use]
    pub fn valid_since(&self) -> Timestamp {
        self.standing.at.max(self.validity.from())
    }

    /// Orders the secrets that are valid by who has been so longest (rule 6).
    pub(crate) fn seniority(&self) -> (Timestamp, u64, SecretId) {
        (self.valid_since(), self.standing.step, self.id)
    }
}

/// What a secret is good for.
///
/// Exhaustive on purpose: a third purpose would be a new rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// It is a password and can be the signing secret.
    #[default]
    SigningAndPassword,
    /// It is a password. Nothing to sign with is kept.
    PasswordOnly,
}

impl Purpose {
    /// Whether a secret of this purpose can sign.
    #[must_use]
    pub fn signs(self) -> bool {
        self == Self::SigningAndPassword
    }
}

/// Where a client secret was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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

/// What a secret is at some instant.
///
/// Exhaustive on purpose: these are all the answers of rule 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        match <[u8; 4]>::try_from(text.as_bytes()) {
            Ok(hint) if hint.iter().all(u8::is_ascii_alphanumeric) => Ok(Self(hint)),
            _ => Err(serde::de::Error::custom("a hint is four ASCII letters or digits")),
        }
    }
}

/// The lengths of an imported client secret, and so of anything worth comparing with a verifier.
pub(crate) const MIN_LEN: usize = 24;
pub(crate) const MAX_LEN: usize = 512;
