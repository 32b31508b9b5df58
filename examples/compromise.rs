//! An emergency: a client secret is found in a public repository. It is deleted at once, twice over: once as platforms
//! do it, with a gap, and once with the replacement in the same commit. The thief presents it; the trail tells it all.
//!
//! ```text
//! cargo run --example compromise
//! ```

mod place;

use std::error::Error;

use client_registry::client::ImportedSecret;
use client_registry::clock::ManualClock;
use client_registry::event::{EventHash, Fact, check_trail};
use client_registry::secret::KeyEncoding;
use client_registry::store::DynStore;
use client_registry::value::Revision;
use client_registry::{
    AccessError, ClientDetails, ClientHandle, ClientSecret, Days, EmergencyDeletion, Event, Lifetime,
    NewSecret, Reason, Registry, SignError,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let clock = ManualClock::new("2026-06-12T02:14:00Z".parse()?);
    let registry = place::begin("compromise", Registry::builder().clock(clock.clone())).await?;
    let fabrikam = registry.as_seller("fabrikam")?;
    let details =
        ClientDetails::new("invoice bot", "bot.fabrikam.example", "https://bot.fabrikam.example/done")?;
    let issued = fabrikam.register(details, Lifetime::OneYear).await?;
    let bot = fabrikam.client(issued.client_id());
    let (first, stolen) = (issued.secret_id(), issued.into_client_secret());

    println!("02:14  Secret {first} of {} is found in a public repository.", bot.id());
    println!("       The calm way would not do: it asks who still uses it, and it is the last one.");
    registry.authenticate(bot.id().as_str(), stolen.expose()).await?;
    for obstacle in bot.plan_deletion(first).await?.obstacles() {
        println!("         - {obstacle}");
    }

    println!("\n02:14  An operator deletes it in an emergency, without a replacement.");
    let night_shift = registry.as_operator("ann")?;
    let _ = night_shift.client(bot.id()).delete_in_emergency(first, None).await?;
    match registry.sign(bot.id(), b"an event").await {
        Err(error @ SignError::NoSigningSecret) => println!("       The gap: {error}."),
        other => println!("       unexpected: {other:?}"),
    }

    clock.advance(std::time::Duration::from_secs(3 * 60));
    println!("\n02:17  The thief tries it.");
    present(&registry, &bot, &stolen).await;

    clock.advance(std::time::Duration::from_secs(4 * 60));
    println!("\n02:21  The seller is awake and adds another one: the gap was seven minutes.");
    let issued = bot.add_secret(NewSecret::lasting(Lifetime::OneYear)).await?;
    let (second, leaked) = (issued.secret_id(), issued.into_client_secret());
    println!(
        "       {}",
        registry.sign(bot.id(), b"an event").await.map(|s| format!("Secret {} signs.", s.secret_id()))?
    );

    clock.advance(Days::new(1));
    println!("\nA day later the log of a build turns out to hold that one too. This time without a gap:");
    let replacement = NewSecret::lasting(Lifetime::OneYear);
    match bot.delete_in_emergency(second, Some(replacement)).await? {
        EmergencyDeletion::Replaced(issued) => {
            println!(
                "       secret {second} is dead, and secret {} was issued in the same commit.",
                issued.secret_id()
            );
            let signature = registry.sign(bot.id(), b"an event").await?;
            println!("       Secret {} signs.", signature.secret_id());
        }
        other => println!("       unexpected: {other:?}"),
    }
    present(&registry, &bot, &leaked).await;

    println!("\nSomebody tries to bring the stolen one back:");
    let validity =
        Lifetime::OneYear.starting("2026-06-12T00:00:00Z".parse::<client_registry::Timestamp>()?)?;
    match bot.import_secret(ImportedSecret::new(stolen, validity, KeyEncoding::Utf8)).await {
        Err(error) => println!("       refused: {error}"),
        Ok(secret) => println!("       unexpected: it is secret {secret}"),
    }

    println!("\nThe trail, each event with the hash of the one before:");
    let trail = bot.trail(Revision::ZERO, 100).await?;
    for event in &trail {
        println!("{}", line(event));
    }
    let head = bot.snapshot().await?.client().head();
    println!("       The trail is whole: {:?}", check_trail(&trail, EventHash::START, head).is_ok());
    let edited: Vec<Event> = trail.into_iter().filter(|event| event.revision() != Revision::new(2)).collect();
    match check_trail(&edited, EventHash::START, head) {
        Err(broken) => println!("       Without the emergency: {broken}."),
        Ok(()) => println!("       unexpected: nobody would notice"),
    }
    Ok(())
}

/// Presents a client secret as a stranger would, and raises the alarm where there is reason to.
async fn present(registry: &Registry<DynStore>, bot: &ClientHandle<DynStore>, client_secret: &ClientSecret) {
    match registry.authenticate(bot.id().as_str(), client_secret.expose()).await {
        Err(AccessError::Denied(denied)) => {
            println!("       to the outside   401, {denied}");
            println!("       in the log       {}", denied.reason());
            if denied.reason() == Reason::Compromised {
                println!("       ALARM            a stolen secret of {} was presented", bot.id());
            }
        }
        other => println!("       unexpected: {other:?}"),
    }
}

fn line(event: &Event) -> String {
    let what = match event.fact() {
        Fact::ClientRegistered { .. } => "client ID registered".to_owned(),
        Fact::SecretAdded { secret, .. } => format!("secret {secret} added"),
        Fact::SecretDeleted { secret } => format!("secret {secret} deleted"),
        Fact::SecretCompromised { secret } => format!("secret {secret} marked compromised"),
        other => format!("{other:?}"),
    };
    let name = |secret: Option<_>| secret.map_or("nothing".to_owned(), |id| format!("secret {id}"));
    let moved = event.signing().map(|s| format!(", {} signs instead of {}", name(s.after), name(s.before)));
    let hash: String = event.hash().to_string().chars().take(8).collect();
    format!(
        "  {:>2}  {}  {hash}  {}: {what}{}",
        event.revision(),
        event.at(),
        event.actor(),
        moved.unwrap_or_default()
    )
}
