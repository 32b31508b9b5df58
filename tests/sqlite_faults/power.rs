//! Power cuts on a file system of its own (ext4 on a loop device), and a host whose disk is full below it.
//!
//! The process is stopped at some moment, and the file that the device lies on is copied: what the file system had written
//! until then. It writes by itself only every five minutes, so that nothing is written while the copy is made. The copy is
//! mounted, the file in it opened, and everything that was acknowledged has to be there.
//!
//! Needs root, loop devices, `mkfs.ext4` and `mount`; where one is missing, the tests fail and say so.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rusqlite::Connection;
use rustix::process::{Pid, Signal, kill_process};

use crate::child::{Worker, as_child, command, say};
use crate::disk::Disk;
use crate::support::Scratch;
use crate::support::ledger::Ledger;

#[test]
#[ignore = "needs root and loop devices"]
fn what_was_acknowledged_survives_power_cuts() {
    let cuts: usize = std::env::var("CLIENT_REGISTRY_CUTS").map_or(40, |text| text.parse().unwrap());
    let mut random = StdRng::seed_from_u64(1);
    let mut acknowledged = 0;
    for first in (0..cuts).step_by(10) {
        let scratch = Scratch::new();
        let bench = Bench::new(scratch.path(), "64M");
        let mut ledger = Ledger::default();
        for cut in first..cuts.min(first + 10) {
            let heard = bench.run("power::writer", random.random_range(0..120), 0);
            for line in &heard {
                acknowledged += usize::from(ledger.note(line));
            }
            bench.cut(|file| match ledger.audit(file) {
                Ok(_) => {}
                Err(why) => panic!("cut {cut}: {why}"),
            });
        }
    }
    let _ = writeln!(std::io::stdout(), "{cuts} power cuts, {acknowledged} commits acknowledged");
    assert!(acknowledged > cuts, "{acknowledged}");
}

/// The file system has room, and the disk that it lies on has not: what it could not write is gone.
#[test]
#[ignore = "needs root and loop devices"]
fn what_was_acknowledged_survives_a_host_whose_disk_is_full() {
    let mut refused = 0;
    for size in ["9M", "10M", "12M"] {
        let scratch = Scratch::new();
        let bench = Bench::on_a_host_with(scratch.path(), "256M", size);
        let heard = bench.run("power::writer", usize::MAX, 3);
        let mut ledger = Ledger::default();
        let (refusals, others): (Vec<_>, Vec<_>) = heard.iter().partition(|line| line.starts_with("refused"));
        for line in &others {
            ledger.note(line);
        }
        assert!(others.len() > 100, "{}", others.len());
        refused += refusals.len();
        bench.cut(|file| {
            ledger.audit(file).unwrap_or_else(|why| panic!("{size}: {why}, after {refusals:?}"));
        });
    }
    assert!(refused > 0, "no disk was full");
}

/// A check that cannot fail proves nothing: what is not flushed is lost.
#[test]
#[ignore = "needs root and loop devices"]
fn what_is_not_flushed_does_not_survive_a_power_cut() {
    let scratch = Scratch::new();
    let bench = Bench::new(scratch.path(), "64M");
    let said = bench.run("power::writer_that_does_not_flush", 200, 0).len() as i64;
    bench.cut(|file| {
        let rows = Connection::open(file)
            .and_then(|engine| engine.query_row("SELECT count(*) FROM row", [], |row| row.get::<_, i64>(0)));
        assert!(rows.as_ref().is_ok_and(|rows| *rows < said) || rows.is_err(), "{rows:?} of {said}");
    });
}

#[test]
fn writer() {
    let Some((disk, _)) = as_child() else { return };
    match Worker::open(disk) {
        Ok(mut worker) => loop {
            worker.change();
        },
        Err(why) => say(&format!("refused {why}\n")),
    }
}

#[test]
fn writer_that_does_not_flush() {
    let Some((disk, _)) = as_child() else { return };
    let engine = Connection::open(disk.file()).unwrap();
    engine.execute_batch("PRAGMA synchronous = OFF; CREATE TABLE row (number INTEGER)").unwrap();
    for number in 0.. {
        engine.execute("INSERT INTO row VALUES (?1)", [number]).unwrap();
        say(&format!("row {number}\n"));
    }
}

/// A file system in a file, mounted where the process works.
struct Bench {
    disk: Disk,
    host: PathBuf,
}

impl Bench {
    fn new(home: &Path, size: &str) -> Self {
        let disk = Disk::new(home);
        let host = disk.home().join("host");
        fs::create_dir_all(&host).unwrap();
        let bench = Self { disk, host };
        bench.make(size);
        bench
    }

    /// The file lies on a file system that has less room than it says.
    fn on_a_host_with(home: &Path, size: &str, room: &str) -> Self {
        let disk = Disk::new(home);
        let host = disk.home().join("host");
        fs::create_dir_all(&host).unwrap();
        must(Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={room}"), "none"]).arg(&host));
        let bench = Self { disk, host };
        bench.make(size);
        bench
    }

    fn make(&self, size: &str) {
        must(Command::new("truncate").args(["-s", size]).arg(self.image()));
        must(
            Command::new("mkfs.ext4")
                .args(["-q", "-F", "-b", "4096", "-E", "lazy_itable_init=1"])
                .arg(self.image()),
        );
    }

    fn image(&self) -> PathBuf {
        self.host.join("image")
    }

    fn data(&self) -> PathBuf {
        self.disk.home().join("data")
    }

    /// What a process says until it has said so much, or was refused so often, and is stopped; the image is copied then.
    fn run(&self, test: &str, lines: usize, refusals: usize) -> Vec<String> {
        mount(&self.image(), &self.data());
        let mut worker = command(test, &self.disk, "").spawn().unwrap();
        let mut said = BufReader::new(worker.stderr.take().unwrap());
        let (mut heard, mut refused) = (Vec::new(), 0);
        let mut line = String::new();
        while heard.len() < lines
            && (refusals == 0 || refused < refusals)
            && said.read_line(&mut line).unwrap() > 0
        {
            refused += usize::from(line.starts_with("refused"));
            heard.push(std::mem::take(&mut line));
        }
        stop(&worker);
        must(Command::new("cp").arg("--sparse=always").arg(self.image()).arg(self.disk.home().join("cut")));
        worker.kill().unwrap();
        worker.wait().unwrap();
        // All that it said before it was stopped.
        for line in said.lines().map_while(Result::ok) {
            heard.push(line);
        }
        must(Command::new("umount").arg(self.data()));
        heard.retain(|line| !line.contains("panicked"));
        heard
    }

    /// Looks at what the cut has left, and goes on with that.
    fn cut(&self, look: impl FnOnce(&Path)) {
        let cut = self.disk.home().join("cut");
        mount(&cut, &self.data());
        let file = self.disk.file();
        if file.exists() {
            look(&file);
        }
        must(Command::new("umount").arg(self.data()));
        let _ = fs::remove_file(self.image());
        if fs::copy(&cut, self.image()).is_err() {
            let _ = fs::remove_file(self.image());
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        for mounted in [self.data(), self.host.clone()] {
            let _ = Command::new("umount").arg("--quiet").arg("--lazy").arg(mounted).status();
        }
    }
}

fn stop(worker: &Child) {
    kill_process(Pid::from_child(worker), Signal::STOP).unwrap();
    // It is not stopped at once: a thread may be inside the kernel.
    let stat = format!("/proc/{}/task", worker.id());
    let is_stopped = || {
        fs::read_dir(&stat).unwrap().flatten().all(|task| {
            let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
            stat.rsplit_once(')').is_none_or(|(_, state)| state.trim_start().starts_with(['T', 'Z']))
        })
    };
    while !is_stopped() {
        std::thread::yield_now();
    }
}

/// Its own writing-back is put off for longer than a run takes.
fn mount(image: &Path, at: &Path) {
    must(Command::new("mount").args(["-o", "loop,commit=300,errors=continue"]).arg(image).arg(at));
}

fn must(command: &mut Command) {
    let output = command.output();
    let output = output
        .unwrap_or_else(|error| panic!("{command:?}: {error}: root, loop devices and mkfs.ext4 are needed"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {said}: root, loop devices and mkfs.ext4 are needed");
}
