//! The change feed: numbered on reading.
//!
//! A commit leaves a note that it has no place in the feed yet. A reader that finds such notes takes a lock and, in a second
//! statement that sees everything committed before it had the lock, gives each a place at the end. So places come in the
//! order in which they become visible, nothing can appear before a place that a reader has passed, and a commit waits for
//! nobody. A reader looks for notes and at the feed in one statement: if there are none, its answer has everything that was
//! acknowledged before it asked.
//!
//! A cursor says how far a reader has come, with a check over the mark of the numbering that gave out that place, and over
//! where the server stands. A mark is random for each numbering: a database in which the place has the same mark has the same
//! places before it. So a cursor from a future that a restored database has lost is noticed, also when others have written
//! since; and what was restored, or failed over to, knows no older cursor at all, since it stands elsewhere, as far as the
//! server tells. Not noticed is a cluster that is put back as files with the same timeline (a snapshot of the machine), by
//! readers who had not yet come further than the snapshot: they have missed nothing.
//!
//! A role that may write these rows can forge them. New places follow the last place in the feed, whatever `feed_end` says. A
//! reader that finds another number there loses its cursor, and the store logs it. The same goes for a place that numbering
//! cannot have given: one below 1, one beyond [`LAST_PLACE`], one of a commit without a trail. When no places are left, reading
//! fails: a registry's cache expires, and no reader takes the feed for drained.

use data_encoding::HEXLOWER;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::batch::digest;
use super::events::split;
use super::failure::{Failure, store_error};
use super::feed_statements::{BATCH, LAST_PLACE};
use super::rows::up_to;
use super::session::{Boxed, Parameter, Session};
use super::store::PostgresStore;
use crate::event::EventText;
use crate::store::{Changes, Cursor};
use crate::store_error::{StoreError, StoreErrorKind, with_sources};

/// How far a reader has come: into the events of the commit at a position.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Reached {
    position: i64,
    events: usize,
}

/// The answer of one look at the feed.
#[derive(Debug)]
struct Page {
    here: Here,
    /// There are commits without a place.
    is_pending: bool,
    commits: Vec<Numbered>,
}

/// The feed that answered: which one, and where its server stands.
#[derive(Debug)]
struct Here {
    store_id: String,
    place: String,
}

/// A commit with its place.
#[derive(Debug)]
struct Numbered {
    position: i64,
    mark: String,
    /// `None` if the place is of no commit.
    events: Option<Vec<u8>>,
}

impl PostgresStore {
    pub(super) async fn read_changes(
        &self,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Changes, StoreError> {
        let (reached, check) = match after {
            None => (Reached { position: 0, events: 0 }, None),
            Some(cursor) => {
                let (reached, check) = parse(cursor).ok_or_else(|| lost("not a cursor of this store"))?;
                (reached, Some(check))
            }
        };
        let limit = limit.max(1);
        // The commit that was reached comes first; each of the others has an event at least.
        let rows = up_to(limit.saturating_add(1));
        // Without a cursor from the first place on, and from what cannot be one.
        let from = if after.is_some() { reached.position } else { i64::MIN };
        let parameters: [Parameter<'_>; 2] = [(&from, Type::INT8), (&rows, Type::INT8)];
        let is_full = |page: &Page| page.commits.len() > limit;
        let page = self.numbered(&self.inner.feed.page, &parameters, &is_full).await;
        match page.and_then(|page| page.changes(reached, check, limit)) {
            Err(error) if error.kind() == StoreErrorKind::Tampered => {
                tracing::error!(why = with_sources(&error), "the change feed was changed by hand");
                // A reader without a cursor has nothing to lose.
                Err(if after.is_some() { lost(error) } else { error })
            }
            answer => answer,
        }
    }

    pub(super) async fn read_latest(&self) -> Result<Cursor, StoreError> {
        self.numbered(&self.inner.feed.last, &[], &|_| false).await?.end()
    }

    /// Returns a page that has everything that was committed before, or is full.
    fn numbered<'a>(
        &'a self,
        sql: &'a str,
        parameters: &'a [Parameter<'a>],
        is_full: &'a (dyn Fn(&Page) -> bool + Sync),
    ) -> Boxed<'a, Page> {
        Box::pin(self.read_numbered(sql, parameters, is_full))
    }

    async fn read_numbered(
        &self,
        sql: &str,
        parameters: &[Parameter<'_>],
        is_full: &(dyn Fn(&Page) -> bool + Sync),
    ) -> Result<Page, StoreError> {
        let mut is_numbered = false;
        let mut attempts = 0;
        let mut session = self.session().await.map_err(store_error)?;
        loop {
            attempts += 1;
            let looked = session.query(sql, parameters).await.and_then(|rows| page(&rows));
            match looked {
                Ok(page) if is_full(&page) || !page.is_pending || is_numbered => return Ok(page),
                Ok(_) => {
                    is_numbered = self.number(&mut session).await? < BATCH;
                    // What was numbered stays so, and there may be very much of it.
                    session.go_on();
                }
                Err(failure) if failure.is_of_the_connection() && attempts == 1 => {
                    drop(session); // Or it would wait for itself.
                    session = self.session().await.map_err(store_error)?;
                }
                Err(failure) if failure.lost_a_race() && attempts < RACES => {}
                Err(failure) => return Err(store_error(failure)),
            }
        }
    }

    /// Gives places to commits that have none, and returns to how many: to all that were committed before, or to [`BATCH`].
    async fn number(&self, session: &mut Session) -> Result<u64, StoreError> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            match session.run(&self.inner.feed.number).await {
                Ok(said) => {
                    let said = said.unwrap_or_default();
                    let (count, end) = said.split_once(' ').unwrap_or((&said, ""));
                    if end != "as left" {
                        return Err(forged("feed_end did not stand at the last place; it does again"));
                    }
                    return count.parse().map_err(|error| store_error(Failure::senseless(error)));
                }
                Err(failure) if failure.is_out_of_places() => {
                    return Err(forged(
                        "the feed has no places left: rows at its end were not numbered by a node",
                    ));
                }
                Err(failure) if failure.lost_a_race() && attempts < RACES => {}
                Err(failure) => return Err(store_error(failure)),
            }
        }
    }
}

impl Page {
    /// Returns the events after the place that was reached.
    fn changes(self, reached: Reached, check: Option<[u8; 16]>, limit: usize) -> Result<Changes, StoreError> {
        let mut at = reached;
        let mut mark = String::new();
        let mut commits = self.commits.into_iter().peekable();
        let mut skip = reached.events;
        if reached.position > 0 {
            let is_there = commits.peek().filter(|commit| commit.position == reached.position);
            mark = is_there.ok_or_else(|| lost("its place is not there"))?.mark.clone();
        }
        if check.is_some_and(|check| check != self.here.check(reached, &mark)) {
            return Err(lost("it is of another feed, or of another past of this one"));
        }
        let mut taken = Vec::new();
        while taken.len() < limit
            && let Some(commit) = commits.next()
        {
            let all = commit.events()?;
            if skip > all.len() {
                return Err(lost("its place is not there"));
            }
            let count = (all.len() - skip).min(limit - taken.len());
            at = Reached { position: commit.position, events: skip + count };
            mark = commit.mark;
            taken.extend(all.into_iter().skip(skip).take(count));
            skip = 0;
        }
        Ok(Changes { events: taken, cursor: self.here.cursor(at, &mark) })
    }

    /// Returns the cursor behind the last event.
    fn end(&self) -> Result<Cursor, StoreError> {
        let Some(last) = self.commits.last() else {
            return Ok(self.here.cursor(Reached { position: 0, events: 0 }, ""));
        };
        let events = last.events()?.len();
        Ok(self.here.cursor(Reached { position: last.position, events }, &last.mark))
    }
}

impl Numbered {
    /// Returns what the commit did. An error if numbering does not give such a place.
    fn events(&self) -> Result<Vec<EventText>, StoreError> {
        if !(1..=LAST_PLACE).contains(&self.position) {
            return Err(forged("a place that numbering does not give"));
        }
        let bytes = self.events.as_deref().ok_or_else(|| {
            forged("a place of a commit without a trail, or with one that is longer than it can be")
        })?;
        Ok(split(bytes))
    }
}

impl Here {
    fn cursor(&self, reached: Reached, mark: &str) -> Cursor {
        let check = HEXLOWER.encode(&self.check(reached, mark));
        Cursor::new(format!("{FORMAT}.{}.{}.{check}", reached.position, reached.events))
    }

    /// Returns the check of a cursor, which proves that this feed gave it out.
    fn check(&self, reached: Reached, mark: &str) -> [u8; 16] {
        let numbers = format!("{}.{}", reached.position, reached.events);
        digest([LABEL, &self.store_id, &self.place, mark, &numbers])
    }
}

fn parse(cursor: &Cursor) -> Option<(Reached, [u8; 16])> {
    let mut parts = cursor.as_str().split('.');
    let (format, position, events, check) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if format != FORMAT || parts.next().is_some() {
        return None;
    }
    let reached = Reached { position: position.parse().ok()?, events: events.parse().ok()? };
    let check = HEXLOWER.decode(check.as_bytes()).ok()?;
    Some((reached, check.try_into().ok()?)).filter(|(reached, _)| reached.position >= 0)
}

fn page(rows: &[Row]) -> Result<Page, Failure> {
    fn column<'a, T: tokio_postgres::types::FromSql<'a>>(
        row: &'a Row,
        position: usize,
    ) -> Result<T, Failure> {
        row.try_get(position).map_err(|source| Failure::unreadable("feed", source))
    }
    let first = rows.first().ok_or_else(|| Failure::unreadable("meta", "the table is empty"))?;
    let here = Here { store_id: column(first, 0)?, place: column(first, 1)? };
    let mut commits = Vec::with_capacity(rows.len());
    for row in rows {
        let Some(position) = column(row, 3)? else { continue };
        commits.push(Numbered { position, mark: column(row, 4)?, events: column(row, 5)? });
    }
    Ok(Page { here, is_pending: column(first, 2)?, commits })
}

fn lost(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::with_source(StoreErrorKind::CursorLost, why)
}

fn forged(why: &'static str) -> StoreError {
    StoreError::with_source(StoreErrorKind::Tampered, why)
}

const FORMAT: &str = "1";
const LABEL: &str = "client-registry/cursor/1";
/// The number of attempts, when other statements win.
const RACES: usize = 10;
