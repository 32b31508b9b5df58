//! A later run: what is there, and everything under a new key.

use std::error::Error;
use std::io::{IsTerminal, Write};

use client_registry::clock::ManualClock;
use client_registry::event::{EventHash, check_trail};
use client_registry::registry::upkeep::Resealed;
use client_registry::value::Revision;
use client_registry::{Registry, Snapshot};

use crate::home::Home;
use crate::{chart, heading};

/// Shows what an earlier run has left and reseals it.
pub(crate) async fn run(home: &Home, found: &Snapshot) -> Result<(), Box<dyn Error>> {
    let client = found.client();
    heading("A client ID is there, from an earlier run.");
    println!("   {} of {}, \"{}\"", client.id(), client.owner(), client.details().friendly_name());
    println!("   revision {}, last changed {}", client.revision(), client.changed_at());
    println!("   The registry recognises its secrets, but cannot show any of them again.");

    let clock = ManualClock::new("2027-03-15T09:00:00Z".parse()?);
    let keyring = home.keyring()?;
    if keyring.primary().as_str() >= LAST_YEAR {
        home.begin_anew().await?;
        heading("It has seen enough keys. The next run begins anew.");
        return Ok(());
    }
    heading("A new key. Both are in the keyring until everything is under the new one.");
    let keyring = home.with_new_key(&keyring)?;
    let old: Vec<_> = keyring.key_ids().skip(1).cloned().collect();
    let store = home.store().await?;
    let registry = Registry::builder().clock(clock).open(store, keyring.clone()).await?;
    let mut resealing = registry.reseal().await?;
    while let Some(so_far) = resealing.step(25).await? {
        draw(so_far, false);
    }
    draw(resealing.so_far(), true);
    for key_id in &old {
        registry.retire_key(key_id).await?;
        let left = registry.clients_under(key_id, None, 1).await?.len();
        println!("   key {key_id} is retired, records left under it: {left}");
    }
    home.keep_primary(&keyring)?;

    heading("What there is now.");
    let calendar = registry.as_seller("contoso")?.client(client.id());
    let snapshot = calendar.snapshot().await?;
    println!("   {}", snapshot.signing());
    println!("\n{}", chart::draw(&snapshot));
    let trail = calendar.trail(Revision::ZERO, 1_000).await?;
    check_trail(&trail, EventHash::START, snapshot.client().head())?;
    println!("\n   its trail: {} events, each with the hash of the one before", trail.len());
    let checked = registry.check().await?;
    println!(
        "   everything: {} client IDs, {} events, {}",
        checked.clients,
        checked.events,
        if checked.is_clean() {
            "nothing wrong".to_owned()
        } else {
            format!("unexpected: {:?}", checked.discrepancies)
        }
    );
    println!(
        "\n   All of it is in {}; to begin anew, remove it, and the keyring, {}.",
        home.place(),
        home.keys().display()
    );
    Ok(())
}

/// How far resealing has come: over and over on a terminal, else once at the end.
fn draw(Resealed { done, total, .. }: Resealed, at_end: bool) {
    let is_terminal = std::io::stdout().is_terminal();
    let full = usize::try_from(40 * done / total.max(1)).unwrap_or(0);
    let bar = format!("{}{}", "█".repeat(full), "·".repeat(40_usize.saturating_sub(full)));
    match (is_terminal, at_end) {
        (true, _) => print!("\r   {bar} {done} of {total}{}", if at_end { "\n" } else { "" }),
        (false, true) => println!("   {bar} {done} of {total}"),
        (false, false) => {}
    }
    let _ = std::io::stdout().flush();
}

/// A key a run, and not more than a few in one registry.
const LAST_YEAR: &str = "2036";
