//! Whether a client is what the model says: what it has, who signs and which passwords work, now and later, and a
//! trail that is whole.

use client_registry::client::Revocation;
use client_registry::event::{EventHash, check_trail};
use client_registry::secret::Origin;
use client_registry::value::{Actor as By, Revision};
use client_registry::{Error, Refusal, Secret, Snapshot, Timestamp};

use crate::model::command::Command;
use crate::model::home::Home;
use crate::model::naive::{Actor, Client, Model, Secret as Modelled};
use crate::model::system::{
    System, add_in_number, attributes_number, availability, details, instant, label_of, number, seller_id,
};
use crate::support::block_on;

impl<S: Home> System<S> {
    /// What is looked at after each command that is about this client.
    pub(crate) fn compare(&mut self, model: &Model, client: usize) {
        let modelled = &model.clients[client];
        let found = block_on(self.operator().client(&self.ids[client]).snapshot());
        match found {
            Ok(found) => {
                assert!(!modelled.deleted, "it should be deleted");
                compare_values(&found, modelled, model);
                let mut turns = modelled.turns();
                turns.retain(|t| *t > model.now);
                turns.sort_unstable();
                for t in turns.iter().take(3) {
                    compare_at(&found, modelled, model, *t);
                }
                self.follow_trail(client, modelled, Some(&found));
            }
            Err(Error::Refused(Refusal::ClientDeleted)) => {
                assert!(modelled.deleted, "it should not be deleted");
                self.follow_trail(client, modelled, None);
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// What is looked at when a history is over: everything.
    pub(crate) fn compare_all(&mut self, model: &Model) {
        for client in 0..model.clients.len() {
            self.compare(model, client);
            self.compare_timeline(model, client);
            // From the very beginning.
            self.checked[client] = (Revision::ZERO, EventHash::START);
            self.compare(model, client);
            let name = model.clients[client].name;
            let owner = model.clients[client].owner;
            assert_eq!(self.named(owner, name), model.named(owner, name), "the client of a name");
        }
        let mut last = model.clone();
        for client in 0..model.clients.len() {
            assert_eq!(
                self.present_all(client),
                last.present_all(client),
                "who authenticates at client {client}"
            );
        }
        assert_eq!(self.find_leaked(2), last.find_leaked(), "rule 23: whose the leaked texts are");
        for actor in [Actor::Seller(0), Actor::Seller(1), Actor::Operator] {
            let expected = model.clone().obey(&Command::Page { actor, limit: 2 });
            assert_eq!(vec![self.pages(actor, 2)], expected, "rule 15: the clients of {actor:?}");
            for add_in in 0..6 {
                let expected = model.client_of(actor, add_in);
                assert_eq!(self.client_of(actor, add_in), expected, "the client of add-in {add_in}");
            }
        }
    }

    fn compare_timeline(&self, model: &Model, client: usize) {
        let modelled = &model.clients[client];
        let Ok(found) = block_on(self.operator().client(&self.ids[client]).snapshot()) else {
            return;
        };
        let timeline = found.client().timeline();
        for turn in modelled.turns() {
            for t in [turn - 1, turn, turn + 1].into_iter().filter(|t| *t >= modelled.changed_at) {
                compare_at(&found, modelled, model, t);
                let span = timeline.at(instant(t)).expect("the timeline begins at the last change");
                let signing = modelled.signing(t, model.fault).map(|(id, _)| id);
                assert_eq!(number(span.signing().secret()), signing, "who signs at {t} by the timeline");
                let passwords: Vec<_> = span.passwords().iter().map(|id| id.number()).collect();
                assert_eq!(passwords, modelled.valid(t, model.fault), "passwords by the timeline");
            }
        }
    }

    /// The events since the last time follow the ones before, up to the client's head (rule 16).
    fn follow_trail(&mut self, client: usize, modelled: &Client, found: Option<&Snapshot>) {
        let (revision, head) = self.checked[client];
        if revision.number() == modelled.revision {
            return;
        }
        let handle = self.operator().client(&self.ids[client]);
        let events = block_on(handle.trail(revision, usize::MAX)).unwrap();
        let last = events.last().expect("every commit has an event");
        assert_eq!(last.revision().number(), modelled.revision, "revisions count commits");
        let new_head = found.map_or_else(|| last.hash(), |found| found.client().head());
        check_trail(&events, head, new_head).unwrap();
        for event in &events {
            assert!(event.revision() > revision && *event.client_id() == self.ids[client]);
            if let Some(moved) = event.signing() {
                assert_ne!(moved.before, moved.after, "a hand-over hands over");
            }
        }
        let mut of_last = events.iter().rev().filter(|event| event.revision() == last.revision());
        if let (Some(moved), Some(found)) = (of_last.find_map(|event| event.signing()), found) {
            assert_eq!(
                moved.after,
                found.client().signing_at(last.at()).secret(),
                "rule 16: who signs after it"
            );
        }
        self.checked[client] = (last.revision(), new_head);
    }
}

fn compare_values(found: &Snapshot, modelled: &Client, model: &Model) {
    let client = found.client();
    let t = modelled.instant(model.now);
    assert_eq!(found.at().as_millis(), t, "the instant that it is judged at");
    assert_eq!(client.revision().number(), modelled.revision, "revision");
    assert_eq!(client.changed_at().as_millis(), modelled.changed_at, "last change");
    assert_eq!(client.owner().as_str(), seller_id(modelled.owner), "owner");
    assert_eq!(*client.details(), details(modelled.name), "details");
    assert_eq!(client.availability(), availability(modelled.china), "availability");
    let transferred = client.transferred_at().map(Timestamp::as_millis);
    assert_eq!(transferred, modelled.transferred.map(|(at, _)| at), "rule 22: when it was transferred");
    let suspension =
        client.suspension().map(|found| (found.since().as_millis(), matches!(found.by(), By::Operator(_))));
    assert_eq!(suspension, modelled.suspended, "rule 20: suspension");
    assert_eq!(attributes_number(client.attributes()), modelled.attributes, "rule 24: attributes");
    let add_ins: Vec<_> = client.add_ins().iter().map(add_in_number).collect();
    assert_eq!(add_ins, modelled.add_ins, "add-ins");
    assert_eq!(client.secrets().len(), modelled.secrets.len(), "number of secrets");
    for (secret, expected) in client.secrets().zip(&modelled.secrets) {
        compare_secret(secret, expected);
        assert_eq!(format!("{:?}", secret.state_at(found.at())), expected.state(t, model.fault), "state");
        let last_used = found.last_used(secret.id()).map(Timestamp::as_millis);
        assert_eq!(last_used, modelled.last_use(expected.id), "last use of {}", expected.id);
    }
    let promotions = client.promotions().iter().map(|one| (one.secret().number(), one.at().as_millis()));
    let mut promotions: Vec<_> = promotions.collect();
    promotions.sort_unstable();
    let made = modelled.promotions.iter().filter(|one| !one.withheld);
    let mut expected: Vec<_> = made.map(|one| (one.secret, one.at)).collect();
    expected.sort_unstable();
    assert_eq!(promotions, expected, "rule 7: promotions");
    let mut dead: Vec<_> = modelled.dead.iter().map(|dead| (dead.id, dead.compromised)).collect();
    let remembered = client.remembered().map(|(id, fate)| (id.number(), fate == Revocation::Compromised));
    let mut remembered: Vec<_> = remembered.collect();
    dead.sort_unstable();
    remembered.sort_unstable();
    assert_eq!(remembered, dead, "rule 10: what is remembered");
    compare_at(found, modelled, model, t);
}

fn compare_secret(secret: &Secret, expected: &Modelled) {
    assert_eq!(secret.id().number(), expected.id, "secret ID");
    assert_eq!(secret.validity().from().as_millis(), expected.from, "from of {}", expected.id);
    assert_eq!(
        secret.validity().until().map(Timestamp::as_millis),
        expected.until,
        "until of {}",
        expected.id
    );
    let issued_until = secret.issued_until().map(Timestamp::as_millis);
    assert_eq!(issued_until, expected.issued_until, "the end that {} was issued with", expected.id);
    assert_eq!(secret.purpose().signs(), expected.signs, "purpose");
    assert_eq!(secret.label(), expected.label.map(label_of).as_ref(), "label");
    assert_eq!(secret.disabled_since().is_some(), expected.disabled, "disabled");
    assert_eq!(number(secret.replaced_by()), expected.replaced_by, "replaced by");
    assert_eq!(secret.origin() != Origin::Generated, expected.imported.is_some(), "origin");
    assert_eq!(secret.hint().is_none(), expected.imported.is_some(), "rule 8: hint");
}

fn compare_at(found: &Snapshot, modelled: &Client, model: &Model, t: i64) {
    let signing = number(found.client().signing_at(instant(t)).secret());
    let expected = modelled.signing(t, model.fault).map(|(id, _)| id);
    assert_eq!(signing, expected, "rule 6: who signs at {}", instant(t));
    let valid: Vec<_> = found.client().valid_at(instant(t)).map(|secret| secret.id().number()).collect();
    assert_eq!(valid, modelled.valid(t, model.fault), "rule 4: what is valid at {}", instant(t));
}
