//! The feed and its cursors: a number, the mark of the place, and the tag of the event that has the number.

use client_registry::store::{Changes, Cursor, StoreError, StoreErrorKind};

use super::{Books, Plain, decode};
use crate::conformance::faults::Fault;

impl Plain {
    fn cursor(&self, books: &Books, number: u64) -> Cursor {
        Cursor::new(format!("{}:{number}:{}", self.mark(books), self.tag(books, number)))
    }

    /// The number of a cursor that was made here, for the event that has it now.
    fn number(&self, books: &Books, cursor: &Cursor) -> Option<u64> {
        let mut parts = cursor.as_str().split(':');
        let mark: u64 = parts.next()?.parse().ok()?;
        let number: u64 = parts.next()?.parse().ok()?;
        let tag: u64 = parts.next()?.parse().ok()?;
        let is_there = number <= books.numbered || self.fault == Fault::BeyondTheEndIsTheEnd;
        (mark == self.mark(books) && tag == self.tag(books, number) && is_there).then_some(number)
    }

    fn tag(&self, books: &Books, number: u64) -> u64 {
        let has_none = matches!(
            self.fault,
            Fault::CursorsAreNumbers
                | Fault::CursorsHaveNoMark
                | Fault::BeyondTheEndIsTheEnd
                | Fault::NumbersBeforehand
                | Fault::HidesBehindSlowWriters
                | Fault::NumbersAreTimes
                | Fault::FeedIsByInstant
        );
        if has_none { 0 } else { books.tags.get(&number).copied().unwrap_or_default() }
    }

    fn mark(&self, books: &Books) -> u64 {
        match self.fault {
            Fault::CursorsDieInACrash => self.opened,
            Fault::CursorsHaveNoMark => 0,
            _ => books.mark,
        }
    }

    pub(super) async fn news(&self, after: Option<&Cursor>, limit: usize) -> Result<Changes, StoreError> {
        let _turn = self.begin(Fault::DroppedChangesHolds).await?;
        self.pause(1).await;
        let books = self.view(Fault::FeedFromMemory);
        let lost = || StoreError::new(StoreErrorKind::CursorLost);
        let start: u64 = match after.map(|cursor| self.number(&books, cursor)) {
            None => 0,
            Some(number) if self.fault == Fault::UnknownCursorsBegin => number.unwrap_or(0),
            Some(number) => number.ok_or_else(lost)?,
        };
        let horizon = match self.fault {
            Fault::HidesBehindSlowWriters => books.under_way.first().copied().unwrap_or(u64::MAX),
            _ => u64::MAX,
        };
        let mut later: Vec<_> =
            books.feed.iter().filter(|(number, _)| *number > start && *number < horizon).collect();
        later.sort_by_key(|(number, _)| *number);
        let limit = self.page(limit);
        later.truncate(limit);
        if self.fault == Fault::PlaceAndLimitOverflow {
            let last = start.wrapping_add(limit as u64);
            later.retain(|(number, _)| *number <= last);
        }
        let end = later.last().map_or(start, |(number, _)| *number);
        let end = if self.fault == Fault::FeedRepeats && end > 3 { end - 1 } else { end };
        let events = later.into_iter().map(|(_, event)| decode(event));
        let events = match self.fault {
            Fault::CorruptIsAbsent => events.filter_map(Result::ok).collect(),
            _ => events.collect::<Result<Vec<_>, _>>()?,
        };
        Ok(Changes { events, cursor: self.cursor(&books, end) })
    }

    pub(super) async fn end_of_news(&self) -> Result<Cursor, StoreError> {
        let _turn = self.begin(Fault::DroppedLatestHolds).await?;
        self.pause(1).await;
        let books = self.view(Fault::LatestFromMemory);
        let end = match self.fault {
            Fault::LatestIsTheFirst => 0,
            // Drawn, and perhaps not yet written.
            Fault::NumbersBeforehand | Fault::HidesBehindSlowWriters => books.numbered,
            _ => books.feed.iter().map(|(number, _)| *number).max().unwrap_or(0),
        };
        Ok(self.cursor(&books, end))
    }
}
