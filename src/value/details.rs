//! The details of a client ID (friendly name, app domain, redirect URL) and its availability.
//!
//! Parsing decides what a value is. Whether a redirect scheme is allowed is decided by the [`Policy`](crate::Policy), when a
//! command runs.

use std::fmt;

use serde::Serialize;

use crate::value::redacted::redacted;
use crate::value::{AppDomain, FriendlyName, InvalidValue, RedirectUrl};

redacted! {
    /// The availability of a client ID or an add-in: where it is offered (rule 2). It is chosen at the registration and never
    /// changes.
    ///
    /// Exhaustive on purpose: there is no third place.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Availability {
        /// Everywhere except in China.
        Worldwide,
        /// In China only.
        ChinaOnly,
    }
}

impl fmt::Display for Availability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Worldwide => "worldwide",
            Self::ChinaOnly => "China only",
        })
    }
}

redacted! {
    /// The details that a seller gives for a client ID: friendly name, app domain and redirect URL.
    ///
    /// The redirect URL does not have to lie on the app domain; if it does not,
    /// [`Client::review`](crate::client::Client::review) reports that.
    #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
    #[serde(deny_unknown_fields)]
    pub struct ClientDetails {
        friendly_name: FriendlyName,
        app_domain: AppDomain,
        redirect_url: RedirectUrl,
    }
}

impl ClientDetails {
    /// Parses the details.
    ///
    /// ```
    /// # use client_registry::ClientDetails;
    /// let details = ClientDetails::new("calendar app", "app.contoso.com", "https://app.contoso.com/done")?;
    /// assert_eq!(details.friendly_name().as_str(), "calendar app");
    /// # Ok::<(), client_registry::InvalidValue>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidValue`] for the first text that is not valid; see [`FriendlyName`], [`AppDomain`] and
    /// [`RedirectUrl`].
    pub fn new(friendly_name: &str, app_domain: &str, redirect_url: &str) -> Result<Self, InvalidValue> {
        Ok(Self {
            friendly_name: FriendlyName::parse(friendly_name)?,
            app_domain: AppDomain::parse(app_domain)?,
            redirect_url: RedirectUrl::parse(redirect_url)?,
        })
    }

    /// Returns details of values that were parsed already. A form parses each by itself, and so shows what is wrong with all of
    /// them at once.
    ///
    /// ```
    /// # use client_registry::{ClientDetails, value::{AppDomain, FriendlyName, RedirectUrl}};
    /// let name = FriendlyName::parse("calendar app");
    /// let domain = AppDomain::parse("https://app.contoso.com");
    /// let url = RedirectUrl::parse("app.contoso.com/done");
    /// match (name, domain, url) {
    ///     (Ok(name), Ok(domain), Ok(url)) => println!("{:?}", ClientDetails::from_parts(name, domain, url)),
    ///     (name, domain, url) => println!("{:?}", [name.err(), domain.err(), url.err()]),
    /// }
    /// ```
    #[must_use]
    pub fn from_parts(friendly_name: FriendlyName, app_domain: AppDomain, redirect_url: RedirectUrl) -> Self {
        Self { friendly_name, app_domain, redirect_url }
    }

    /// Returns the name by which the seller recognises the client ID.
    #[must_use]
    pub fn friendly_name(&self) -> &FriendlyName {
        &self.friendly_name
    }

    /// Returns the domain that the add-in runs on.
    #[must_use]
    pub fn app_domain(&self) -> &AppDomain {
        &self.app_domain
    }

    /// Returns the URL that users are sent to after they gave their consent.
    #[must_use]
    pub fn redirect_url(&self) -> &RedirectUrl {
        &self.redirect_url
    }

    /// Returns whether the redirect URL has a web host that is neither the app domain nor below it. Ports are ignored.
    ///
    /// It is `false` for a custom scheme and on loopback, which name no domain (RFC 8252 sections 7.1 and 7.3).
    #[must_use]
    pub fn redirects_outside_domain(&self) -> bool {
        let url = &self.redirect_url;
        let web = url.has_scheme("https") || url.has_scheme("http");
        match url.host().filter(|_| web && !url.is_loopback()) {
            Some(host) => !is_within(host, self.app_domain.host()),
            None => false,
        }
    }
}

/// Returns whether a host is a domain or below it. Names are compared as in DNS (RFC 4343), and a final dot is ignored.
fn is_within(host: &str, domain: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}
