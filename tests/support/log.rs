//! A reader of what the library writes to the log.

use std::cell::RefCell;
use std::fmt::Display;
use std::sync::Once;

thread_local! {
    /// What this thread writes to the log, while a test captures it.
    static LINES: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Everything that a piece of code writes to the log on this thread, at every level.
pub(crate) fn logged<T>(run: impl FnOnce() -> T) -> (T, Vec<String>) {
    read_the_log();
    LINES.set(Some(vec![]));
    let answer = run();
    (answer, LINES.take().unwrap_or_default())
}

/// One reader for all threads, there before anybody writes: a reader that comes while another thread is writing its
/// first line may miss such lines for ever.
pub(crate) fn read_the_log() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Log).unwrap());
}

struct Log;

impl Log {
    fn write(head: impl Display, record: impl FnOnce(&mut Line)) {
        LINES.with_borrow_mut(|lines| {
            if let Some(lines) = lines {
                let mut line = Line(head.to_string());
                record(&mut line);
                lines.push(line.0);
            }
        });
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        Self::write(span.metadata().name(), |line| span.record(line));
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, values: &tracing::span::Record<'_>) {
        Self::write("", |line| values.record(line));
    }

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let metadata = event.metadata();
        let head = format_args!("{} {}", metadata.level(), metadata.target());
        Self::write(head, |line| event.record(line));
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

struct Line(String);

impl tracing::field::Visit for Line {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        self.0.push_str(&format!(" {}={value:?}", field.name()));
    }
}
