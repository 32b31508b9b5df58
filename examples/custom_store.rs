//! A store of one's own, from nothing: JSON files in a directory, for one process at a time. It keeps the whole contract,
//! which the conformance suite proves in the end; what it is not is fast with more than some thousand clients. For systems
//! where a directory can be flushed like a file (all but Windows).
//!
//! ```text
//! cargo run --features conformance --example custom_store
//! ```
//!
//! There is a file for each record, and a journal with the latest commit. Publishing the journal, one atomic rename, is the
//! commit: before it nothing has happened, after it everything has, however many clients change. Its records come into
//! their files when the next commit begins, or when the store is opened, so what a crash leaves is what there always is.
//!
//! All that it asks of a file system is [`Files`], so that the suite can put a disk that loses power in its place.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::{
    File, {self},
};
use std::io::{
    Write, {self},
};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use client_registry::client::LastUses;
use client_registry::conformance::{
    Disk, Factory, Skip, Spoil, {self},
};
use client_registry::entropy::{Entropy, SystemEntropy};
use client_registry::store::{
    Adopted, Changes, ClientsBy, Commit, CommitError, Committed, Cursor, Ending, EventText, Expected, Index,
    IndexEntry, Record, RecordId, Store, StoreError, StoreErrorKind, Use,
};
use client_registry::value::{KeyId, Revision};
use client_registry::{AddInId, ClientDetails, ClientId, Keyring, Lifetime, Registry, SecretId, Timestamp};
use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Serialize};

/// The store. The files are read once; from then on everything is answered from memory. It blocks while it writes: a
/// program that has more to do on its threads would hand that to a thread of its own.
#[derive(Debug)]
struct FileStore<D> {
    files: D,
    /// Tells the cursors of this store from those of any other.
    mark: String,
    state: Mutex<State>,
}

/// What the store asks of a file system.
trait Files: std::fmt::Debug + Send + Sync + 'static {
    fn list(&self) -> io::Result<Vec<String>>;
    /// The bytes of a file, or `None`.
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>>;
    /// Writes the bytes beside the file, through to the disk.
    fn stage(&self, name: &str, bytes: &[u8]) -> io::Result<()>;
    /// Puts them in its place: the old ones or the new ones are there, nothing else, also after a power cut.
    fn publish(&self, name: &str) -> io::Result<()>;

    fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.stage(name, bytes)?;
        self.publish(name)
    }
}

/// A directory of the file system.
#[derive(Debug)]
struct OnDisk {
    directory: PathBuf,
    /// Held as long as the store is open: a second process would not see what this one writes.
    _lock: File,
}

#[derive(Debug, Default)]
struct State {
    records: BTreeMap<String, Kept>,
    /// The latest commit, which is in the journal and not yet in the files.
    journal: Vec<(String, Kept)>,
    /// Every event in the order of its number. A cursor is how many of them have been read.
    feed: Vec<EventText>,
    uses: BTreeMap<(ClientId, SecretId), Timestamp>,
    /// Nobody knows what is on the disk: only opening the store again will tell.
    is_in_doubt: bool,
}

/// A record with all that belongs to it: what a file holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    /// The bytes as they came, in base64. There is nothing to be read in them.
    record: String,
    index: Index,
    /// Its commits, each with a number that counts all commits of the store: the order of the feed.
    history: Vec<(u64, Committed)>,
}

impl OnDisk {
    /// Opens a directory, or makes it.
    fn open(directory: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(directory).map_err(unavailable)?;
        let lock = File::create(directory.join("lock")).map_err(unavailable)?;
        lock.try_lock().map_err(|_| unavailable("another process has it open"))?;
        Ok(Self { directory: directory.to_owned(), _lock: lock })
    }
}

impl Files for OnDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        let names =
            fs::read_dir(&self.directory)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.collect()
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        found(fs::read(self.directory.join(name)))
    }

    fn stage(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::create(self.directory.join(format!("{name}.new")))?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn publish(&self, name: &str) -> io::Result<()> {
        fs::rename(self.directory.join(format!("{name}.new")), self.directory.join(name))?;
        File::open(&self.directory)?.sync_all()
    }
}

impl Files for Disk {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(Self::list(self))
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        found(Self::read(self, name))
    }

    fn stage(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let staged = format!("{name}.new");
        self.write(&staged, bytes)?;
        self.flush(&staged)
    }

    fn publish(&self, name: &str) -> io::Result<()> {
        self.rename(&format!("{name}.new"), name)?;
        self.flush_directory()
    }
}

fn found(read: io::Result<Vec<u8>>) -> io::Result<Option<Vec<u8>>> {
    match read {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl<D: Files> FileStore<D> {
    /// Opens the store that these files are, or makes it.
    fn open(files: D) -> Result<Self, StoreError> {
        let mark = match files.read("mark").map_err(unavailable)? {
            Some(mark) => String::from_utf8(mark).map_err(corrupt)?,
            None => {
                let mut bytes = [0; 16];
                SystemEntropy.fill(&mut bytes).map_err(unavailable)?;
                let mark = HEXLOWER.encode(&bytes);
                files.put("mark", mark.as_bytes()).map_err(unavailable)?;
                mark
            }
        };
        let mut state = State::default();
        for name in files.list().map_err(unavailable)? {
            let Some(id) = name.strip_suffix(".record") else { continue };
            let id = HEXLOWER.decode(id.as_bytes()).map_err(corrupt)?;
            let id = String::from_utf8(id).map_err(corrupt)?;
            let kept = files.read(&name).map_err(unavailable)?.ok_or_else(|| corrupt("a file is gone"))?;
            state.records.insert(id, serde_json::from_slice(&kept).map_err(corrupt)?);
        }
        // What the journal has is newer than what the files have, or the same.
        if let Some(journal) = files.read("journal").map_err(unavailable)? {
            state.journal = serde_json::from_slice(&journal).map_err(corrupt)?;
            state.records.extend(state.journal.iter().cloned());
        }
        let mut commits: Vec<_> = state.records.values().flat_map(|kept| &kept.history).collect();
        commits.sort_by_key(|(number, _)| *number);
        state.feed = commits.into_iter().flat_map(|(_, committed)| committed.events.clone()).collect();
        if let Some(uses) = files.read("uses").map_err(unavailable)? {
            let uses: Vec<(ClientId, SecretId, Timestamp)> =
                serde_json::from_slice(&uses).map_err(corrupt)?;
            state.uses = uses.into_iter().map(|(id, secret, at)| ((id, secret), at)).collect();
        }
        state.forget_uses();
        Ok(Self { files, mark, state: Mutex::new(state) })
    }

    /// Nothing here awaits while it holds the state, so a future that is dropped has begun nothing, or ended everything.
    fn state(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_in_doubt { Err(unavailable("a write failed: open it again")) } else { Ok(state) }
    }

    fn cursor(&self, position: usize) -> Cursor {
        Cursor::new(format!("{}:{position}", self.mark))
    }

    /// Writes the next state of some records, all or nothing.
    fn write(&self, state: &mut State, next: Vec<(String, Kept)>) -> Result<(), CommitError> {
        let prepared = || -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
            // The commit before this one has to be in its files before the journal is replaced.
            for (id, kept) in &state.journal {
                self.files.put(&file_name(id), &serde_json::to_vec(kept)?)?;
            }
            Ok(serde_json::to_vec(&next)?)
        };
        let not_written = |error| CommitError::NotWritten(unavailable(error));
        let journal = prepared().map_err(not_written)?;
        self.files.stage("journal", &journal).map_err(|error| not_written(error.into()))?;
        // From here on nobody knows until it has succeeded: an error would not mean that nothing happened.
        if let Err(error) = self.files.publish("journal") {
            state.is_in_doubt = true;
            return Err(CommitError::Failed(unavailable(error)));
        }
        for (id, kept) in &next {
            let before = state.records.get(id).map_or(0, |kept| kept.history.len());
            let news = kept.history.iter().skip(before);
            state.feed.extend(news.flat_map(|(_, committed)| committed.events.clone()));
            state.records.insert(id.clone(), kept.clone());
        }
        state.journal = next;
        state.forget_uses();
        Ok(())
    }
}

impl<D: Files> Store for FileStore<D> {
    async fn load(&self, id: RecordId<'_>) -> Result<Option<Record>, StoreError> {
        self.state()?.records.get(id.as_str()).map(Kept::record).transpose()
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        // Held from the first check to the last write: in between, nobody else can make what was checked untrue.
        let mut state = self.state()?;
        for change in commit.changes() {
            state.expect(change.id(), change.expected())?;
        }
        let indexes: Vec<_> = commit.changes().iter().map(|change| (change.id(), change.index())).collect();
        state.ensure_unique(&indexes)?;
        let mut next = Vec::new();
        for change in commit.changes() {
            let (revision, events) = (change.record().revision(), change.events().to_vec());
            // Without events it is no part of the history: a record that was resealed, or the registry's own.
            let news = Committed { commit_id: commit.id(), revision, events };
            let news = Some(news).filter(|committed| !committed.events.is_empty());
            let number = state.commits() + next.len() as u64;
            next.push(
                state.next(change.record(), change.index(), news, number).map_err(CommitError::NotWritten)?,
            );
        }
        self.write(&mut state, next)
    }

    async fn history(
        &self,
        client_id: &ClientId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Committed>, StoreError> {
        let state = self.state()?;
        let commits = state.records.get(client_id.as_str()).into_iter().flat_map(|kept| &kept.history);
        let later = commits.map(|(_, committed)| committed).filter(|committed| committed.revision > after);
        Ok(later.take(limit).cloned().collect())
    }

    async fn clients(
        &self,
        by: ClientsBy<'_>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Vec<ClientId>, StoreError> {
        let state = self.state()?;
        let is_known =
            matches!(by, ClientsBy::All | ClientsBy::Key(_) | ClientsBy::Seller(_) | ClientsBy::Name(..));
        if !is_known {
            return Err(StoreError::with_source(
                StoreErrorKind::Misconfigured,
                "this store has no such list",
            ));
        }
        let is_wanted = |index: &Index| match (by, &index.name) {
            (ClientsBy::All, _) => true,
            (ClientsBy::Key(key_id), _) => index.key_id.as_ref() == Some(key_id),
            (ClientsBy::Seller(seller), Some((owner, _))) => seller == owner,
            (ClientsBy::Name(seller, key), Some((owner, name))) => seller == owner && key == name,
            // What is left of a deleted client has no name.
            _ => false,
        };
        let wanted =
            state.clients().filter(|(id, index)| is_wanted(index) && after.is_none_or(|after| id > after));
        Ok(wanted.map(|(id, _)| id).take(limit).collect())
    }

    async fn client_of(&self, add_in: &AddInId) -> Result<Option<ClientId>, StoreError> {
        let state = self.state()?;
        let mut holders = state.clients().filter(|(_, index)| index.add_ins.contains(add_in));
        Ok(holders.next().map(|(id, _)| id))
    }

    async fn ending(
        &self,
        before: Timestamp,
        after: Option<&Ending>,
        limit: usize,
    ) -> Result<Vec<Ending>, StoreError> {
        let state = self.state()?;
        let ends = state.clients().flat_map(|(client_id, index)| {
            let ends = index.ends.iter().filter_map(|(secret, at)| Some((*secret, (*at)?)));
            ends.map(move |(secret, at)| Ending { at, client_id: client_id.clone(), secret })
        });
        let mut ends: Vec<_> =
            ends.filter(|end| end.at < before && after.is_none_or(|after| end > after)).collect();
        ends.sort();
        ends.truncate(limit);
        Ok(ends)
    }

    async fn changes(&self, after: Option<&Cursor>, limit: usize) -> Result<Changes, StoreError> {
        let state = self.state()?;
        let position = |cursor: &Cursor| {
            let (mark, position) = cursor.as_str().split_once(':')?;
            let position = position.parse().ok().filter(|position| *position <= state.feed.len());
            position.filter(|_| mark == self.mark)
        };
        let start = match after {
            None => 0,
            // Of another store, or of this one before a backup was restored. (Whoever restores one deletes `mark`.)
            Some(cursor) => position(cursor).ok_or_else(|| StoreError::new(StoreErrorKind::CursorLost))?,
        };
        let events: Vec<_> = state.feed.iter().skip(start).take(limit).cloned().collect();
        Ok(Changes { cursor: self.cursor(start + events.len()), events })
    }

    async fn latest(&self) -> Result<Cursor, StoreError> {
        Ok(self.cursor(self.state()?.feed.len()))
    }

    async fn adopt(&self, clients: &[Adopted]) -> Result<(), CommitError> {
        let mut state = self.state()?;
        for client in clients {
            state.expect(client.record().id(), &Expected::Absent)?;
        }
        let indexes: Vec<_> = clients.iter().map(|client| (client.record().id(), client.index())).collect();
        state.ensure_unique(&indexes)?;
        let (mut next, mut number) = (Vec::new(), state.commits());
        for client in clients {
            let history = client.history().iter().cloned();
            let kept = state.next(client.record(), client.index(), history, number);
            next.push(kept.map_err(CommitError::NotWritten)?);
            number += client.history().len() as u64;
        }
        self.write(&mut state, next)
    }

    async fn note_uses(&self, uses: &[Use], believable_until: Timestamp) -> Result<(), StoreError> {
        let mut state = self.state()?;
        for used in uses {
            let key = (used.client_id.clone(), used.secret);
            if used.replaces(state.uses.get(&key).copied(), believable_until) {
                state.uses.insert(key, used.at);
            }
        }
        state.forget_uses();
        let all: Vec<_> = state.uses.iter().map(|((id, secret), at)| (id, secret, at)).collect();
        self.files.put("uses", &serde_json::to_vec(&all).map_err(unavailable)?).map_err(unavailable)
    }

    async fn last_uses(&self, client_id: &ClientId) -> Result<LastUses, StoreError> {
        let mut uses = LastUses::default();
        for ((_, secret), at) in self.state()?.uses.iter().filter(|((id, _), _)| id == client_id) {
            uses.note(*secret, *at);
        }
        Ok(uses)
    }
}

impl State {
    /// The clients and what is left of deleted ones, in the order of their IDs. The registry's record is none of them.
    fn clients(&self) -> impl Iterator<Item = (ClientId, &Index)> {
        self.records.iter().filter_map(|(id, kept)| Some((ClientId::parse(id).ok()?, &kept.index)))
    }

    fn commits(&self) -> u64 {
        let numbers = self.records.values().flat_map(|kept| &kept.history).map(|(number, _)| number + 1);
        numbers.max().unwrap_or(0)
    }

    fn expect(&self, id: RecordId<'_>, expected: &Expected) -> Result<(), CommitError> {
        let found = self.records.get(id.as_str()).map(Kept::record).transpose();
        let found = found.map_err(CommitError::NotWritten)?;
        if expected.holds(found.as_ref().map(|record| (record.revision(), record.key_id()))) {
            return Ok(());
        }
        let found = found.map(|record| record.revision());
        Err(CommitError::Conflict { record_id: id.as_str().into(), found })
    }

    /// In the state after the whole commit an add-in and a seller's name belong to one client: what one client of the
    /// commit gives, another one may take.
    fn ensure_unique(&self, changed: &[(RecordId<'_>, &Index)]) -> Result<(), CommitError> {
        let is_changed = |id: &ClientId| changed.iter().any(|(changed, _)| changed.as_str() == id.as_str());
        let unchanged = self.clients().filter(|(id, _)| !is_changed(id));
        let mut after: Vec<_> =
            unchanged.flat_map(|(id, index)| entries(index).map(move |e| (e, id.clone()))).collect();
        for (id, index) in changed {
            let Some(id) = id.client_id() else { continue };
            for entry in entries(index) {
                if let Some((_, by)) = after.iter().find(|(other, _)| *other == entry) {
                    return Err(CommitError::Taken { entry, by: by.clone() });
                }
                after.push((entry, id.clone()));
            }
        }
        Ok(())
    }

    /// What is kept of a record from now on: the index is another one, the history goes on.
    fn next(
        &self,
        record: &Record,
        index: &Index,
        news: impl IntoIterator<Item = Committed>,
        number: u64,
    ) -> Result<(String, Kept), StoreError> {
        let id = record.id().as_str().to_owned();
        let mut history = self.records.get(&id).map(|kept| kept.history.clone()).unwrap_or_default();
        history.extend((number..).zip(news));
        Ok((id, Kept { record: BASE64.encode(&record.to_bytes()?), index: index.clone(), history }))
    }

    /// The use of a secret goes with it, and none is noted of one that is not there.
    fn forget_uses(&mut self) {
        let Self { uses, records, .. } = self;
        uses.retain(|(id, secret), _| {
            records
                .get(id.as_str())
                .is_some_and(|kept| kept.index.ends.iter().any(|(known, _)| known == secret))
        });
    }
}

impl Kept {
    fn record(&self) -> Result<Record, StoreError> {
        Record::from_bytes(&BASE64.decode(self.record.as_bytes()).map_err(corrupt)?)
    }
}

fn entries(index: &Index) -> impl Iterator<Item = IndexEntry> {
    let name = index.name.iter().map(|(seller, key)| IndexEntry::Name(seller.clone(), key.clone()));
    name.chain(index.add_ins.iter().cloned().map(IndexEntry::AddIn))
}

/// IDs that differ in case alone are different, on any file system.
fn file_name(id: &str) -> String {
    format!("{}.record", HEXLOWER.encode(id.as_bytes()))
}

fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> StoreError {
    StoreError::with_source(StoreErrorKind::Unavailable, source)
}

fn corrupt(source: impl Into<Box<dyn Error + Send + Sync>>) -> StoreError {
    StoreError::with_source(StoreErrorKind::Corrupt, source)
}

/// A directory that goes when it is no longer needed.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("custom-store-{}-{number}", std::process::id())))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// How the suite comes to stores of this kind: on disks that lose their power.
struct OnDisks;

impl Factory for OnDisks {
    type Place = Disk;
    type Store = FileStore<Disk>;

    fn place(&self) -> Disk {
        Disk::new()
    }

    fn open(&self, place: &Disk) -> Result<FileStore<Disk>, StoreError> {
        FileStore::open(place.clone())
    }

    fn crash(&self, place: &Disk, store: FileStore<Disk>) -> Result<(), Skip> {
        drop(store);
        place.cut_power();
        Ok(())
    }

    fn share(&self) -> Result<(), Skip> {
        Err(Skip::because("the directory is locked: one process at a time"))
    }

    fn copy(&self, from: &Disk, to: &Disk) -> Result<(), Skip> {
        from.copy_to(to);
        Ok(())
    }

    fn fail_flush(&self, place: &Disk, after: usize) -> Result<(), Skip> {
        place.fail_flush(after);
        Ok(())
    }

    fn step_clock_back(&self, _: &Disk, _: Duration) -> Result<(), Skip> {
        Ok(()) // it asks no clock
    }

    #[expect(clippy::expect_used, reason = "whoever cannot prepare a test ends it")]
    fn spoil(&self, place: &Disk, what: Spoil<'_>) -> Result<(), Skip> {
        let id = match what {
            Spoil::Record(id) => id.as_str().to_owned(),
            Spoil::History(id) => id.as_str().to_owned(),
            _ => return Err(Skip::because("there is no such thing here")),
        };
        // The latest state of it is in the journal, or else in its file.
        let journal = place.read("journal").unwrap_or_default();
        let name = if String::from_utf8_lossy(&journal).contains(&id) {
            "journal".to_owned()
        } else {
            file_name(&id)
        };
        let len = place.read(&name).expect("the client is there").len();
        place.set_len(&name, len / 2).expect("the file is there");
        Ok(())
    }
}

/// The cases that open two stores in one place.
const TWO_STORES: [&str; 12] = [
    "one_of_many_wins_across_stores",
    "one_of_many_gets_the_add_in_across_stores",
    "one_of_many_gets_the_name_across_stores",
    "the_feed_is_complete_across_stores",
    "one_of_many_adopts_across_stores",
    "stores_side_by_side_see_one_another",
    "every_look_up_sees_what_another_store_wrote",
    "each_look_up_alone_sees_what_another_store_wrote",
    "uniqueness_holds_across_stores",
    "adopting_and_committing_exclude_one_another",
    "stores_share_the_uses",
    "uses_never_outlive_a_deletion_across_stores",
];

#[pollster::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory = Directory::new();
    let keyring = Keyring::generate(KeyId::parse("2026")?)?;
    let registry = Registry::open(FileStore::open(OnDisk::open(&directory.0)?)?, keyring.clone()).await?;
    let details = ClientDetails::new("calendar app", "app.contoso.com", "https://app.contoso.com/done")?;
    let contoso = registry.as_seller("contoso")?;
    let issued = contoso.register(details, Lifetime::OneYear).await?;
    println!("{} is registered", issued.client_id());
    drop((contoso, registry));

    let registry = Registry::open(FileStore::open(OnDisk::open(&directory.0)?)?, keyring).await?;
    let secret = issued.client_secret().expose();
    let who = registry.authenticate(issued.client_id().as_str(), secret).await?;
    println!("opened again, secret {} is a password, and signs: {}\n", who.secret_id(), who.signs());

    let report = conformance::run(OnDisks);
    println!("{report}");
    // One process at a time: what needs two stores in one place was not asked.
    report.assert_complete_but_for(&TWO_STORES);
    Ok(())
}
