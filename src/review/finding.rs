//! What a review can find, and how much it matters.

use std::fmt;

use serde::Serialize;

use crate::value::redacted::redacted;
use crate::value::{AppDomain, Days, Lifetime, RedirectUrl, SecretId, Timestamp, Validity};

redacted! {
    /// Something that a seller should know about a client ID. In words it says what to do.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    #[serde(tag = "finding", rename_all = "snake_case")]
    #[non_exhaustive]
    pub enum Finding {
        /// No secret is valid (rule 4): nobody can authenticate, and nothing signs.
        NoValidSecret {
            /// When one is valid again by itself, if one is.
            until: Option<Timestamp>,
        },
        /// There are valid secrets and none of them can sign, although the client ID has secrets that are made for it: ended,
        /// disabled or yet to start. A client ID whose secrets are all passwords by choice has no such finding.
        NoSigningSecret {
            /// When one signs again by itself, if one does.
            until: Option<Timestamp>,
        },
        /// At some time to come the signing secret ends, and the one that signs after it starts only later.
        SigningGap {
            /// The signing secret before the gap.
            secret: SecretId,
            /// When nothing signs any more.
            from: Timestamp,
            /// When something signs again.
            until: Timestamp,
            /// The signing secret after the gap.
            successor: SecretId,
        },
        /// The last secrets, two or more, end within a day of each other, and no other one is valid after them: having several
        /// does not help.
        SeveralEndTogether {
            /// The secrets, in the order of their IDs.
            secrets: Vec<SecretId>,
            /// When the first of them ends.
            first: Timestamp,
            /// When the last of them ends, and with it the last password.
            last: Timestamp,
        },
        /// A valid secret ends within [`Finding::ENDS_SOON`].
        EndsSoon {
            /// The secret.
            secret: SecretId,
            /// When it ends.
            ends: Timestamp,
            /// What takes its place, as [`Expiry::successor`](crate::review::Expiry::successor) says.
            successor: Option<SecretId>,
        },
        /// A secret that has ended or is disabled was presented since, within
        /// [`Policy::retire_after`](crate::Policy::retire_after): somebody was not told.
        StillPresented {
            /// The secret.
            secret: SecretId,
            /// Since when it is refused.
            refused_since: Timestamp,
            /// When it was presented last, as far as is known.
            last_used: Timestamp,
        },
        /// A secret that was issued here signs, and nobody has ever used it: it may not have reached the add-in, which then
        /// cannot verify what it receives. It goes away when the add-in authenticates with it once.
        SignsUnused {
            /// The secret.
            secret: SecretId,
        },
        /// A secret that was issued here by a registration or a rotation is valid, and nobody has ever used it: the caller of that
        /// command may have gone away before it had the client secret, and then nobody has it. It goes away when the add-in
        /// authenticates with it once. Left out when that secret signs, which [`Finding::SignsUnused`] says.
        NeverUsed {
            /// The secret.
            secret: SecretId,
            /// When it was issued.
            issued: Timestamp,
            /// The secrets that it replaces, in the order of their IDs; none if it is the client ID's only one.
            replaces: Vec<SecretId>,
        },
        /// The redirect URL leads to another host than the app domain, and not to one below it; see
        /// [`ClientDetails::redirects_outside_domain`](crate::ClientDetails::redirects_outside_domain).
        RedirectOutsideDomain {
            /// Where users go.
            redirect_url: RedirectUrl,
            /// Where the add-in runs.
            app_domain: AppDomain,
        },
        /// A secret is valid for longer than the policy allows a new one (rule 4): it was imported, or the policy was another
        /// one when it was added. Not for a disabled, ended or replaced one.
        LivesTooLong {
            /// The secret.
            secret: SecretId,
            /// From when until when it is valid.
            validity: Validity,
            /// What the policy allows.
            longest: Lifetime,
        },
        /// A secret was made elsewhere (rule 18): how random it is and who else has it is not known here. Not for a disabled,
        /// ended or replaced one.
        Imported {
            /// The secret.
            secret: SecretId,
        },
        /// Exactly one secret is valid: if it is lost or has to be deleted, the add-in is cut off until it knows another one.
        /// Left out when that secret ends soon with nothing in its place, which says it all.
        OnlyOneValid {
            /// The secret.
            secret: SecretId,
        },
        /// More secrets are valid than [`Finding::RECOMMENDED_SECRETS`].
        MoreThanRecommended {
            /// How many are.
            valid: usize,
        },
        /// No add-in uses the client ID (rule 1).
        NotAssociated,
        /// A secret ended [`Finding::ENDED_LONG_AGO`] ago or longer, and as far as use goes nothing stands in the way of deleting
        /// it (rule 9).
        EndedLongAgo {
            /// The secret.
            secret: SecretId,
            /// When it ended.
            ended: Timestamp,
        },
    }
}

redacted! {
    /// How much a finding matters, from least to most.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
    #[serde(rename_all = "snake_case")]
    #[non_exhaustive]
    pub enum Severity {
        /// Everything works; it could be tidier or safer.
        Info,
        /// Something works by luck, or stops working at a known time unless somebody acts.
        Warning,
        /// Something does not work now.
        Critical,
    }
}

impl Finding {
    /// How long before its end a secret "ends soon". By then the next one should be there: it is recommended to add it at
    /// least 30 days before.
    pub const ENDS_SOON: Days = Days::new(30);
    /// When a secret has "ended long ago". It is recommended to delete it 7 days after its end or later.
    pub const ENDED_LONG_AGO: Days = Days::new(7);
    /// How many valid secrets are recommended: the current one and the next, which is what an add-in can hold
    /// ([`SecretRing`](crate::SecretRing)).
    pub const RECOMMENDED_SECRETS: usize = 2;

    /// How much it matters.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::NoValidSecret { .. } | Self::NoSigningSecret { .. } => Severity::Critical,
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
                 delete it and rotate again"
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
