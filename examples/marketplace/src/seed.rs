//! Data to look at, added at the first start: client IDs and add-ins of two sellers, in many states.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use client_registry::client::ImportedSecret;
use client_registry::entropy::{Entropy, SystemEntropy};
use client_registry::secret::KeyEncoding;
use client_registry::store::DynStore;
use client_registry::value::{Label, Validity};
use client_registry::{
    Availability, ClientDetails, ClientHandle, ClientId, ClientSecret, Days, Issued, Lifetime, NewSecret,
    Registry, Rotation, Timestamp,
};
use data_encoding::BASE64URL_NOPAD;

use crate::catalogue::{Catalogue, Listing};
use crate::settings::{Settings, write_private};

/// The ID of the add-in that is shown in a frame.
pub const TRIP_CALENDAR: &str = "trip-calendar";

/// The files that the trip calendar reads its configuration from, as an add-in on a server of its own would.
#[derive(Debug)]
pub struct CalendarFiles {
    /// The client ID.
    pub client_id: PathBuf,
    /// Its client secret.
    pub primary: PathBuf,
    /// Its next client secret.
    pub secondary: PathBuf,
    /// What it was sent.
    pub trips: PathBuf,
}

impl CalendarFiles {
    /// Returns the files in the folder of the marketplace.
    pub fn of(settings: &Settings) -> Self {
        let file = |name: &str| settings.folder.join(format!("trip-calendar.{name}"));
        Self {
            client_id: file("client-id"),
            primary: file("primary"),
            secondary: file("secondary"),
            trips: file("trips"),
        }
    }

    /// Returns the client ID, if there is one.
    pub fn read_client_id(&self) -> Option<ClientId> {
        ClientId::parse(std::fs::read_to_string(&self.client_id).ok()?.trim()).ok()
    }

    fn write(&self, issued: &Issued) -> std::io::Result<()> {
        write_private(&self.primary, issued.client_secret().expose())?;
        write_private(&self.client_id, issued.client_id().as_str())
    }
}

/// Adds everything, unless that was done. A start that was stopped in the middle is gone on with.
pub async fn add(
    registry: &Registry<DynStore>,
    catalogue: &Catalogue,
    settings: &Settings,
    now: Timestamp,
) -> Result<(), Box<dyn Error>> {
    if catalogue.is_seeded().await? {
        return Ok(());
    }
    let calendar =
        client(registry, "contoso", "calendar app", "calendar.contoso.com", Availability::Worldwide).await?;
    let files = CalendarFiles::of(settings);
    if files.read_client_id().as_ref() != Some(calendar.handle.id()) {
        let issued = match calendar.issued {
            Some(issued) => issued,
            None => calendar.handle.add_secret(NewSecret::lasting(Lifetime::OneYear)).await?,
        };
        files.write(&issued)?;
    }
    list(catalogue, &calendar.handle, "contoso", TRIP_CALENDAR, "Trip calendar", true).await?;

    let mail =
        client(registry, "contoso", "mail helper", "mail.contoso.com", Availability::Worldwide).await?;
    if mail.issued.is_some() {
        let ends = import(&mail.handle, now, (-345, 20), "made by hand");
        mail.handle.promote(ends.await?).await?;
    }
    list(catalogue, &mail.handle, "contoso", "mail-helper", "Mail helper", true).await?;

    let expenses =
        client(registry, "contoso", "expense reports", "expenses.contoso.com", Availability::Worldwide)
            .await?;
    if expenses.issued.is_some() {
        let rotation = Rotation::overlap(Days::new(30)).labelled(Label::parse("deploy of this month")?);
        drop(expenses.handle.rotate(rotation).await?);
    }
    list(catalogue, &expenses.handle, "contoso", "expense-reports", "Expense reports", true).await?;

    let photos =
        client(registry, "contoso", "photo archive", "photos.contoso.com", Availability::Worldwide).await?;
    if photos.issued.is_some() {
        import(&photos.handle, now, (-500, -135), "of the old server").await?;
        import(&photos.handle, now, (-100, 900), "of the second server").await?;
        let later = photos.handle.add_secret(NewSecret::lasting(Lifetime::TwoYears)).await?;
        let in_two_weeks = now.saturating_add(Duration::from_secs(14 * DAY));
        photos.handle.schedule_promotion(later.secret_id(), in_two_weeks).await?;
    }

    let china =
        client(registry, "contoso", "travel desk", "travel.contoso.cn", Availability::ChinaOnly).await?;
    list(catalogue, &china.handle, "contoso", "travel-desk", "Travel desk", false).await?;
    let old = client(registry, "contoso", "old booking tool", "booking.contoso.com", Availability::Worldwide)
        .await?;
    if old.issued.is_some() {
        old.handle.suspend().await?;
    }
    for (name, domain) in PLAIN {
        client(registry, "contoso", name, domain, Availability::Worldwide).await?;
    }
    let parcels =
        client(registry, "fabrikam", "parcel tracker", "parcels.fabrikam.com", Availability::Worldwide)
            .await?;
    list(catalogue, &parcels.handle, "fabrikam", "parcel-tracker", "Parcel tracker", true).await?;
    client(registry, "fabrikam", "warehouse scanner", "scan.fabrikam.com", Availability::Worldwide).await?;
    catalogue.mark_seeded().await?;
    Ok(())
}

struct Seeded {
    handle: ClientHandle<DynStore>,
    /// What was issued, unless the client ID was there already.
    issued: Option<Issued>,
}

async fn client(
    registry: &Registry<DynStore>,
    seller: &str,
    name: &str,
    domain: &str,
    availability: Availability,
) -> Result<Seeded, Box<dyn Error>> {
    let seller = registry.as_seller(seller)?;
    if let Some(found) = seller.client_named(name).await? {
        return Ok(Seeded { handle: seller.client(found.client().id()), issued: None });
    }
    let details = ClientDetails::new(name, domain, &format!("https://{domain}/done"))?;
    let issued = seller.register_with(details, availability, NewSecret::lasting(Lifetime::OneYear)).await?;
    Ok(Seeded { handle: seller.client(issued.client_id()), issued: Some(issued) })
}

/// Imports a secret that is valid between two days, counted from now.
async fn import(
    client: &ClientHandle<DynStore>,
    now: Timestamp,
    (from, until): (i64, i64),
    label: &str,
) -> Result<client_registry::SecretId, Box<dyn Error>> {
    let mut random = [0; 32];
    SystemEntropy.fill(&mut random)?;
    let text = ClientSecret::parse(&BASE64URL_NOPAD.encode(&random))?;
    let day = |days| Timestamp::from(now.to_datetime() + chrono::TimeDelta::days(days));
    let validity = Validity::new(day(from), Some(day(until)))?;
    let secret = ImportedSecret::new(text, validity, KeyEncoding::Utf8).labelled(Label::parse(label)?);
    Ok(client.import_secret(secret).await?)
}

/// Lists an add-in, and associates it.
async fn list(
    catalogue: &Catalogue,
    client: &ClientHandle<DynStore>,
    owner: &str,
    id: &str,
    name: &str,
    complete: bool,
) -> Result<(), Box<dyn Error>> {
    let china = client.snapshot().await?.client().availability() == Availability::ChinaOnly;
    let package = if complete { format!("{id}-1.0.zip") } else { String::new() };
    let text = str::to_owned;
    let listing = Listing {
        id: text(id),
        owner: text(owner),
        name: text(name),
        china,
        oauth: true,
        package,
        blocks_others: false,
        submitted: complete,
    };
    let add_in = listing.add_in()?;
    if catalogue.add(listing).await? {
        client.associate(&add_in).await?;
    }
    Ok(())
}

const DAY: u64 = 24 * 60 * 60;
const PLAIN: &[(&str, &str)] = &[
    ("badge printer", "badges.contoso.com"),
    ("canteen menu", "menu.contoso.com"),
    ("guest list", "guests.contoso.com"),
    ("holiday planner", "holidays.contoso.com"),
    ("meeting rooms", "rooms.contoso.com"),
    ("parking spaces", "parking.contoso.com"),
    ("shift planner", "shifts.contoso.com"),
    ("time sheets", "time.contoso.com:8443"),
];
