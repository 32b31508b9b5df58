//! The client secret itself: the plaintext, and the one moment in which it is shown (rule 8).
//!
//! It is generated here or parsed from what a caller moves in with, leaves through one door,
//! [`ClientSecret::expose`], and is wiped when dropped. It cannot be cloned, compared or serialized, so that it is
//! nowhere without somebody having put it there.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::entropy::{Entropy, EntropyError};
use crate::value::secret_text::{
    DEFAULT_PREFIX, slip, {self},
};
use crate::value::{ClientId, Field, InvalidValue, Policy, Problem, SecretId, Validity};

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
    /// [`InvalidValue`] when it is not 24 to 512 printable ASCII characters, or when it looks like a generated client secret
    /// with a slip: mistyped, cut short, in quotes, with white space or other text around it. The prefix that gives it away
    /// is the default one; an import refuses slips after the policy's prefix too.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let invalid = |problem| Err(InvalidValue::new(Field::ClientSecret, problem));
        match text.len() {
            0 => return invalid(Problem::Empty),
            1..MIN_LEN => return invalid(Problem::TooShort { min: MIN_LEN }),
            MIN_LEN..=MAX_LEN => {}
            _ => return invalid(Problem::TooLong { max: MAX_LEN }),
        }
        if let Some(slip) = slip(text, DEFAULT_PREFIX) {
            return invalid(slip.problem());
        }
        if let Some(at) = text.bytes().position(|b| !matches!(b, b' '..=b'~')) {
            return invalid(Problem::Character { at });
        }
        Ok(Self { text: SecretString::from(Box::<str>::from(text)), generated: false })
    }

    /// A new client secret: 256 bits from `entropy`, in the text form that the crate's documentation describes, with the
    /// [prefix](Policy::secret_prefix) of the policy.
    ///
    /// # Errors
    /// [`EntropyError`] when there is no randomness to be had.
    pub fn generate(policy: &Policy, entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut bits = Zeroizing::new([0; 32]);
        entropy.fill(&mut *bits)?;
        let text = secret_text::write(policy.secret_prefix(), &bits);
        Ok(Self { text: SecretString::from(text), generated: true })
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

    /// The pieces, to keep.
    pub fn into_parts(self) -> (ClientId, SecretId, ClientSecret) {
        (self.client_id, self.secret_id, self.client_secret)
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

/// The lengths of an imported client secret, and so of anything worth comparing with a verifier.
pub(crate) const MIN_LEN: usize = 24;
pub(crate) const MAX_LEN: usize = 512;
