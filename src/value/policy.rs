//! What a platform allows: limits, lifetimes, redirect schemes.
//!
//! Parsing says what a value is; the policy says whether it is allowed, at the moment a command decides. Tightening
//! it never touches what is already there.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use crate::value::redacted::redact;
use crate::value::redirect_url::{MAX_SCHEME, is_scheme};
use crate::value::secret_text::{DEFAULT_PREFIX, MAX_PREFIX};
use crate::value::{Days, Field, InvalidValue, Lifetime, Problem, RedirectUrl, Timestamp, Validity};

/// The limits that commands are decided by. [`Policy::default`] is the recommended one.
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
    retire_after: Duration,
    loopback_redirects: bool,
    redirect_schemes: BTreeSet<String>,
    secret_prefix: String,
}

/// A policy as it stands in a configuration file; what is left out takes its default.
#[derive(Deserialize)]
#[serde(rename = "Policy", default, deny_unknown_fields)]
struct UncheckedPolicy {
    max_secrets: usize,
    longest_lifetime: Lifetime,
    retire_after: Duration,
    loopback_redirects: bool,
    redirect_schemes: BTreeSet<String>,
    secret_prefix: String,
}

impl Policy {
    /// How many secrets that have not ended a client may have (rule 3): 5, unless set.
    #[must_use]
    pub fn max_secrets(&self) -> usize {
        self.max_secrets
    }

    /// Sets the limit of rule 3.
    ///
    /// # Errors
    /// [`InvalidValue`] outside 2 to 32: with one secret there is no rotation.
    pub fn with_max_secrets(self, max_secrets: usize) -> Result<Self, InvalidValue> {
        if !(2..=32).contains(&max_secrets) {
            return Err(InvalidValue::new(Field::MaxSecrets, Problem::Form("is out of range")));
        }
        Ok(Self { max_secrets, ..self })
    }

    /// The longest lifetime of a new secret (rule 4): three years, unless set.
    #[must_use]
    pub fn longest_lifetime(&self) -> Lifetime {
        self.longest_lifetime
    }

    /// Sets the longest lifetime; [`Lifetime::Unlimited`] allows every one.
    #[must_use]
    pub fn with_longest_lifetime(self, longest_lifetime: Lifetime) -> Self {
        Self { longest_lifetime, ..self }
    }

    /// How long a secret has to be out of use before it may be deleted in calm (rule 9): 7 days, unless set.
    #[must_use]
    pub fn retire_after(&self) -> Duration {
        self.retire_after
    }

    /// Sets how long a secret has to be out of use before it may be deleted in calm.
    #[must_use]
    pub fn with_retire_after(self, retire_after: impl Into<Duration>) -> Self {
        Self { retire_after: retire_after.into(), ..self }
    }

    /// Allows `http` redirect URLs whose host is this machine (RFC 8252 section 7.3). Off, unless set.
    #[must_use]
    pub fn with_loopback_redirects(self) -> Self {
        Self { loopback_redirects: true, ..self }
    }

    /// Allows redirect URLs of a private-use scheme (RFC 8252 section 7.1), such as `ms-app`.
    ///
    /// # Errors
    /// [`InvalidValue`] when it is not a scheme, or one that a browser runs or resolves itself (`http`, `javascript`,
    /// `data`, …).
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

    /// What a generated client secret begins with, before the underscore: `crs`, unless set.
    #[must_use]
    pub fn secret_prefix(&self) -> &str {
        &self.secret_prefix
    }

    /// Sets what a generated client secret begins with, so that secret scanners know it for yours.
    ///
    /// # Errors
    /// [`InvalidValue`] when it is not 1 to 5 characters of `[A-Za-z0-9]`.
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

    /// The validity of a new secret, or `None` when the lifetime is longer than the policy allows (rule 4).
    pub(crate) fn validity(
        &self,
        lifetime: Lifetime,
        from: Timestamp,
    ) -> Result<Option<Validity>, InvalidValue> {
        let validity = lifetime.starting(from)?;
        Ok(self.allows_validity(validity).then_some(validity))
    }

    /// Whether a secret may be valid for that long (rule 4). One that was imported, or added under another policy, may be
    /// so for longer.
    pub(crate) fn allows_validity(&self, validity: Validity) -> bool {
        match (self.longest_lifetime, validity.until()) {
            (Lifetime::Unlimited, _) => true,
            (_, None) => false,
            // Nothing is as short as that.
            (Lifetime::Days(longest), _) if longest.count() == 0 => false,
            (longest, Some(until)) => match longest.starting(validity.from()) {
                Ok(longest) => longest.until().is_none_or(|last| until <= last),
                // The longest allowed ends beyond the calendar, and this one does not.
                Err(_) => true,
            },
        }
    }

    /// Whether users may be redirected to this URL.
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
            loopback_redirects,
            redirect_schemes,
            secret_prefix,
        } = Policy::default();
        Self {
            max_secrets,
            longest_lifetime,
            retire_after,
            loopback_redirects,
            redirect_schemes,
            secret_prefix,
        }
    }
}

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let unchecked = UncheckedPolicy::deserialize(deserializer);
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
            .with_retire_after(unchecked.retire_after)
            .with_secret_prefix(&unchecked.secret_prefix)?;
        policy.loopback_redirects = unchecked.loopback_redirects;
        unchecked
            .redirect_schemes
            .iter()
            .try_fold(policy, |policy, scheme| policy.with_redirect_scheme(scheme))
    }
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
