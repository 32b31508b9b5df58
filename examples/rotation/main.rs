//! A whole rotation: a client ID is registered, its first secret signs and is a password; a rotation is called off; another secret
//! is added, tried out and promoted; the first one ends. At each step: who signs and why, which passwords work, and what comes.
//!
//! ```text
//! cargo run --example rotation
//! cargo run --example rotation --features sqlite
//! ```
//!
//! The first command runs in memory. The second one keeps everything in a file: run again, it shows what the first run left, and
//! reseals it under a new key. `CLIENT_REGISTRY_STORE` chooses another store.

mod again;
mod chart;
mod home;
#[path = "../place/mod.rs"]
mod place;

use std::error::Error;
use std::io::IsTerminal;

use client_registry::clock::ManualClock;
use client_registry::registry::ConfirmError;
use client_registry::ring::CallError;
use client_registry::store::DynStore;
use client_registry::value::Label;
use client_registry::{
    AccessError, AddIn, Availability, ClientDetails, ClientHandle, ClientSecret, Days, Lifetime, NewSecret,
    Registry, Rotation, SecretId, SecretRing, Timestamp,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let home = home::Home::open().await?;
    // A year goes by in this example; with `Registry::open(store, keyring)` it would be a real one.
    let clock = ManualClock::new("2026-03-01T09:00:00Z".parse()?);
    let registry = Registry::builder().clock(clock.clone());
    let store = home.store().await?;
    let registry = registry.open(store, home.keyring()?).await.map_err(|error| {
        format!(
            "{error}: what is in {} was written under another keyring; remove it, or bring {}",
            home.place(),
            home.keys().display()
        )
    })?;
    let contoso = registry.as_seller("contoso")?;
    if let Some(found) = contoso.client_named("calendar app").await? {
        drop(registry);
        return again::run(&home, &found).await;
    }

    heading("1 March 2026. Contoso registers a client ID for its calendar add-in.");
    let details = ClientDetails::new("calendar app", "app.contoso.com", "https://app.contoso.com/done")?;
    let issued = contoso.register(details, Lifetime::OneYear).await?;
    let calendar = contoso.client(issued.client_id());
    calendar.associate(&AddIn::new("calendar", Availability::Worldwide)?).await?;
    println!("   client ID      {}", issued.client_id());
    println!("   client secret  {}   (shown once)", issued.client_secret().expose());
    let (first, client_id) = (issued.secret_id(), issued.client_id().clone());
    let forgotten = ClientSecret::parse(issued.client_secret().expose())?; // on a server that will be forgotten
    let ring = SecretRing::new(client_id.clone(), issued.into_client_secret(), None);
    show(&calendar).await?;

    heading("The platform sends the add-in something, and signs it.");
    let payload = br#"{"event":"meeting.moved","id":"4711","to":"2026-03-02T10:00:00Z"}"#;
    let signature = registry.sign(&client_id, payload).await?;
    println!("   X-Signature: {signature}");
    println!("   the add-in verifies it with its {:?} secret", ring.verify(&signature, payload)?);
    let forged = ring.verify(&signature, br#"{"event":"meeting.moved","id":"4712"}"#);
    if let Err(refused) = forged {
        println!("   the same signature under another payload: {refused}");
    }

    heading("The add-in calls the platform.");
    call(&registry, &ring).await?;

    clock.advance(Days::new(319));
    heading(
        "14 January 2027. Contoso rotates, and closes the window before it has copied the new client secret.",
    );
    let lost = calendar.rotate(Rotation::overlap(Days::new(14))).await?.secret_id();
    show(&calendar).await?;
    match calendar.rotate(Rotation::overlap(Days::new(14))).await {
        Err(error) => println!("\n   rotating again is refused: {error}"),
        Ok(issued) => println!("   unexpected: {issued:?}"),
    }

    heading("It calls the rotation off: from now on it is as if there had been none.");
    let plan = calendar.plan_calling_off(lost).await?;
    println!("   the plan: secret {lost} goes, {} comes back as it was", list(plan.restores()));
    calendar.confirm(plan).await?;
    show(&calendar).await?;

    clock.advance(Days::new(1));
    heading(
        "15 January 2027. The secret ends in 45 days. Contoso adds another one and gives it to the add-in.",
    );
    let next = NewSecret::lasting(Lifetime::OneYear).labelled(Label::parse("2027")?);
    let issued = calendar.add_secret(next).await?;
    let second = issued.secret_id();
    ring.add(issued.into_client_secret());
    show(&calendar).await?;

    heading("The new one is tried out as a password while the old one still signs.");
    call(&registry, &ring).await?;
    let signature = registry.sign(&client_id, payload).await?;
    println!(
        "   what the platform sends is verified with the {:?} secret",
        ring.verify(&signature, payload)?
    );

    heading("Contoso wants to delete the old one at once. One server does not know the new one yet.");
    registry.authenticate(client_id.as_str(), forgotten.expose()).await?;
    let plan = calendar.plan_deletion(first).await?;
    println!("   the plan: secret {first} goes, {} signs next", or_nothing(plan.signs_next()));
    println!(
        "   last used {}, valid secrets left: {}",
        or_nothing(plan.last_used()),
        list(plan.valid_left())
    );
    match calendar.confirm(plan).await {
        Err(error @ ConfirmError::Obstructed(_)) => println!("   refused: {error}"),
        other => println!("   unexpected: {other:?}"),
    }

    heading("The new one is to sign from 1 February on: a date that everybody can be told.");
    calendar.schedule_promotion(second, "2027-02-01T00:00:00Z".parse::<Timestamp>()?).await?;
    show(&calendar).await?;

    clock.advance(Days::new(20));
    heading("4 February 2027. The new one signs, and the old one is still a password.");
    let signature = registry.sign(&client_id, payload).await?;
    println!(
        "   what the platform sends is verified with the {:?} secret",
        ring.verify(&signature, payload)?
    );
    show(&calendar).await?;

    clock.advance(Days::new(30));
    heading("6 March 2027. The old one has ended by itself. The forgotten server still calls with it.");
    match registry.authenticate(client_id.as_str(), forgotten.expose()).await {
        Err(AccessError::Denied(denied)) => {
            println!("   to the outside   401, {denied}");
            println!("   in the log       secret {}: {}", or_nothing(denied.secret_id()), denied.reason());
        }
        other => println!("   unexpected: {other:?}"),
    }
    call(&registry, &ring).await?;

    clock.advance(Days::new(8));
    heading("14 March 2027. Nobody has used it for a week: now it may be deleted.");
    calendar.confirm(calendar.plan_deletion(first).await?).await?;
    show(&calendar).await?;

    heading("Others have been busy, too.");
    for number in 1..=200 {
        let seller = registry.as_seller(format!("seller-{}", 1 + number % 10))?;
        let details = ClientDetails::new(
            &format!("app {number}"),
            &format!("app-{number}.example"),
            &format!("https://app-{number}.example/done"),
        )?;
        drop(seller.register(details, Lifetime::OneYear).await?);
    }
    println!("   200 client IDs of 10 sellers were registered.");
    if home.is_in_memory() {
        println!("\n   All of it was in memory, and is gone now. To keep it in a file:");
        println!("   cargo run --example rotation --features sqlite");
    } else {
        println!("\n   All of it is in {}.", home.place());
        println!("   Run this again: it finds what this run left, and reseals it under a new key.");
    }
    Ok(())
}

/// The add-in calls the platform, which authenticates it.
async fn call(registry: &Registry<DynStore>, ring: &SecretRing) -> Result<(), Box<dyn Error>> {
    let answer = ring.call(async |credentials| {
        let (id, secret) = (credentials.client_id().as_str(), credentials.client_secret().expose());
        match registry.authenticate(id, secret).await {
            Ok(who) => Ok(who),
            Err(AccessError::Denied(denied)) => Err(CallError::InvalidClient(denied.into())),
            Err(unavailable) => Err(CallError::Failed(unavailable)),
        }
    });
    let who = answer.await?;
    print!("   authenticated with secret {}", who.secret_id());
    print!(", which {}", if who.signs() { "signs" } else { "does not sign" });
    print!(" and ends {}", or_nothing(who.ends()));
    println!("{}", who.newer().map(|newer| format!(" (secret {newer} is newer)")).unwrap_or_default());
    Ok(())
}

/// Who signs and why, which passwords work, and what comes.
async fn show(client: &ClientHandle<DynStore>) -> Result<(), Box<dyn Error>> {
    let snapshot = client.snapshot().await?;
    let passwords: Vec<_> = snapshot.client().valid_at(snapshot.at()).map(|secret| secret.id()).collect();
    println!("   {}", snapshot.signing());
    println!("   passwords that work: {}", list(&passwords));
    println!("\n{}", chart::draw(&snapshot));
    Ok(())
}

fn or_nothing(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |value| value.to_string())
}

fn list(secrets: &[SecretId]) -> String {
    secrets.iter().map(SecretId::to_string).collect::<Vec<_>>().join(", ")
}

fn heading(text: &str) {
    match std::io::stdout().is_terminal() {
        true => println!("\n\x1b[1m{text}\x1b[0m"),
        false => println!("\n{text}"),
    }
}
