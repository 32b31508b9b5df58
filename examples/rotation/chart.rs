//! Draws a client's timeline: a line a secret, a column every few days.

use client_registry::client::Client;
use client_registry::{SecretId, Snapshot, Timestamp};

const COLUMNS: i64 = 60;
const DAY: i64 = 24 * 60 * 60 * 1000;

/// Draws who signs (`█`) and which passwords work (`░`) over the next fourteen months.
pub(crate) fn draw(snapshot: &Snapshot) -> String {
    let client = snapshot.client();
    let timeline = client.timeline();
    let start = snapshot.at();
    let step = 425 * DAY / COLUMNS;
    let columns: Vec<Timestamp> =
        (0..COLUMNS).filter_map(|column| Timestamp::from_millis(start.as_millis() + column * step)).collect();

    let mut lines = vec![format!("       {}", axis(&columns))];
    for secret in client.secrets() {
        let cell = |at: &Timestamp| match timeline.at(*at) {
            Some(span) if span.signing().secret() == Some(secret.id()) => '█',
            Some(span) if span.passwords().contains(&secret.id()) => '░',
            _ => '·',
        };
        let bar: String = columns.iter().map(cell).collect();
        let line = format!("     {} {bar} {}", secret.id(), name(client, secret.id()));
        lines.push(line.trim_end().to_owned());
    }
    lines.push("       █ signs and is a password   ░ is a password   · is neither".to_owned());
    lines.join("\n")
}

/// The first of every third month or so, where there is room to write it.
fn axis(columns: &[Timestamp]) -> String {
    let mut axis = String::new();
    for at in columns.iter().step_by(15) {
        let date: String = at.to_string().chars().take(10).collect();
        axis.push_str(&format!("{date:<15}"));
    }
    axis.trim_end().to_owned()
}

fn name(client: &Client, id: SecretId) -> String {
    let label = client.secret(id).and_then(|secret| secret.label());
    label.map(|label| format!("\"{label}\"")).unwrap_or_default()
}
