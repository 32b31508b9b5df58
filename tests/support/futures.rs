//! Futures without a runtime: waited for on the calling thread, or polled by hand.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// Runs a future to its end, also one that wants tokio around it.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    #[cfg(feature = "postgres")]
    let _around = runtime().enter();
    pollster::block_on(future)
}

/// One for all threads, so that a connection that one of them has made serves the others.
#[cfg(feature = "postgres")]
fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: std::sync::OnceLock<tokio::runtime::Runtime> = std::sync::OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2).enable_all().build().unwrap()
    })
}

/// Runs a future until it waits for something.
pub(crate) fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// A future that is pending when it is polled for the first time.
pub(crate) async fn once_pending() {
    let mut is_pending = true;
    std::future::poll_fn(|_| match std::mem::take(&mut is_pending) {
        true => Poll::Pending,
        false => Poll::Ready(()),
    })
    .await;
}
