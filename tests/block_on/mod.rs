//! Waits for futures on the calling thread, also for those that want tokio around them.

/// Runs a future to its end.
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
