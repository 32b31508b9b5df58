//! A disk that can lose power, for stores that keep files.

mod state;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::state::{Renaming, State, Writing};

/// An in-memory directory whose disk can lose power, with the promises of POSIX and no others.
///
/// A store that reaches its files through a few functions of its own can be tested with a `Disk` in place of the file system.
///
/// - Bytes that were written and not [flushed](Self::flush) are gone after the power was [cut](Self::cut_power).
/// - A file that was made, renamed or removed is what it was before, unless the
///   [directory was flushed](Self::flush_directory) since.
/// - What a [failed flush](Self::fail_flush) should have written is not written by the next flush either, as on Linux.
///
/// A copy of the files of a running program shows none of this: it contains what was not flushed, too.
///
/// A `Disk` has no file locks. A store that locks its files keeps the lock for its tests in its
/// [`Factory::Place`](super::Factory::Place), beside the disk.
///
/// Clones are the same disk. `examples/custom_store` shows a store on it.
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

impl Disk {
    /// Creates an empty directory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the names of the files, in the order of their bytes.
    #[must_use]
    pub fn list(&self) -> Vec<String> {
        self.state().directory.seen.keys().cloned().collect()
    }

    /// Returns the bytes of a file, flushed or not.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when there is no file of this name.
    pub fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        Ok(self.state().file(name)?.seen.clone())
    }

    /// Creates a file with these bytes, or replaces the bytes of a file, as `std::fs::write` does.
    ///
    /// # Errors
    /// None: the disk is never full.
    pub fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        state.make(name);
        let file = state.file(name)?;
        file.write(Writing::Len(0));
        file.write(Writing::At(0, bytes.to_vec()));
        Ok(())
    }

    /// Writes at the end of a file.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when there is no file of this name.
    pub fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let file = state.file(name)?;
        file.write(Writing::At(file.seen.len(), bytes.to_vec()));
        Ok(())
    }

    /// Writes at an offset of a file. A gap between its end and the offset is filled with zeros.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when there is no file of this name.
    pub fn write_at(&self, name: &str, offset: usize, bytes: &[u8]) -> io::Result<()> {
        self.state().file(name)?.write(Writing::At(offset, bytes.to_vec()));
        Ok(())
    }

    /// Truncates a file, or extends it with zeros.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when there is no file of this name.
    pub fn set_len(&self, name: &str, len: usize) -> io::Result<()> {
        self.state().file(name)?.write(Writing::Len(len));
        Ok(())
    }

    /// Renames a file, and replaces the file that has the new name, if there is one.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when there is no file of this name.
    pub fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        let number = state.number(from)?;
        state.directory.write(Renaming::Move(from.to_owned(), to.to_owned(), number));
        Ok(())
    }

    /// Removes a file.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when there is no file of this name.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.number(name)?;
        state.directory.write(Renaming::Remove(name.to_owned()));
        Ok(())
    }

    /// Writes the bytes of a file through to the disk, as `File::sync_all` does, but not its name:
    /// [`flush_directory`](Self::flush_directory) does that.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when there is no file of this name, and [`io::ErrorKind::Other`] when the flush was told to
    /// [fail](Self::fail_flush).
    pub fn flush(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        let outcome = state.flush();
        state.file(name)?.flushed(outcome.is_ok());
        outcome
    }

    /// Writes the names of all files through to the disk, as `File::sync_all` of a directory does.
    ///
    /// # Errors
    /// [`io::ErrorKind::Other`] when the flush was told to [fail](Self::fail_flush).
    pub fn flush_directory(&self) -> io::Result<()> {
        let mut state = self.state();
        let outcome = state.flush();
        state.directory.flushed(outcome.is_ok());
        outcome
    }

    /// Cuts the power: nothing that was not flushed is left, nor anything of a flush that failed.
    pub fn cut_power(&self) {
        self.state().restart(|| false);
    }

    /// Cuts the power after some of the writes that were not flushed, or whose flush failed, came to the disk. `seed` decides
    /// which.
    pub fn cut_power_in_part(&self, seed: u64) {
        let mut random = seed;
        self.state().restart(|| {
            // Knuth's MMIX generator. Weak randomness is enough here.
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            random >> 63 == 1
        });
    }

    /// Makes one flush fail: the next one if `after` is 0, the one after it if `after` is 1. Flushes of files and of the
    /// directory count alike. Another call makes another flush fail, and `usize::MAX` takes all earlier calls back.
    ///
    /// A later flush that succeeds does not write what this one should have written. Only writing the same bytes again, and
    /// flushing them, makes them durable.
    pub fn fail_flush(&self, after: usize) {
        self.state().fail_flush(after);
    }

    /// Replaces everything on another disk with a copy of this one, flushed, as restoring a backup does.
    pub fn copy_to(&self, other: &Self) {
        let mut copy = self.state().clone();
        copy.restart(|| true);
        *other.state() = copy;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

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
    fn each_call_makes_one_flush_fail() {
        let disk = Disk::new();
        let outcomes = |disk: &Disk| [(); 5].map(|()| disk.flush_directory().is_ok());
        disk.fail_flush(3);
        disk.fail_flush(1);
        disk.fail_flush(1);
        assert_eq!(outcomes(&disk), [true, false, true, false, true]);
        disk.fail_flush(2);
        disk.flush_directory().unwrap();
        disk.fail_flush(0);
        assert_eq!(outcomes(&disk), [false, false, true, true, true]);
        disk.fail_flush(0);
        disk.fail_flush(1);
        disk.fail_flush(usize::MAX);
        assert_eq!(outcomes(&disk), [true; 5]);
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

    #[test]
    fn part_of_what_a_failed_flush_should_have_written_may_be_there() {
        let mut seen = BTreeSet::new();
        for seed in 0..1_000_u64 {
            let disk = Disk::new();
            disk.write("a", b"....").unwrap();
            disk.flush("a").unwrap();
            disk.flush_directory().unwrap();
            disk.fail_flush(0);
            disk.write_at("a", 0, b"12").unwrap();
            assert!(disk.flush("a").is_err());
            // What is flushed later is there, and lies over it.
            disk.write_at("a", 1, b"3").unwrap();
            disk.flush("a").unwrap();
            disk.fail_flush(0);
            disk.rename("a", "b").unwrap();
            assert!(disk.flush_directory().is_err());
            disk.cut_power_in_part(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let names = disk.list();
            let [name] = names.as_slice() else { panic!("a rename leaves one name: {names:?}") };
            seen.insert((name.clone(), disk.read(name).unwrap()));
        }
        let all = [("a", b".3.."), ("a", b"13.."), ("b", b".3.."), ("b", b"13..")];
        let all: BTreeSet<_> = all.map(|(name, bytes)| (name.to_owned(), bytes.to_vec())).into();
        assert_eq!(seen, all);
    }
}
