//! `Resealer`: resealing in the background, with its progress. Killed at any point, it goes on when it is started again: the store knows
//! what is left.

use std::sync::{Arc, Mutex, PoisonError};

use client_registry::Registry;
use client_registry::registry::upkeep::Resealed;
use client_registry::store::DynStore;

/// The one resealing of this process.
#[derive(Debug, Clone, Default)]
pub struct Resealer(Arc<Mutex<Progress>>);

/// How far it is.
#[derive(Debug, Clone, Default)]
pub enum Progress {
    /// It was not started.
    #[default]
    Idle,
    /// It is under way.
    Running(Resealed),
    /// It is done. What could not be resealed is named, with the reason.
    Done(Resealed, Vec<String>),
    /// It stopped, for this reason.
    Failed(String),
}

impl Resealer {
    /// Returns how far it is.
    pub fn progress(&self) -> Progress {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Starts it, unless it is under way.
    pub fn start(&self, registry: Registry<DynStore>) {
        let mut progress = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*progress, Progress::Running(_)) {
            return;
        }
        *progress = Progress::Running(Resealed::default());
        drop(progress);
        let this = self.clone();
        tokio::spawn(async move {
            let ended = this.run(&registry).await;
            this.set(ended.unwrap_or_else(|error| Progress::Failed(error.to_string())));
        });
    }

    async fn run(&self, registry: &Registry<DynStore>) -> Result<Progress, client_registry::Error> {
        let mut resealing = registry.reseal().await?;
        self.set(Progress::Running(resealing.so_far()));
        while let Some(so_far) = resealing.step(AT_A_TIME).await? {
            self.set(Progress::Running(so_far));
        }
        let failed = resealing.failed().map(|(client, error)| format!("client {client}: {error}"));
        Ok(Progress::Done(resealing.so_far(), failed.collect()))
    }

    fn set(&self, progress: Progress) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = progress;
    }
}

/// How many records are resealed between two readings of the progress.
const AT_A_TIME: usize = 10;
