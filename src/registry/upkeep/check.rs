//! Checking what a store holds: every record is read again, every trail followed, and what leads to a
//! client compared with the client.
//!
//! A store is not trusted, and records and trails are tamper-evident each for itself. What only shows when they are
//! laid side by side shows here: an old record that was put back, events that are gone, an index that leads elsewhere.
//!
//! What cannot be seen: an old record whose trail was cut to the same length, index rows under an add-in, a name or a
//! seller that no record and no trail names, a last use that might have been, and the ID of a commit in the history, which
//! nothing vouches for.

mod discrepancy;
mod last_uses;
mod trail;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;

pub use self::discrepancy::{CheckReport, Discrepancy, DiscrepancyKind, Lookup};
use self::trail::Trail;
use crate::event::{Event, EventHash};
use crate::record::Opened;
use crate::registry::Registry;
use crate::store::{ClientsBy, Cursor, Ending, Index, Store, Use};
use crate::store_error::{StoreError, StoreErrorKind};
use crate::value::{AddInId, ClientId, KeyId, Revision, SellerId, Timestamp};

impl<S: Store> Registry<S> {
    /// Reads everything that the store holds, and says what is wrong and where. Traffic may go on: what leads to a client
    /// is looked at twice before it is called wrong.
    ///
    /// Takes a few reads a client, and some hundred bytes of memory for each.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer. What can be read and is wrong is in the answer instead.
    pub async fn check(&self) -> Result<CheckReport, StoreError> {
        let mut discrepancies = Vec::new();
        if let Some(protection) = &self.inner.protection
            && let Err(error) = protection.refresh(&self.inner.store, &*self.inner.clock).await
        {
            discrepancies
                .push(Discrepancy { client_id: None, what: DiscrepancyKind::Record(readable(error)?) });
        }
        let mut sweep = Sweep::default();
        unless_unreadable(self.sweep(&mut sweep).await, &mut discrepancies)?;
        unless_unreadable(self.check_feed(&sweep.heads, &mut sweep.discrepancies).await, &mut discrepancies)?;
        self.judge_last_uses(&mut sweep);
        let strays = self.confirmed_strays(&sweep, &mut discrepancies).await?;
        discrepancies.append(&mut sweep.discrepancies);
        let strays: BTreeSet<_> =
            strays.into_iter().map(|(id, lookup, found, _)| (id, lookup, found)).collect();
        discrepancies.extend(strays.into_iter().map(|(client_id, lookup, found)| Discrepancy {
            client_id: Some(client_id),
            what: if found { DiscrepancyKind::FoundBy(lookup) } else { DiscrepancyKind::NotFoundBy(lookup) },
        }));
        Ok(CheckReport { clients: sweep.clients, events: sweep.events, discrepancies })
    }

    /// What looks stray twice. Whatever changed in between looks so once.
    async fn confirmed_strays(
        &self,
        sweep: &Sweep,
        discrepancies: &mut Vec<Discrepancy>,
    ) -> Result<BTreeSet<Stray>, StoreError> {
        let mut strays = self.strays(sweep, discrepancies).await?;
        if !strays.is_empty() {
            // What cannot be read was named the first time.
            let (mut again, mut known) = (Sweep::default(), Vec::new());
            unless_unreadable(self.sweep(&mut again).await, &mut known)?;
            let second = self.strays(&again, &mut known).await?;
            strays.retain(|one| second.contains(one));
        }
        Ok(strays)
    }

    /// Reads every record and its trail.
    async fn sweep(&self, sweep: &mut Sweep) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let page = self.inner.store.clients(ClientsBy::All, after.as_ref(), PAGE).await?;
            for client_id in &page {
                self.check_client(client_id, sweep).await?;
            }
            let last = ascending(page.last().cloned(), after.as_ref())?;
            if page.len() < PAGE {
                return Ok(());
            }
            after = last;
        }
    }

    /// Reads a record and its trail. What cannot be read of one client is a fault of its own, and keeps nobody from reading
    /// the others.
    async fn check_client(&self, client_id: &ClientId, sweep: &mut Sweep) -> Result<(), StoreError> {
        if let Err(error) = self.try_check_client(client_id, sweep).await {
            sweep.fault(client_id, DiscrepancyKind::Unreadable(readable(error)?));
        }
        Ok(())
    }

    async fn try_check_client(&self, client_id: &ClientId, sweep: &mut Sweep) -> Result<(), StoreError> {
        sweep.clients += 1;
        for _ in 0..ATTEMPTS {
            let opened = match self.load(client_id).await {
                Ok(Some(opened)) => opened,
                Ok(None) => {
                    sweep.fault(client_id, DiscrepancyKind::NoRecord);
                    return Ok(());
                }
                Err(error) => {
                    sweep.fault(client_id, DiscrepancyKind::Record(readable(error)?));
                    return Ok(());
                }
            };
            let mut trail = Trail::default();
            if let Err(error) = self.follow_trail(client_id, &mut trail, opened.revision()).await {
                sweep.fault(client_id, DiscrepancyKind::Trail(readable(error)?));
                return Ok(());
            }
            let what = match trail {
                Trail { unreadable: Some(error), .. } => Some(DiscrepancyKind::Trail(error)),
                Trail { broken: Some(at), .. } => Some(DiscrepancyKind::BrokenTrail { at }),
                Trail { longer: true, .. } => Some(DiscrepancyKind::OlderThanTrail),
                Trail { revision, .. } if revision < opened.revision() => {
                    Some(DiscrepancyKind::TrailCutShort)
                }
                Trail { head, .. } if head != opened.head() => {
                    Some(DiscrepancyKind::BrokenTrail { at: opened.revision() })
                }
                _ => None,
            };
            let is_current = match &what {
                // Somebody may have committed between the two look-ups.
                Some(DiscrepancyKind::OlderThanTrail) => {
                    self.load(client_id).await?.is_some_and(|now| now.revision() == opened.revision())
                }
                _ => true,
            };
            if is_current {
                sweep.events += trail.events;
                sweep.heads.insert(client_id.clone(), opened.head());
                if let Some(what) = what {
                    sweep.fault(client_id, what);
                }
                self.check_last_uses(&opened, sweep).await?;
                return self.note_lookups(&opened, trail.add_ins, sweep).await;
            }
        }
        Ok(())
    }

    /// Follows a trail up to a revision, and looks whether it goes on.
    async fn follow_trail(
        &self,
        client_id: &ClientId,
        trail: &mut Trail,
        until: Revision,
    ) -> Result<(), StoreError> {
        loop {
            let before = trail.revision;
            let page = self.history(client_id, before, PAGE).await?;
            ascending(page.last().map(|last| last.revision), Some(&before))?;
            for committed in &page {
                if committed.revision > until {
                    trail.longer = true;
                    return Ok(());
                }
                trail.take(client_id, committed);
            }
            if page.len() < PAGE {
                return Ok(());
            }
        }
    }

    /// What should lead to a client, and what leads to it one by one.
    async fn note_lookups(
        &self,
        opened: &Opened,
        once: BTreeSet<AddInId>,
        sweep: &mut Sweep,
    ) -> Result<(), StoreError> {
        let store = &self.inner.store;
        let client_id = opened.client_id();
        let key_id = match &self.inner.protection {
            Some(_) => store.load(client_id.into()).await?.and_then(|record| record.key_id().cloned()),
            None => None,
        };
        let index = Index::of(opened, key_id.as_ref());
        // First what is asked of nobody, so that it is noted whatever the store answers.
        let of_seller = sweep.by_seller.entry(opened.owner().clone()).or_default();
        // Of a deleted client as well, which is in no seller's list.
        if index.name.is_some() {
            of_seller.insert(client_id.clone());
        }
        for (secret, until) in &index.ends {
            let ending = until.map(|at| Ending { at, client_id: client_id.clone(), secret: *secret });
            sweep.endings.extend(ending);
        }
        if let Some(key_id) = &index.key_id {
            sweep.by_key.entry(key_id.clone()).or_default().insert(client_id.clone());
        }
        for add_in in &index.add_ins {
            if store.client_of(add_in).await?.as_ref() != Some(client_id) {
                sweep.strays.insert((client_id.clone(), Lookup::AddIn, false, add_in.to_string()));
            }
        }
        for add_in in once.iter().filter(|add_in| !index.add_ins.contains(add_in)) {
            if store.client_of(add_in).await?.as_ref() == Some(client_id) {
                sweep.strays.insert((client_id.clone(), Lookup::AddIn, true, add_in.to_string()));
            }
        }
        if let Some((seller, name)) = &index.name {
            let found = store.clients(ClientsBy::Name(seller, name), None, 2).await?;
            for other in found.iter().filter(|found| *found != client_id) {
                sweep.strays.insert((other.clone(), Lookup::Name, true, name.as_str().to_owned()));
            }
            if !found.contains(client_id) {
                sweep.strays.insert((client_id.clone(), Lookup::Name, false, name.as_str().to_owned()));
            }
        }
        Ok(())
    }

    /// Compares what the store lists with what it should. A list that cannot be read is a fault, and no reason not to look at
    /// the others.
    async fn strays(
        &self,
        sweep: &Sweep,
        discrepancies: &mut Vec<Discrepancy>,
    ) -> Result<BTreeSet<Stray>, StoreError> {
        let mut strays = sweep.strays.clone();
        for (seller, expected) in &sweep.by_seller {
            let found = unless_unreadable(self.all_by(ClientsBy::Seller(seller)).await, discrepancies)?;
            if let Some(found) = found {
                compare(&mut strays, Lookup::Seller, expected, &found, Clone::clone);
            }
        }
        let keys = match self.keys().await {
            Ok(keys) => keys,
            // Named already.
            Err(error) => readable(error).map(|_| Vec::new())?,
        };
        let keys: BTreeSet<_> =
            keys.into_iter().map(|key| key.id).chain(sweep.by_key.keys().cloned()).collect();
        for key_id in &keys {
            let expected = sweep.by_key.get(key_id).cloned().unwrap_or_default();
            if let Some(found) = unless_unreadable(self.all_by(ClientsBy::Key(key_id)).await, discrepancies)?
            {
                compare(&mut strays, Lookup::Key, &expected, &found, Clone::clone);
            }
        }
        if let Some(found) = unless_unreadable(self.all_endings().await, discrepancies)? {
            let whose = |ending: &Ending| ending.client_id.clone();
            compare(&mut strays, Lookup::Ending, &sweep.endings, &found, whose);
        }
        Ok(strays)
    }

    async fn all_endings(&self) -> Result<BTreeSet<Ending>, StoreError> {
        let mut all = BTreeSet::new();
        let mut after: Option<Ending> = None;
        loop {
            let page = self.inner.store.ending(Timestamp::MAX, after.as_ref(), PAGE).await?;
            after = ascending(page.last().cloned(), after.as_ref())?;
            let is_last = page.len() < PAGE;
            all.extend(page);
            if is_last {
                return Ok(all);
            }
        }
    }

    async fn all_by(&self, by: ClientsBy<'_>) -> Result<BTreeSet<ClientId>, StoreError> {
        let mut all = BTreeSet::new();
        let mut after = None;
        loop {
            let page = self.inner.store.clients(by, after.as_ref(), PAGE).await?;
            after = ascending(page.last().cloned(), after.as_ref())?;
            let is_last = page.len() < PAGE;
            all.extend(page);
            if is_last {
                return Ok(all);
            }
        }
    }

    /// Reads the whole feed: each client's events must follow one another and pass through the head of its record.
    async fn check_feed(
        &self,
        heads: &HashMap<ClientId, EventHash>,
        discrepancies: &mut Vec<Discrepancy>,
    ) -> Result<(), StoreError> {
        let mut last: HashMap<ClientId, EventHash> = HashMap::new();
        let mut passed: HashSet<ClientId> = HashSet::new();
        let mut broken: BTreeSet<ClientId> = BTreeSet::new();
        let mut nobodys = None;
        let mut cursor: Option<Cursor> = None;
        loop {
            let page = self.inner.store.changes(cursor.as_ref(), PAGE).await?;
            for text in &page.events {
                let read = Event::parse(text);
                let client_id = match &read {
                    Ok(event) => Some(event.client_id().clone()),
                    Err(_) => text.client_id(),
                };
                let (client_id, event) = match (client_id, read) {
                    (Some(client_id), read) => (client_id, read.ok()),
                    (None, Err(error)) => {
                        nobodys.get_or_insert(error);
                        continue;
                    }
                    (None, Ok(_)) => continue,
                };
                let before = last.insert(client_id.clone(), text.hash()).unwrap_or(EventHash::START);
                if event.is_none_or(|event| event.previous() != before) {
                    broken.insert(client_id.clone());
                }
                if heads.get(&client_id) == Some(&text.hash()) {
                    passed.insert(client_id);
                }
            }
            if page.events.len() < PAGE {
                break;
            }
            cursor = Some(page.cursor);
        }
        broken.extend(heads.keys().filter(|client_id| !passed.contains(*client_id)).cloned());
        for client_id in last.keys().filter(|client_id| !heads.contains_key(*client_id)) {
            // It may have been made a moment ago. What cannot be opened has been named already.
            if let Ok(None) = self.load(client_id).await {
                discrepancies.push(Discrepancy {
                    client_id: Some(client_id.clone()),
                    what: DiscrepancyKind::NoRecord,
                });
            }
        }
        discrepancies.extend(
            broken.into_iter().map(|id| Discrepancy { client_id: Some(id), what: DiscrepancyKind::Feed }),
        );
        discrepancies.extend(
            nobodys.map(|error| Discrepancy { client_id: None, what: DiscrepancyKind::Unreadable(error) }),
        );
        Ok(())
    }
}

/// What one reading of all records came to.
#[derive(Default)]
struct Sweep {
    clients: u64,
    events: u64,
    discrepancies: Vec<Discrepancy>,
    strays: BTreeSet<Stray>,
    heads: HashMap<ClientId, EventHash>,
    by_seller: BTreeMap<SellerId, BTreeSet<ClientId>>,
    by_key: BTreeMap<KeyId, BTreeSet<ClientId>>,
    endings: BTreeSet<Ending>,
    /// The latest change of any client: whatever the clock says, it is no earlier than this.
    latest: Option<Timestamp>,
    uses: Vec<Use>,
}

/// A client, by what kind of thing it is found or not, whether it is, and by which one.
type Stray = (ClientId, Lookup, bool, String);

impl Sweep {
    fn fault(&mut self, client_id: &ClientId, what: DiscrepancyKind) {
        self.discrepancies.push(Discrepancy { client_id: Some(client_id.clone()), what });
    }
}

/// Notes in what two lists differ.
fn compare<T: Ord + fmt::Debug>(
    strays: &mut BTreeSet<Stray>,
    lookup: Lookup,
    expected: &BTreeSet<T>,
    found: &BTreeSet<T>,
    whose: impl Fn(&T) -> ClientId,
) {
    let stray = |one: &T, is_found| (whose(one), lookup, is_found, format!("{one:?}"));
    strays.extend(expected.difference(found).map(|one| stray(one, false)));
    strays.extend(found.difference(expected).map(|one| stray(one, true)));
}

/// The last of a page, which has to come after the last of the page before: a store may not lead in circles.
fn ascending<T: PartialOrd>(last: Option<T>, before: Option<&T>) -> Result<Option<T>, StoreError> {
    match (&last, before) {
        (Some(last), Some(before)) if last <= before => {
            Err(StoreError::with_source(StoreErrorKind::Corrupt, "a list does not go on"))
        }
        _ => Ok(last),
    }
}

/// The answer, unless there is none because something cannot be read, which is a fault of its own.
fn unless_unreadable<T>(
    answer: Result<T, StoreError>,
    discrepancies: &mut Vec<Discrepancy>,
) -> Result<Option<T>, StoreError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) => {
            discrepancies
                .push(Discrepancy { client_id: None, what: DiscrepancyKind::Unreadable(readable(error)?) });
            Ok(None)
        }
    }
}

/// An error that is about what was read. That nothing could be read is the caller's.
fn readable(error: StoreError) -> Result<StoreError, StoreError> {
    match error.kind() {
        StoreErrorKind::Unavailable | StoreErrorKind::InDoubt | StoreErrorKind::Misconfigured => Err(error),
        _ => Ok(error),
    }
}

/// How much is read at once.
const PAGE: usize = 1000;
/// How often a client is read again that others change in between.
const ATTEMPTS: usize = 16;
