//! A copy of the file while it is in use, by the engine's own means.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use futures_channel::oneshot;
use rusqlite::backup::{Backup, StepResult};

use super::fault::Fault;
use super::identity::Identity;
use super::making::{
    Beside, {self},
};
use super::store::SqliteStore;
use super::{checkpoint, connect, file, lineage, medium};
use crate::store_error::{StoreError, StoreErrorKind};

impl SqliteStore {
    /// Copies everything that has been acknowledged into a new file, which can be opened like this one. Changes go on
    /// meanwhile; the copy is of one moment, and stands under its name only once it is whole and flushed.
    ///
    /// When [`restore`](Self::restore) puts the copy in the place of this file, a reader of the
    /// [change feed](crate::store::Store::changes) with a cursor from after the copy gets
    /// [`CursorLost`](StoreErrorKind::CursorLost).
    ///
    /// # Errors
    /// [`StoreError`]. Of kind [`Misconfigured`](StoreErrorKind::Misconfigured) when there is a file of this name already,
    /// which is left as it is: choose another name.
    pub async fn backup_to(&self, path: impl AsRef<Path>) -> Result<(), StoreError> {
        let to = file::absolute(path.as_ref())?;
        let from = self.inner.identity.clone();
        let (answer, answered) = oneshot::channel();
        // It takes as long as the file is large, and nobody else should wait for it.
        let started = thread::Builder::new().name("client-registry-backup".to_owned()).spawn(move || {
            let _ = answer.send(
                medium::twice(from.path(), || copy(&from, &to))
                    .map_err(|fault| from.behind(fault).of_writing_to(&to, None)),
            );
        });
        started.map_err(unavailable)?;
        answered.await.map_err(unavailable)??;
        Ok(())
    }
}

fn copy(from: &Arc<Identity>, to: &Path) -> Result<(), Fault> {
    if to.symlink_metadata().is_ok() {
        return Err(exists(to));
    }
    from.check()?;
    let beside = Beside::new(to)?;
    let mut target = beside.create()?;
    let source = connect::reader(from.path(), BUSY_TIMEOUT)?;
    // All pages in one step, which is one state of the file.
    let step = Backup::new(&source, &mut target)?.step(-1)?;
    if step != StepResult::Done {
        return Err(Fault::file(
            from.path(),
            StoreErrorKind::Unavailable,
            "others are writing to it: try again",
        ));
    }
    // It is this file that was copied, and no other that stands in its place by now.
    from.anchor()?;
    // From here on the copy is another file: no log of this one belongs to it.
    lineage::add_stretch(&target)?;
    checkpoint::copy_before_closing(&target)?;
    target.close().map_err(|(_, error)| error)?;
    if making::put_in_place(beside.path(), to)? { Ok(()) } else { Err(exists(to)) }
}

fn exists(to: &Path) -> Fault {
    Fault::misconfigured(to, "there is a file of this name: choose another one")
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::with_source(StoreErrorKind::Unavailable, error)
}

const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
