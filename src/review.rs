//! Reviews and reports: findings about a client ID, secrets that end, and notices before they end.
//!
//! A review looks at one client at one instant and changes nothing. Each [`Finding`] says what does not work now, what will
//! stop working or what could be better, with a severity and what to do. An [`Expiry`] is a secret that ends, and a [`Notice`]
//! is due 90, 60, 30, 15, 7 and 1 days before. Nothing of this is stored: it is computed from client, last uses, policy and
//! instant. So a finding is never out of date, and disappears with its cause. Two findings never report the same cause.
//!
//! ```
//! use client_registry::*;
//! # pollster::block_on(async {
//! # let registry = Registry::in_memory();
//! # let contoso = registry.as_seller("contoso")?;
//! # let details = ClientDetails::new("calendar app", "app.contoso.com", "https://app.contoso.com/done")?;
//! # let issued = contoso.register(details, Lifetime::OneYear).await?;
//! let findings = contoso.client(issued.client_id()).review().await?;
//! assert!(findings[0].to_string().starts_with("secret 1 signs but has never been used: make sure that the add-in has it"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

pub(crate) mod expiry;
pub(crate) mod finding;
pub(crate) mod view;

pub use self::expiry::{Expiry, Notice};
pub use self::finding::{Finding, Severity};
pub use self::view::ClientView;

use std::cmp::Reverse;
use std::time::Duration;

use crate::client::{Client, LastUses, Span, Timeline, believable_until};
use crate::review::expiry::TOGETHER;
use crate::secret::{Origin, Secret, SecretState};
use crate::value::{Policy, SecretId, Timestamp};

impl Client {
    /// Returns what the seller should know about the client at `t`, the most severe findings first. `t` is an instant as
    /// [`instant`](Self::instant) returns it; the policy is the one that commands are decided by.
    #[must_use]
    pub fn review(&self, uses: &LastUses, policy: &Policy, t: impl Into<Timestamp>) -> Vec<Finding> {
        let t = t.into();
        let review = Review { client: self, uses, policy, t, timeline: Timeline::of(self, t) };
        let mut findings = review.findings();
        // The sort is stable: findings of equal severity stay in the order of the variants.
        findings.sort_by_key(|finding| Reverse(finding.severity()));
        findings
    }
}

/// The input of a review.
struct Review<'a> {
    client: &'a Client,
    uses: &'a LastUses,
    policy: &'a Policy,
    t: Timestamp,
    /// The timeline from `t` on.
    timeline: Timeline,
}

impl Review<'_> {
    /// Returns the findings in the order of the variants.
    fn findings(&self) -> Vec<Finding> {
        let suspended = self
            .client
            .suspension()
            .map(|suspension| Finding::Suspended { since: suspension.since(), by: suspension.by().clone() });
        let mut findings: Vec<_> = suspended.into_iter().chain(self.not_working()).collect();
        findings.extend(self.signing_gaps());
        findings.extend(self.ending_together());
        let ending_soon = self.ending_soon(&findings);
        findings.extend(ending_soon);
        findings.extend(self.still_presented());
        let signs_unused = self.signs_unused();
        findings.extend(signs_unused.clone());
        findings.extend(self.never_used(signs_unused.as_ref()));
        findings.extend(self.redirects_outside());
        findings.extend(self.lasting().filter_map(|secret| self.lives_too_long(secret)));
        let imported = self.lasting().filter(|secret| secret.origin() != Origin::Generated);
        findings.extend(imported.map(|secret| Finding::Imported { secret: secret.id() }));
        let only_one = self.only_one(&findings);
        findings.extend(only_one);
        let valid = self.client.valid_at(self.t).count();
        findings
            .extend((valid > Finding::RECOMMENDED_SECRETS).then_some(Finding::MoreThanRecommended { valid }));
        findings.extend(self.client.add_ins().is_empty().then_some(Finding::NotAssociated));
        findings.extend(self.ended_long_ago());
        findings
    }

    fn not_working(&self) -> Option<Finding> {
        let spans = self.timeline.spans();
        let first_that = |works: fn(&Span) -> bool| spans.iter().find(|span| works(span)).map(Span::from);
        if self.client.valid_at(self.t).next().is_none() {
            return Some(Finding::NoValidSecret { until: first_that(|span| !span.passwords().is_empty()) });
        }
        let should_sign = self.client.secrets().any(|secret| secret.purpose().signs());
        if should_sign && self.client.signing_at(self.t).secret().is_none() {
            return Some(Finding::NoSigningSecret {
                until: first_that(|span| span.signing().secret().is_some()),
            });
        }
        None
    }

    /// Returns the gaps: spans in which no secret signs, between spans in which one does.
    fn signing_gaps(&self) -> Vec<Finding> {
        let mut gaps = Vec::new();
        let mut last_signing: Option<(SecretId, Option<Timestamp>)> = None;
        for span in self.timeline.spans() {
            let Some(signing) = span.signing().secret() else {
                continue;
            };
            if let Some((secret, Some(from))) = last_signing
                && from < span.from()
            {
                gaps.push(Finding::SigningGap { secret, from, until: span.from(), successor: signing });
            }
            last_signing = Some((signing, span.until()));
        }
        gaps
    }

    /// Returns the secrets that end within a day before the last password ends.
    fn ending_together(&self) -> Option<Finding> {
        let end = self.timeline.spans().last().filter(|span| span.passwords().is_empty())?;
        let last = end.from();
        let in_time = |until: &Timestamp| {
            self.t < *until && *until <= last && last.saturating_since(*until) <= TOGETHER
        };
        let enabled = self.client.secrets().filter(|secret| secret.disabled_since().is_none());
        let ends: Vec<_> = enabled
            .filter_map(|secret| Some((secret.id(), secret.validity().until().filter(in_time)?)))
            .collect();
        let first = ends.iter().map(|(_, until)| *until).min().filter(|_| ends.len() > 1)?;
        Some(Finding::SeveralEndTogether {
            secrets: ends.into_iter().map(|(id, _)| id).collect(),
            first,
            last,
        })
    }

    /// Returns the valid secrets that end soon, unless a finding says so already.
    fn ending_soon(&self, found: &[Finding]) -> Vec<Finding> {
        let finding = |secret: &Secret| {
            let ends = secret.validity().until().filter(|until| self.is_soon(*until))?;
            let says_it_all = |finding: &Finding| match finding {
                Finding::SigningGap { from, .. } => *from == ends && secret.purpose().signs(),
                Finding::SeveralEndTogether { secrets, .. } => secrets.contains(&secret.id()),
                _ => false,
            };
            let successor = self.client.successor(secret);
            let ends_soon = Finding::EndsSoon { secret: secret.id(), ends, successor };
            (!found.iter().any(says_it_all)).then_some(ends_soon)
        };
        self.client.valid_at(self.t).filter_map(finding).collect()
    }

    /// Returns the only valid secret, unless a finding says already that it ends soon without a successor.
    fn only_one(&self, found: &[Finding]) -> Option<Finding> {
        let mut valid = self.client.valid_at(self.t);
        let only = valid.next().filter(|_| valid.next().is_none())?.id();
        let says_it_all = |finding: &Finding| match finding {
            Finding::EndsSoon { secret, successor: None, .. } => *secret == only,
            Finding::SigningGap { secret, from, .. } => *secret == only && self.is_soon(*from),
            _ => false,
        };
        (!found.iter().any(says_it_all)).then_some(Finding::OnlyOneValid { secret: only })
    }

    fn still_presented(&self) -> impl Iterator<Item = Finding> {
        self.client.secrets().filter_map(|secret| {
            let ended = secret.validity().until().filter(|until| *until <= self.t);
            let refused_since = ended.into_iter().chain(secret.disabled_since()).min()?;
            let last_used = self.uses.of(secret.id()).filter(|used| refused_since <= *used)?;
            self.is_recent(last_used).then(|| Finding::StillPresented {
                secret: secret.id(),
                refused_since,
                last_used,
            })
        })
    }

    fn signs_unused(&self) -> Option<Finding> {
        let secret = self.client.secret(self.client.signing_at(self.t).secret()?)?;
        self.is_unused(secret).then(|| Finding::SignsUnused { secret: secret.id() })
    }

    /// Returns whether the secret has never been used, as far as is known. A use at a time that cannot be believed is still a
    /// use.
    fn is_unused(&self, secret: &Secret) -> bool {
        let used = self.uses.counted_of(secret, self.t);
        used.believed.max(used.ahead).is_none()
    }

    /// Returns the secrets that a registration or a rotation issued and that were never used, unless a finding says so already.
    fn never_used(&self, signs_unused: Option<&Finding>) -> impl Iterator<Item = Finding> {
        let is_only = self.client.secrets().len() == 1;
        self.client.secrets().filter_map(move |secret| {
            let says_it_all =
                matches!(signs_unused, Some(Finding::SignsUnused { secret: id }) if *id == secret.id());
            let replaced = self.client.secrets().filter(|old| old.replaced_by() == Some(secret.id()));
            let replaces: Vec<_> = replaced.map(Secret::id).collect();
            let came = is_only || !replaces.is_empty();
            let is_due = came && secret.is_valid_at(self.t) && self.is_unused(secret) && !says_it_all;
            let issued = secret.added_at();
            is_due.then(|| Finding::NeverUsed { secret: secret.id(), issued, replaces })
        })
    }

    fn redirects_outside(&self) -> Option<Finding> {
        let details = self.client.details();
        details.redirects_outside_domain().then(|| Finding::RedirectOutsideDomain {
            redirect_url: details.redirect_url().clone(),
            app_domain: details.app_domain().clone(),
        })
    }

    fn lives_too_long(&self, secret: &Secret) -> Option<Finding> {
        let (validity, longest) = (secret.validity(), self.policy.longest_lifetime());
        let too_long = !self.policy.allows_validity(validity);
        too_long.then(|| Finding::LivesTooLong { secret: secret.id(), validity, longest })
    }

    fn ended_long_ago(&self) -> impl Iterator<Item = Finding> {
        self.client.secrets().filter_map(|secret| {
            let ended = secret.validity().until()?;
            let long_ago = ended.saturating_add(Finding::ENDED_LONG_AGO.into()) <= self.t;
            let used = self.uses.counted_of(secret, self.t).believed;
            let unused = used.is_none_or(|used| !self.is_recent(used));
            (long_ago && unused).then_some(Finding::EndedLongAgo { secret: secret.id(), ended })
        })
    }

    /// Returns the secrets that are or will be valid and have no replacement.
    fn lasting(&self) -> impl Iterator<Item = &Secret> {
        self.client.secrets().filter(|secret| {
            let state = secret.state_at(self.t);
            let is_enabled = matches!(state, SecretState::Valid | SecretState::NotYetStarted);
            is_enabled && self.client.replacement_of(secret).is_none()
        })
    }

    fn is_soon(&self, instant: Timestamp) -> bool {
        instant.saturating_since(self.t) <= Duration::from(Finding::ENDS_SOON)
    }

    /// Returns whether a use is recent enough to be an obstacle to deletion (rule 9).
    fn is_recent(&self, used: Timestamp) -> bool {
        used <= believable_until(self.t) && self.t < used.saturating_add(self.policy.retire_after())
    }
}
