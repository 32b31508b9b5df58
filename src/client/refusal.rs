//! Why a command was refused. Nothing has changed.

use std::time::Duration;

use crate::client::Revocation;
use crate::value::coded::coded;
use crate::value::{AddInId, Availability, InvalidValue, Lifetime, SecretId, Timestamp};

/// A command that a rule stands against. Each says what to do instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no such client ID, or none that this actor may see (rule 15).
    #[error("there is no such client ID")]
    UnknownClient,
    /// The client ID was deleted. It is never issued or imported again (rule 13).
    #[error("the client ID was deleted and is never used again: register another one")]
    ClientDeleted,
    /// There is already something under this client ID, and it differs from what is being imported (rule 18).
    #[error("the client ID exists and differs in its {differs_in}: change it with the commands for that")]
    ClientExists {
        /// The attribute that differs first.
        differs_in: &'static str,
    },
    /// The client has no such secret; it may have been deleted.
    #[error("the client has no secret {secret}: list its secrets for the ones it has")]
    UnknownSecret {
        /// The ID that was given.
        secret: SecretId,
    },
    /// The client would have more secrets that have not ended than the policy allows (rule 3).
    #[error(
        "the client may have {limit} secrets that have not ended: delete one that is no longer used, or wait for one to end"
    )]
    TooManySecrets {
        /// [`Policy::max_secrets`](crate::Policy::max_secrets)
        limit: usize,
    },
    /// The client has counted all secret IDs there are.
    #[error("the client has used up its secret IDs: register another client ID")]
    SecretIdsUsedUp,
    /// The lifetime is longer than the policy allows (rule 4).
    #[error("the lifetime is longer than allowed: at most {longest}")]
    LifetimeTooLong {
        /// [`Policy::longest_lifetime`](crate::Policy::longest_lifetime)
        longest: Lifetime,
    },
    /// The start lies in the past; only an imported secret may have one there (rule 4).
    #[error("the start {starts} is in the past: leave it out, or choose {now} or later")]
    StartsInThePast {
        /// The start that was given.
        starts: Timestamp,
        /// The instant of the command.
        now: Timestamp,
    },
    /// A value is not one.
    #[error(transparent)]
    Invalid(#[from] InvalidValue),
    /// The policy does not allow this redirect URL.
    #[error("redirect URLs of the scheme {scheme} are not allowed here: use https")]
    RedirectNotAllowed {
        /// The URL's scheme.
        scheme: String,
    },
    /// A client secret that was not generated here can only be imported (rules 8 and 18).
    #[error("the client secret was not generated here: import it")]
    NotGenerated,
    /// An imported client secret is easily guessed (rule 18).
    #[error("the client secret {why}, which is easily guessed: issue a new one instead of importing it")]
    Weak {
        /// What makes it so.
        why: &'static str,
    },
    /// The client already has this client secret, with other attributes (rule 18).
    #[error("the client has this client secret as secret {secret}, and it differs in its {differs_in}")]
    SecretExists {
        /// The one that it has.
        secret: SecretId,
        /// The attribute that differs first.
        differs_in: &'static str,
    },
    /// The client secret was deleted from this client and stays dead (rule 10).
    #[error("the client secret was secret {secret}, which is {fate}, and stays dead: issue a new one")]
    Remembered {
        /// The one that it was.
        secret: SecretId,
        /// What became of it.
        fate: Revocation,
    },
    /// The client secret ended before all the ended ones that the client keeps (rule 3): it would be forgotten at once.
    #[error("the client secret ended longer ago than all that are kept: there is no use in importing it")]
    EndedLongAgo,
    /// Two of the secrets to be imported are the same, or more than one is named as the signing one (rule 18).
    #[error("the import names {what} twice")]
    NamedTwice {
        /// What is named twice.
        what: &'static str,
    },
    /// The secret is of a purpose that cannot sign (rule 7).
    #[error("the secret is for passwords only and cannot sign: promote one that can")]
    CannotSign,
    /// The secret is not valid at the instant from which it should sign (rule 7).
    #[error(
        "the secret is not valid at {at}: choose an instant at which it is or a longer lifetime, and enable it if it is disabled"
    )]
    NotValidThen {
        /// The instant.
        at: Timestamp,
    },
    /// The secret is valid, but its signing key is gone: an older version of this crate removed it when the secret had
    /// ended by the clock of that time. It still works as a password.
    #[error(
        "secret {secret} can no longer sign: an older version removed its signing key when the secret had ended: add or rotate to another one"
    )]
    KeyDropped {
        /// The secret.
        secret: SecretId,
    },
    /// The instant has passed.
    #[error("{at} has passed: choose an instant from {now} on")]
    InThePast {
        /// The instant that was given.
        at: Timestamp,
        /// The instant of the command.
        now: Timestamp,
    },
    /// The secret has no scheduled promotion; it may have come into force (rule 7).
    #[error(
        "secret {secret} has no scheduled promotion to withdraw: if it signs already, promote another one"
    )]
    NothingScheduled {
        /// The secret.
        secret: SecretId,
    },
    /// An earlier rotation of that purpose is still under way (rule 11). Where the caller of that rotation went away before it
    /// had the new client secret, nobody has it: delete the secret that came, then rotate again.
    #[error(
        "secret {secret} is being rotated out until {until}, and secret {by} came in its place, {}: wait until then, or, if \
         nobody has the client secret of secret {by}, delete secret {by} and rotate again",
        use_in_words(*last_used)
    )]
    RotationUnderway {
        /// A replaced secret that still runs.
        secret: SecretId,
        /// When it ends.
        until: Timestamp,
        /// The secret that came in its place.
        by: SecretId,
        /// When that one was last used; `None` if it never was, as far as is known.
        last_used: Option<Timestamp>,
    },
    /// A rotation names a secret that is not of its purpose or does not run (rule 11).
    #[error("secret {secret} cannot be replaced: it is of another purpose, has not started or has ended")]
    CannotReplace {
        /// The secret.
        secret: SecretId,
    },
    /// A rotation names the secrets that it replaces, and names none (rule 11).
    #[error("the rotation names no secret to replace: name some, or leave it out to replace all")]
    NothingToReplace,
    /// A rotation needs an overlap, and one that does not end is none (rule 11).
    #[error(
        "the overlap is zero, or it ends after the year 262142, the last one that a date can have: give the add-in some days to \
         change over"
    )]
    Overlap,
    /// A new secret can begin to sign from now until the end of the overlap (rule 11).
    #[error("the new secret cannot begin to sign at {at}: choose an instant from {now} until {overlap_ends}")]
    OutsideOverlap {
        /// The instant that was given.
        at: Timestamp,
        /// The instant of the command.
        now: Timestamp,
        /// When the overlap ends.
        overlap_ends: Timestamp,
    },
    /// The add-in is offered where the client ID is not (rule 2).
    #[error("the add-in is {add_in}, the client ID {client}: use a client ID of the same availability")]
    AvailabilityDiffers {
        /// The add-in's.
        add_in: Availability,
        /// The client ID's.
        client: Availability,
    },
    /// The client ID serves as many add-ins as it can (rule 1).
    #[error("the client ID serves {limit} add-ins already: register another client ID")]
    TooManyAddIns {
        /// The limit.
        limit: usize,
    },
    /// The add-in is not associated with the client ID that it should be moved from (rule 14).
    #[error("add-in {add_in} is not associated with this client ID: associate it with the other one instead")]
    NotAssociated {
        /// The add-in.
        add_in: AddInId,
    },
    /// The two client IDs belong to different sellers (rule 14).
    #[error("the two client IDs belong to different sellers")]
    OtherOwner,
    /// The client ID that an add-in should move to has no valid secret (rule 14).
    #[error("the client ID has no valid secret at this instant: add one first")]
    NoValidSecret,
    /// The secret is still there: only a deleted one is marked compromised (rule 10).
    #[error("secret {secret} has not been deleted: use the emergency deletion, which marks it compromised")]
    NotDeleted {
        /// The secret.
        secret: SecretId,
    },
    /// The plan is one of another client ID.
    #[error("the plan is for another client ID: confirm it there")]
    PlanOfAnotherClient,
    /// The clock of this node is behind the client's last change (rule 19).
    #[error("the clock is {} s behind the client's last change: set the clock of the node that lags", by.as_secs())]
    ClockBehind {
        /// By how much.
        by: Duration,
    },
}

/// Whether something was ever used, after "which" or a comma.
pub(crate) fn use_in_words(last_used: Option<Timestamp>) -> String {
    last_used.map_or_else(|| "which was never used".to_owned(), |at| format!("which was last used at {at}"))
}

coded! {
    Refusal {
        Self::UnknownClient => NotFound "unknown_client",
        Self::ClientDeleted => Gone "client_deleted",
        Self::ClientExists { .. } => Conflict "client_exists",
        Self::UnknownSecret { .. } => NotFound "unknown_secret",
        Self::TooManySecrets { .. } => Conflict "too_many_secrets",
        Self::SecretIdsUsedUp => Conflict "secret_ids_used_up",
        Self::LifetimeTooLong { .. } => Invalid "lifetime_too_long",
        Self::StartsInThePast { .. } => Invalid "starts_in_the_past",
        Self::RedirectNotAllowed { .. } => Invalid "redirect_not_allowed",
        Self::NotGenerated => Invalid "not_generated",
        Self::Weak { .. } => Invalid "weak_secret",
        Self::SecretExists { .. } => Conflict "secret_exists",
        Self::Remembered { .. } => Conflict "secret_remembered",
        Self::EndedLongAgo => Invalid "ended_long_ago",
        Self::NamedTwice { .. } => Invalid "named_twice",
        Self::CannotSign => Invalid "cannot_sign",
        Self::NotValidThen { .. } => Conflict "not_valid_then",
        Self::KeyDropped { .. } => Conflict "key_dropped",
        Self::InThePast { .. } => Invalid "in_the_past",
        Self::NothingScheduled { .. } => Conflict "nothing_scheduled",
        Self::RotationUnderway { .. } => Conflict "rotation_underway",
        Self::CannotReplace { .. } => Conflict "cannot_replace",
        Self::NothingToReplace => Invalid "nothing_to_replace",
        Self::Overlap => Invalid "invalid_overlap",
        Self::OutsideOverlap { .. } => Invalid "outside_overlap",
        Self::AvailabilityDiffers { .. } => Invalid "availability_differs",
        Self::TooManyAddIns { .. } => Conflict "too_many_add_ins",
        Self::NotAssociated { .. } => Conflict "not_associated",
        Self::OtherOwner => Invalid "other_owner",
        Self::NoValidSecret => Conflict "no_valid_secret",
        Self::NotDeleted { .. } => Conflict "not_deleted",
        Self::PlanOfAnotherClient => Invalid "plan_of_another_client",
        Self::ClockBehind { .. } => Unavailable "clock_behind",
        ;
        Self::Invalid(invalid) => invalid,
    }
}
