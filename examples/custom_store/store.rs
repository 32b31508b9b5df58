//! The store: what it writes, in which order, and what it answers.

use std::error::Error;
use std::sync::{Mutex, MutexGuard, PoisonError};

use client_registry::client::LastUses;
use client_registry::entropy::{Entropy, SystemEntropy};
use client_registry::store::{
    Adopted, Changes, ClientsBy, Commit, CommitError, Committed, Cursor, Ending, Expected, Index, Record,
    RecordId, Store, StoreError, StoreErrorKind, Use,
};
use client_registry::value::Revision;
use client_registry::{AddInId, ClientId, SecretId, Timestamp};
use data_encoding::HEXLOWER;

use crate::files::Files;
use crate::state::{Kept, State, corrupt, file_name, unavailable};

/// A store in JSON files. It reads the files once, and from then on answers from memory. It blocks its thread while it writes: a
/// program that needs the thread meanwhile would write on another one.
#[derive(Debug)]
pub(crate) struct FileStore<D> {
    files: D,
    /// Tells the cursors of this store from those of any other.
    mark: String,
    state: Mutex<State>,
}

impl<D: Files> FileStore<D> {
    /// Opens the store in these files, or creates it.
    pub(crate) fn open(files: D) -> Result<Self, StoreError> {
        let mark = match files.read("mark").map_err(unavailable)? {
            Some(mark) => mark,
            None => {
                let mut bytes = [0; 16];
                SystemEntropy.fill(&mut bytes).map_err(unavailable)?;
                HEXLOWER.encode(&bytes).into_bytes()
            }
        };
        // What can be read need not be durable: the flush that should have made it so may have failed. So it is written once
        // more before it is shown, here and below. The files of records need no such care: their content is in the journal too,
        // until they were written with success.
        files.put("mark", &mark).map_err(unavailable)?;
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
            files.put("journal", &journal).map_err(unavailable)?;
        }
        let mut commits: Vec<_> = state.records.values().flat_map(|kept| kept.history.clone()).collect();
        commits.sort_by_key(|(number, _)| *number);
        state.tell(commits.into_iter().flat_map(|(_, committed)| committed.events));
        if let Some(bytes) = files.read("uses").map_err(unavailable)? {
            let uses: Vec<(ClientId, SecretId, Timestamp)> =
                serde_json::from_slice(&bytes).map_err(corrupt)?;
            let uses = uses.into_iter().map(|(id, secret, at)| ((id, secret), at)).collect();
            state.uses = state.without_the_gone(uses);
            files.put("uses", &bytes).map_err(unavailable)?;
        }
        let mark = String::from_utf8(mark).map_err(corrupt)?;
        Ok(Self { files, mark, state: Mutex::new(state) })
    }

    /// Locks the state. No method awaits while it holds the lock, so a dropped future has begun nothing, or finished.
    fn state(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_in_doubt { Err(unavailable("a write failed: open the store again")) } else { Ok(state) }
    }

    /// The cursor behind the first events of the feed, or `None` if it has fewer. The hash tells them from others that have the
    /// same places after an older copy was put back.
    fn cursor(&self, state: &State, position: usize) -> Option<Cursor> {
        let hash = state.hash_of(position)?;
        Some(Cursor::new(format!("{}:{position}:{hash}", self.mark)))
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
        // From here on an error does not mean that nothing happened.
        if let Err(error) = self.files.publish("journal") {
            state.is_in_doubt = true;
            return Err(CommitError::Failed(unavailable(error)));
        }
        for (id, kept) in &next {
            let before = state.records.get(id).map_or(0, |kept| kept.history.len());
            let news: Vec<_> = kept.history.iter().skip(before).cloned().collect();
            state.tell(news.into_iter().flat_map(|(_, committed)| committed.events));
            state.records.insert(id.clone(), kept.clone());
        }
        state.journal = next;
        let uses = std::mem::take(&mut state.uses);
        state.uses = state.without_the_gone(uses);
        Ok(())
    }
}

impl<D: Files> Store for FileStore<D> {
    async fn load(&self, id: RecordId<'_>) -> Result<Option<Record>, StoreError> {
        self.state()?.records.get(id.as_str()).map(Kept::record).transpose()
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        // Locked from the first check to the last write, so that no other commit comes in between.
        let mut state = self.state()?;
        for change in commit.changes() {
            state.expect(change.id(), change.expected())?;
        }
        let indexes: Vec<_> = commit.changes().iter().map(|change| (change.id(), change.index())).collect();
        state.ensure_unique(&indexes)?;
        let mut next = Vec::new();
        for change in commit.changes() {
            let (revision, events) = (change.record().revision(), change.events().to_vec());
            // A change without events is not in the history: a resealed record, or that of the registry.
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
            // The tombstone of a deleted client has no name.
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
            let position = cursor.as_str().split(':').nth(1)?.parse().ok()?;
            (self.cursor(&state, position)? == *cursor).then_some(position)
        };
        let lost = || StoreError::new(StoreErrorKind::CursorLost);
        let start = match after {
            None => 0,
            // A cursor of another store, or of this one before a backup was restored, has another mark or another hash.
            Some(cursor) => position(cursor).ok_or_else(lost)?,
        };
        let events: Vec<_> = state.feed.iter().skip(start).take(limit).cloned().collect();
        let cursor = self.cursor(&state, start + events.len()).ok_or_else(lost)?;
        Ok(Changes { events, cursor })
    }

    async fn latest(&self) -> Result<Cursor, StoreError> {
        let state = self.state()?;
        self.cursor(&state, state.feed.len()).ok_or_else(|| StoreError::new(StoreErrorKind::CursorLost))
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
        let mut next = state.uses.clone();
        for used in uses {
            let key = (used.client_id.clone(), used.secret);
            if used.replaces(next.get(&key).copied(), believable_until) {
                next.insert(key, used.at);
            }
        }
        let next = state.without_the_gone(next);
        let all: Vec<_> = next.iter().map(|((id, secret), at)| (id, secret, at)).collect();
        self.files.put("uses", &serde_json::to_vec(&all).map_err(unavailable)?).map_err(unavailable)?;
        // The file first: a use that is shown, or that counts as noted when it comes again, is durable.
        state.uses = next;
        Ok(())
    }

    async fn last_uses(&self, client_id: &ClientId) -> Result<LastUses, StoreError> {
        let mut uses = LastUses::default();
        for ((_, secret), at) in self.state()?.uses.iter().filter(|((id, _), _)| id == client_id) {
            uses.note(*secret, *at);
        }
        Ok(uses)
    }
}
