//! Data to look at, added at the first start.

use std::error::Error;

use client_registry::store::DynStore;
use client_registry::{ClientDetails, Lifetime, Registry};

use crate::catalogue::Catalogue;
use crate::settings::Settings;

/// Adds what is missing.
pub async fn add(
    registry: &Registry<DynStore>,
    _catalogue: &Catalogue,
    _settings: &Settings,
) -> Result<(), Box<dyn Error>> {
    for (seller, name, domain) in CLIENTS {
        let seller = registry.as_seller(seller)?;
        if seller.client_named(name).await?.is_none() {
            let details = ClientDetails::new(name, domain, &format!("https://{domain}/done"))?;
            drop(seller.register(details, Lifetime::OneYear).await?);
        }
    }
    Ok(())
}

const CLIENTS: &[(&str, &str, &str)] = &[
    ("contoso", "calendar app", "calendar.contoso.com"),
    ("contoso", "mail helper", "mail.contoso.com"),
    ("fabrikam", "parcel tracker", "parcels.fabrikam.com"),
];
