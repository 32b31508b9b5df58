//! What a marketplace's nightly job tells its sellers: what falls due, what ends this quarter, and what the review of a
//! client ID finds. The job keeps one instant, the end of its last window, so that it tells everything once, also after a
//! night on which it did not run.
//!
//! ```text
//! cargo run --example report
//! ```

mod place;

use std::error::Error;

use client_registry::client::ImportedSecret;
use client_registry::clock::ManualClock;
use client_registry::review::Expiry;
use client_registry::secret::KeyEncoding;
use client_registry::store::DynStore;
use client_registry::value::Validity;
use client_registry::{
    AddIn, Availability, ClientDetails, ClientHandle, ClientSecret, Days, Lifetime, NewSecret, Operator,
    Purpose, Registry, Rotation, SecretState, Timestamp,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let clock = ManualClock::new("2026-03-01T09:00:00Z".parse()?);
    let registry = place::begin("report", Registry::builder().clock(clock.clone())).await?;
    let job = registry.as_operator("nightly-job")?;
    let calendar = a_year_goes_by(&registry, &clock).await?;

    // Kept from the night before, in a file or a table of the application's own.
    let mut kept: Timestamp = "2027-01-30T02:00:00Z".parse()?;
    for (night, today) in
        [("a night", "2027-01-31T02:00:00Z"), ("the next two did not run", "2027-02-03T02:00:00Z")]
    {
        let today: Timestamp = today.parse()?;
        clock.set_wall(today.to_datetime());
        println!("{today}  {night}: what has fallen due since {kept}");
        tell(&job, kept, today).await?;
        kept = today;
    }

    let now = kept;
    let quarter = now..now.saturating_add(Days::new(90).into());
    println!("\nWhat ends within 90 days:");
    println!(
        "  {:26}{:10}{:15}{:18}{:8}{:8}{:12}then",
        "ends", "seller", "name", "secret", "state", "signs", "used"
    );
    // There are few; with more than a page of them it would go on as `tell` does.
    for line in job.expiry_report(&quarter, None, 100).await?.items() {
        println!("  {}", row(line));
    }

    println!("\nThe review of \"calendar app\":");
    for finding in calendar.review().await? {
        println!("  {:9}{finding}", finding.severity());
    }
    Ok(())
}

/// Tells everything that fell due in the window, page by page.
async fn tell(job: &Operator<DynStore>, from: Timestamp, until: Timestamp) -> Result<(), Box<dyn Error>> {
    let window = from..until;
    let mut after = None;
    loop {
        let page = job.due_notices(&window, after.as_ref(), 100).await?;
        for notice in page.items() {
            let Expiry { owner, friendly_name, secret, ends, state, successor, replaced_by, .. } =
                &notice.expiry;
            let what = match (replaced_by, successor) {
                (Some(next), _) => format!("as you rotated it, secret {next} is in its place"),
                (None, Some(next)) => format!("secret {next} takes its place"),
                (None, None) => "nothing takes its place: add one".to_owned(),
            };
            // Told late, it may have ended by now.
            let ends = match state {
                SecretState::Ended => format!("ended on {}", date(*ends)),
                _ => format!("ends in {}, on {}", notice.days, date(*ends)),
            };
            println!("  to {owner:9} {friendly_name}: secret {secret} {ends}; {what}");
        }
        after = page.next().cloned();
        if after.is_none() {
            return Ok(());
        }
    }
}

fn row(line: &Expiry) -> String {
    let secret =
        format!("{} {}", line.secret, line.label.as_ref().map(ToString::to_string).unwrap_or_default());
    let signs = if line.signs { "signs" } else { "" };
    let used = line.last_used.map(date).unwrap_or_else(|| "never".to_owned());
    let next = line.successor.map_or("nothing".to_owned(), |next| format!("secret {next}"));
    format!(
        "{:26}{:10}{:15}{secret:18}{:8}{signs:8}{used:12}{next}",
        line.ends,
        line.owner.to_string(),
        line.friendly_name.to_string(),
        line.state
    )
}

fn date(instant: Timestamp) -> String {
    instant.to_string().chars().take(10).collect()
}

/// Three client IDs of two sellers: one that nobody looks after, one in the middle of a rotation, one that moved in.
async fn a_year_goes_by(
    registry: &Registry<DynStore>,
    clock: &ManualClock,
) -> Result<ClientHandle<DynStore>, Box<dyn Error>> {
    let contoso = registry.as_seller("contoso")?;
    let details = ClientDetails::new("calendar app", "app.contoso.com", "https://login.contoso.com/done")?;
    let issued = contoso.register(details, Lifetime::OneYear).await?;
    let calendar = contoso.client(issued.client_id());
    let quarterly = NewSecret::lasting(Lifetime::Days(Days::new(90))).labelled("the old server".parse()?);
    let forgotten = calendar.add_secret(quarterly.for_purpose(Purpose::PasswordOnly)).await?;

    let details = ClientDetails::new("mail app", "mail.contoso.com", "https://mail.contoso.com/done")?;
    let mail = contoso.register(details, Lifetime::OneYear).await?;
    let mail_app = contoso.client(mail.client_id());
    mail_app.associate(&AddIn::new("mail", Availability::Worldwide)?).await?;

    let fabrikam = registry.as_seller("fabrikam")?;
    let details = ClientDetails::new("invoice bot", "fabrikam.example", "https://bot.fabrikam.example/done")?;
    let bot = fabrikam.register(details, Lifetime::TwoYears).await?;
    let from: Timestamp = "2025-04-06T00:00:00Z".parse()?;
    let elsewhere = ClientSecret::parse("Vb7-from-the-old-platform-kQ2x")?;
    let validity = Validity::new(from, Some("2027-04-03T00:00:00Z".parse()?))?;
    fabrikam
        .client(bot.client_id())
        .import_secret(ImportedSecret::new(elsewhere, validity, KeyEncoding::Utf8).signing_today())
        .await?;

    clock.set_wall("2027-01-25T09:00:00Z".parse::<Timestamp>()?.to_datetime());
    let next = mail_app.rotate(Rotation::overlap(Days::new(8))).await?;
    registry.authenticate(mail.client_id().as_str(), next.client_secret().expose()).await?;
    clock.set_wall("2027-01-29T09:00:00Z".parse::<Timestamp>()?.to_datetime());
    registry.authenticate(issued.client_id().as_str(), issued.client_secret().expose()).await?;
    let old = registry.authenticate(issued.client_id().as_str(), forgotten.client_secret().expose()).await;
    if old.is_ok() {
        println!("unexpected: a secret that ended works");
    }
    Ok(calendar)
}
