//! The registry under test, told to do what the model was told, and its answers in the form that both have in common.

mod access;
mod commands;
mod leaks;
mod lookups;
mod plans;
mod refusals;

use std::time::Duration;

use chrono::DateTime;
use client_registry::clock::ManualClock;
use client_registry::event::EventHash;
use client_registry::store::MemoryStore;
use client_registry::value::{Attributes, Label, Revision};
use client_registry::*;

use crate::model::command::{Command, Name};
use crate::model::home::Home;
use crate::model::naive::{BASE64_TEXT, START, Text};
use crate::model::tally;
use crate::support::Counted;
use plans::AnyPlan;

pub(crate) struct System<S: Home = MemoryStore> {
    pub(crate) registry: Registry<S>,
    clock: ManualClock,
    /// The client IDs in the order in which they came to be.
    pub(crate) ids: Vec<ClientId>,
    /// The client secrets in the order in which they were issued.
    texts: Vec<String>,
    signatures: Vec<Signature>,
    /// The latest plan of each client.
    plans: Vec<Option<AnyPlan>>,
    /// How far the trail of each client has been checked.
    pub(crate) checked: Vec<(Revision, EventHash)>,
    pub(crate) history: Vec<Command>,
}

impl<S: Home> System<S> {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::new(DateTime::from_timestamp_millis(START).unwrap());
        let builder = Registry::builder()
            .clock(clock.clone())
            .entropy(Counted::default())
            .last_use_interval(Duration::ZERO);
        let registry = S::registry(builder);
        Self {
            registry,
            clock,
            ids: vec![],
            texts: vec![],
            signatures: vec![],
            plans: vec![],
            checked: vec![],
            history: vec![],
        }
    }

    pub(crate) fn operator(&self) -> Operator<S> {
        self.registry.as_operator("ann").unwrap()
    }

    fn text(&self, text: Text) -> String {
        match text {
            Text::Generated(number) => self.texts[number].clone(),
            Text::Pool(3) => "abcdefghijklabcdefghijkl".to_owned(),
            Text::Pool(4) => "aaaabbbbccccddddeeeeffff1".to_owned(),
            BASE64_TEXT => "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned(),
            Text::Pool(number) => format!("a client secret of long ago, {number}"),
        }
    }
}

impl<S: Home> Drop for System<S> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tally::went_wrong(&self.history);
        }
    }
}

pub(crate) fn details(name: Name) -> ClientDetails {
    let url = if name.url == 0 { "https://app.contoso.com/done" } else { "http://app.contoso.com/done" };
    ClientDetails::new(spelling(name), "app.contoso.com", url).unwrap()
}

/// Names, each in three spellings that are one name (rule 15).
fn spelling(name: Name) -> &'static str {
    let spellings = match name.number {
        0 => ["calendar app", "Calendar App", "ＣＡＬＥＮＤＡＲ app"],
        1 => ["files", "FILES", "ﬁles"],
        2 => ["İstanbul", "i̇stanbul", "İSTANBUL"],
        3 => ["mail", "Mail", "ｍａｉｌ"],
        4 => ["Ångström", "ÅNGSTRÖM", "A\u{30a}ngstro\u{308}m"],
        5 => ["notes 2", "NOTES 2", "notes ②"],
        _ => ["straße", "Straße", "STRAẞE"],
    };
    spellings[usize::from(name.spelling)]
}

pub(crate) fn label_of(number: u8) -> Label {
    Label::parse(["deploy of March", "batch jobs", "the old one"][usize::from(number)]).unwrap()
}

/// A few sets of attributes, of which the first is empty.
pub(crate) fn attributes(number: u8) -> Attributes {
    let sets: [&[(&str, &str)]; 3] =
        [&[], &[("scopes", "calendar.read")], &[("environment", "test"), ("scopes", "mail.send")]];
    Attributes::new(sets[usize::from(number)].iter().copied()).unwrap()
}

pub(crate) fn attributes_number(found: &Attributes) -> u8 {
    (0..3).find(|number| attributes(*number) == *found).expect("one of the sets")
}

pub(crate) fn seller_number(seller: &SellerId) -> u8 {
    (0..2).find(|number| seller_id(*number) == seller.as_str()).expect("one of the sellers")
}

pub(crate) fn seller_id(seller: u8) -> &'static str {
    ["contoso", "fabrikam"][usize::from(seller)]
}

pub(crate) fn availability(china: bool) -> Availability {
    if china { Availability::ChinaOnly } else { Availability::Worldwide }
}

fn add_in(number: u8) -> AddIn {
    AddIn::new(&format!("add-in-{number}"), availability(number % 2 == 1)).unwrap()
}

pub(crate) fn add_in_number(id: &AddInId) -> u8 {
    id.as_str().strip_prefix("add-in-").and_then(|number| number.parse().ok()).unwrap()
}

fn secret_id(number: u32) -> SecretId {
    SecretId::new(number).unwrap()
}

pub(crate) fn number(id: Option<SecretId>) -> Option<u32> {
    id.map(SecretId::number)
}

pub(crate) fn instant(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap()
}
