//! Errors of commands: why one was not carried out, and the change whose outcome is not known.
//!
//! An error names nothing that the actor may not see (rule 15), and holds no plaintext but that in [`Unresolved`], which may be
//! live.

use std::fmt;

use crate::client::{self, Refusal, use_in_words};
use crate::entropy::EntropyError;
use crate::record::Opened;
use crate::registry::Snapshot;
use crate::secret::Issued;
use crate::store::Commit;
use crate::store_error::StoreError;
use crate::value::coded::coded;
use crate::value::{AddInId, ClientId, ErrorKind, InvalidValue, KeyId, SecretId, Timestamp};

/// The reason why a command was not carried out. Nothing has changed, unless [`Error::Unresolved`] says that it may have.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A rule stands against the command. The refusal says which, and what to do instead.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The seller has another client ID of this friendly name (rule 15).
    ///
    /// A registration whose caller went away before it received the client secret has the name, too. If the secret of `by` was
    /// never used and no add-in has it, delete that client ID
    /// ([`plan_client_deletion`](crate::ClientHandle::plan_client_deletion)), and register again. Otherwise choose another
    /// name.
    #[error(
        "the seller has another client ID of this friendly name, {by}, registered at {registered_at}, {}: choose another name, or, \
         if nobody has a client secret of that one, delete it and register again",
        use_in_words(*last_used)
    )]
    NameTaken {
        /// The client ID that has the name.
        by: ClientId,
        /// When that client ID was registered or imported.
        registered_at: Timestamp,
        /// When one of its secrets was last used; `None` if none ever was, as far as is known.
        last_used: Option<Timestamp>,
    },
    /// The add-in has another client ID (rule 1): [move](crate::ClientHandle::move_add_in) it from there instead.
    #[error("add-in {add_in} has another client ID{}: move it from there instead", in_words(by.as_ref()))]
    AddInTaken {
        /// The add-in.
        add_in: AddInId,
        /// The other client ID, if the actor may see it (rule 15).
        by: Option<ClientId>,
    },
    /// The command was tied to a revision ([`ClientHandle::if_at`](crate::ClientHandle::if_at)), and the client has changed
    /// since. Nothing was written. Show the client as it is now, and give the command again if it is still wanted.
    #[error(
        "the client has changed since: it is at revision {}; look at it as it is now, and give the command again",
        now.client().revision()
    )]
    MovedOn {
        /// The client as it is now.
        now: Box<Snapshot>,
    },
    /// Other callers changed the client between each attempt's load and its commit. Nothing was written: give the command
    /// again.
    #[error("the client was changed by others {attempts} times in a row: try again")]
    Contention {
        /// The number of attempts that were made.
        attempts: usize,
    },
    /// The record of the client would become larger than 60 KiB. Nothing was written. The last 4 KiB of the 64 KiB that a
    /// record may have are kept free for deletions, disabling and emergencies. Dissociate add-ins, use shorter labels or
    /// attributes, or delete ended secrets.
    #[error(
        "the record of the client would be larger than {} bytes: dissociate add-ins, use shorter labels, or delete ended secrets",
        crate::record::ORDINARY_RECORD
    )]
    TooLarge,
    /// The primary key of this registry's keyring was [retired](crate::Registry::retire_key). Nothing was written. Restart this
    /// node with a keyring whose primary key is active.
    #[error("key {key_id} was retired: open the registry with another key as the primary one")]
    KeyRetired {
        /// The ID of the key.
        key_id: KeyId,
    },
    /// The store did not answer, or what it holds cannot be used. Nothing was written. The [kind](StoreError::kind) of the
    /// error says which of the two, and what to do.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
    /// The source of randomness failed. Nothing was written: give the command again.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The store failed during the commit, so the change may or may not have been made. Settle it with
    /// [`Registry::resolve`](crate::Registry::resolve) before you give the command again. The value owns the client secret that
    /// may be live: do not drop it.
    #[error("it is not known whether the change was made: resolve it before giving the command again")]
    Unresolved(Box<Unresolved>),
}

coded! {
    /// The kind of [`Error::Unresolved`] is `Unavailable`, too. Match it before you look at the kind: it owns the client
    /// secret, and the same command given again may issue another one.
    Error {
        Self::NameTaken { .. } => Conflict "name_taken",
        Self::AddInTaken { .. } => Conflict "add_in_taken",
        Self::MovedOn { .. } => Conflict "moved_on",
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

/// A change whose outcome is not known. It owns the client secret that may be live, so that the registry never drops one.
///
/// [`Registry::resolve`](crate::Registry::resolve) settles it.
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
    /// Returns what the store said last.
    #[must_use]
    pub fn cause(&self) -> &StoreError {
        &self.cause
    }

    /// Returns the client secret that is live if the change was made; `None` if the command issues none.
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

/// The outcome of an unresolved change.
#[derive(Debug)]
#[must_use = "it owns the client secret that was issued"]
#[non_exhaustive]
pub enum Resolution {
    /// The change was made, and this was issued with it.
    Made(Option<Issued>),
    /// The change was not made, and can no longer be.
    NotMade,
}

/// The reason why a registry did not carry out a plan. Nothing has changed, unless [`Error::Unresolved`] says that it may have.
/// The page of [`client::ConfirmError`](crate::client::ConfirmError) says what to do about each variant.
///
/// ```
/// # use client_registry::*;
/// # #[pollster::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let contoso = Registry::in_memory().as_seller("contoso")?;
/// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
/// # let issued = contoso.register(details, Lifetime::OneYear).await?;
/// # let calendar = contoso.client(issued.client_id());
/// use client_registry::client::ConfirmError;
///
/// let plan = calendar.plan_deletion(issued.secret_id()).await?;
/// match calendar.confirm(plan).await {
///     Ok(_) => println!("deleted"),
///     Err(ConfirmError::Obstructed(plan)) => {
///         for obstacle in plan.obstacles() {
///             println!("not now: {obstacle}");
///         }
///     }
///     Err(ConfirmError::Changed(new)) => println!("look at the new plan, and confirm it: {new:?}"),
///     Err(error) => println!("{} ({:?}): {error}", error.code(), error.kind()),
/// }
/// # Ok(()) }
/// ```
pub type ConfirmError<C> = client::ConfirmError<C, Error>;

impl<C> ConfirmError<C> {
    /// Returns the stable code of this error, in snake case. [The table](crate::ErrorKind#codes) lists all codes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code_or(Error::code)
    }

    /// Returns what the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind_or(Error::kind)
    }
}

fn in_words(by: Option<&ClientId>) -> String {
    by.map(|by| format!(", {by}")).unwrap_or_default()
}
