//! The trips, as the messages of the platform tell them. The latest messages are kept, in a file if one is configured: one line of JSON
//! each, which is on the disk before the message is acknowledged.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::NaiveDate;
use client_registry::Timestamp;
use serde::{Deserialize, Serialize};

use crate::events::Event;

/// A trip, as a message about it says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Trip {
    /// The platform's name for it, which stays the same.
    pub(crate) trip: String,
    #[serde(default, rename = "where")]
    pub(crate) place: String,
    #[serde(default)]
    pub(crate) from: Option<NaiveDate>,
    #[serde(default)]
    pub(crate) until: Option<NaiveDate>,
    #[serde(skip)]
    pub(crate) is_cancelled: bool,
}

impl Trip {
    /// Returns its days in words: `2 April 2026 to 6 April 2026`.
    pub(crate) fn days(&self) -> String {
        let day = |date: NaiveDate| date.format("%-d %B %Y").to_string();
        match (self.from, self.until) {
            (Some(from), Some(until)) if from != until => format!("{} to {}", day(from), day(until)),
            (Some(one), _) | (None, Some(one)) => day(one),
            (None, None) => "no dates yet".to_owned(),
        }
    }
}

/// A message that was verified, with what is known of its coming.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Received {
    /// The ID of the message. It stays the same when the message is sent again.
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    /// The client secret that verified it: `primary` or `secondary`.
    pub(crate) verified_by: String,
    pub(crate) event: Event,
}

/// The latest messages.
#[derive(Debug)]
pub(crate) struct Trips {
    kept: Mutex<Kept>,
    accepted: AtomicU64,
    refused: AtomicU64,
}

#[derive(Debug)]
struct Kept {
    latest: VecDeque<Received>,
    file: Option<PathBuf>,
    /// How many lines the file has.
    lines: usize,
}

impl Trips {
    /// Reads what was kept. A last line that was cut off, by a power cut, say, was never acknowledged and is dropped.
    pub(crate) fn open(file: Option<PathBuf>) -> io::Result<Self> {
        let text = match &file {
            Some(file) => match fs::read_to_string(file) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
                text => text?,
            },
            None => String::new(),
        };
        let mut latest: VecDeque<Received> =
            text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        latest.drain(..latest.len().saturating_sub(MOST));
        let mut kept = Kept { latest, file, lines: 0 };
        kept.write_anew()?;
        Ok(Self { kept: Mutex::new(kept), accepted: AtomicU64::new(0), refused: AtomicU64::new(0) })
    }

    /// Keeps a message, once: one that was sent again, after a restart of the add-in too, changes nothing.
    pub(crate) fn keep(&self, received: Received) -> io::Result<()> {
        let mut kept = self.kept();
        if !kept.latest.iter().any(|before| before.id == received.id) {
            kept.add(received)?;
        }
        self.accepted.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) fn count_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns how many messages were accepted, and how many refused, since the start.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.accepted.load(Ordering::Relaxed), self.refused.load(Ordering::Relaxed))
    }

    /// Returns the latest messages, the newest first.
    pub(crate) fn latest(&self, most: usize) -> Vec<Received> {
        self.kept().latest.iter().rev().take(most).cloned().collect()
    }

    /// Returns the trips by date.
    pub(crate) fn trips(&self) -> Vec<Trip> {
        let mut trips = BTreeMap::new();
        for received in &self.kept().latest {
            let Some(data) = &received.event.data else { continue };
            let trip: &mut Trip = trips.entry(data.trip.clone()).or_insert_with(|| data.clone());
            trip.is_cancelled = received.event.kind == "trip.cancelled";
            if !data.place.is_empty() {
                trip.place.clone_from(&data.place);
            }
            (trip.from, trip.until) = (data.from.or(trip.from), data.until.or(trip.until));
        }
        let mut trips: Vec<_> = trips.into_values().collect();
        trips.sort_by_key(|trip| trip.from);
        trips
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn add(&mut self, received: Received) -> io::Result<()> {
        if self.lines >= 2 * MOST {
            self.write_anew()?;
        }
        if let Some(file) = &self.file {
            let mut file = OpenOptions::new().append(true).open(file)?;
            let before = file.metadata()?.len();
            if let Err(error) = file.write_all(&line(&received)?).and_then(|()| file.sync_data()) {
                file.set_len(before)?; // so that the next line does not continue this one
                return Err(error);
            }
            self.lines += 1;
        }
        self.latest.push_back(received);
        if self.latest.len() > MOST {
            self.latest.pop_front();
        }
        Ok(())
    }

    /// Writes the file with what is kept, and nothing else.
    fn write_anew(&mut self) -> io::Result<()> {
        let Some(path) = &self.file else { return Ok(()) };
        let beside = path.with_extension("new");
        let mut file = File::create(&beside)?;
        for received in &self.latest {
            file.write_all(&line(received)?)?;
        }
        file.sync_all()?;
        fs::rename(&beside, path)?;
        if let Some(folder) = path.parent().filter(|folder| *folder != Path::new("")) {
            File::open(folder)?.sync_all()?;
        }
        self.lines = self.latest.len();
        Ok(())
    }
}

fn line(received: &Received) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(received)?;
    line.push(b'\n');
    Ok(line)
}

/// How many messages are kept.
const MOST: usize = 500;
