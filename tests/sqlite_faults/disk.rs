//! A disk that fails when it is told to, and what a power cut leaves of it: `shim.c`, from the side of the tests.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// The calls that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Fsync = 1,
    Write = 2,
    Truncate = 3,
    Read = 4,
    Open = 5,
}

/// The call that fails, counted from when it is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    pub(crate) call: Call,
    /// The first is 1.
    pub(crate) nth: u32,
    /// Of files whose path ends like this.
    pub(crate) ending: &'static str,
    /// The system's number of the error.
    pub(crate) error: i32,
    /// What could not be flushed is no longer read either.
    pub(crate) evicts: bool,
    /// All that come after it fail as well.
    pub(crate) for_good: bool,
}

impl Fault {
    /// As one word, for another process.
    pub(crate) fn to_word(self) -> String {
        let Self { call, nth, ending, error, evicts, for_good } = self;
        format!("{}/{nth}/{ending}/{error}/{evicts}/{for_good}", call as u32)
    }

    pub(crate) fn of_word(word: &str) -> Self {
        let parts: Vec<&str> = word.split('/').collect();
        let call = [Call::Fsync, Call::Write, Call::Truncate, Call::Read, Call::Open];
        Self {
            call: *call.iter().find(|call| (**call as u32).to_string() == parts[0]).unwrap(),
            nth: parts[1].parse().unwrap(),
            ending: ENDINGS.iter().find(|ending| **ending == parts[2]).unwrap(),
            error: parts[3].parse().unwrap(),
            evicts: parts[4].parse().unwrap(),
            for_good: parts[5].parse().unwrap(),
        }
    }
}

/// The file, its log, all files.
const ENDINGS: [&str; 3] = ["registry.db", "registry.db-wal", ""];

/// No space left on the device; an input/output error.
pub(crate) const ENOSPC: i32 = 28;
pub(crate) const EIO: i32 = 5;
pub(crate) const EACCES: i32 = 13;
pub(crate) const ENODEV: i32 = 19;

/// The directory that is watched, in one that goes with the test.
pub(crate) struct Disk {
    home: PathBuf,
    state: File,
}

impl Disk {
    pub(crate) fn new(home: &Path) -> Self {
        for directory in ["data", "images"] {
            fs::create_dir_all(home.join(directory)).unwrap();
        }
        let home = fs::canonicalize(home).unwrap();
        let state =
            OpenOptions::new().read(true).write(true).create_new(true).open(home.join(STATE)).unwrap();
        state.set_len(SIZE).unwrap();
        for (at, directory) in [(DIRECTORY, "data"), (IMAGES, "images")] {
            let path = home.join(directory).into_os_string().into_string().unwrap();
            assert!(path.len() < 256);
            state.write_all_at(path.as_bytes(), at).unwrap();
        }
        Self { home, state }
    }

    /// The one that another process has made.
    pub(crate) fn of(home: &Path) -> Self {
        let state = OpenOptions::new().read(true).write(true).open(home.join(STATE)).unwrap();
        Self { home: home.to_owned(), state }
    }

    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.home.join("data").join("registry.db")
    }

    /// From now on a process sees its files through this disk.
    pub(crate) fn under(&self, command: &mut Command) {
        command.env("LD_PRELOAD", shim()).env("CLIENT_REGISTRY_TEST_DISK", self.home.join(STATE));
    }

    /// The calls are counted from here.
    pub(crate) fn arm(&self, fault: Fault) {
        let Fault { call, nth, ending, error, evicts, for_good } = fault;
        let mut text = [0; 32];
        text[..ending.len()].copy_from_slice(ending.as_bytes());
        self.state.write_all_at(&text, ENDING).unwrap();
        // Counted from 0, and not failed.
        let numbers = [call as u32, nth, error as u32, u32::from(evicts), 0, 0, u32::from(for_good)];
        self.numbers(KIND, &numbers);
        self.numbers(ARMED, &[1]);
    }

    pub(crate) fn disarm(&self) {
        self.numbers(ARMED, &[0]);
    }

    pub(crate) fn is_armed(&self) -> bool {
        self.number(ARMED) == 1
    }

    /// Whether the call has failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.number(FIRED) == 1
    }

    /// What is found after a power cut, in a directory of its own: what was flushed, and of all other blocks that were
    /// written some, or none.
    pub(crate) fn after_a_power_cut(&self, name: &str, some: Option<u64>) -> PathBuf {
        let to = self.home.join(name);
        fs::create_dir_all(&to).unwrap();
        let names = fs::read_to_string(self.home.join("images").join("names")).unwrap_or_default();
        for line in names.lines() {
            let (slot, name) = line.split_once(' ').unwrap();
            let slot: u64 = slot.parse().unwrap();
            let file = to.join(name);
            fs::copy(self.home.join("images").join(slot.to_string()), &file).unwrap();
            if let Some(seed) = some {
                self.add_some(slot, name, &file, seed);
            }
        }
        to.join("registry.db")
    }

    fn add_some(&self, slot: u64, name: &str, file: &Path, seed: u64) {
        let Ok(real) = File::open(self.home.join("data").join(name)) else { return };
        let image = OpenOptions::new().write(true).open(file).unwrap();
        let mut random = StdRng::seed_from_u64(seed ^ slot);
        let mut dirty = vec![0; BLOCKS / 8];
        self.state.read_exact_at(&mut dirty, SLOT + slot * SLOT_SIZE + 16).unwrap();
        for block in (0..BLOCKS).filter(|block| dirty[block / 8] & (1 << (block % 8)) != 0) {
            if random.random() {
                let (mut bytes, at) = ([0; 4096], block as u64 * 4096);
                let read = real.read_at(&mut bytes, at).unwrap();
                image.write_all_at(&bytes[..read], at).unwrap();
            }
        }
    }

    fn number(&self, at: u64) -> u32 {
        let mut bytes = [0; 4];
        self.state.read_exact_at(&mut bytes, at).unwrap();
        u32::from_ne_bytes(bytes)
    }

    fn numbers(&self, at: u64, numbers: &[u32]) {
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_ne_bytes()).collect();
        self.state.write_all_at(&bytes, at).unwrap();
    }
}

/// The library, compiled once by each process that needs it.
fn shim() -> &'static Path {
    static SHIM: OnceLock<PathBuf> = OnceLock::new();
    SHIM.get_or_init(|| {
        let library =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("shim-{}.so", std::process::id()));
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library);
        compiler
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sqlite_faults/shim.c"))
            .args(["-ldl", "-lpthread"]);
        let status = compiler.status().expect("install a C compiler, as the build of SQLite needs it too");
        assert!(status.success(), "{status}");
        library
    })
}

const STATE: &str = "disk";
/// As `struct state` has it.
const ARMED: u64 = 0;
const KIND: u64 = 4;
const FIRED: u64 = 24;
const ENDING: u64 = 40;
const DIRECTORY: u64 = 72;
const IMAGES: u64 = 328;
const SLOT: u64 = 592;
const BLOCKS: usize = 16_384;
const SLOT_SIZE: u64 = 16 + BLOCKS as u64 / 8;
const SIZE: u64 = SLOT + 2_048 * SLOT_SIZE;
