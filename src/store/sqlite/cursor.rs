//! Cursors of the feed: which file, how far, and the commit of the event there.
//!
//! A copy that was put back and went on has other commits at the same positions, so that a reader with a cursor
//! from before gets an error, and never goes on in the middle of something else.

use data_encoding::HEXLOWER;

use crate::store::{CommitId, Cursor};

/// Where a reader is.
pub(super) struct Place {
    pub(super) feed_id: [u8; 16],
    /// The last event that was read, by its position and its commit; none at the start.
    pub(super) event: Option<(i64, CommitId)>,
}

impl Place {
    pub(super) fn start(feed_id: [u8; 16]) -> Self {
        Self { feed_id, event: None }
    }

    /// The place that a cursor means, if it is one that was made here.
    pub(super) fn of(cursor: &Cursor) -> Option<Self> {
        let mut pieces = cursor.as_str().split(':');
        let (feed_id, position, commit_id) = (pieces.next()?, pieces.next()?, pieces.next()?);
        let event = match (position.parse().ok()?, commit_id) {
            (0, "") => None,
            (position, commit_id) => Some((position, CommitId::from_bytes(decode(commit_id)?))),
        };
        let place = Self { feed_id: decode(feed_id)?, event };
        // One spelling each.
        (place.cursor() == *cursor).then_some(place)
    }

    pub(super) fn cursor(&self) -> Cursor {
        let feed_id = HEXLOWER.encode(&self.feed_id);
        Cursor::new(match self.event {
            None => format!("{feed_id}:0:"),
            Some((position, commit_id)) => {
                format!("{feed_id}:{position}:{}", HEXLOWER.encode(commit_id.as_bytes()))
            }
        })
    }
}

/// The last position that an event can have. A file with as many would have filled every disk long before.
pub(super) const LAST_POSITION: i64 = 1 << 62;

fn decode(text: &str) -> Option<[u8; 16]> {
    HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_place() {
        for event in [None, Some((1, [7; 16])), Some((i64::MAX, [0xfe; 16]))] {
            let event = event.map(|(position, id)| (position, CommitId::from_bytes(id)));
            let cursor = Place { feed_id: [3; 16], event }.cursor();
            let place = Place::of(&cursor).unwrap();
            assert_eq!((place.feed_id, place.event), ([3; 16], event));
        }
    }

    #[test]
    fn what_was_not_made_here_is_no_cursor() {
        let ours = Place { feed_id: [3; 16], event: Some((12, CommitId::from_bytes([7; 16]))) }.cursor();
        let ours = ours.as_str();
        let (head, tail) = (&ours[..33], &ours[35..]);
        for text in [
            String::new(),
            ":".into(),
            "::".into(),
            "1".into(),
            ours.to_uppercase() + "",
            format!("{ours}:"),
            format!("{head}+12{tail}"),
            format!("{head}012{tail}"),
            format!("{head}99999999999999999999{tail}"),
            format!("{head}12"),
            format!("{head}12:"),
            format!("é{ours}"),
        ]
        .iter()
        .filter(|text| *text != ours)
        {
            assert!(Place::of(&Cursor::new(text.clone())).is_none(), "{text}");
        }
    }
}
