//! The receiving end of a secret-scanning programme: a code host found texts that look like client secrets of this platform, and
//! asks which are. Each gets an answer; those that are live are deleted at once, and their sellers are told.
//!
//! ```text
//! cargo run --example leak
//! ```
//!
//! A platform registers a regular expression with the code host, here `crs_[0-9A-Za-z]{49}`, and the address of an endpoint that
//! does this. It verifies that a request comes from the code host first; how is in the documentation of each.

mod place;

use std::error::Error;

use client_registry::client::LeakedSecret;
use client_registry::clock::ManualClock;
use client_registry::registry::LeakVerdict;
use client_registry::store::DynStore;
use client_registry::{
    AccessError, ClientDetails, Days, EmergencyDeletion, Lifetime, Operator, Registry, Rotation,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A text that a code host found.
#[derive(Deserialize)]
struct Found {
    token: String,
    r#type: String,
    url: String,
}

/// What it is told. The text itself is not sent back.
#[derive(Serialize)]
struct Answer {
    token_hash: String,
    token_type: String,
    label: &'static str,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let clock = ManualClock::new("2026-06-12T02:14:00Z".parse()?);
    let registry = place::begin("leak", Registry::builder().clock(clock.clone())).await?;
    let fabrikam = registry.as_seller("fabrikam")?;
    let details =
        ClientDetails::new("invoice bot", "bot.fabrikam.example", "https://bot.fabrikam.example/done")?;
    let old = fabrikam.register(details, Lifetime::OneYear).await?;
    let bot = fabrikam.client(old.client_id());
    clock.advance(Days::new(300));
    let new = bot.rotate(Rotation::overlap(Days::new(30))).await?;
    clock.advance(Days::new(40));
    let (old, new) = (old.into_client_secret(), new.into_client_secret());
    let (slip, stranger) = (format!("{}X", &new.expose()[..53]), "sk_9c1f0a7b5e3d4c2f8a6b");

    // What the code host sends, as the body of a POST.
    let found = |token: &str, path: &str| {
        let url = format!("https://code.example/fabrikam/{path}");
        serde_json::json!({ "token": token, "type": "marketplace_client_secret", "url": url })
    };
    let body = serde_json::to_string(&[
        found(new.expose(), "bot/blob/main/deploy.sh"),
        found(old.expose(), "bot/blob/2025/deploy.sh"),
        found(&slip, "bot/issues/7"),
        found(stranger, "notes/blob/main/README.md"),
    ])?;

    println!("A code host asks about {} texts.", body.matches("token").count());
    let operator = registry.as_operator("scanner")?;
    let answers = receive(&operator, &body).await?;
    println!("\nIt is answered:\n{}", serde_json::to_string_pretty(&answers)?);

    println!("\nA stranger who found it, too, tries the secret that was live:");
    match registry.authenticate(bot.id().as_str(), new.expose()).await {
        Err(AccessError::Denied(denied)) => {
            println!("   to the outside   401, {denied}");
            println!("   in the log       {}", denied.reason());
        }
        other => println!("   unexpected: {other:?}"),
    }
    Ok(())
}

/// Looks for the owner of each text, deletes what is live, tells the sellers, and answers.
async fn receive(operator: &Operator<DynStore>, body: &str) -> Result<Vec<Answer>, Box<dyn Error>> {
    let batch: Vec<Found> = serde_json::from_str(body)?;
    let mut search = operator.find_leaked(batch.iter().map(|found| &found.token))?;
    while search.next_page(1_000).await? {
        println!("   {} client IDs looked at", search.looked_at());
    }
    println!("   {} client IDs looked at, that is all", search.looked_at());
    for unreadable in search.unreadable() {
        println!("   unexpected: not looked at: {unreadable}");
    }

    let verdicts = search.verdicts();
    for (found, verdict) in batch.iter().zip(&verdicts) {
        let what = match verdict {
            LeakVerdict::Ours { secrets } => secrets.iter().map(in_words).collect::<Vec<_>>().join(", "),
            LeakVerdict::Mistyped => "one of ours with a slip".to_owned(),
            _ => "not ours".to_owned(),
        };
        println!("   {}: {what}", found.url);
    }

    let live = search.found().filter(|leaked| leaked.state.is_live());
    for (leaked, deleted) in operator.delete_leaked(live).await {
        match deleted? {
            EmergencyDeletion::Deleted { valid_left } => {
                println!("   secret {} is deleted, {} valid ones are left", leaked.secret, valid_left.len());
            }
            other => println!("   unexpected: {other:?}"),
        }
    }
    for (found, verdict) in batch.iter().zip(&verdicts) {
        if let LeakVerdict::Ours { secrets } = verdict {
            secrets.iter().for_each(|leaked| tell(leaked, &found.url));
        }
    }
    Ok(batch.iter().zip(&verdicts).map(|(found, verdict)| Answer::to(found, verdict)).collect())
}

impl Answer {
    /// A secret that has ended is one, too: the code host may show the finding to its owner.
    fn to(found: &Found, verdict: &LeakVerdict) -> Self {
        Self {
            token_hash: data_encoding::BASE64.encode(&Sha256::digest(&found.token)),
            token_type: found.r#type.clone(),
            label: if verdict.is_ours() { "true_positive" } else { "false_positive" },
        }
    }
}

fn in_words(leaked: &LeakedSecret) -> String {
    format!("secret {} of {}, {:?}", leaked.secret, leaked.client_id, leaked.state)
}

/// Tells the seller; a platform sends a mail.
fn tell(leaked: &LeakedSecret, url: &str) {
    let what = match leaked.state.is_live() {
        true => "It was deleted: issue another one.",
        false => "It does not work any longer.",
    };
    println!("   to {}: secret {} was found at {url}. {what}", leaked.owner, leaked.secret);
}
