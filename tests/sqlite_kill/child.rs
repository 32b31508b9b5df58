//! The process that writes until it is killed.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use client_registry::store::{Commit, CommitError, SqliteStore, Store};
use client_registry::{
    AccessError, AddIn, Availability, ClientHandle, ClientId, Days, Error, Issued, Lifetime, NewSecret,
    Reason, Registry, Rotation, SecretId, Seller,
};
use pollster::block_on;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::support::{Seeded, clock, details, forward, keyring};

/// What a child is to do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Role {
    /// Writes, and acknowledges what the store has acknowledged.
    Acknowledges,
    /// Writes, and acknowledges what it is about to send.
    AcknowledgesTooEarly,
    /// The same as the first, with several callers at once, whose changes share flushes.
    AcknowledgesTogether,
    /// Changes one client together with another process, and ends.
    Shares,
}

/// How many callers a process has that writes for several.
pub(crate) const CALLERS: usize = 4;

/// This binary as a process of its own.
pub(crate) fn spawn(role: Role, file: &Path, seed: u64) -> std::process::Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child_process", "--nocapture", "--test-threads=1"]);
    command.env(ROLE, format!("{role:?}")).env(FILE, file).env(SEED, seed.to_string());
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

pub(crate) fn run() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let file = PathBuf::from(std::env::var_os(FILE).unwrap());
    let seed: u64 = std::env::var(SEED).unwrap().parse().unwrap();
    let roles = [Role::Acknowledges, Role::AcknowledgesTooEarly, Role::AcknowledgesTogether, Role::Shares];
    let role = *roles.iter().find(|known| format!("{known:?}") == role).unwrap();
    if role == Role::Shares {
        std::io::stdin().read_line(&mut String::new()).unwrap();
    }
    let store =
        Acknowledging { store: SqliteStore::open(file).unwrap(), early: role == Role::AcknowledgesTooEarly };
    let entropy = Seeded::new(seed);
    let registry = Registry::builder().clock(clock()).entropy(entropy).open(store, keyring());
    let registry = block_on(registry).unwrap();
    let contoso = registry.as_seller("contoso").unwrap();
    let is_alone = matches!(role, Role::Acknowledges | Role::AcknowledgesTooEarly);
    let worker = Worker { contoso, registry, is_alone };
    let mut random = StdRng::seed_from_u64(seed);
    match role {
        Role::Shares => {
            for _ in 0..SHARED_COMMANDS {
                worker.change(&mut random);
            }
        }
        Role::AcknowledgesTogether => {
            while worker.clients().len() < 2 {
                worker.work(&mut random);
            }
            std::thread::scope(|scope| {
                for _ in 0..CALLERS {
                    let (worker, mut random) = (&worker, StdRng::seed_from_u64(random.random()));
                    scope.spawn(move || {
                        loop {
                            worker.work_beside_others(&mut random);
                        }
                    });
                }
            });
        }
        _ => loop {
            worker.work(&mut random);
        },
    }
}

struct Worker {
    registry: Registry<Acknowledging>,
    contoso: Seller<Acknowledging>,
    is_alone: bool,
}

impl Worker {
    /// Any command.
    fn work(&self, random: &mut StdRng) {
        let clients = self.clients();
        if clients.len() < 2 || (clients.len() < MOST_CLIENTS && random.random_ratio(1, 4)) {
            let name = details(&format!("app {}", random.random_range(0..2 * MOST_CLIENTS)));
            self.said(block_on(self.contoso.register(name, Lifetime::OneYear)));
            return;
        }
        if random.random_ratio(1, 40) {
            let client = self.any(&clients, random);
            if let Ok(plan) = block_on(client.plan_client_deletion()) {
                let _ = block_on(client.confirm(plan));
            }
            return;
        }
        self.change(random);
    }

    /// Any command but one that takes a client away under the others.
    fn work_beside_others(&self, random: &mut StdRng) {
        if self.clients().len() < MOST_CLIENTS && random.random_ratio(1, 4) {
            let name = details(&format!("app {}", random.random_range(0..2 * MOST_CLIENTS)));
            self.said(block_on(self.contoso.register(name, Lifetime::OneYear)));
        } else {
            self.change(random);
        }
    }

    /// A command that changes a client that there is.
    fn change(&self, random: &mut StdRng) {
        let clients = self.clients();
        let client = self.any(&clients, random);
        let add_in =
            AddIn::new(&format!("add-in-{}", random.random_range(0..5)), Availability::Worldwide).unwrap();
        match random.random_range(0..8) {
            0 | 1 => self.said(block_on(client.add_secret(NewSecret::lasting(Lifetime::OneYear)))),
            2 => self.said(block_on(client.rotate(Rotation::overlap(Days::new(30)).signing_now()))),
            3 => {
                let snapshot = block_on(client.snapshot()).unwrap();
                let secrets: Vec<_> = snapshot.client().secrets().map(|secret| secret.id()).collect();
                if let Some(secret) = pick(&secrets, random) {
                    self.must(block_on(client.delete_in_emergency(secret, None)));
                }
            }
            4 => drop(self.must(block_on(client.associate(&add_in)))),
            5 => {
                let to = self.any(&clients, random);
                self.must(block_on(client.move_add_in(add_in.id(), to.id())));
            }
            6 => {
                let name = details(&format!("app {}", random.random_range(0..2 * MOST_CLIENTS)));
                self.must(block_on(client.change_details(name)));
            }
            _ => {
                let snapshot = block_on(client.snapshot()).unwrap();
                let secrets: Vec<_> = snapshot.client().secrets().map(|secret| secret.id()).collect();
                if let Some(secret) = pick(&secrets, random) {
                    self.must(block_on(client.promote(secret)));
                }
                block_on(self.registry.flush_last_uses()).unwrap();
            }
        }
    }

    fn clients(&self) -> Vec<ClientId> {
        let page = block_on(self.contoso.clients(None, 100)).unwrap();
        page.items().iter().map(|found| found.client().id().clone()).collect()
    }

    fn any(&self, clients: &[ClientId], random: &mut StdRng) -> ClientHandle<Acknowledging> {
        self.contoso.client(&clients[random.random_range(0..clients.len())])
    }

    /// Says what was issued: from then on it has to work.
    fn said(&self, answer: Result<Issued, Error>) {
        if let Some(issued) = self.must(answer) {
            let (client_id, secret) = (issued.client_id(), issued.secret_id());
            say(&format!("issued {client_id} {secret} {}\n", issued.client_secret().expose()));
            let text = issued.client_secret().expose();
            match block_on(self.registry.authenticate(client_id.as_str(), text)) {
                // The other process has deleted it in an emergency already.
                Err(AccessError::Denied(denied)) if !self.is_alone => {
                    assert_eq!(denied.reason(), Reason::Compromised);
                }
                answer => drop(answer.unwrap()),
            }
        }
    }

    /// A rule may stand against a command, and two may be in each other's way; the store may not fail.
    fn must<T>(&self, answer: Result<T, Error>) -> Option<T> {
        match answer {
            Ok(done) => Some(done),
            Err(
                Error::Refused(_)
                | Error::NameTaken { .. }
                | Error::AddInTaken { .. }
                | Error::Contention { .. },
            ) => None,
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// Says what has been committed, by client and revision, or too early what will be.
#[derive(Debug)]
struct Acknowledging {
    store: SqliteStore,
    early: bool,
}

impl Store for Acknowledging {
    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        let clients = commit.changes().iter().filter(|change| !change.id().is_reserved());
        let line = |change: &client_registry::store::RecordChange| {
            format!("acknowledged {} {}\n", change.id(), change.record().revision())
        };
        let lines: String = clients.map(line).collect();
        if self.early {
            say(&lines);
        }
        let answer = self.store.commit(commit).await;
        match &answer {
            Ok(()) if !self.early => say(&lines),
            Err(CommitError::Conflict { .. }) => say("conflict\n"),
            _ => {}
        }
        answer
    }

    forward!(store: load history clients client_of ending changes latest adopt note_uses last_uses);
}

/// In one piece, so that a kill leaves all of it or nothing.
fn say(lines: &str) {
    std::io::stderr().write_all(lines.as_bytes()).unwrap();
}

fn pick(secrets: &[SecretId], random: &mut StdRng) -> Option<SecretId> {
    let count = secrets.len();
    (count > 0).then(|| secrets[random.random_range(0..count)])
}

/// How many commands each of two processes gives to one client.
const SHARED_COMMANDS: usize = 200;
const MOST_CLIENTS: usize = 6;
const ROLE: &str = "CLIENT_REGISTRY_TEST_ROLE";
const FILE: &str = "CLIENT_REGISTRY_TEST_FILE";
const SEED: &str = "CLIENT_REGISTRY_TEST_SEED";
