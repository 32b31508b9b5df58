//! What a [`Disk`](super::Disk) keeps: what programs see, and what is left of it after the power was cut.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

#[derive(Debug, Clone, Default)]
pub(super) struct State {
    /// Every file that was ever made, by number.
    pub(super) files: BTreeMap<u64, File>,
    /// The numbers of the files by name.
    pub(super) directory: Buffered<BTreeMap<String, u64>, Renaming>,
    next: u64,
    /// For each flush that is to fail, the number of flushes before it.
    failing: BTreeSet<usize>,
}

pub(super) type File = Buffered<Vec<u8>, Writing>;

/// Content that a write changes in memory, and a flush on the disk.
#[derive(Debug, Clone)]
pub(super) struct Buffered<T, W> {
    /// What programs see.
    pub(super) seen: T,
    /// What the disk had when a flush failed for the first time, or has now if none did.
    durable: T,
    /// The writes since then in their order, each with whether its flush succeeded. The others may be on the disk or not.
    since_failure: Vec<(W, bool)>,
    /// The writes that were not flushed.
    pending: Vec<W>,
}

/// A change of some content.
pub(super) trait Apply<T>: Clone {
    fn apply(self, to: &mut T);
}

#[derive(Debug, Clone)]
pub(super) enum Writing {
    At(usize, Vec<u8>),
    Len(usize),
}

#[derive(Debug, Clone)]
pub(super) enum Renaming {
    Enter(String, u64),
    /// From one name to another. It is whole or not at all, as on a journaling file system.
    Move(String, String, u64),
    Remove(String),
}

impl State {
    pub(super) fn number(&self, name: &str) -> io::Result<u64> {
        let number = self.directory.seen.get(name).copied();
        number.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, name.to_owned()))
    }

    pub(super) fn file(&mut self, name: &str) -> io::Result<&mut File> {
        let number = self.number(name)?;
        self.files.get_mut(&number).ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, name.to_owned()))
    }

    /// Makes a file of this name unless there is one.
    pub(super) fn make(&mut self, name: &str) {
        if !self.directory.seen.contains_key(name) {
            let number = self.next;
            self.next += 1;
            self.files.insert(number, File::default());
            self.directory.write(Renaming::Enter(name.to_owned(), number));
        }
    }

    /// Makes the flush fail that comes after so many others, or none.
    pub(super) fn fail_flush(&mut self, after: usize) {
        match after {
            usize::MAX => self.failing.clear(),
            after => drop(self.failing.insert(after)),
        }
    }

    /// Answers for the next flush.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let fails = self.failing.remove(&0);
        self.failing = self.failing.iter().map(|left| left - 1).collect();
        if fails { Err(io::Error::other("the disk answered with an error")) } else { Ok(()) }
    }

    /// Cuts the power. `comes` decides of each write that is not on the disk for certain whether it came there.
    pub(super) fn restart(&mut self, mut comes: impl FnMut() -> bool) {
        self.directory.restart(&mut comes);
        let linked: BTreeSet<_> = self.directory.seen.values().copied().collect();
        self.files.retain(|number, _| linked.contains(number));
        for file in self.files.values_mut() {
            file.restart(&mut comes);
        }
        self.failing.clear();
    }
}

impl<T: Default, W> Default for Buffered<T, W> {
    fn default() -> Self {
        Self { seen: T::default(), durable: T::default(), since_failure: Vec::new(), pending: Vec::new() }
    }
}

impl<T: Clone, W: Apply<T>> Buffered<T, W> {
    pub(super) fn write(&mut self, write: W) {
        self.pending.push(write.clone());
        write.apply(&mut self.seen);
    }

    /// Ends a flush. After one that failed, no later flush writes again what it should have written.
    pub(super) fn flushed(&mut self, succeeds: bool) {
        for write in std::mem::take(&mut self.pending) {
            if succeeds && self.since_failure.is_empty() {
                write.apply(&mut self.durable);
            } else {
                self.since_failure.push((write, succeeds));
            }
        }
    }

    fn restart(&mut self, comes: &mut impl FnMut() -> bool) {
        for (write, is_certain) in std::mem::take(&mut self.since_failure) {
            if is_certain || comes() {
                write.apply(&mut self.durable);
            }
        }
        for write in std::mem::take(&mut self.pending) {
            if comes() {
                write.apply(&mut self.durable);
            }
        }
        self.seen.clone_from(&self.durable);
    }
}

impl Apply<Vec<u8>> for Writing {
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

impl Apply<BTreeMap<String, u64>> for Renaming {
    fn apply(self, names: &mut BTreeMap<String, u64>) {
        match self {
            Self::Enter(name, number) => drop(names.insert(name, number)),
            Self::Move(from, to, number) => {
                names.remove(&from);
                names.insert(to, number);
            }
            Self::Remove(name) => drop(names.remove(&name)),
        }
    }
}
