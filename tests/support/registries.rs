//! Registries that an earlier version left behind, which every later version must open.
//!
//! `tests/data/<year>-<month>/` holds the same registry three times, each as the version of that month wrote it: a SQLite
//! file with a log left behind, a dump of PostgreSQL, and an export. `facts.txt` beside each says what must still be true
//! of it; [`examine`] checks that. The files of a month never change. A change of a format adds a new month, or a second set of
//! the same month: put it at the end of [`MONTHS`], and run the three ignored tests that write the files:
//!
//! ```sh
//! cargo test --all-features --test sqlite --test postgres --test library write_fixture -- --ignored
//! ```

#![allow(dead_code, reason = "each test binary uses a part of it")]

mod examined;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use client_registry::client::{ImportedClient, ImportedSecret};
use client_registry::clock::{Clock, ManualClock};
use client_registry::secret::KeyEncoding;
use client_registry::store::Store;
use client_registry::value::{Attributes, KeyId, Label, Revision, Validity};
use client_registry::*;

pub(crate) use self::examined::examine;
use self::examined::{called_off, outcome, owner, signature};
use super::entropy::Seeded;

/// All months whose files must open. The generator writes those of the last one.
pub(crate) const MONTHS: [&str; 2] = ["2026-11", "2026-11-format-2"];

/// The folder of one of the registries: `sqlite`, `postgres` or `export`.
pub(crate) fn folder(month: &str, kind: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/data", month, kind].iter().collect()
}

/// What must be true of a registry: a line each, words separated by tabs.
pub(crate) fn facts(month: &str, kind: &str) -> String {
    std::fs::read_to_string(folder(month, kind).join("facts.txt")).unwrap()
}

/// The folder to write to, made anew, with its facts in it.
pub(crate) fn write_facts(kind: &str, facts: &str) -> PathBuf {
    let folder = folder(MONTHS[MONTHS.len() - 1], kind);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("facts.txt"), facts).unwrap();
    folder
}

/// The keys of the fixtures by their IDs.
fn key(id: &str) -> (KeyId, [u8; 32]) {
    let year: u8 = id.trim_start_matches("20").parse().unwrap();
    (KeyId::parse(id).unwrap(), std::array::from_fn(|at| u8::try_from(at).unwrap().wrapping_mul(37) ^ year))
}

/// The keyring that opens the fixtures. The key `2025` is retired there.
pub(crate) fn keyring() -> Keyring {
    let ((new_id, new), (old_id, old)) = (key("2026"), key("2025"));
    Keyring::new(new_id, &new).unwrap().with(old_id, &old).unwrap()
}

pub(crate) fn builder(clock: &ManualClock, seed: u64) -> RegistryBuilder {
    let builder = Registry::builder().clock(clock.clone()).entropy(Seeded::new(seed));
    builder.freshness(Freshness::within(Duration::ZERO))
}

/// The clock at which the facts hold.
pub(crate) fn clock_of(facts: &str) -> ManualClock {
    let at = facts.lines().find_map(|line| line.strip_prefix("at\t")).unwrap();
    ManualClock::new(at.parse().unwrap())
}

/// Fills a registry in parts, so that a store can be closed and opened between them.
pub(crate) struct Filling {
    clock: ManualClock,
    secrets: Vec<(ClientId, SecretId, String)>,
    clients: Vec<ClientId>,
}

impl Filling {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::new("2026-11-02T09:00:00Z".parse().unwrap());
        Self { clock, secrets: Vec::new(), clients: Vec::new() }
    }

    fn issued(&mut self, issued: &Issued) -> SecretId {
        let text = issued.client_secret().expose().to_owned();
        self.secrets.push((issued.client_id().clone(), issued.secret_id(), text));
        issued.secret_id()
    }

    /// Three clients, and what is left of a fourth, under the key that is retired later.
    pub(crate) async fn begin<S: Store>(&mut self, store: S) {
        let (id, bytes) = key("2025");
        let registry = builder(&self.clock, 1).open(store, Keyring::new(id, &bytes).unwrap()).await.unwrap();
        let contoso = registry.as_seller("contoso").unwrap();
        let worldwide = Availability::Worldwide;
        let year = Lifetime::OneYear;
        let calendar = contoso.register(details("calendar app"), year).await.unwrap();
        self.issued(&calendar);
        let client = contoso.client(calendar.client_id());
        let label = Label::parse("next \u{2013} \"2027\"").unwrap();
        let second = client.add_secret(NewSecret::lasting(year).labelled(label)).await.unwrap();
        self.issued(&second);
        let short = NewSecret::lasting(Lifetime::Days(Days::new(1)));
        let ended = client.add_secret(short).await.unwrap();
        self.issued(&ended);
        let deleted = client.add_secret(NewSecret::lasting(year)).await.unwrap();
        let plan = client.plan_deletion(self.issued(&deleted)).await.unwrap();
        client.confirm(plan).await.unwrap();
        let compromised = client.add_secret(NewSecret::lasting(year)).await.unwrap();
        let replacement = Some(NewSecret::lasting(Lifetime::TwoYears).for_purpose(Purpose::PasswordOnly));
        match client.delete_in_emergency(self.issued(&compromised), replacement).await.unwrap() {
            EmergencyDeletion::Replaced(issued) => self.issued(&issued),
            other => panic!("{other:?}"),
        };
        client.promote(second.secret_id()).await.unwrap();
        for add_in in ["calendar", "Calendar\\\"1\""] {
            client.associate(&AddIn::new(add_in, worldwide).unwrap()).await.unwrap();
        }
        self.clock.advance(Duration::from_millis(86_400_001));
        registry.authenticate(calendar.client_id().as_str(), second.client_secret().expose()).await.unwrap();
        registry.flush_last_uses().await.unwrap();

        let name = "Kalender \u{201e}\u{4e2d}\u{56fd}\u{201c} /\\ \u{1f4c5}";
        let chinese = registry.as_seller("fabrikam").unwrap();
        let chinese = chinese
            .register_with(details(name), Availability::ChinaOnly, NewSecret::lasting(year))
            .await
            .unwrap();
        self.issued(&chinese);
        let gone = contoso.register(details("old app"), year).await.unwrap();
        self.issued(&gone);
        let old = contoso.client(gone.client_id());
        old.associate(&AddIn::new("old", worldwide).unwrap()).await.unwrap();
        old.confirm(old.plan_client_deletion().await.unwrap()).await.unwrap();
        self.clients.extend([&calendar, &chinese, &gone].map(|issued| issued.client_id().clone()));
    }

    /// A disabled secret, a scheduled promotion, attributes, an end that is moved, a client ID and secrets that are moved in.
    pub(crate) async fn go_on<S: Store>(&mut self, store: S) {
        let registry = builder(&self.clock, 2).open(store, keyring()).await.unwrap();
        let operator = registry.as_operator("ann").unwrap();
        let contoso = registry.as_seller("contoso").unwrap();
        let calendar = contoso.client(&self.clients[0]);
        let disabled = calendar.add_secret(NewSecret::lasting(Lifetime::OneYear)).await.unwrap();
        let plan = calendar.plan_disabling(self.issued(&disabled)).await.unwrap();
        calendar.confirm(plan).await.unwrap();
        let first = SecretId::new(1).unwrap();
        calendar.schedule_promotion(first, self.clock_after(Days::new(40))).await.unwrap();
        let attributes = Attributes::new([("scopes", "calendar.read"), ("\u{e9}tat", "\"test\"")]);
        calendar.change_attributes(attributes.unwrap()).await.unwrap();
        calendar.move_end(first, self.clock_after(Days::new(90))).await.unwrap();

        let moved_in = ClientId::parse("Moved.In-2026_A").unwrap();
        let now = Clock::wall(&self.clock);
        let long_ago: Timestamp = "2024-03-01T00:00:00Z".parse().unwrap();
        let ended = Validity::new(long_ago, Some("2026-02-28T00:00:00Z".parse().unwrap())).unwrap();
        let running = Validity::new(long_ago, Some("2027-02-28T00:00:00Z".parse().unwrap())).unwrap();
        let texts = [
            "Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ==",
            "correct-horse-battery-staple:2024",
            "x7-Qm.z_Tb9w+Rj2y~0001",
        ];
        let texts = texts.map(|text| format!("{text}{}", if text.len() < 24 { "-abc" } else { "" }));
        let import = |text: &str, validity, encoding| {
            ImportedSecret::new(ClientSecret::parse(text).unwrap(), validity, encoding)
        };
        let client = ImportedClient::new(
            moved_in.clone(),
            contoso.id().clone(),
            details("moved app"),
            Availability::Worldwide,
        )
        .with_secret(import(&texts[0], running, KeyEncoding::Base64).signing_today())
        .with_secret(import(&texts[1], ended, KeyEncoding::Utf8))
        .with_add_in(AddIn::new("moved", Availability::Worldwide).unwrap());
        operator.import(client).await.unwrap();
        let third = import(&texts[2], Lifetime::OneYear.starting(now).unwrap(), KeyEncoding::Utf8);
        contoso.client(&moved_in).import_secret(third).await.unwrap();
        // By their `from`, then as they were named.
        for (number, text) in (1..).zip(&texts) {
            self.secrets.push((moved_in.clone(), SecretId::new(number).unwrap(), text.clone()));
        }
        self.clients.push(moved_in);
    }

    /// A rotation, a transfer, a suspension; then the records move to the second key, and the first one is retired. Answers the facts.
    pub(crate) async fn end<S: Store>(&mut self, store: S) -> String {
        let registry = builder(&self.clock, 3).open(store, keyring()).await.unwrap();
        let moved_in = registry.as_seller("contoso").unwrap().client(&self.clients[3]);
        let rotated = moved_in.rotate(Rotation::overlap(Days::new(30))).await.unwrap();
        self.issued(&rotated);
        let operator = registry.as_operator("ann").unwrap();
        operator.client(&self.clients[3]).transfer(&SellerId::parse("fabrikam").unwrap()).await.unwrap();
        operator.client(&self.clients[1]).suspend().await.unwrap();
        let mut resealing = registry.reseal().await.unwrap();
        while resealing.step(100).await.unwrap().is_some() {}
        registry.retire_key(&key("2025").0).await.unwrap();
        self.clock.advance(Days::new(1));
        self.state(&registry).await
    }

    fn clock_after(&self, days: Days) -> Timestamp {
        Clock::wall(&self.clock).saturating_add(days.into())
    }

    /// What is true now.
    async fn state<S: Store>(&self, registry: &Registry<S>) -> String {
        let mut facts = format!("at\t{}\n", Clock::wall(&self.clock));
        let operator = registry.as_operator("ann").unwrap();
        // First: a plan writes the uses that were noted before it.
        let called_off = called_off(registry, &self.clients[3]).await;
        for (id, secret, text) in &self.secrets {
            let last_used = match operator.client(id).snapshot().await {
                Ok(snapshot) => snapshot.last_used(*secret),
                Err(_) => None,
            };
            let last_used = last_used.map_or("never".to_owned(), |at| at.to_string());
            let outcome = outcome(registry, id, text, *secret).await;
            writeln!(facts, "secret\t{id}\t{secret}\t{text}\t{outcome}\t{last_used}").unwrap();
        }
        for id in &self.clients[1..] {
            if let Ok(snapshot) = operator.client(id).snapshot().await {
                writeln!(facts, "owner\t{id}\t{}", snapshot.client().owner()).unwrap();
            }
        }
        let calendar = operator.client(&self.clients[0]).snapshot().await.unwrap();
        for (key, value) in calendar.client().attributes().iter() {
            writeln!(facts, "attribute\t{}\t{key}\t{value}", self.clients[0]).unwrap();
        }
        writeln!(facts, "calling-off\t{}\t{called_off}", self.clients[3]).unwrap();
        for id in &self.clients {
            writeln!(facts, "signature\t{id}\t{}", signature(registry, id).await).unwrap();
            let events = operator.client(id).trail(Revision::ZERO, 1000).await.unwrap();
            let head = events.last().unwrap().hash();
            writeln!(facts, "trail\t{id}\t{}\t{head}", events.len()).unwrap();
        }
        for add_in in ["calendar", "Calendar\\\"1\"", "moved", "old"] {
            writeln!(facts, "add-in\t{add_in}\t{}", owner(&operator, add_in).await).unwrap();
        }
        facts
    }
}

fn details(name: &str) -> ClientDetails {
    ClientDetails::new(name, "app.contoso.com:3333", "https://App.contoso.com/done?a=1&b=%22").unwrap()
}
