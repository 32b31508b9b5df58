//! A registry behind gates, with a clock that stands still and randomness from a seed; and how to look at what became
//! of it.

use std::fmt::{Debug, Write};
use std::rc::Rc;
use std::sync::Mutex;

use client_registry::client::Suspension;
use client_registry::clock::ManualClock;
use client_registry::event::{EventHash, check_trail};
use client_registry::store::{MemoryStore, Store};
use client_registry::value::Revision;
use client_registry::*;
use pollster::block_on;

use crate::interleavings::careless::Careless;
use crate::interleavings::gates::{Gated, Gates};
use crate::support::{Counted, details};

/// A registry, and the client IDs in it under names that do not depend on randomness.
pub(crate) struct World {
    pub(crate) registry: Registry<Gated>,
    pub(crate) gates: Gates,
    known: Mutex<Vec<(ClientId, String)>>,
}

impl World {
    /// A store that keeps its contract.
    pub(crate) fn sound() -> Self {
        Self::behind(|memory, _| memory)
    }

    /// A store that checks, then writes.
    pub(crate) fn careless() -> Self {
        Self::behind(|_, gates| Careless::new(gates))
    }

    /// A store of the test's own, behind the gates.
    pub(crate) fn behind<S: Store>(wrap: impl FnOnce(MemoryStore, Gates) -> S) -> Self {
        let gates = Gates::default();
        let clock = ManualClock::new("2026-03-01T09:00:00Z".parse().unwrap());
        // A use that is noted while a deletion is under way is not part of any record, and so of no race.
        let policy = Policy::default().with_retire_after(Days::new(0));
        let registry = Registry::builder()
            .policy(policy)
            .clock(clock)
            .entropy(Counted::default())
            .in_memory_behind(|memory| Gated::new(wrap(memory, gates.clone()), gates.clone()));
        Self { registry, gates, known: Mutex::default() }
    }

    pub(crate) fn seller(&self, seller: &str) -> Seller<Gated> {
        self.registry.as_seller(seller).unwrap()
    }

    pub(crate) fn operator(&self) -> Operator<Gated> {
        self.registry.as_operator("ann").unwrap()
    }

    /// A client of Contoso with one secret.
    pub(crate) fn client(&self, name: &str) -> Rc<ClientHandle<Gated>> {
        self.client_of("contoso", name).0
    }

    /// A client with its first secret.
    pub(crate) fn client_of(&self, seller: &str, name: &str) -> (Rc<ClientHandle<Gated>>, Issued) {
        let seller = self.seller(seller);
        let year = Lifetime::OneYear;
        let issued = block_on(seller.register(details(name), year)).unwrap();
        self.know(issued.client_id(), name);
        (Rc::new(seller.client(issued.client_id())), issued)
    }

    /// Gives a client ID the name by which it is shown.
    pub(crate) fn know(&self, id: &ClientId, name: &str) {
        let mut known = self.known.lock().unwrap();
        if !known.iter().any(|(other, _)| other == id) {
            known.push((id.clone(), name.to_owned()));
        }
    }

    pub(crate) fn snapshot(&self, id: &ClientId) -> Result<Snapshot, Error> {
        block_on(self.operator().client(id).snapshot())
    }

    pub(crate) fn events(&self, id: &ClientId) -> Vec<Event> {
        block_on(self.operator().client(id).trail(Revision::ZERO, usize::MAX)).unwrap()
    }

    /// Everything there is to see, in words that do not depend on randomness.
    pub(crate) fn picture(&self) -> String {
        let mut picture = String::new();
        for (id, name) in self.known.lock().unwrap().iter() {
            write!(picture, "\n{name}: ").unwrap();
            match self.snapshot(id) {
                Ok(found) => describe(&mut picture, &found),
                Err(error) => write!(picture, "{error:?}").unwrap(),
            }
            for event in self.events(id) {
                let (revision, fact, moved) = (event.revision(), event.fact(), event.signing());
                write!(picture, "\n  {revision} {} {fact:?} {moved:?}", event.actor()).unwrap();
            }
        }
        self.in_words(&picture)
    }

    /// The same text with names in place of random client IDs.
    pub(crate) fn in_words(&self, text: &str) -> String {
        let known = self.known.lock().unwrap();
        known.iter().fold(text.to_owned(), |text, (id, name)| text.replace(id.as_str(), name))
    }

    /// What holds after every order of any commands (rules 1, 3, 15 and 16).
    pub(crate) fn audit(&self) -> Result<(), String> {
        let page = block_on(self.operator().clients(None, 1000)).unwrap();
        let mut names = Vec::new();
        let mut add_ins = Vec::new();
        for found in page.items() {
            let client = found.client();
            self.know(client.id(), "a new one");
            let running = client.secrets().filter(|s| s.state_at(found.at()) != SecretState::Ended);
            ensure(running.count() <= 5, "rule 3: more than five secrets that have not ended")?;
            names.push((client.owner().clone(), client.details().friendly_name().key()));
            for add_in in client.add_ins() {
                let holder = block_on(self.operator().client_of(add_in)).unwrap();
                let holder = holder.map(|found| found.client().id().clone());
                ensure(holder.as_ref() == Some(client.id()), "rule 1: the index names another client")?;
                add_ins.push(add_in.clone());
            }
        }
        ensure(all_different(&names), "rule 15: one name, two clients")?;
        ensure(all_different(&add_ins), "rule 1: one add-in, two clients")?;
        let known: Vec<_> = self.known.lock().unwrap().iter().map(|(id, _)| id.clone()).collect();
        known.iter().try_for_each(|id| self.audit_trail(id))
    }

    /// The trail is whole, and revisions count commits (rule 16).
    fn audit_trail(&self, id: &ClientId) -> Result<(), String> {
        let commits = block_on(self.registry.store().history(id, Revision::ZERO, usize::MAX)).unwrap();
        let numbers: Vec<_> = commits.iter().map(|commit| commit.revision.number()).collect();
        let counted: Vec<_> = (1..=commits.len() as u64).collect();
        ensure(numbers == counted, "rule 16: revisions do not count commits")?;
        let texts = commits.iter().flat_map(|commit| &commit.events);
        let events: Vec<_> = texts.map(|text| Event::parse(text).unwrap()).collect();
        let (head, revision) = match self.snapshot(id) {
            Ok(found) => (found.client().head(), found.client().revision().number()),
            // What is left of a deleted client shows no head: its last event has to do.
            Err(_) => (events.last().map_or(EventHash::START, |last| last.hash()), counted.len() as u64),
        };
        ensure(revision == counted.len() as u64, "rule 16: a commit is not in the record")?;
        let whole = check_trail(&events, EventHash::START, head);
        whole.map_err(|broken| format!("rule 16: {broken}"))
    }
}

fn describe(picture: &mut String, found: &Snapshot) {
    let client = found.client();
    let (details, at) = (client.details(), found.at());
    let suspended = client.suspension().map(Suspension::by);
    write!(picture, "{} {suspended:?} {:?} ", client.owner(), client.attributes()).unwrap();
    write!(picture, "{:?} {:?} {:?}", details.friendly_name(), client.add_ins(), found.signing()).unwrap();
    for secret in client.secrets() {
        let (id, until, by) = (secret.id(), secret.validity().until(), secret.replaced_by());
        write!(picture, "\n  {id} {} until {until:?} replaced by {by:?}", secret.state_at(at)).unwrap();
    }
    for promotion in client.promotions() {
        write!(picture, "\n  {} signs from {}", promotion.secret(), promotion.at()).unwrap();
    }
    for remembered in client.remembered() {
        write!(picture, "\n  {remembered:?}").unwrap();
    }
}

pub(crate) fn ensure(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}

pub(crate) fn all_different<T: PartialEq>(items: &[T]) -> bool {
    items.iter().enumerate().all(|(position, item)| !items[..position].contains(item))
}

pub(crate) fn add_in(id: &str) -> AddIn {
    AddIn::new(id, Availability::Worldwide).unwrap()
}

pub(crate) fn secret(number: u32) -> SecretId {
    SecretId::new(number).unwrap()
}

pub(crate) fn one_more() -> NewSecret {
    NewSecret::lasting(Lifetime::OneYear)
}

/// What a command came to, in words.
pub(crate) fn in_words(answer: Result<impl Debug, impl Debug>) -> String {
    match answer {
        Ok(done) => format!("{done:?}"),
        Err(error) => format!("{error:?}"),
    }
}
