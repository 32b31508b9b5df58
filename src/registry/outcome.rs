//! `Outcome`: whether a command changed anything.

/// The outcome of a command: the client was changed, or it was already as the command asked.
///
/// Most commands can be given twice: the second one answers `Unchanged`. These answer with an error the second time, since what
/// they are about is gone: [`confirm`](crate::ClientHandle::confirm), [`call_off`](crate::ClientHandle::call_off),
/// [`close_early`](crate::ClientHandle::close_early) and [`withdraw_promotion`](crate::ClientHandle::withdraw_promotion).
///
/// Exhaustive on purpose: there is no third outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The command changed something.
    Changed,
    /// The client was already as the command asked. Nothing was written.
    Unchanged,
}
