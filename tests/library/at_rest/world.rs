//! A small registry at rest, with something of everything in it.

use client_registry::client::ImportedSecret;
use client_registry::clock::{Clock, ManualClock};
use client_registry::registry::Page;
use client_registry::review::Expiry;
use client_registry::secret::KeyEncoding;
use client_registry::store::{Ending, MemoryStore, RecordId, Store};
use client_registry::value::{KeyId, Label, Revision};
use client_registry::*;
use zeroize::Zeroizing;

use crate::at_rest::hostile::Hostile;
use crate::support::{Counted, START, Seeded, details};

/// The keys of these tests, by the year that is their ID.
pub(crate) fn key(id: &str) -> (KeyId, [u8; 32]) {
    let year: u8 = id.trim_start_matches("20").parse().unwrap();
    let bytes = std::array::from_fn(|at| u8::try_from(at).unwrap().wrapping_mul(31) ^ year);
    (KeyId::parse(id).unwrap(), bytes)
}

/// A keyring of these keys, the first one primary.
pub(crate) fn keyring(ids: &[&str]) -> Keyring {
    let (id, bytes) = key(ids[0]);
    let first = Keyring::new(id, &bytes).unwrap();
    ids[1..].iter().fold(first, |keyring, id| {
        let (id, bytes) = key(id);
        keyring.with(id, &bytes).unwrap()
    })
}

pub(crate) fn builder(seed: u64) -> (RegistryBuilder, ManualClock) {
    let clock = ManualClock::new(START.parse().unwrap());
    let builder = Registry::builder().clock(clock.clone()).entropy(Seeded::new(seed));
    // Whatever the store says is looked at every time.
    (builder.freshness(Freshness::within(std::time::Duration::ZERO)), clock)
}

pub(crate) async fn open<S: Store>(store: S, ids: &[&str], seed: u64) -> (Registry<S>, ManualClock) {
    let (builder, clock) = builder(seed);
    (builder.open(store, keyring(ids)).await.unwrap(), clock)
}

/// A client secret that is known to work, or to be dead.
pub(crate) struct Known {
    pub(crate) client_id: ClientId,
    pub(crate) secret: SecretId,
    pub(crate) text: Zeroizing<String>,
}

impl Known {
    pub(crate) fn of(issued: &Issued) -> Self {
        let text = Zeroizing::new(issued.client_secret().expose().to_owned());
        Self { client_id: issued.client_id().clone(), secret: issued.secret_id(), text }
    }
}

/// What was put into a registry.
pub(crate) struct Contents {
    pub(crate) valid: Vec<Known>,
    pub(crate) compromised: Vec<Known>,
    pub(crate) clients: Vec<ClientId>,
}

/// Three clients and what is left of a fourth: secrets of every state and origin, a promotion, add-ins, last uses.
pub(crate) async fn fill<S: Store>(registry: &Registry<S>, clock: &ManualClock) -> Contents {
    let contoso = registry.as_seller("contoso").unwrap();
    let year = Lifetime::OneYear;
    let register = async |name: &str| contoso.register(details(name), year).await.unwrap();
    let calendar = register("calendar app").await;
    let client = contoso.client(calendar.client_id());
    let labelled = NewSecret::lasting(year).labelled(Label::parse("next \u{2013} 2027").unwrap());
    let second = client.add_secret(labelled).await.unwrap();
    let compromised = client.add_secret(NewSecret::lasting(year)).await.unwrap();
    let _ = client.delete_in_emergency(compromised.secret_id(), None).await.unwrap();
    client.promote(second.secret_id()).await.unwrap();
    for add_in in ["calendar", "Calendar"] {
        client.associate(&AddIn::new(add_in, Availability::Worldwide).unwrap()).await.unwrap();
    }
    clock.advance(Days::new(1));
    registry.authenticate(calendar.client_id().as_str(), second.client_secret().expose()).await.unwrap();
    registry.flush_last_uses().await.unwrap();

    let imported = "Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ==";
    let mail = register("mail app").await;
    let secret = ImportedSecret::new(
        ClientSecret::parse(imported).unwrap(),
        Lifetime::TwoYears.starting(Clock::wall(clock)).unwrap(),
        KeyEncoding::Base64,
    );
    let imported_id = contoso.client(mail.client_id()).import_secret(secret).await.unwrap();
    let rotated = contoso.client(mail.client_id()).rotate(Rotation::overlap(Days::new(30))).await.unwrap();

    let notes = register("notes app").await;
    let gone = register("old app").await;
    let old = contoso.client(gone.client_id());
    old.confirm(old.plan_client_deletion().await.unwrap()).await.unwrap();

    let imported = Known {
        client_id: mail.client_id().clone(),
        secret: imported_id,
        text: Zeroizing::new(imported.to_owned()),
    };
    let issued = [&calendar, &second, &mail, &rotated, &notes];
    Contents {
        valid: issued.into_iter().map(Known::of).chain([imported]).collect(),
        compromised: vec![Known::of(&compromised)],
        clients: [&calendar, &mail, &notes, &gone].map(|issued| issued.client_id().clone()).into(),
    }
}

/// Everything that can be asked about what was put in, as text.
pub(crate) async fn portrait<S: Store>(registry: &Registry<S>, contents: &Contents) -> String {
    let mut lines = Vec::new();
    let ann = registry.as_operator("ann").unwrap();
    for client_id in &contents.clients {
        let client = ann.client(client_id);
        lines.push(format!("{:?}", client.snapshot().await.map_err(|error| error.to_string())));
        lines.push(format!("{:?}", client.trail(Revision::ZERO, 1000).await.unwrap()));
        lines
            .push(format!("{:?}", registry.sign_all(client_id, b"message").await.map_err(|e| e.to_string())));
        for known in contents.valid.iter().chain(&contents.compromised) {
            let answer = registry.authenticate(client_id.as_str(), &known.text).await;
            lines.push(format!("{answer:?}"));
        }
    }
    for name in ["calendar app", "mail app", "notes app", "old app"] {
        let found = ann.seller("contoso").unwrap().client_named(name).await.unwrap();
        lines.push(format!("{name}: {found:?}"));
    }
    for add_in in ["calendar", "Calendar", "CALENDAR"] {
        let found = ann.client_of(&AddInId::parse(add_in).unwrap()).await.unwrap();
        lines.push(format!("{add_in}: {:?}", found.map(|found| found.client().id().clone())));
    }
    lines.join("\n")
}

/// A store with that registry in it.
pub(crate) async fn filled() -> (MemoryStore, Registry, ManualClock, Contents) {
    let store = MemoryStore::new();
    let (registry, clock) = open(store.clone(), &["2026"], 1).await;
    let contents = fill(&registry, &clock).await;
    (store, registry, clock, contents)
}

/// Associates add-ins until there is no room for the shortest.
pub(crate) async fn fill_up(client: &ClientHandle<MemoryStore>) {
    let mut number = 100;
    for len in (1..=125).rev() {
        loop {
            let id = format!("{}{number}", "\\".repeat(len));
            number += 1;
            match client.associate(&AddIn::new(&id, Availability::Worldwide).unwrap()).await {
                Ok(_) => {}
                Err(Error::TooLarge) => break,
                Err(other) => panic!("{other} {number}"),
            }
        }
    }
}

/// Fills what ordinary commands leave of a record, but for a few bytes: what was deleted in emergencies is remembered.
pub(crate) async fn fill_to_the_end(
    store: &MemoryStore,
    client: &ClientHandle<MemoryStore>,
    secret: SecretId,
) {
    let size = async || {
        let record = store.load(RecordId::from(client.id())).await.unwrap().unwrap();
        record.to_bytes().unwrap().len()
    };
    let replace = async |secret, new| match client.delete_in_emergency(secret, Some(new)).await.unwrap() {
        EmergencyDeletion::Replaced(issued) => issued.secret_id(),
        other => panic!("{other:?}"),
    };
    let new = || NewSecret::lasting(Lifetime::OneYear);
    let (mut last, mut before) = (replace(secret, new()).await, size().await);
    loop {
        last = replace(last, new()).await;
        let now = size().await;
        let (step, left) = (now - before, store::MAX_RECORD - now);
        before = now;
        if (step + 20..step + 100).contains(&left) {
            let label = "x".repeat(left - step - 15);
            replace(last, new().labelled(Label::parse(&label).unwrap())).await;
            return;
        }
    }
}

/// A page of an operator's report on two clients, one of which cannot be read.
pub(crate) async fn page_with_an_unreadable_client() -> Page<Expiry, Ending> {
    let store = Hostile::default();
    let (builder, _) = builder(1);
    // The same with every generator: the page is shown in the docs.
    let builder = builder.entropy(Counted::default());
    let registry = builder.open(store.clone(), keyring(&["2026"])).await.unwrap();
    let contoso = registry.as_seller("contoso").unwrap();
    let register = async |name| contoso.register(details(name), Lifetime::OneYear).await.unwrap();
    let [sound, damaged] = [register("calendar app").await, register("mail app").await];
    let [sound, damaged] = [sound.client_id(), damaged.client_id()];
    // The record of one in the place of the other's.
    let record = store.load(RecordId::from(sound)).await.unwrap();
    store.put(damaged.as_str(), record);
    let ann = registry.as_operator("ann").unwrap();
    ann.expiry_report(&(Timestamp::MIN..Timestamp::MAX), None, 2).await.unwrap()
}
