//! Moving an add-in while others move it too (rule 14): the two clients are read one after the other, so an add-in that moves in
//! between is seen with neither.

use std::sync::{Arc, Mutex};

use client_registry::store::{Commit, CommitError, MemoryStore, Record, RecordId, Store, StoreError};
use client_registry::*;
use pollster::block_on;

use crate::support::forward;
use crate::support::{add_in, details};

/// A store that lets something happen when a record is loaded.
#[derive(Clone)]
struct Between {
    memory: MemoryStore,
    at_load: Arc<Mutex<Option<AtLoad>>>,
}

type AtLoad = Arc<dyn Fn(RecordId<'_>) + Send + Sync>;

impl std::fmt::Debug for Between {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Between")
    }
}

impl Store for Between {
    async fn load(&self, id: RecordId<'_>) -> Result<Option<Record>, StoreError> {
        let at_load = self.at_load.lock().unwrap().clone();
        if let Some(at_load) = at_load {
            at_load(id);
        }
        self.memory.load(id).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        self.memory.commit(commit).await
    }

    forward!(memory: history clients client_of ending changes latest adopt note_uses last_uses);
}

#[test]
fn rule_14_an_add_in_that_comes_between_two_looks_is_moved() {
    let mut memory = None;
    let busy = Registry::builder().in_memory_behind(|made| memory.insert(made).clone());
    let at_load = Arc::default();
    let between = Between { memory: memory.unwrap(), at_load: Arc::clone(&at_load) };
    let registry = Registry::builder().in_memory_behind(|_| between);
    let contoso = registry.as_seller("contoso").unwrap();
    let register = |name| block_on(contoso.register(details(name), Lifetime::OneYear)).unwrap();
    let [calendar, mail] = ["calendar app", "mail app"].map(|name| register(name).client_id().clone());
    let moves = add_in(1);
    let elsewhere = busy.as_seller("contoso").unwrap();
    block_on(elsewhere.client(&mail).associate(&moves)).unwrap();

    // Calendar was read without the add-in. Before mail is read, another caller has moved it there.
    let (from, to, id) = (mail.clone(), calendar.clone(), moves.id().clone());
    *at_load.lock().unwrap() = Some(Arc::new(move |record: RecordId<'_>| {
        if record == RecordId::from(&from) {
            let _ = block_on(elsewhere.client(&from).move_add_in(&id, &to));
        }
    }));
    let moved = block_on(contoso.client(&calendar).move_add_in(moves.id(), &mail)).unwrap();
    assert_eq!(moved, Outcome::Changed);
    *at_load.lock().unwrap() = None;
    let holder = block_on(contoso.client_of(moves.id())).unwrap().unwrap();
    assert_eq!(holder.client().id(), &mail);

    // Where nothing came in between, the client that has none is told so at once.
    let unknown = block_on(contoso.client(&calendar).move_add_in(add_in(2).id(), &mail)).unwrap_err();
    assert!(matches!(unknown, Error::Refused(_)), "{unknown}");
}
