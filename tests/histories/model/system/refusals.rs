//! What a command comes to, and why it was refused.

use client_registry::*;

use crate::model::answer::Answer;

pub(super) fn outcome(outcome: Result<Outcome, Error>) -> Answer {
    match outcome {
        Ok(Outcome::Changed) => Answer::Changed,
        Ok(Outcome::Unchanged) => Answer::Unchanged,
        Err(error) => refused(&error),
    }
}

pub(super) fn refused(error: &Error) -> Answer {
    Answer::Refused(match error {
        Error::Refused(refusal) => why(refusal),
        Error::NameTaken { .. } => "NameTaken",
        Error::AddInTaken { by: Some(_), .. } => "AddInTaken, named",
        Error::AddInTaken { by: None, .. } => "AddInTaken",
        other => panic!("{other}"),
    })
}

pub(super) fn why(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::UnknownClient => "UnknownClient",
        Refusal::ClientDeleted => "ClientDeleted",
        Refusal::ClientExists { .. } => "ClientExists",
        Refusal::UnknownSecret { .. } => "UnknownSecret",
        Refusal::TooManySecrets { .. } => "TooManySecrets",
        Refusal::LifetimeTooLong { .. } => "LifetimeTooLong",
        Refusal::StartsInThePast { .. } => "StartsInThePast",
        Refusal::Invalid(_) => "Invalid",
        Refusal::RedirectNotAllowed { .. } => "RedirectNotAllowed",
        Refusal::Weak { .. } => "Weak",
        Refusal::SecretExists { .. } => "SecretExists",
        Refusal::Remembered { .. } => "Remembered",
        Refusal::NamedTwice { .. } => "NamedTwice",
        Refusal::CannotSign => "CannotSign",
        Refusal::NotValidThen { .. } => "NotValidThen",
        Refusal::InThePast { .. } => "InThePast",
        Refusal::NothingScheduled { .. } => "NothingScheduled",
        Refusal::RotationUnderway { .. } => "RotationUnderway",
        Refusal::CannotReplace { .. } => "CannotReplace",
        Refusal::OverlapTooLong => "Overlap",
        Refusal::OverlapTooShort { .. } => "OverlapTooShort",
        Refusal::NotUnderway { .. } => "NotUnderway",
        Refusal::AlreadyEnded { .. } => "AlreadyEnded",
        Refusal::EndTooLate { .. } => "EndTooLate",
        Refusal::SuspendedByOperator { .. } => "SuspendedByOperator",
        Refusal::Suspended => "Suspended",
        Refusal::OutsideOverlap { .. } => "OutsideOverlap",
        Refusal::AvailabilityDiffers { .. } => "AvailabilityDiffers",
        Refusal::NotAssociated { .. } => "NotAssociated",
        Refusal::OtherOwner => "OtherOwner",
        Refusal::NoValidSecret => "NoValidSecret",
        Refusal::NotDeleted { .. } => "NotDeleted",
        Refusal::ClockBehind { .. } => "ClockBehind",
        Refusal::EndedLongAgo => "EndedLongAgo",
        other => panic!("{other}"),
    }
}
