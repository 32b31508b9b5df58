//! Details as a body has them. Names, order and bytes must not change.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::value::{AppDomain, ClientDetails, FriendlyName, RedirectUrl};

#[derive(Serialize)]
struct Written<'a> {
    friendly_name: &'a FriendlyName,
    app_domain: &'a AppDomain,
    redirect_url: &'a RedirectUrl,
}

#[derive(Deserialize)]
struct Read {
    friendly_name: FriendlyName,
    app_domain: AppDomain,
    #[serde(deserialize_with = "redirect_url")]
    redirect_url: RedirectUrl,
}

pub(super) fn serialize<S: Serializer>(details: &ClientDetails, to: S) -> Result<S::Ok, S::Error> {
    let written = Written {
        friendly_name: details.friendly_name(),
        app_domain: details.app_domain(),
        redirect_url: details.redirect_url(),
    };
    written.serialize(to)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<ClientDetails, D::Error> {
    let Read { friendly_name, app_domain, redirect_url } = Read::deserialize(from)?;
    Ok(ClientDetails::from_parts(friendly_name, app_domain, redirect_url))
}

/// The URL parser looked at it when it came in, and does not look again.
fn redirect_url<'de, D: Deserializer<'de>>(from: D) -> Result<RedirectUrl, D::Error> {
    crate::value::text::deserialize(from, RedirectUrl::stored)
}
