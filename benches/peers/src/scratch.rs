//! A directory for the files that are measured, on the disk that everything is built on unless `CLIENT_REGISTRY_BENCH_DIRECTORY`
//! names another. On a disk the flush is what a change costs; in memory (`/dev/shm`) what is left is the library's.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A directory that is removed when it is dropped.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let parent = std::env::var_os("CLIENT_REGISTRY_BENCH_DIRECTORY").map(PathBuf::from);
        let parent = parent.or_else(|| Some(std::env::current_exe().ok()?.parent()?.to_owned()));
        let path = parent
            .unwrap_or_else(std::env::temp_dir)
            .join(format!("client-registry-measured-{}-{count}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
