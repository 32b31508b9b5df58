//! What processes have acknowledged, and whether it is all there.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use client_registry::event::{EventHash, Fact, check_trail};
use client_registry::store::{ClientsBy, SqliteStore, Store};
use client_registry::value::Revision;
use client_registry::{AccessError, ClientId, Event, Registry, SecretId};
use pollster::block_on;

use super::values::{clock, in_words, keyring};

/// What was acknowledged.
#[derive(Debug, Default, Clone)]
pub(crate) struct Ledger {
    revisions: BTreeMap<ClientId, BTreeSet<Revision>>,
    issued: Vec<(ClientId, SecretId, String)>,
    /// The number of times that another commit was faster.
    pub(crate) conflicts: usize,
    /// The number of callers that a process has besides the first. Each has one commit on its way at most.
    more_callers: usize,
}

impl Ledger {
    /// A ledger of processes with so many callers each.
    pub(crate) fn of_callers(callers: usize) -> Self {
        Self { more_callers: callers - 1, ..Self::default() }
    }

    /// Notes what a process said; whether it was the acknowledgement of a commit.
    pub(crate) fn note(&mut self, line: &str) -> bool {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["acknowledged", client_id, revision] => {
                let revision = Revision::new(revision.parse().unwrap());
                let revisions = self.revisions.entry(ClientId::parse(client_id).unwrap()).or_default();
                assert!(revisions.insert(revision), "two have made revision {revision} of {client_id}");
                true
            }
            ["issued", client_id, secret, text] => {
                let client_id = ClientId::parse(client_id).unwrap();
                self.issued.push((client_id, secret.parse().unwrap(), text.to_owned()));
                false
            }
            ["conflict"] => {
                self.conflicts += 1;
                false
            }
            _ => panic!("a process says: {line}"),
        }
    }

    /// What other processes have said.
    pub(crate) fn add(&mut self, other: &Self) {
        for (client_id, revisions) in &other.revisions {
            for revision in revisions {
                let is_new = self.revisions.entry(client_id.clone()).or_default().insert(*revision);
                assert!(is_new, "two have made revision {revision} of {client_id}");
            }
        }
        self.issued.extend(other.issued.iter().cloned());
    }

    pub(crate) fn revisions_of(&self, client_id: &ClientId) -> Vec<Revision> {
        self.revisions[client_id].iter().copied().collect()
    }

    /// Compares the file with what was acknowledged. How many commits were made besides: at most one a caller, which was on its
    /// way. From now on it counts as acknowledged.
    pub(crate) fn audit(&mut self, file: &Path) -> Result<usize, String> {
        let engine = rusqlite::Connection::open(file).unwrap();
        let integrity: String = engine.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        ensure(integrity == "ok", || integrity)?;
        drop(engine);
        let registry = open(file)?;
        // Every record opens, every trail leads to it, and every index leads there and nowhere else.
        let checked = block_on(registry.check()).unwrap();
        ensure(checked.is_clean(), || format!("{:?}", checked.discrepancies))?;

        let store = registry.store();
        let operator = registry.as_operator("ann").unwrap();
        let listed = block_on(store.clients(ClientsBy::All, None, 10_000)).unwrap();
        let mut gone = HashSet::new();
        let mut besides = BTreeSet::new();
        if let Some(client_id) = self.revisions.keys().find(|id| !listed.contains(id)) {
            return Err(format!("client {client_id} was acknowledged and is not there"));
        }
        for client_id in &listed {
            let history = block_on(store.history(client_id, Revision::ZERO, usize::MAX)).unwrap();
            let made = history.last().map(|commit| commit.revision).unwrap_or_default();
            let revisions = self.revisions.entry(client_id.clone()).or_default();
            let acknowledged = revisions.last().copied().unwrap_or_default();
            ensure(made >= acknowledged, || {
                format!("{client_id}: revision {acknowledged} was acknowledged, and {made} is there")
            })?;
            for commit in &history {
                if revisions.insert(commit.revision) {
                    besides.insert(*commit.commit_id.as_bytes());
                }
            }
            let texts = history.iter().flat_map(|commit| &commit.events);
            let events = texts.map(Event::parse).collect::<Result<Vec<_>, _>>();
            let events = events.map_err(|error| format!("{client_id}: {error}"))?;
            let head = match block_on(operator.client(client_id).snapshot()) {
                Ok(snapshot) => snapshot.client().head(),
                Err(_) => events.last().map_or(EventHash::START, |event| event.hash()),
            };
            check_trail(&events, EventHash::START, head)
                .map_err(|broken| format!("{client_id}: {broken}"))?;
            for event in &events {
                match event.fact() {
                    Fact::SecretDeleted { secret } | Fact::SecretForgotten { secret } => {
                        gone.insert((client_id.clone(), Some(*secret)));
                    }
                    Fact::ClientDeleted { .. } => {
                        gone.insert((client_id.clone(), None));
                    }
                    _ => {}
                }
            }
        }
        for (client_id, secret, text) in &self.issued {
            let is_gone = gone.contains(&(client_id.clone(), Some(*secret)))
                || gone.contains(&(client_id.clone(), None));
            match block_on(registry.authenticate(client_id.as_str(), text)) {
                Ok(_) if !is_gone => {}
                Err(AccessError::Denied(_)) if is_gone => {}
                other => {
                    return Err(format!(
                        "secret {secret} of {client_id} was acknowledged: {other:?}, gone: {is_gone}"
                    ));
                }
            }
        }
        ensure(besides.len() <= 1 + self.more_callers, || {
            format!("{} commits that nobody acknowledged", besides.len())
        })?;
        Ok(besides.len())
    }
}

/// Opens a registry in this file.
pub(crate) fn open(file: &Path) -> Result<Registry<SqliteStore>, String> {
    let store = SqliteStore::open(file).map_err(|error| in_words(&error))?;
    let registry = Registry::builder().clock(clock()).open(store, keyring());
    block_on(registry).map_err(|error| in_words(&error))
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}
