//! Batches over a writer of their own, with work that fails in every way.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, thread};

use super::*;
use crate::store::sqlite::identity::beside;
use crate::store::sqlite::options::Settings;
use crate::store::sqlite::{file, lineage};

/// A writer in a directory of its own, and what was made.
struct Place {
    directory: PathBuf,
    writer: Option<Writer>,
    runs: Arc<AtomicUsize>,
}

impl Place {
    fn new(name: &str, busy_timeout: Duration) -> Self {
        let directory = format!("client-registry-batch-{name}-{}", std::process::id());
        let directory = std::env::temp_dir().join(directory);
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir(&directory).unwrap();
        let path = directory.join("registry.db");
        file::prepare(&path).unwrap();
        let settings = Settings { busy_timeout, max_size: None };
        let writer = Writer::open(&path, settings, Arc::default()).unwrap();
        let mut place = Self { directory, writer: Some(writer), runs: Arc::default() };
        // After the first change the log does not start over.
        place.make(vec![Box::new(|connection| lineage::step(connection).map_err(Into::into))]);
        place
    }

    fn path(&self) -> PathBuf {
        self.directory.join("registry.db")
    }

    /// Makes changes until all of them are answered. How many transactions that took, and the answers.
    fn make(&mut self, works: Vec<Work>) -> (usize, Vec<Answer>) {
        let given: Vec<_> =
            works.into_iter().map(|work| Change::given_now(Sharing::Together, work)).collect();
        let (changes, mut answered): (Vec<_>, Vec<_>) = given.into_iter().unzip();
        let (path, writer) = (self.path(), self.writer.as_mut().unwrap());
        let before = commits(&path);
        let again = make(writer, changes);
        assert!(again.iter().all(|change| !change.shares()));
        for change in again {
            assert!(make(writer, vec![change]).is_empty());
        }
        let made = commits(&self.path()).saturating_sub(before);
        let answers = answered.iter_mut().map(|answer| answer.try_recv().unwrap().expect("no answer"));
        (made, answers.collect())
    }

    /// Inserts this add-in.
    fn insert(&self, add_in: &'static str) -> Work {
        let runs = self.runs.clone();
        Box::new(move |connection| {
            runs.fetch_add(1, Ordering::Relaxed);
            connection.execute("INSERT INTO add_in VALUES (?1, 'calendar')", [add_in])?;
            Ok(())
        })
    }

    fn add_ins(&self) -> Vec<String> {
        let engine = Connection::open(self.path()).unwrap();
        let mut add_ins = engine.prepare("SELECT add_in FROM add_in ORDER BY add_in").unwrap();
        let add_ins = add_ins.query_map([], |row| row.get(0)).unwrap();
        add_ins.collect::<Result<_, _>>().unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(self.writer.take());
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// How many commits the log has, none of which has been copied: the frames that say how long the file is then.
fn commits(path: &Path) -> usize {
    let log = fs::read(beside(path, "-wal")).unwrap();
    let (header, frames) = log.split_at_checked(32).unwrap_or_default();
    let of_this_log = frames.chunks_exact(24 + 4_096).filter(|frame| frame[8..16] == header[16..24]);
    of_this_log.filter(|frame| frame[4..8] != [0; 4]).count()
}

fn conflict() -> Work {
    Box::new(|_| Err(CommitError::Conflict { record_id: "calendar".into(), found: None }))
}

#[test]
fn changes_that_wait_together_share_one_flush() {
    let mut place = Place::new("shared", Duration::from_secs(5));
    let (made, answers) = place.make(["a", "b", "c"].map(|add_in| place.insert(add_in)).into());
    assert_eq!(made, 1);
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(place.add_ins(), ["a", "b", "c"]);
}

#[test]
fn a_conflict_in_the_middle_of_a_batch_leaves_the_others_intact() {
    let mut place = Place::new("conflict", Duration::from_secs(5));
    let (made, answers) = place.make(vec![place.insert("a"), conflict(), place.insert("b")]);
    assert_eq!(made, 1);
    assert!(matches!(answers[..], [Ok(()), Err(CommitError::Conflict { .. }), Ok(())]), "{answers:?}");
    assert_eq!(place.add_ins(), ["a", "b"]);
    // Where all are refused, there is nothing to flush.
    let (made, answers) = place.make(vec![conflict(), conflict()]);
    assert_eq!(made, 0);
    assert!(answers.iter().all(|answer| matches!(answer, Err(CommitError::Conflict { .. }))));
}

/// It has inserted a row before it fails.
#[test]
fn a_change_that_fails_half_way_is_undone_and_the_others_are_made() {
    let mut place = Place::new("half-way", Duration::from_secs(5));
    let half = place.insert("half");
    let fails: Work = Box::new(move |connection| {
        half(connection)?;
        connection.execute("INSERT INTO add_in VALUES (NULL, NULL)", [])?;
        Ok(())
    });
    let works = vec![place.insert("a"), fails, place.insert("b"), place.insert("a")];
    let (made, answers) = place.make(works);
    assert_eq!(made, 2, "each of the others by itself");
    let not_written = |answer: &Answer| matches!(answer, Err(CommitError::NotWritten(_)));
    assert!(matches!(answers[..], [Ok(()), _, Ok(()), _]), "{answers:?}");
    assert!(not_written(&answers[1]) && not_written(&answers[3]), "{answers:?}");
    assert_eq!(place.add_ins(), ["a", "b"]);
}

#[test]
fn a_refusal_that_has_written_something_leaves_nothing_of_it() {
    let mut place = Place::new("refused-late", Duration::from_secs(5));
    let (half, conflict) = (place.insert("half"), conflict());
    let late: Work = Box::new(move |connection| half(connection).and_then(|()| conflict(connection)));
    let (made, answers) = place.make(vec![place.insert("a"), late, place.insert("b")]);
    assert_eq!(made, 2);
    assert!(matches!(answers[..], [Ok(()), Err(CommitError::Conflict { .. }), Ok(())]), "{answers:?}");
    assert_eq!(place.add_ins(), ["a", "b"]);
}

/// The engine rolls all of it back by itself: whatever the others have been told, it has to be true.
#[test]
fn an_error_that_ends_the_whole_transaction_costs_the_others_nothing() {
    let mut place = Place::new("ended", Duration::from_secs(5));
    let ends: Work = Box::new(|connection| {
        connection.execute_batch("ROLLBACK")?;
        connection.execute("INSERT INTO add_in VALUES ('outside', NULL)", [])?;
        Ok(())
    });
    let (made, answers) = place.make(vec![place.insert("a"), ends, place.insert("b")]);
    assert_eq!(made, 2);
    assert!(matches!(answers[..], [Ok(()), Err(CommitError::NotWritten(_)), Ok(())]), "{answers:?}");
    assert_eq!(place.add_ins(), ["a", "b"]);
}

/// What was committed into a log that is gone is not said to be written, nor not to be; and a conflict may have been one with
/// another change of the batch.
#[test]
fn where_the_outcome_is_unknown_it_is_so_for_the_whole_batch() {
    let mut place = Place::new("unknown", Duration::from_secs(5));
    let (_, answers) = place.make(vec![place.insert("before")]);
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let log = beside(&place.path(), "-wal");
    let (from, elsewhere) = (log.clone(), place.directory.join("elsewhere"));
    let moves: Work = {
        let elsewhere = elsewhere.clone();
        Box::new(move |_| {
            fs::rename(&from, &elsewhere).unwrap();
            Ok(())
        })
    };
    let given = [place.insert("a"), conflict(), moves, place.insert("b")];
    let given = given.map(|work| Change::given_now(Sharing::Together, work));
    let (changes, answered): (Vec<_>, Vec<_>) = given.into_iter().unzip();
    assert!(make(place.writer.as_mut().unwrap(), changes).is_empty());
    for mut answer in answered {
        let answer = answer.try_recv().unwrap().unwrap();
        assert!(matches!(answer, Err(CommitError::Failed(_))), "{answer:?}");
    }
    fs::rename(elsewhere, log).unwrap();
}

#[test]
fn a_change_whose_caller_has_gone_is_skipped_also_while_its_batch_is_made() {
    let mut place = Place::new("gone", Duration::from_secs(5));
    let (first, gone) = Change::given_now(Sharing::Together, place.insert("gone"));
    drop(gone);
    let (third, goes) = Change::given_now(Sharing::Together, place.insert("goes"));
    let goes = std::sync::Mutex::new(Some(goes));
    let work: Work = Box::new(move |connection| {
        goes.lock().unwrap().take();
        connection.execute("INSERT INTO add_in VALUES ('stays', 'calendar')", [])?;
        Ok(())
    });
    let (second, _answered) = Change::given_now(Sharing::Together, place.insert("a"));
    let (leaves, _answered_too) = Change::given_now(Sharing::Together, work);
    let again = make(place.writer.as_mut().unwrap(), vec![first, second, leaves, third]);
    drop(again);
    assert!(!place.add_ins().iter().any(|add_in| add_in == "gone" || add_in == "goes"));
    assert_eq!(place.runs.load(Ordering::Relaxed), 1);
}

#[test]
fn a_change_whose_deadline_passes_while_its_batch_is_made_is_skipped() {
    let patience = Duration::from_millis(200);
    let mut place = Place::new("late", patience);
    let slow: Work = {
        let insert = place.insert("a");
        Box::new(move |connection| {
            insert(connection)?;
            let begun = Stopwatch::start();
            while begun.elapsed() <= patience {
                thread::yield_now();
            }
            Ok(())
        })
    };
    let (made, answers) = place.make(vec![slow, place.insert("b")]);
    assert_eq!(made, 1);
    assert!(matches!(answers[..], [Ok(()), Err(CommitError::NotWritten(_))]), "{answers:?}");
    assert_eq!(place.add_ins(), ["a"]);
}
