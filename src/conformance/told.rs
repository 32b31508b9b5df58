//! Checks that a feed or a history has what was written: each event once, and the events of each client in order.

use std::collections::BTreeMap;

use crate::conformance::picture::per_client;
use crate::conformance::stop::{Checked, Stop};
use crate::event::{Event, EventText};

/// Fails with the first event that is missing, is there twice, was never written, or comes before one that was written earlier.
pub(super) fn is_told(what: &str, read: &[EventText], written: &[EventText]) -> Checked {
    let (have, want) = (counts(read), counts(written));
    let count = |of: &BTreeMap<&EventText, usize>, event| of.get(event).copied().unwrap_or_default();
    let found = |how: &str, event: &EventText| {
        Err(Stop::failed(format!(
            "{what}: {} is {how} ({} events where {} were written)",
            named(event),
            read.len(),
            written.len()
        )))
    };
    for event in read {
        let (have, want) = (count(&have, event), count(&want, event));
        if want == 0 {
            return found("unexpected", event);
        }
        if have > want {
            return found("there twice", event);
        }
    }
    for event in written {
        if count(&have, event) < count(&want, event) {
            return found("missing", event);
        }
    }
    let (read_trails, written_trails) = (per_client(read.to_vec()), per_client(written.to_vec()));
    for (id, trail) in &written_trails {
        let read = read_trails.get(id).map(Vec::as_slice).unwrap_or_default();
        if let Some((early, late)) = read.iter().zip(trail).find(|(read, written)| read != written) {
            return Err(Stop::failed(format!(
                "{what}: {} comes before {}, which was written earlier",
                named(early),
                named(late)
            )));
        }
    }
    Ok(())
}

fn counts(events: &[EventText]) -> BTreeMap<&EventText, usize> {
    let mut counts = BTreeMap::new();
    for event in events {
        *counts.entry(event).or_default() += 1;
    }
    counts
}

/// A short name for an event.
fn named(event: &EventText) -> String {
    let Ok(parsed) = Event::parse(event) else { return format!("{event:?}") };
    let fact = format!("{:?}", parsed.fact());
    let what = fact.split([' ', '{', '(']).next().unwrap_or_default();
    format!("`{what}` at revision {} of client {}", parsed.revision(), parsed.client_id())
}
