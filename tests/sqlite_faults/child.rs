//! The process that works on a disk that fails.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use client_registry::store::{Commit, CommitError, SqliteStore, Store};
use client_registry::{ClientId, Error, Issued, Lifetime, NewSecret, Registry, Seller};
use pollster::block_on;
use rusqlite::Connection;

use crate::disk::{Disk, Fault};
use crate::support::{clock, details, forward, in_words, keyring, poll_once};

/// What happens while a call is to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum While {
    /// Changes, of which one makes the log long enough to be copied.
    Checkpoint,
    /// A few changes.
    Changes,
    /// Changes of several callers, which wait together and share flushes.
    Together,
    /// The file is copied.
    Backup,
    /// A copy takes the place of the file.
    Restoring,
    /// The file is closed, and opened again.
    Reopening,
    /// Changes, until one is in doubt: the process dies at once.
    Dying,
    /// The file is opened after that.
    Recovery,
    /// The file is made.
    Making,
}

pub(crate) const ALL: [While; 9] = [
    While::Checkpoint,
    While::Changes,
    While::Together,
    While::Backup,
    While::Restoring,
    While::Reopening,
    While::Dying,
    While::Recovery,
    While::Making,
];

/// This binary as a process of its own, on a disk that fails when it is told to.
pub(crate) fn spawn(test: &str, disk: &Disk, role: &str) -> std::process::Child {
    let mut command = command(test, disk, role);
    disk.under(&mut command);
    command.spawn().unwrap()
}

/// The same on whatever the directory lies on.
pub(crate) fn command(test: &str, disk: &Disk, role: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command.env(HOME, disk.home()).env(ROLE, role);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// The disk and the role of this process, if it is a child.
pub(crate) fn as_child() -> Option<(Disk, String)> {
    let home = PathBuf::from(std::env::var_os(HOME)?);
    Some((Disk::of(&home), std::env::var(ROLE).unwrap()))
}

/// Waits to be killed.
pub(crate) fn until_killed() -> ! {
    say("done\n");
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    std::process::exit(3)
}

/// A registry on a disk, and what it is used for.
pub(crate) struct Worker {
    pub(crate) disk: Disk,
    registry: Registry<Acknowledging>,
    contoso: Seller<Acknowledging>,
    /// The engine itself, at the same file.
    pub(crate) engine: Connection,
    clients: Vec<ClientId>,
    given: usize,
}

impl Worker {
    pub(crate) fn open(disk: Disk) -> Result<Self, String> {
        let store = SqliteStore::open(disk.file()).map_err(|error| in_words(&error))?;
        let registry = Registry::builder().clock(clock()).open(
            Acknowledging { store, dies: AtomicBool::default(), unknown: AtomicUsize::default() },
            keyring(),
        );
        let registry = block_on(registry).map_err(|error| in_words(&error))?;
        let contoso = registry.as_seller("contoso").unwrap();
        let engine = Connection::open(disk.file()).map_err(|error| in_words(&error))?;
        let page = block_on(contoso.clients(None, 1_000)).map_err(|error| in_words(&error))?;
        let clients = page.items().iter().map(|found| found.client().id().clone()).collect();
        Ok(Self { disk, registry, contoso, engine, clients, given: 0 })
    }

    pub(crate) fn close(self) -> Disk {
        self.disk
    }

    /// From now on it is killed at the first change whose outcome is not known.
    pub(crate) fn dies_in_doubt(&self) {
        self.registry.store().dies.store(true, Ordering::Relaxed);
    }

    /// How many answers left the outcome of a change open.
    pub(crate) fn unknown(&self) -> usize {
        self.registry.store().unknown.load(Ordering::Relaxed)
    }

    /// How many frames wait in the log.
    pub(crate) fn waiting(&self) -> i64 {
        let row = |row: &rusqlite::Row<'_>| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?);
        self.engine.query_row("PRAGMA wal_checkpoint(NOOP)", [], row).unwrap()
    }

    /// Changes until so many frames wait.
    pub(crate) fn fill(&mut self, frames: i64) {
        while self.waiting() < frames {
            self.change();
        }
    }

    pub(crate) fn changes(&mut self, count: usize) {
        for _ in 0..count {
            self.change();
        }
    }

    /// The next command of a fixed order. A store that fails may refuse it.
    pub(crate) fn change(&mut self) {
        self.given += 1;
        let given = self.given;
        if self.clients.len() < 30 || given.is_multiple_of(7) {
            let name = details(&format!("app {} {given}", std::process::id()));
            let issued = block_on(self.contoso.register(name, Lifetime::OneYear));
            if let Some(issued) = self.said(issued) {
                self.clients.push(issued.client_id().clone());
            }
            return;
        }
        let client = self.contoso.client(&self.clients[given * 13 % self.clients.len()]);
        match given % 3 {
            0 => drop(self.said(block_on(client.add_secret(NewSecret::lasting(Lifetime::OneYear))))),
            1 => drop(self.allowed(block_on(client.change_details(details(&format!("app {given}")))))),
            _ => {
                let Some(snapshot) = self.allowed(block_on(client.snapshot())) else { return };
                let secrets: Vec<_> = snapshot.client().secrets().map(|secret| secret.id()).collect();
                self.allowed(block_on(client.promote(secrets[given % secrets.len()])));
            }
        }
    }

    /// Registers so many clients at once, all of which wait for another program. What is done just before they go on.
    pub(crate) fn together(&mut self, count: usize, just_before: impl FnOnce(&Disk)) {
        let names: Vec<_> =
            (0..count).map(|one| format!("app {} {} {one}", std::process::id(), self.given)).collect();
        self.engine.execute_batch("BEGIN IMMEDIATE").unwrap();
        let registered = names.iter().map(|name| self.contoso.register(details(name), Lifetime::OneYear));
        let mut registered: Vec<_> = registered.map(Box::pin).collect();
        for one in &mut registered {
            assert!(poll_once(one.as_mut()).is_pending());
        }
        just_before(&self.disk);
        self.engine.execute_batch("ROLLBACK").unwrap();
        for one in registered {
            let issued = block_on(one);
            drop(self.said(issued));
        }
    }

    /// How many events there are.
    pub(crate) fn made(&self) -> i64 {
        self.engine.query_row("SELECT count(*) FROM event", [], |row| row.get(0)).unwrap()
    }

    pub(crate) fn backup(&self, name: &str) -> bool {
        let path = self.disk.file().with_file_name(name);
        let done = block_on(self.registry.store().store.backup_to(path));
        done.inspect_err(|error| say(&format!("refused {}\n", in_words(error)))).is_ok()
    }

    fn said(&self, answer: Result<Issued, Error>) -> Option<Issued> {
        let issued = self.allowed(answer)?;
        let (client_id, secret) = (issued.client_id(), issued.secret_id());
        say(&format!("issued {client_id} {secret} {}\n", issued.client_secret().expose()));
        Some(issued)
    }

    /// A rule may stand against it, and the disk.
    fn allowed<T>(&self, answer: Result<T, Error>) -> Option<T> {
        match answer {
            Ok(done) => Some(done),
            Err(Error::Refused(_) | Error::NameTaken { .. }) => None,
            Err(error @ (Error::Unavailable(_) | Error::Unresolved(_))) => {
                say(&format!("refused {}\n", in_words(&error)));
                None
            }
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// Does something while a call is to fail, and goes on.
pub(crate) fn work(disk: Disk, during: While, fault: Fault) {
    let mut worker = match during {
        While::Making | While::Recovery => opened_while_it_fails(disk, fault),
        _ => Worker::open(disk).unwrap(),
    };
    match during {
        While::Checkpoint => {
            worker.fill(985);
            worker.disk.arm(fault);
            worker.changes(12);
        }
        While::Changes => {
            worker.changes(10);
            worker.disk.arm(fault);
            worker.changes(6);
        }
        While::Together => {
            worker.changes(10);
            worker.together(6, |disk| disk.arm(fault));
        }
        While::Dying => {
            worker.changes(10);
            worker.disk.arm(fault);
            worker.dies_in_doubt();
            worker.changes(6);
            until_killed();
        }
        While::Backup => {
            worker.changes(10);
            worker.disk.arm(fault);
            if worker.backup("backup.db") {
                say("copied\n");
            }
        }
        While::Restoring => {
            worker.changes(10);
            assert!(worker.backup("copy.db"));
            let disk = worker.close();
            disk.arm(fault);
            let copy = disk.file().with_file_name("copy.db");
            // The copy has everything: whichever of the two is there afterwards.
            if let Err(error) = SqliteStore::restore(copy, disk.file()) {
                say(&format!("refused {}\n", in_words(&error)));
            }
            worker = opened_while_it_fails(disk, fault);
        }
        While::Reopening => {
            worker.changes(10);
            worker.disk.arm(fault);
            worker = opened_while_it_fails(worker.close(), fault);
        }
        While::Recovery | While::Making => {}
    }
    worker.disk.disarm();
    worker.changes(12);
    until_killed()
}

/// Opened although it may be refused at first.
fn opened_while_it_fails(disk: Disk, fault: Fault) -> Worker {
    let home = disk.home().to_owned();
    if !disk.is_armed() {
        disk.arm(fault);
    }
    match Worker::open(Disk::of(&home)) {
        Ok(worker) => worker,
        Err(why) => {
            say(&format!("refused {why}\n"));
            disk.disarm();
            Worker::open(disk).unwrap()
        }
    }
}

/// Says what has been committed, by client and revision.
#[derive(Debug)]
pub(crate) struct Acknowledging {
    store: SqliteStore,
    /// At the first change whose outcome is not known.
    dies: AtomicBool,
    unknown: AtomicUsize,
}

impl Store for Acknowledging {
    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        let answer = self.store.commit(commit).await;
        if answer.is_ok() {
            let clients = commit.changes().iter().filter(|change| !change.id().is_reserved());
            let lines: String = clients
                .map(|change| format!("acknowledged {} {}\n", change.id(), change.record().revision()))
                .collect();
            say(&lines);
        }
        if matches!(answer, Err(CommitError::Failed(_))) {
            self.unknown.fetch_add(1, Ordering::Relaxed);
            if self.dies.load(Ordering::Relaxed) {
                until_killed();
            }
        }
        answer
    }

    forward!(store: load history clients client_of ending changes latest adopt note_uses last_uses);
}

/// In one piece.
pub(crate) fn say(lines: &str) {
    std::io::stderr().write_all(lines.as_bytes()).unwrap();
}

const HOME: &str = "CLIENT_REGISTRY_TEST_HOME";
const ROLE: &str = "CLIENT_REGISTRY_TEST_ROLE";
