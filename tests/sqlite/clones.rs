//! The last clone of a store closes the file, wherever it goes.

use std::future::Future;
use std::task::{Context, Waker};

use client_registry::store::Store;

use crate::world::World;

#[test]
fn the_last_clone_closes_the_file() {
    let world = World::new();
    let _ = world.register("calendar app");
    let store = world.store().clone();
    let (scratch, _) = world.close();
    let names = || {
        let files = std::fs::read_dir(scratch.path()).unwrap();
        let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names(), ["registry.db", "registry.db-shm", "registry.db-wal"]);
    drop(store);
    assert_eq!(names(), ["registry.db"], "the log is in the file");
}

#[test]
fn the_last_clone_may_go_with_a_task_that_the_writer_wakes() {
    struct DropsStore(std::sync::Mutex<Option<World>>, std::sync::mpsc::Sender<()>);
    impl std::task::Wake for DropsStore {
        fn wake(self: std::sync::Arc<Self>) {
            drop(self.0.lock().unwrap().take());
            self.1.send(()).unwrap();
        }
    }
    let world = World::new();
    let store = world.store().clone();
    let (sender, gone) = std::sync::mpsc::channel();
    let waker = Waker::from(std::sync::Arc::new(DropsStore(std::sync::Mutex::new(Some(world)), sender)));
    let mut note = Box::pin(async move { store.note_uses(&[], client_registry::Timestamp::MAX).await });
    if note.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
        gone.recv().unwrap();
    }
}
