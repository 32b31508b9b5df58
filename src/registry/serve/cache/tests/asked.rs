//! A store that answers after as many steps as a test says, and callers that a test drives one by one.

use crate::registry::serve::cache::tests::*;
use std::sync::atomic::AtomicUsize;
use std::task::Wake;

/// A store that answers after as many steps as it needs, and counts who asked.
#[derive(Clone, Default)]
pub(super) struct Asked {
    pub(super) loads: Arc<AtomicUsize>,
    pub(super) steps: Arc<Mutex<(usize, Vec<Waker>)>>,
    pub(super) needs: usize,
    pub(super) fails: bool,
}

impl Asked {
    pub(super) fn needing(needs: usize) -> Self {
        Self { needs, ..Self::default() }
    }

    pub(super) fn load(&self, found: &Small) -> impl Future<Output = Found> + Send + use<> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        let Self { steps, needs, fails, .. } = self.clone();
        let found = Arc::clone(found);
        async move {
            // What was there when it was asked is what it answers.
            let seen = found.lock().unwrap().clone();
            let begun = steps.lock().unwrap().0;
            for step in 1..=needs {
                std::future::poll_fn(|context| {
                    let mut steps = steps.lock().unwrap();
                    if steps.0 >= begun + step {
                        return Poll::Ready(());
                    }
                    steps.1.push(context.waker().clone());
                    Poll::Pending
                })
                .await;
            }
            match fails {
                true => Err(StoreError::with_source(StoreErrorKind::Unavailable, "the cable is cut")),
                false => Ok(seen),
            }
        }
    }

    /// Lets it take one more step, and wakes who waits for it.
    pub(super) fn step(&self) {
        let wakers = {
            let mut steps = self.steps.lock().unwrap();
            steps.0 += 1;
            std::mem::take(&mut steps.1)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(super) fn loads(&self) -> usize {
        self.loads.load(Ordering::SeqCst)
    }
}

/// A task that knows whether it was woken.
#[derive(Default)]
pub(super) struct Woken(AtomicU64);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

pub(super) struct Task<'a> {
    pub(super) future: Option<std::pin::Pin<Box<dyn Future<Output = Found> + 'a>>>,
    pub(super) woken: Arc<Woken>,
    pub(super) answer: Option<Found>,
}

impl<'a> Task<'a> {
    pub(super) fn new(future: impl Future<Output = Found> + 'a) -> Self {
        let woken = Arc::new(Woken(AtomicU64::new(1)));
        Self { future: Some(Box::pin(future)), woken, answer: None }
    }

    /// Polls it if it was woken, as an executor would. Says whether it was.
    pub(super) fn run(&mut self) -> bool {
        let Some(future) = &mut self.future else { return false };
        if self.woken.0.swap(0, Ordering::SeqCst) == 0 {
            return false;
        }
        let waker = Waker::from(Arc::clone(&self.woken));
        if let Poll::Ready(answer) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            (self.answer, self.future) = (Some(answer), None);
        }
        true
    }

    pub(super) fn drop_it(&mut self) {
        self.future = None;
    }
}

/// Runs tasks until none of them is woken any longer.
pub(super) fn run_woken(tasks: &mut [Task<'_>]) {
    for _ in 0..1000 {
        let ran: Vec<_> = tasks.iter_mut().map(Task::run).collect();
        if !ran.contains(&true) {
            return;
        }
    }
    panic!("it does not come to rest");
}

/// Runs tasks while the store takes as many steps as it needs.
pub(super) fn run_all(tasks: &mut [Task<'_>], asked: &Asked) {
    run_woken(tasks);
    for _ in 0..10 {
        asked.step();
        run_woken(tasks);
    }
}

pub(super) fn kind(answer: &Option<Found>) -> Option<StoreErrorKind> {
    answer.as_ref().unwrap().as_ref().err().map(StoreError::kind)
}

pub(super) fn some(revision: u64) -> Small {
    Arc::new(Mutex::new(Some(client(revision))))
}
