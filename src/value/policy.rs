//! The policy: what a platform allows (limits, lifetimes, redirect schemes).
//!
//! Parsing decides what a value is; the policy decides whether it is allowed, at the moment a command runs. A stricter policy
//! never changes what exists already. A policy can be read from a configuration file, with the same checks.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::value::object::Object;
use crate::value::redacted::redact;
use crate::value::redirect_url::{MAX_SCHEME, is_scheme};
use crate::value::secret_text::{DEFAULT_PREFIX, MAX_PREFIX};
use crate::value::{Days, Field, InvalidValue, Lifetime, Problem, RedirectUrl, Timestamp, Validity};

/// The limits of a platform, under which commands are decided. The default is recommended: at most 5 secrets, three years, 7
/// days without use before a deletion, and an overlap of at least an hour.
/// [`RegistryBuilder::policy`](crate::RegistryBuilder::policy) sets another one.
///
/// ```
/// # use client_registry::{Days, Lifetime, Policy};
/// let policy = Policy::default()
///     .with_max_secrets(8)?
///     .with_longest_lifetime(Lifetime::OneYear)
///     .with_redirect_scheme("ms-app")?
///     .with_retire_after(Days::new(14));
/// # Ok::<(), client_registry::InvalidValue>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Policy {
    max_secrets: usize,
    longest_lifetime: Lifetime,
    /// In whole seconds, as it is written.
    #[serde(rename = "retire_after_secs", serialize_with = "whole_seconds")]
    retire_after: Duration,
    /// In whole seconds, as it is written.
    #[serde(rename = "min_overlap_secs", serialize_with = "whole_seconds")]
    min_overlap: Duration,
    loopback_redirects: bool,
    redirect_schemes: BTreeSet<String>,
    secret_prefix: String,
}

/// A policy as it stands in a configuration file. A member that is left out has its default.
#[derive(Deserialize)]
#[serde(rename = "Policy", default, deny_unknown_fields)]
struct UncheckedPolicy {
    max_secrets: usize,
    longest_lifetime: Lifetime,
    retire_after_secs: u64,
    min_overlap_secs: u64,
    loopback_redirects: bool,
    redirect_schemes: BTreeSet<String>,
    secret_prefix: String,
}

impl Policy {
    /// Returns how many secrets that have not ended a client may have (rule 3): 5 unless configured otherwise.
    #[must_use]
    pub fn max_secrets(&self) -> usize {
        self.max_secrets
    }

    /// Sets how many secrets that have not ended a client may have (rule 3).
    ///
    /// # Errors
    /// [`InvalidValue`] outside 2 to 32. With a limit of one, no secret could be rotated.
    pub fn with_max_secrets(self, max_secrets: usize) -> Result<Self, InvalidValue> {
        if !(2..=32).contains(&max_secrets) {
            return Err(InvalidValue::new(Field::MaxSecrets, Problem::Form("is outside the range")));
        }
        Ok(Self { max_secrets, ..self })
    }

    /// Returns the longest lifetime of a new secret (rule 4): three years unless configured otherwise.
    #[must_use]
    pub fn longest_lifetime(&self) -> Lifetime {
        self.longest_lifetime
    }

    /// Sets the longest lifetime. [`Lifetime::Unlimited`] allows any lifetime.
    #[must_use]
    pub fn with_longest_lifetime(self, longest_lifetime: Lifetime) -> Self {
        Self { longest_lifetime, ..self }
    }

    /// Returns how long a secret must be unused before a planned deletion is allowed (rule 9): 7 days unless configured
    /// otherwise.
    #[must_use]
    pub fn retire_after(&self) -> Duration {
        self.retire_after
    }

    /// Sets how long a secret must be unused before a planned deletion is allowed, rounded up to whole seconds.
    #[must_use]
    pub fn with_retire_after(self, retire_after: impl Into<Duration>) -> Self {
        Self { retire_after: in_whole_seconds(retire_after.into()), ..self }
    }

    /// Returns the shortest overlap of a rotation (rule 11): an hour unless configured otherwise.
    #[must_use]
    pub fn min_overlap(&self) -> Duration {
        self.min_overlap
    }

    /// Sets the shortest overlap of a rotation, rounded up to whole seconds. An overlap of zero is refused even if this is
    /// zero.
    #[must_use]
    pub fn with_min_overlap(self, min_overlap: impl Into<Duration>) -> Self {
        Self { min_overlap: in_whole_seconds(min_overlap.into()), ..self }
    }

    /// Allows `http` redirect URLs on loopback (RFC 8252 section 7.3). They are refused unless configured otherwise.
    #[must_use]
    pub fn with_loopback_redirects(self) -> Self {
        Self { loopback_redirects: true, ..self }
    }

    /// Allows redirect URLs with a private-use scheme (RFC 8252 section 7.1), such as `ms-app`.
    ///
    /// # Errors
    /// [`InvalidValue`] if it is not a URI scheme, or if browsers handle the scheme themselves (`http`, `javascript`, `data`, …).
    pub fn with_redirect_scheme(mut self, scheme: &str) -> Result<Self, InvalidValue> {
        let invalid = |problem| Err(InvalidValue::new(Field::RedirectScheme, problem));
        match scheme.len() {
            0 => return invalid(Problem::Empty),
            1..=MAX_SCHEME => {}
            _ => return invalid(Problem::TooLong { max: MAX_SCHEME }),
        }
        let scheme = scheme.to_ascii_lowercase();
        if !is_scheme(&scheme) {
            return invalid(Problem::Form("is not a URI scheme"));
        }
        if NEVER_REDIRECTED_TO.contains(&scheme.as_str()) {
            return invalid(Problem::Form("is a scheme that browsers handle themselves"));
        }
        self.redirect_schemes.insert(scheme);
        Ok(self)
    }

    /// Returns the prefix of generated client secrets, which stands before the underscore: `crs` unless configured otherwise.
    #[must_use]
    pub fn secret_prefix(&self) -> &str {
        &self.secret_prefix
    }

    /// Sets the prefix of generated client secrets, so that secret scanners recognise them as yours.
    ///
    /// # Errors
    /// [`InvalidValue`] if it is not 1 to 5 characters of `[A-Za-z0-9]`.
    pub fn with_secret_prefix(self, prefix: &str) -> Result<Self, InvalidValue> {
        let invalid = |problem| Err(InvalidValue::new(Field::SecretPrefix, problem));
        match prefix.len() {
            0 => return invalid(Problem::Empty),
            1..=MAX_PREFIX => {}
            _ => return invalid(Problem::TooLong { max: MAX_PREFIX }),
        }
        if let Some(at) = prefix.bytes().position(|b| !b.is_ascii_alphanumeric()) {
            return invalid(Problem::Character { at });
        }
        Ok(Self { secret_prefix: prefix.to_owned(), ..self })
    }

    /// Returns the validity of a new secret, or `None` if the lifetime is longer than the policy allows (rule 4).
    pub(crate) fn validity(
        &self,
        lifetime: Lifetime,
        from: Timestamp,
    ) -> Result<Option<Validity>, InvalidValue> {
        let validity = lifetime.starting(from)?;
        Ok(self.allows_validity(validity).then_some(validity))
    }

    /// Returns whether a new secret may be valid for that long (rule 4). A secret that was imported, or added under another
    /// policy, may have a longer validity.
    pub(crate) fn allows_validity(&self, validity: Validity) -> bool {
        match validity.until() {
            None => self.longest_lifetime == Lifetime::Unlimited,
            Some(until) => self.latest_end(validity.from()).is_none_or(|latest| until <= latest),
        }
    }

    /// Returns the latest end that a secret with this start may be given (rules 4 and 21); `None` if the policy sets none, or one
    /// beyond the calendar.
    pub(crate) fn latest_end(&self, from: Timestamp) -> Option<Timestamp> {
        match self.longest_lifetime {
            Lifetime::Unlimited => None,
            // No validity is that short.
            Lifetime::Days(longest) if longest.count() == 0 => Some(from),
            longest => longest.starting(from).ok().and_then(|longest| longest.until()),
        }
    }

    /// Returns whether users may be redirected to this URL.
    pub(crate) fn allows_redirect(&self, url: &RedirectUrl) -> bool {
        url.has_scheme("https")
            || (self.loopback_redirects && url.has_scheme("http") && url.is_loopback())
            || self.redirect_schemes.iter().any(|scheme| url.has_scheme(scheme))
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_secrets: 5,
            longest_lifetime: Lifetime::ThreeYears,
            retire_after: Days::new(7).into(),
            min_overlap: Duration::from_secs(60 * 60),
            loopback_redirects: false,
            redirect_schemes: BTreeSet::new(),
            secret_prefix: DEFAULT_PREFIX.to_owned(),
        }
    }
}

impl Default for UncheckedPolicy {
    fn default() -> Self {
        let Policy {
            max_secrets,
            longest_lifetime,
            retire_after,
            min_overlap,
            loopback_redirects,
            redirect_schemes,
            secret_prefix,
        } = Policy::default();
        Self {
            max_secrets,
            longest_lifetime,
            retire_after_secs: retire_after.as_secs(),
            min_overlap_secs: min_overlap.as_secs(),
            loopback_redirects,
            redirect_schemes,
            secret_prefix,
        }
    }
}

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let unchecked = UncheckedPolicy::deserialize(Object(deserializer));
        let unchecked = unchecked.map_err(|error| redact(error, "Policy"))?;
        Self::try_from(unchecked).map_err(serde::de::Error::custom)
    }
}

impl TryFrom<UncheckedPolicy> for Policy {
    type Error = InvalidValue;

    fn try_from(unchecked: UncheckedPolicy) -> Result<Self, InvalidValue> {
        let mut policy = Self::default()
            .with_max_secrets(unchecked.max_secrets)?
            .with_longest_lifetime(unchecked.longest_lifetime)
            .with_retire_after(Duration::from_secs(unchecked.retire_after_secs))
            .with_min_overlap(Duration::from_secs(unchecked.min_overlap_secs))
            .with_secret_prefix(&unchecked.secret_prefix)?;
        policy.loopback_redirects = unchecked.loopback_redirects;
        unchecked
            .redirect_schemes
            .iter()
            .try_fold(policy, |policy, scheme| policy.with_redirect_scheme(scheme))
    }
}

/// Rounds up, so that no limit is shorter than the one that was given.
fn in_whole_seconds(duration: Duration) -> Duration {
    let in_part = u64::from(duration.subsec_nanos() > 0);
    Duration::from_secs(duration.as_secs().saturating_add(in_part))
}

fn whole_seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(duration.as_secs())
}

const NEVER_REDIRECTED_TO: &[&str] = &[
    "http",
    "https",
    "ws",
    "wss",
    "ftp",
    "file",
    "data",
    "blob",
    "about",
    "javascript",
    "vbscript",
    "view-source",
    "filesystem",
];
