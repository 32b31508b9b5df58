//! A disk that can lose power, for stores that keep files.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A directory on a disk that can lose power: in memory, with the promises of POSIX and no others.
///
/// A store that keeps its files through a few functions of its own can be tried with a `Disk` in their place. What was written
/// and not [flushed](Self::flush) is gone after the power was [cut](Self::cut_power); a file that was made, renamed or removed
/// is what it was before, unless the [directory was flushed](Self::flush_directory); and where a flush
/// [fails](Self::fail_flush), what it should have written is never written, and the next flush knows nothing of it, as on
/// Linux. A copy of the files of a running program shows none of this: it has what was not flushed, too.
///
/// Clones are the same disk. `examples/custom_store.rs` shows a store on it.
///
/// ```
/// use client_registry::conformance::Disk;
///
/// let disk = Disk::new();
/// disk.write("journal.new", b"first")?;
/// disk.flush("journal.new")?;
/// disk.rename("journal.new", "journal")?;
/// disk.flush_directory()?;
/// disk.write("journal", b"second")?;
/// disk.cut_power();
/// assert_eq!(disk.read("journal")?, b"first");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Disk(Arc<Mutex<State>>);

#[derive(Debug, Clone, Default)]
struct State {
    /// Every file that was ever made, by number.
    files: BTreeMap<u64, File>,
    /// The directory as programs see it, and as it is on the disk.
    names: BTreeMap<String, u64>,
    durable_names: BTreeMap<String, u64>,
    /// What was done to the directory and not flushed.
    pending: Vec<Renaming>,
    next: u64,
    /// How many flushes succeed before one fails.
    until_failure: Option<usize>,
}

#[derive(Debug, Clone, Default)]
struct File {
    bytes: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Writing>,
}

#[derive(Debug, Clone)]
enum Writing {
    At(usize, Vec<u8>),
    Len(usize),
}

#[derive(Debug, Clone)]
enum Renaming {
    Enter(String, u64),
    Remove(String),
}

impl Disk {
    /// An empty directory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The names of the files, in the order of their bytes.
    #[must_use]
    pub fn list(&self) -> Vec<String> {
        self.state().names.keys().cloned().collect()
    }

    /// The bytes of a file, flushed or not.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when there is no file of this name, as in all that follows.
    pub fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let mut state = self.state();
        Ok(state.file(name)?.bytes.clone())
    }

    /// Makes a file of these bytes, or empties it first, as `std::fs::write` does.
    ///
    /// # Errors
    /// None: room and rights are there.
    pub fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        if !state.names.contains_key(name) {
            let number = state.next;
            state.next += 1;
            state.files.insert(number, File::default());
            state.rename(Renaming::Enter(name.to_owned(), number));
        }
        let file = state.file(name)?;
        file.write(Writing::Len(0));
        file.write(Writing::At(0, bytes.to_vec()));
        Ok(())
    }

    /// Writes behind the end of a file.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let file = state.file(name)?;
        file.write(Writing::At(file.bytes.len(), bytes.to_vec()));
        Ok(())
    }

    /// Writes into a file, which grows where it is too short.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn write_at(&self, name: &str, offset: usize, bytes: &[u8]) -> io::Result<()> {
        self.state().file(name)?.write(Writing::At(offset, bytes.to_vec()));
        Ok(())
    }

    /// Cuts a file short, or lets it grow by zeros.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn set_len(&self, name: &str, len: usize) -> io::Result<()> {
        self.state().file(name)?.write(Writing::Len(len));
        Ok(())
    }

    /// Gives a file another name, in place of a file that has it.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        let number = state.number(from)?;
        state.rename(Renaming::Enter(to.to_owned(), number));
        if from != to {
            state.rename(Renaming::Remove(from.to_owned()));
        }
        Ok(())
    }

    /// Removes a file.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.number(name)?;
        state.rename(Renaming::Remove(name.to_owned()));
        Ok(())
    }

    /// Writes the bytes of a file through to the disk, as `File::sync_all` does. Its name is the directory's affair.
    ///
    /// # Errors
    /// As [`read`](Self::read), and when the flush [fails](Self::fail_flush).
    pub fn flush(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        let outcome = state.flush();
        let file = state.file(name)?;
        let pending = std::mem::take(&mut file.pending);
        outcome?;
        pending.into_iter().for_each(|writing| writing.apply(&mut file.durable));
        Ok(())
    }

    /// Writes through to the disk which files there are under which names, as `File::sync_all` of a directory does.
    ///
    /// # Errors
    /// When the flush [fails](Self::fail_flush).
    pub fn flush_directory(&self) -> io::Result<()> {
        let mut state = self.state();
        let outcome = state.flush();
        let pending = std::mem::take(&mut state.pending);
        outcome?;
        pending.into_iter().for_each(|renaming| renaming.apply(&mut state.durable_names));
        Ok(())
    }

    /// Cuts the power: what was not flushed is gone.
    pub fn cut_power(&self) {
        self.state().restart(|()| false);
    }

    /// Cuts the power after some of what was not flushed came to the disk all the same, in whatever order: by `seed`.
    pub fn cut_power_in_part(&self, seed: u64) {
        let mut random = seed;
        self.state().restart(|()| {
            // Numerical Recipes' generator: what it draws need not be good.
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            random >> 63 == 1
        });
    }

    /// Lets one flush fail, the one after so many others: none of what it should write is ever written, and the next flush knows
    /// nothing of it. With `usize::MAX`, none fails.
    pub fn fail_flush(&self, after: usize) {
        self.state().until_failure = Some(after).filter(|after| *after < usize::MAX);
    }

    /// Puts everything that is here on another disk, flushed, in place of what is there: a copy that was put back.
    pub fn copy_to(&self, other: &Self) {
        let mut copy = self.state().clone();
        copy.restart(|()| true);
        *other.state() = copy;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn number(&self, name: &str) -> io::Result<u64> {
        self.names.get(name).copied().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, name.to_owned()))
    }

    fn file(&mut self, name: &str) -> io::Result<&mut File> {
        let number = self.number(name)?;
        self.files.get_mut(&number).ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, name.to_owned()))
    }

    fn rename(&mut self, renaming: Renaming) {
        self.pending.push(renaming.clone());
        renaming.apply(&mut self.names);
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.until_failure {
            Some(0) => {
                self.until_failure = None;
                Err(io::Error::other("the disk answered with an error"))
            }
            Some(left) => {
                self.until_failure = Some(left - 1);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// What is there after the power was cut: what is durable, and what comes to the disk of what is pending.
    fn restart(&mut self, mut comes: impl FnMut(()) -> bool) {
        for renaming in std::mem::take(&mut self.pending) {
            if comes(()) {
                renaming.apply(&mut self.durable_names);
            }
        }
        self.names.clone_from(&self.durable_names);
        let linked: BTreeSet<_> = self.names.values().copied().collect();
        self.files.retain(|number, _| linked.contains(number));
        for file in self.files.values_mut() {
            for writing in std::mem::take(&mut file.pending) {
                if comes(()) {
                    writing.apply(&mut file.durable);
                }
            }
            file.bytes.clone_from(&file.durable);
        }
        self.until_failure = None;
    }
}

impl File {
    fn write(&mut self, writing: Writing) {
        self.pending.push(writing.clone());
        writing.apply(&mut self.bytes);
    }
}

impl Writing {
    fn apply(self, bytes: &mut Vec<u8>) {
        match self {
            Self::Len(len) => bytes.resize(len, 0),
            Self::At(offset, written) => {
                let end = offset.saturating_add(written.len());
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                if let Some(place) = bytes.get_mut(offset..end) {
                    place.copy_from_slice(&written);
                }
            }
        }
    }
}

impl Renaming {
    fn apply(self, names: &mut BTreeMap<String, u64>) {
        match self {
            Self::Enter(name, number) => drop(names.insert(name, number)),
            Self::Remove(name) => drop(names.remove(&name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_flushed_is_gone() {
        let disk = Disk::new();
        disk.write("a", b"first").unwrap();
        disk.flush("a").unwrap();
        // Its bytes are there, and nobody finds them.
        let other = Disk::new();
        disk.copy_to(&other);
        disk.cut_power();
        assert_eq!(disk.read("a").unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(other.read("a").unwrap(), b"first");

        disk.write("a", b"first").unwrap();
        disk.flush_directory().unwrap();
        // Its name is there, and nothing in it.
        disk.cut_power();
        assert_eq!(disk.read("a").unwrap(), b"");

        disk.write("a", b"first").unwrap();
        disk.flush("a").unwrap();
        disk.append("a", b" and more").unwrap();
        disk.set_len("a", 7).unwrap();
        disk.write_at("a", 0, b"FIRST").unwrap();
        assert_eq!(disk.read("a").unwrap(), b"FIRST a");
        disk.cut_power();
        assert_eq!(disk.read("a").unwrap(), b"first");
    }

    #[test]
    fn a_rename_is_durable_with_the_directory() {
        let disk = Disk::new();
        disk.write("a", b"old").unwrap();
        disk.flush("a").unwrap();
        disk.flush_directory().unwrap();
        disk.write("b", b"new").unwrap();
        disk.flush("b").unwrap();
        disk.rename("b", "a").unwrap();
        disk.cut_power();
        assert_eq!((disk.read("a").unwrap().as_slice(), disk.list()), (&b"old"[..], vec!["a".to_owned()]));
        disk.write("b", b"new").unwrap();
        disk.flush("b").unwrap();
        disk.rename("b", "a").unwrap();
        disk.flush_directory().unwrap();
        disk.remove("a").unwrap();
        disk.cut_power();
        assert_eq!(disk.read("a").unwrap(), b"new");
    }

    #[test]
    fn what_a_failed_flush_should_have_written_is_never_written() {
        let disk = Disk::new();
        disk.write("a", b"old").unwrap();
        disk.flush("a").unwrap();
        disk.flush_directory().unwrap();
        disk.fail_flush(1);
        disk.write("a", b"new").unwrap();
        disk.flush_directory().unwrap();
        assert!(disk.flush("a").is_err());
        disk.flush("a").unwrap();
        assert_eq!(disk.read("a").unwrap(), b"new");
        disk.cut_power();
        assert_eq!(disk.read("a").unwrap(), b"old");
    }

    #[test]
    fn part_of_what_was_not_flushed_may_be_there() {
        let mut seen = BTreeSet::new();
        for seed in 0..64_u64 {
            let disk = Disk::new();
            disk.write("a", b"....").unwrap();
            disk.flush("a").unwrap();
            disk.flush_directory().unwrap();
            disk.write_at("a", 0, b"1").unwrap();
            disk.write_at("a", 3, b"2").unwrap();
            disk.cut_power_in_part(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            seen.insert(disk.read("a").unwrap());
        }
        let all: BTreeSet<_> = [b"....", b"1...", b"...2", b"1..2"].map(|bytes| bytes.to_vec()).into();
        assert_eq!(seen, all);
    }
}
