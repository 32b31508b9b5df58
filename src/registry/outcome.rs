//! `Outcome`: whether a command changed anything.

/// The outcome of a command: it changed something, or everything was as it should be already.
///
/// Most commands can be given twice, and the second time nothing changes. [`ClientHandle::confirm`](crate::ClientHandle::confirm) and
/// [`ClientHandle::withdraw_promotion`](crate::ClientHandle::withdraw_promotion) find nothing the second time and answer with an error.
///
/// Exhaustive on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The command changed something.
    Changed,
    /// Everything was as it should be already: nothing was written.
    Unchanged,
}
