//! What becomes of the books when a change is written: records, indexes, trails, and the feed.

use client_registry::store::{CommitId, EventText, Record};
use client_registry::{Event, SecretId};

use super::{Books, Stretch, Write, cut, decode, next_number};
use crate::conformance::faults::Fault;

impl Books {
    /// Gives out numbers for events that are yet to be written.
    pub(super) fn draw(&mut self, all: &[Write<'_>]) -> u64 {
        let first = self.numbered + 1;
        self.numbered +=
            all.iter().flat_map(|write| &write.history).map(|c| c.events.len() as u64).sum::<u64>();
        self.under_way.insert(first);
        first
    }

    pub(super) fn write(&mut self, all: &[Write<'_>], fault: Fault) {
        self.write_numbered(all, fault, None);
    }

    pub(super) fn write_numbered(&mut self, all: &[Write<'_>], fault: Fault, numbers: Option<u64>) {
        for write in all {
            let id = write.record.id();
            let mut bytes = write.record.to_bytes().unwrap();
            match fault {
                Fault::JsonIsWrittenAnew => bytes = rewritten(write.record),
                Fault::LongIsCutShort => bytes.truncate(60_000),
                _ => {}
            }
            self.records.insert(id.as_str().to_owned(), bytes);
            let Some(client_id) = id.client_id() else { continue };
            let mut index = write.index.clone();
            match fault {
                Fault::AdoptingKeepsOnlyEnds if write.is_adopted => {
                    index.ends.retain(|(_, at)| at.is_some());
                }
                Fault::AdoptsAHundredEntries if write.is_adopted => {
                    index.add_ins.truncate(100);
                    index.ends.truncate(100);
                }
                _ => {}
            }
            if let Some(before) = self.indexes.get(&client_id) {
                match fault {
                    Fault::NamesKeepTheirSeller => {
                        if let (Some(now), Some(before)) = (&mut index.name, &before.name)
                            && now.1 == before.1
                        {
                            now.0 = before.0.clone();
                        }
                    }
                    Fault::AddInsAreMerged => index.add_ins.extend(before.add_ins.clone()),
                    Fault::EndsAreMerged => index.ends.extend(before.ends.clone()),
                    Fault::KeyIsNotMoved => index.key_id = before.key_id.clone(),
                    Fault::ResealingKeepsOnlyEnds if write.history.is_empty() => {
                        index.ends.retain(|(_, at)| at.is_some());
                    }
                    _ => {}
                }
            }
            if fault == Fault::HistoryGoesWithTheClient && index.name.is_none() {
                self.trails.remove(&client_id);
            }
            let stays = |secret: &SecretId| match fault {
                Fault::UsesAreForgotten => false,
                Fault::UsesStay => true,
                Fault::UsesGoWithTheEnd => index.ends.iter().any(|(id, at)| id == secret && at.is_some()),
                _ => index.ends.iter().any(|(id, _)| id == secret),
            };
            self.uses.retain(|(client, secret), _| *client != client_id || stays(secret));
            self.indexes.insert(client_id, index);
        }
        self.append(all, fault, numbers);
    }

    pub(super) fn append(&mut self, all: &[Write<'_>], fault: Fault, numbers: Option<u64>) {
        let mut next = numbers.unwrap_or(self.numbered + 1);
        for (position, write) in all.iter().enumerate() {
            let Some(client_id) = write.record.id().client_id() else { continue };
            if write.history.is_empty() && fault == Fault::ResealingIsHistory {
                let (commit_id, revision) = (any_commit_id(), write.record.revision());
                self.trails.entry(client_id).or_default().push(Stretch {
                    commit_id,
                    revision,
                    events: "[]".to_owned(),
                });
                continue;
            }
            if write.history.is_empty() && fault == Fault::ResealingIsNews {
                let again = self.feed.last().cloned();
                self.feed.extend(again.map(|(_, event)| (next, event)));
                next += 1;
            }
            for committed in &write.history {
                let events: Vec<&EventText> = match fault {
                    Fault::HistoryIsOfBoth => all
                        .iter()
                        .flat_map(|write| &write.history)
                        .flat_map(|committed| &committed.events)
                        .collect(),
                    _ => committed.events.iter().collect(),
                };
                let anew: Vec<_> = events.iter().map(|event| respelt(event)).collect();
                let events =
                    if fault == Fault::EventsAreWrittenAnew { anew.iter().collect() } else { events };
                let trail = match fault {
                    Fault::HistoryIdsAreCut => cut(&client_id, 63),
                    _ => client_id.clone(),
                };
                self.trails.entry(trail).or_default().push(Stretch {
                    commit_id: if fault == Fault::HistoryNamesAnother {
                        any_commit_id()
                    } else {
                        committed.commit_id
                    },
                    revision: committed.revision,
                    events: serde_json::to_string(&events).unwrap(),
                });
                if fault == Fault::SecondClientIsNoNews && position > 0 {
                    continue;
                }
                for event in &committed.events {
                    let event = match fault {
                        Fault::FeedIsWrittenAnew => respelt(event),
                        _ => event.clone(),
                    };
                    self.feed.push((next, serde_json::to_string(&event).unwrap()));
                    self.tags.insert(next, next_number());
                    next += 1;
                }
            }
        }
        self.numbered = self.numbered.max(next - 1);
        if fault == Fault::FeedIsByInstant {
            let at = |text: &str| Event::parse(&decode(text).unwrap()).unwrap().at();
            self.feed.sort_by_key(|(_, event)| at(event));
            (1..).zip(&mut self.feed).for_each(|(number, (place, _))| *place = number);
        }
    }
}

/// What a store makes of a body that it takes for a value.
fn rewritten(record: &Record) -> Vec<u8> {
    let mut parts = record.parts().unwrap();
    let body = serde_json::from_str::<serde_json::Value>(parts.body).map(|value| value.to_string());
    let body = body.unwrap_or_else(|_| parts.body.to_owned());
    parts.body = &body;
    Record::from_parts(parts).unwrap().to_bytes().unwrap()
}

/// What a store makes of an event that it takes for a value.
fn respelt(event: &EventText) -> EventText {
    match serde_json::from_slice::<serde_json::Value>(event.as_bytes()) {
        Ok(value) => EventText::from_bytes(value.to_string().into_bytes()),
        Err(_) => event.clone(),
    }
}

fn any_commit_id() -> CommitId {
    serde_json::from_str(&format!("{:?}", [7; 16])).unwrap()
}
