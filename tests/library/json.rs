//! The JSON of everything that has one, held against the files that the page `client_registry::json` shows.
//!
//! `CLIENT_REGISTRY_WRITE_GOLDEN=1 cargo test --test library json::` writes them anew. Where a file changes, so does a promise:
//! members and variants may be added, nothing is renamed, removed or reordered.

mod errors;
mod page;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::{Path, PathBuf};

use client_registry::client::{LeakedState, Obstacle, Revocation, Signing};
use client_registry::event::EventText;
use client_registry::record::KeyState;
use client_registry::review::Severity;
use client_registry::ring::{CallError, SharedSecret, Slot};
use client_registry::secret::{KeyEncoding, Origin};
use client_registry::store::{CommitId, Committed, Cursor, Index, StoreErrorKind};
use client_registry::value::{Actor, Attributes, KeyId, Label, OperatorId, Revision, Validity};
use client_registry::*;
use pollster::block_on;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::at_rest::world::page_with_an_unreadable_client;
use crate::support::{
    Counted, START, Seeded, clock, details, foreign, foreign_text, instant, later, secret_id, start,
};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/json")
}

/// Compares a text with a file, byte for byte.
fn is_golden(name: &str, text: &str) {
    let path = folder().join(name);
    if std::env::var_os("CLIENT_REGISTRY_WRITE_GOLDEN").is_some() {
        std::fs::create_dir_all(folder()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, golden, "{name} shows another JSON than it did");
}

fn is_written(name: &str, value: &impl Serialize) {
    is_golden(name, &(serde_json::to_string_pretty(value).unwrap() + "\n"));
}

/// The same for a list: a line for each item.
fn are_written<T: Serialize>(name: &str, values: impl IntoIterator<Item = T>) {
    let lines: Vec<_> = values.into_iter().map(|value| serde_json::to_string(&value).unwrap()).collect();
    is_golden(name, &format!("[\n  {}\n]\n", lines.join(",\n  ")));
}

/// A registry with a client that has something of everything.
struct World {
    registry: Registry,
    contoso: Seller,
    id: ClientId,
}

impl World {
    async fn new() -> Self {
        let clock = clock();
        let registry = Registry::builder().clock(clock.clone()).entropy(Counted::default()).in_memory();
        let contoso = registry.as_seller("contoso").unwrap();
        let year = Lifetime::OneYear;
        let first = contoso.register(details("calendar app"), year).await.unwrap();
        let id = first.client_id().clone();
        let client = contoso.client(&id);
        client.associate(&AddIn::new("mail-helper", Availability::Worldwide).unwrap()).await.unwrap();
        let old =
            Validity::new(instant("2025-06-01T00:00:00Z"), Some(instant("2026-06-01T00:00:00Z"))).unwrap();
        client.import_secret(foreign(1, old)).await.unwrap();
        let leaked = client.add_secret(NewSecret::lasting(year)).await.unwrap();
        let _ = client.delete_in_emergency(leaked.secret_id(), None).await.unwrap();

        clock.advance(Days::new(20));
        registry.authenticate(id.as_str(), first.client_secret().expose()).await.unwrap();
        clock.advance(Days::new(1));
        let rotation = Rotation::overlap(Days::new(30)).labelled(Label::parse("deploy of March").unwrap());
        let _ = client.rotate(rotation.replacing([first.secret_id()]).signing_now()).await.unwrap();
        let password = NewSecret::lasting(Lifetime::Days(Days::new(90))).for_purpose(Purpose::PasswordOnly);
        let password = client.add_secret(password.starting(later(start(), DAY * 40))).await.unwrap();
        client.schedule_promotion(secret_id(2), later(start(), DAY * 25)).await.unwrap();
        let plan = client.plan_disabling(password.secret_id()).await.unwrap();
        client.confirm(plan).await.unwrap();
        let attributes = [("scopes", "calendar.read calendar.write"), ("environment", "test")];
        client.change_attributes(Attributes::new(attributes).unwrap()).await.unwrap();
        clock.advance(Days::new(1));
        Self { registry, contoso, id }
    }

    fn client(&self) -> ClientHandle {
        self.contoso.client(&self.id)
    }

    async fn snapshot(&self) -> Snapshot {
        self.client().snapshot().await.unwrap()
    }
}

const DAY: i64 = 24 * 60 * 60 * 1000;

#[test]
fn clients_secrets_and_timelines() {
    block_on(async {
        let world = World::new().await;
        let snapshot = world.snapshot().await;
        is_written("client.json", &snapshot);
        let client = snapshot.client();
        are_written("secrets.json", client.secrets());
        are_written("promotions.json", client.promotions());
        is_written("timeline.json", &client.timeline());
        let (secret, since) = (secret_id(1), start());
        let signing =
            [Signing::Promoted { secret, since }, Signing::ValidLongest { secret, since }, Signing::Nothing];
        are_written("signing.json", signing);

        // The pure client says the same.
        let mut uses = client::LastUses::default();
        for secret in client.secrets() {
            if let Some(used) = snapshot.last_used(secret.id()) {
                uses.note(secret.id(), used);
            }
        }
        let view = client.view(&uses, world.registry.policy(), snapshot.at());
        assert_eq!(serde_json::to_string(&view).unwrap(), serde_json::to_string(&snapshot).unwrap());
    });
}

#[test]
fn plans_and_obstacles() {
    block_on(async {
        let world = World::new().await;
        let client = world.client();
        let plan = client.plan_deletion(secret_id(1)).await.unwrap();
        is_written("plan_secret_deletion.json", &plan);
        comes_back("plan_secret_deletion.json", &plan);
        let plan = client.plan_disabling(secret_id(2)).await.unwrap();
        is_written("plan_secret_disabling.json", &plan);
        is_written("plan_client_deletion.json", &client.plan_client_deletion().await.unwrap());
        let plan = client.plan_calling_off(secret_id(4)).await.unwrap();
        is_written("plan_calling_off.json", &plan);
        comes_back("plan_calling_off.json", &plan);
        let plan = client.plan_closing(secret_id(4)).await.unwrap();
        is_written("plan_closing_early.json", &plan);
        comes_back("plan_closing_early.json", &plan);
        let plan = client.plan_end(secret_id(1), later(start(), DAY * 30)).await.unwrap();
        is_written("plan_end_move.json", &plan);
        comes_back("plan_end_move.json", &plan);
    });
    let until = instant(START);
    let obstacles = [Obstacle::LastValid, Obstacle::LastThatSigns, Obstacle::UsedRecently { until }];
    for obstacle in &obstacles {
        let json = serde_json::to_value(obstacle).unwrap();
        assert_eq!((&json["type"], &json["code"]), (&obstacle.code().into(), &obstacle.code().into()));
    }
    are_written("obstacles.json", obstacles);
}

/// The file is read as the plan that it shows.
fn comes_back<C: PartialEq + Debug>(name: &str, plan: &Plan<C>)
where
    Plan<C>: DeserializeOwned,
{
    let text = std::fs::read_to_string(folder().join(name)).unwrap();
    assert_eq!(&serde_json::from_str::<Plan<C>>(&text).unwrap(), plan);
}

/// One verdict of each kind, and one secret of each state.
#[test]
fn leak_verdicts_and_suspensions() {
    block_on(async {
        let world = World::new().await;
        let generated = |seed| Seeded::new(seed).client_secret().expose().to_owned();
        let (known, mut mistyped, other) = (foreign_text(1), generated(1), "hunter2");
        let last = mistyped.pop();
        mistyped.push(if last == Some('0') { '1' } else { '0' });
        let operator = world.registry.as_operator("ann").unwrap();
        let mut search = operator.find_leaked([&*known, &mistyped, other]).unwrap();
        while search.next_page(10).await.unwrap() {}
        are_written("leak_verdicts.json", search.verdicts());

        world.client().suspend().await.unwrap();
        is_written("suspension.json", world.snapshot().await.client().suspension().unwrap());
    });
}

/// Events of every fact, from the golden file of their stored texts.
#[test]
fn events() {
    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/event/golden.jsonl");
    let stored = std::fs::read_to_string(stored).unwrap();
    let events: Vec<_> =
        stored.lines().map(|line| Event::parse(&EventText::from_bytes(line.as_bytes())).unwrap()).collect();
    are_written("events.json", &events);
    is_written("event.json", &events[2]);
    let mut of_each = BTreeMap::new();
    for event in &events {
        let json = serde_json::to_value(event.fact()).unwrap();
        of_each.entry(json["type"].as_str().unwrap().to_owned()).or_insert(event.fact());
    }
    are_written("facts.json", of_each.into_values());
}

#[test]
fn findings_expiries_and_notices() {
    are_written(
        "findings.json",
        crate::review::words::every_finding().into_iter().map(|(finding, ..)| finding),
    );
    block_on(async {
        let world = World::new().await;
        let (from, to) = (start(), later(start(), DAY * 365));
        let page = world.contoso.expiry_report(&(from..to), None, 10).await.unwrap();
        is_written("expiries.json", &page);
        let (from, to) = (later(start(), DAY * 22), later(start(), DAY * 37));
        let notices = world.contoso.due_notices(&(from..to), None, 10).await.unwrap();
        is_written("notice.json", &notices.items()[0]);
        is_written("page.json", &page_with_an_unreadable_client().await);
    });
}

/// A ring in a rotation: the platform accepts the old client secret, and does not know the new one yet.
#[test]
fn the_state_of_a_ring() {
    let clock = clock();
    let [old, new] = ["0123456789 abcdefghijklm", "abcdefghijklm 0123456789"]
        .map(|text| SharedSecret::from(ClientSecret::parse(text).unwrap()));
    let ring = SecretRing::new("calendar-app".parse().unwrap(), old.ending(later(start(), DAY * 31)), None);
    let ring = ring.with_clock(clock.clone());
    let answer = block_on(ring.call(async |_| Ok::<_, CallError<()>>("welcome")));
    clock.advance(Days::new(1));
    ring.add(new);
    ring.verify_mac(&crate::support::hmac(b"0123456789 abcdefghijklm", b"message"), b"message").unwrap();
    let again = block_on(ring.call(async |credentials| match credentials.slot() {
        Slot::Primary => Err(CallError::InvalidClient(())),
        Slot::Secondary => Ok("welcome"),
    }));
    assert_eq!((answer, again), (Ok("welcome"), Ok("welcome")));
    is_written("ring_state.json", &ring.state());
}

#[test]
fn choices() {
    let custom = Lifetime::Days(Days::new(90));
    let lifetimes =
        [Lifetime::OneYear, Lifetime::TwoYears, Lifetime::ThreeYears, custom, Lifetime::Unlimited];
    are_written("lifetimes.json", lifetimes);
    let imported =
        [KeyEncoding::Utf8, KeyEncoding::Base64].map(|key_encoding| Origin::Imported { key_encoding });
    are_written("origins.json", [Origin::Generated].into_iter().chain(imported));
    let seller = SellerId::parse("contoso").unwrap();
    are_written("actors.json", [Actor::Seller(seller), Actor::Operator(OperatorId::parse("ann").unwrap())]);
    let policy = Policy::default().with_longest_lifetime(custom).with_redirect_scheme("ms-app").unwrap();
    is_written("policy.json", &policy);
}

/// Enums without data, all words of each.
#[test]
fn words() {
    use StoreErrorKind as Kind;
    let words = json!({
        "availability": [Availability::Worldwide, Availability::ChinaOnly],
        "key_encoding": [KeyEncoding::Utf8, KeyEncoding::Base64],
        "key_state": [KeyState::Active, KeyState::Retired],
        "leaked_state": [
            LeakedState::Valid, LeakedState::NotYetStarted, LeakedState::Disabled, LeakedState::Ended, LeakedState::Deleted,
            LeakedState::Compromised,
        ],
        "purpose": [Purpose::SigningAndPassword, Purpose::PasswordOnly],
        "revocation": [Revocation::Deleted, Revocation::Compromised],
        "secret_state": [
            SecretState::NotYetStarted, SecretState::Valid, SecretState::Disabled, SecretState::Ended,
        ],
        "severity": [Severity::Info, Severity::Warning, Severity::Critical],
        "slot": [Slot::Primary, Slot::Secondary],
        "store_error_kind": [
            Kind::Unavailable, Kind::Misconfigured, Kind::ReadOnly, Kind::Corrupt, Kind::Tampered, Kind::RolledBack,
            Kind::MissingKey, Kind::NewerFormat, Kind::NotSealed, Kind::CursorLost, Kind::InDoubt,
        ],
    });
    is_written("words.json", &words);
}

/// One text or one number.
#[test]
fn single_values() {
    block_on(async {
        let world = World::new().await;
        let snapshot = world.snapshot().await;
        let client = snapshot.client();
        let values = json!({
            "add_in_id": client.add_ins()[0],
            "app_domain": client.details().app_domain(),
            "client_id": client.id(),
            "cursor": Cursor::new("7f000001"),
            "days": Days::new(30),
            "event_hash": client.head(),
            "friendly_name": client.details().friendly_name(),
            "hint": client.secret(secret_id(1)).unwrap().hint(),
            "key_id": KeyId::parse("2026").unwrap(),
            "label": Label::parse("deploy of March").unwrap(),
            "name_key": client.details().friendly_name().key(),
            "operator_id": OperatorId::parse("ann").unwrap(),
            "redirect_url": client.details().redirect_url(),
            "revision": client.revision(),
            "secret_id": secret_id(1),
            "seller_id": client.owner(),
            "signature": world.registry.sign(client.id(), b"message").await.unwrap(),
            "timestamp": snapshot.at(),
        });
        is_written("values.json", &values);
        is_written("add_in.json", &AddIn::new("mail-helper", Availability::Worldwide).unwrap());
    });
}

/// What authors of stores keep.
#[test]
fn what_passes_through_the_contract() {
    let line = include_str!("../../src/event/golden.jsonl").lines().nth(1).unwrap();
    let committed = Committed {
        commit_id: CommitId::from_bytes(std::array::from_fn(|at| u8::try_from(at).unwrap())),
        revision: Revision::new(2),
        events: vec![EventText::from_bytes(line.as_bytes())],
    };
    are_written("store_committed.json", [committed]);
    let seller = SellerId::parse("contoso").unwrap();
    let index = Index {
        name: Some((seller, details("Calendar App").friendly_name().key())),
        add_ins: vec![AddInId::parse("mail-helper").unwrap()],
        ends: vec![(secret_id(1), Some(instant(START))), (secret_id(2), None)],
        key_id: Some(KeyId::parse("2026").unwrap()),
    };
    is_written("store_index.json", &index);
    is_written("store_index_of_a_tombstone.json", &Index::default());
}
