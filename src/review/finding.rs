//! What a review can find, how severe it is, and what to do about it.
//!
//! A finding has data for programs and words for people; the words say what to do. Its JSON has both.

use std::fmt;

use serde::Serialize;

use crate::value::report::report;
use crate::value::{Actor, AppDomain, Days, Lifetime, RedirectUrl, SecretId, Timestamp, Validity};

report! {
    /// A finding of a review: something that a seller should know about a client ID. `Display` says what it is and what to do.
    #[derive(Debug, Clone, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum Finding {
        /// The client is suspended (rule 20): nothing of it authenticates, signs or verifies. The other findings describe the
        /// client as if it were resumed.
        Suspended {
            /// Since when.
            since: Timestamp,
            /// The actor that suspended it.
            by: Actor,
        },
        /// No secret is valid (rule 4): the add-in cannot authenticate, and nothing signs.
        NoValidSecret {
            /// When a secret becomes valid without a command; `None` if none does.
            until: Option<Timestamp>,
        },
        /// There are valid secrets, but none can sign, although the client ID has secrets whose purpose signs: they have ended,
        /// are disabled or have not started. A client ID whose secrets are all passwords by choice has no such finding.
        NoSigningSecret {
            /// When a secret begins to sign without a command; `None` if none does.
            until: Option<Timestamp>,
        },
        /// At a later time, the signing secret ends before the next one can sign.
        SigningGap {
            /// The signing secret before the gap.
            secret: SecretId,
            /// When the gap begins.
            from: Timestamp,
            /// When the gap ends.
            until: Timestamp,
            /// The signing secret after the gap.
            successor: SecretId,
        },
        /// The last valid secrets, two or more, end within a day of each other, and no other secret is valid after them.
        SeveralEndTogether {
            /// The secrets, in the order of their IDs.
            secrets: Vec<SecretId>,
            /// When the first of them ends.
            first: Timestamp,
            /// When the last of them ends. No password works after that.
            last: Timestamp,
        },
        /// A valid secret ends within 30 days ([`Finding::ENDS_SOON`]).
        EndsSoon {
            /// The secret.
            secret: SecretId,
            /// When it ends.
            ends: Timestamp,
            /// The secret that takes its place; see [`Expiry::successor`](crate::review::Expiry::successor).
            successor: Option<SecretId>,
        },
        /// A secret was presented after it had ended or was disabled, within
        /// [`Policy::retire_after`](crate::Policy::retire_after): some part of the add-in still uses it.
        StillPresented {
            /// The secret.
            secret: SecretId,
            /// Since when it has been refused.
            refused_since: Timestamp,
            /// When it was last presented, as far as is known.
            last_used: Timestamp,
        },
        /// A secret that was issued here signs, but has never been used: it may not have reached the add-in, which then cannot
        /// verify what it receives. The finding goes away when the add-in authenticates with the secret once.
        SignsUnused {
            /// The secret.
            secret: SecretId,
        },
        /// A valid secret that a registration or a rotation issued has never been used: the caller may have been interrupted
        /// before it received the client secret, and then nobody has it. The finding goes away when the add-in authenticates
        /// with the secret once. It is left out if the secret signs, which [`Finding::SignsUnused`] says.
        NeverUsed {
            /// The secret.
            secret: SecretId,
            /// When it was issued.
            issued: Timestamp,
            /// The secrets that it replaces, in the order of their IDs. There are none if it is the only secret of the client ID.
            replaces: Vec<SecretId>,
        },
        /// The host of the redirect URL is neither the app domain nor below it; see
        /// [`ClientDetails::redirects_outside_domain`](crate::ClientDetails::redirects_outside_domain).
        RedirectOutsideDomain {
            /// The redirect URL.
            redirect_url: RedirectUrl,
            /// The app domain.
            app_domain: AppDomain,
        },
        /// A secret is valid for longer than the policy allows for a new one (rule 4): it was imported, or was added under
        /// another policy. Disabled, ended and replaced secrets are left out.
        LivesTooLong {
            /// The secret.
            secret: SecretId,
            /// The validity of the secret.
            validity: Validity,
            /// The longest lifetime that the policy allows.
            longest: Lifetime,
        },
        /// A secret was made elsewhere (rule 18), so it is unknown how random it is and who else has it. Disabled, ended and
        /// replaced secrets are left out.
        Imported {
            /// The secret.
            secret: SecretId,
        },
        /// Exactly one secret is valid: if it is lost or has to be deleted, the add-in cannot authenticate until it has another
        /// one. The finding is left out if another finding says that the secret ends soon without a successor.
        OnlyOneValid {
            /// The secret.
            secret: SecretId,
        },
        /// More secrets are valid than [`Finding::RECOMMENDED_SECRETS`].
        MoreThanRecommended {
            /// The number of valid secrets.
            valid: usize,
        },
        /// No add-in uses the client ID (rule 1).
        NotAssociated,
        /// A secret ended at least [`Finding::ENDED_LONG_AGO`] ago, and has not been used recently enough to prevent its deletion
        /// (rule 9).
        EndedLongAgo {
            /// The secret.
            secret: SecretId,
            /// When it ended.
            ended: Timestamp,
        },
    }
    with code: &'static str, severity: Severity;
}

/// The severity of a finding, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Severity {
    /// Everything works, but could be tidier or safer.
    Info,
    /// Something works by luck, or stops working at a known time unless the seller acts.
    Warning,
    /// Something does not work now.
    Critical,
}

impl Finding {
    /// The time before its end at which a secret "ends soon": 30 days. Add the next one before that.
    pub const ENDS_SOON: Days = Days::new(30);
    /// The time after its end from which a secret has "ended long ago": 7 days. Delete it then.
    pub const ENDED_LONG_AGO: Days = Days::new(7);
    /// The recommended number of valid secrets: the current one and the next, which is what an add-in can hold in a
    /// [`SecretRing`](crate::SecretRing).
    pub const RECOMMENDED_SECRETS: usize = 2;

    /// Returns the stable code of the finding, in snake case: the `type` of its JSON.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Suspended { .. } => "suspended",
            Self::NoValidSecret { .. } => "no_valid_secret",
            Self::NoSigningSecret { .. } => "no_signing_secret",
            Self::SigningGap { .. } => "signing_gap",
            Self::SeveralEndTogether { .. } => "several_end_together",
            Self::EndsSoon { .. } => "ends_soon",
            Self::StillPresented { .. } => "still_presented",
            Self::SignsUnused { .. } => "signs_unused",
            Self::NeverUsed { .. } => "never_used",
            Self::RedirectOutsideDomain { .. } => "redirect_outside_domain",
            Self::LivesTooLong { .. } => "lives_too_long",
            Self::Imported { .. } => "imported",
            Self::OnlyOneValid { .. } => "only_one_valid",
            Self::MoreThanRecommended { .. } => "more_than_recommended",
            Self::NotAssociated => "not_associated",
            Self::EndedLongAgo { .. } => "ended_long_ago",
        }
    }

    /// Returns the severity of the finding.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::Suspended { .. } | Self::NoValidSecret { .. } | Self::NoSigningSecret { .. } => {
                Severity::Critical
            }
            Self::SigningGap { .. }
            | Self::SeveralEndTogether { .. }
            | Self::EndsSoon { successor: None, .. }
            | Self::StillPresented { .. }
            | Self::SignsUnused { .. }
            | Self::NeverUsed { .. }
            | Self::RedirectOutsideDomain { .. } => Severity::Warning,
            Self::EndsSoon { successor: Some(_), .. }
            | Self::LivesTooLong { .. }
            | Self::Imported { .. }
            | Self::OnlyOneValid { .. }
            | Self::MoreThanRecommended { .. }
            | Self::NotAssociated
            | Self::EndedLongAgo { .. } => Severity::Info,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Suspended { since, by: Actor::Seller(seller) } => write!(
                f,
                "seller {seller} suspended the client ID at {since}, so nothing of it authenticates or signs: resume it"
            ),
            Self::Suspended { since, by: Actor::Operator(operator) } => write!(
                f,
                "operator {operator} suspended the client ID at {since}, so nothing of it authenticates or signs: ask the operators of \
                 the platform to resume it"
            ),
            Self::NoValidSecret { until: None } => f.write_str("no secret is valid: add one"),
            Self::NoValidSecret { until: Some(until) } => {
                write!(f, "no secret is valid until {until}: add one if that is too late")
            }
            Self::NoSigningSecret { until: None } => {
                f.write_str("no secret signs: add or enable one that can")
            }
            Self::NoSigningSecret { until: Some(until) } => {
                write!(f, "no secret signs until {until}: add or enable one that can if that is too late")
            }
            Self::SigningGap { secret, from, until, successor } => write!(
                f,
                "no secret signs from {from}, when secret {secret} ends, until {until}, when secret {successor} begins to sign: add \
                 one that covers the gap"
            ),
            Self::SeveralEndTogether { secrets, last, .. } => {
                f.write_str("secrets")?;
                for (position, secret) in secrets.iter().enumerate() {
                    write!(f, "{} {secret}", if position > 0 { "," } else { "" })?;
                }
                write!(
                    f,
                    " end within a day of each other, the last at {last}, and no secret is valid after that: add one that lasts longer"
                )
            }
            Self::EndsSoon { secret, ends, successor: None } => write!(
                f,
                "secret {secret} ends at {ends} and no secret takes its place: add another one and give it to the add-in"
            ),
            Self::EndsSoon { secret, ends, successor: Some(successor) } => {
                write!(
                    f,
                    "secret {secret} ends at {ends}: make sure that the add-in has secret {successor} by then"
                )
            }
            Self::StillPresented { secret, refused_since, last_used } => write!(
                f,
                "secret {secret} has been refused since {refused_since} and was presented again at {last_used}: find out \
                 who still uses it"
            ),
            Self::SignsUnused { secret } => write!(
                f,
                "secret {secret} signs but has never been used: make sure that the add-in has it, or promote one that it has"
            ),
            Self::NeverUsed { secret, issued, replaces } if replaces.is_empty() => write!(
                f,
                "secret {secret} was issued at {issued} and has never been used: make sure that the add-in has it, or add another one \
                 and delete this one"
            ),
            Self::NeverUsed { secret, issued, .. } => write!(
                f,
                "secret {secret} was issued by a rotation at {issued} and has never been used: make sure that the add-in has it, or \
                 call off the rotation"
            ),
            Self::RedirectOutsideDomain { redirect_url, app_domain } => write!(
                f,
                "the redirect URL {redirect_url} is outside the app domain {app_domain}: correct one of them"
            ),
            Self::LivesTooLong { secret, validity, longest } => {
                write!(
                    f,
                    "secret {secret} is valid {validity}, longer than the policy allows ({longest}): rotate it"
                )
            }
            Self::Imported { secret } => {
                write!(f, "secret {secret} was imported, so it may be weak or known to others: rotate it")
            }
            Self::OnlyOneValid { secret } => {
                write!(f, "secret {secret} is the only valid one: add a second, so that one can be replaced")
            }
            Self::MoreThanRecommended { valid } => {
                let recommended = Self::RECOMMENDED_SECRETS;
                write!(
                    f,
                    "{valid} secrets are valid, more than the recommended {recommended}: delete those that are not needed"
                )
            }
            Self::NotAssociated => {
                f.write_str("no add-in uses this client ID: associate one, or delete the client ID")
            }
            Self::EndedLongAgo { secret, ended } => {
                write!(f, "secret {secret} ended at {ended} and is no longer used: delete it")
            }
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        })
    }
}
