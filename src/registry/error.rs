//! What a command may answer instead of doing it.

use std::fmt;

use crate::client::{Plan, Refusal, use_in_words};
use crate::entropy::EntropyError;
use crate::record::Opened;
use crate::secret::Issued;
use crate::store::Commit;
use crate::store_error::StoreError;
use crate::value::coded::coded;
use crate::value::{AddInId, ClientId, ErrorKind, InvalidValue, KeyId, SecretId, Timestamp};

/// Why a command was not carried out. Nothing has changed, except where [`Error::Unresolved`] says that it may have.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A rule stands against it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The seller has another client ID of this friendly name (rule 15).
    /// Where the caller of a registration went away before it had the client secret, the name is taken by a client ID whose
    /// secret nobody has.
    #[error(
        "the seller has another client ID of this friendly name, {by}, registered at {registered_at}, {}: choose another name, or, \
         if nobody has a client secret of that one, delete it and register again",
        use_in_words(*last_used)
    )]
    NameTaken {
        /// The client ID that has it.
        by: ClientId,
        /// When that one was registered or imported.
        registered_at: Timestamp,
        /// When one of its secrets was last used; `None` if none ever was, as far as is known.
        last_used: Option<Timestamp>,
    },
    /// The add-in has another client ID (rule 1): move it from there instead.
    #[error("add-in {add_in} has another client ID{}: move it from there instead", in_words(by.as_ref()))]
    AddInTaken {
        /// The add-in.
        add_in: AddInId,
        /// The client ID that it has, if the actor may see it (rule 15).
        by: Option<ClientId>,
    },
    /// Others changed the client again and again in between. Try again.
    #[error("the client was changed by others {attempts} times in a row: try again")]
    Contention {
        /// How often it was tried.
        attempts: usize,
    },
    /// What is kept of the client would be larger than ordinary commands may make it: 60 KiB of the 64 KiB that a record has.
    /// The rest is left to deletions, disabling and emergencies. Nothing was written.
    #[error(
        "the client would take more than {} bytes: dissociate add-ins, use shorter labels, or delete secrets that have ended",
        crate::record::ORDINARY_RECORD
    )]
    TooLarge,
    /// The primary key of this registry's keyring was retired. Nothing was written.
    #[error("key {key_id} was retired: open the registry with another key as the primary one")]
    KeyRetired {
        /// The key.
        key_id: KeyId,
    },
    /// The store did not answer. Nothing was written.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
    /// There was no randomness to be had. Nothing was written.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The store failed while it committed, so that nobody knows whether it did: settle it with
    /// [`Registry::resolve`](crate::Registry::resolve).
    #[error("it is not known whether the change was made: resolve it")]
    Unresolved(Box<Unresolved>),
}

coded! {
    /// To the outside [`Error::Unresolved`] is `Unavailable` as well, but look for it first: it owns the client secret, and the same
    /// command once more may issue another one.
    Error {
        Self::NameTaken { .. } => Conflict "name_taken",
        Self::AddInTaken { .. } => Conflict "add_in_taken",
        Self::TooLarge => Conflict "too_large",
        Self::KeyRetired { .. } => Unavailable "key_retired",
        Self::Contention { .. } => Unavailable "contention",
        Self::Unavailable(_) => Unavailable "unavailable",
        Self::Unresolved(_) => Unavailable "unresolved",
        ;
        Self::Refused(refusal) => refusal,
        Self::Entropy(error) => error,
    }
}

impl From<InvalidValue> for Error {
    fn from(invalid: InvalidValue) -> Self {
        Self::Refused(invalid.into())
    }
}

/// A change of which it is not known whether it was made. Owns what was issued: a plaintext that may be live is never
/// dropped by the registry.
#[must_use = "it owns the client secret that may have been issued: resolve it"]
pub struct Unresolved {
    pub(super) commit: Commit,
    /// The clients as they are if the change was made.
    pub(super) opened: Vec<Opened>,
    pub(super) added: Option<SecretId>,
    pub(super) issued: Option<Issued>,
    pub(super) cause: StoreError,
}

impl Unresolved {
    /// What the store said last.
    #[must_use]
    pub fn cause(&self) -> &StoreError {
        &self.cause
    }

    /// What is issued if the change was made.
    #[must_use]
    pub fn issued(&self) -> Option<&Issued> {
        self.issued.as_ref()
    }
}

impl fmt::Debug for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unresolved")
            .field("commit", &self.commit.id())
            .field("issued", &self.issued)
            .field("cause", &self.cause)
            .finish()
    }
}

/// How an unresolved change was settled.
#[derive(Debug)]
#[must_use = "it owns the client secret that was issued"]
#[non_exhaustive]
pub enum Resolution {
    /// It was made, and this was issued with it.
    Made(Option<Issued>),
    /// It was not made, and can no longer be.
    NotMade,
}

/// Why a plan was not carried out. Nothing has changed, except where [`Error::Unresolved`] says that it may have.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfirmError<C: fmt::Debug> {
    /// Something stands in the way; the plan says what, as of now.
    #[error("the plan cannot be confirmed: {}", .0.obstacles_in_words())]
    Obstructed(Box<Plan<C>>),
    /// The client or a consequence has changed: look at the new plan, and confirm that one.
    #[error("the client has changed since the plan was made: review the new plan and confirm that one")]
    Changed(Box<Plan<C>>),
    /// It could not be carried out for another reason.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl<C: fmt::Debug> ConfirmError<C> {
    /// Returns the stable code of this error, in snake case. [The table](crate::ErrorKind#codes) lists all codes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Obstructed(_) => "obstructed",
            Self::Changed(_) => "plan_changed",
            Self::Failed(error) => error.code(),
        }
    }

    /// What the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Obstructed(_) | Self::Changed(_) => ErrorKind::Conflict,
            Self::Failed(error) => error.kind(),
        }
    }
}

fn in_words(by: Option<&ClientId>) -> String {
    by.map(|by| format!(", {by}")).unwrap_or_default()
}
