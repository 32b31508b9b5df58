//! A dropped future holds nothing: no lock, no connection, no place in a queue. Each method of a store is dropped after each
//! number of polls, and every other method must work afterwards.

use std::future::poll_fn;
use std::task::Poll;

use crate::conformance::Factory;
use crate::conformance::author::{Author, Step, add_in, after_start, secret};
use crate::conformance::dropped::rounds;
use crate::conformance::stop::{Checked, Stop, same};
use crate::conformance::together::{Apart, Pace, Pinned, dropped_after};
use crate::conformance::trial::Trial;
use crate::conformance::watch::Open;
use crate::store::{Adopted, ClientsBy, Commit, CommitError, Store, Use};
use crate::store_error::StoreError;
use crate::value::{Revision, Timestamp};

/// A method of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Load,
    Commit,
    History,
    Clients,
    ClientOf,
    Ending,
    Changes,
    Latest,
    Adopt,
    NoteUses,
    LastUses,
}

/// The arguments of the calls.
struct Calls {
    step: Step,
    commit: Commit,
    adopted: [Adopted; 1],
    uses: [Use; 1],
}

impl Calls {
    /// The next change of a client, and another client that is adopted.
    fn next(author: &Author, last: &Step) -> Checked<Self> {
        let number = last.revision().number();
        let step = author.rename(last, &format!("name {number}"))?;
        let commit = author.commit([&step])?;
        let adopted = [author.adopted([&author.register("fabrikam", &format!("adopted {number}"))?])?];
        let at = after_start(number.try_into().unwrap_or_default())?;
        let uses = [Use { client_id: step.id().clone(), secret: secret(1)?, at }];
        Ok(Self { step, commit, adopted, uses })
    }

    /// A call of one method. Its answer matters only if the call is not dropped.
    fn of<'a, S: Store>(&'a self, store: &'a S, method: Method) -> Pinned<'a, Result<(), CommitError>> {
        let id = self.step.id();
        Box::pin(async move {
            let read: Result<(), StoreError> = match method {
                Method::Load => store.load(id.into()).await.map(drop),
                Method::Commit => return store.commit(&self.commit).await,
                Method::History => store.history(id, Revision::ZERO, 1).await.map(drop),
                Method::Clients => store.clients(ClientsBy::All, None, 1).await.map(drop),
                Method::ClientOf => match add_in("calendar") {
                    Ok(calendar) => store.client_of(&calendar).await.map(drop),
                    Err(_) => Ok(()),
                },
                Method::Ending => store.ending(Timestamp::MAX, None, 1).await.map(drop),
                Method::Changes => store.changes(None, 1).await.map(drop),
                Method::Latest => store.latest().await.map(drop),
                Method::Adopt => return store.adopt(&self.adopted).await,
                Method::NoteUses => store.note_uses(&self.uses, Timestamp::MAX).await,
                Method::LastUses => store.last_uses(id).await.map(drop),
            };
            Ok(read?)
        })
    }
}

pub(super) fn dropped_futures_hold_nothing<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let mut last = author.serving("contoso", "calendar app", &["calendar"])?;
    trial.commit([&last])?;
    for method in METHODS {
        for (polls, pace) in rounds().take(POLLS * 2) {
            let calls = Calls::next(author, &last)?;
            let at = format!("after a call of {method:?} was dropped, polled {polls} times");
            trial.is_at(&at);
            trial.wait(async { drop(dropped_after(calls.of(&trial.store, method), polls, pace).await) });
            last = works(&trial, &calls).map_err(|stop| stop.when(&at))?;
        }
        // Of many connections, or places in a queue, each dropped call may keep one.
        for polls in 1..=2 {
            let calls = Calls::next(author, &last)?;
            let at = format!("after {POOL} calls of {method:?} were dropped, polled {polls} times");
            trial.is_at(&at);
            for _ in 0..POOL {
                trial.wait(async {
                    drop(dropped_after(calls.of(&trial.store, method), polls, Pace::Patient).await)
                });
            }
            last = works(&trial, &calls).map_err(|stop| stop.when(&at))?;
        }
    }
    same("the number of commits", trial.history(last.id())?.len() as u64, last.revision().number())
}

pub(super) fn dropped_waiters_wake_others<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let mut last = author.serving("contoso", "calendar app", &["calendar"])?;
    trial.commit([&last])?;
    for method in METHODS {
        for (holder, steps, dropped_first) in waits() {
            let calls = Calls::next(author, &last)?;
            let other = author.register("fabrikam", &format!("other {}", last.revision()))?;
            let other_commit = author.commit([&other])?;
            let at = format!(
                "after a call of {method:?} was dropped while it waited for a call of {holder:?}, polled {steps} times"
            );
            trial.is_at(&at);
            let waited =
                wait_in_line(&trial.store, &calls, &other_commit, (holder, method), (steps, dropped_first));
            trial.wait(waited).map_err(|error| Stop::from(error).when(&at))?;
            trial.is_kept(&other).map_err(|stop| stop.when(&at))?;
            last = works(&trial, &calls).map_err(|stop| stop.when(&at))?;
        }
    }
    Ok(())
}

/// One call stands still, a second one waits behind it and is dropped, and a third one waits behind that. Each has its own waker,
/// and the third is polled again only after its waker was woken.
async fn wait_in_line<S: Store>(
    store: &S,
    calls: &Calls,
    commit: &Commit,
    (holder, method): (Method, Method),
    (steps, dropped_first): (usize, bool),
) -> Result<(), CommitError> {
    let mut answer = Ok(());
    let mut first = Apart::new(Box::pin(async { drop(calls.of(store, holder).await) }));
    let mut waiter = Apart::new(Box::pin(async { drop(calls.of(store, method).await) }));
    let mut third = Apart::new(Box::pin(async { answer = store.commit(commit).await }));
    poll_fn(|cx| {
        (0..steps).for_each(|_| first.step(cx));
        waiter.step(cx);
        third.step(cx);
        Poll::Ready(())
    })
    .await;
    if dropped_first {
        drop(waiter);
        first.finish().await;
    } else {
        first.finish().await;
        drop(waiter);
    }
    third.finish().await;
    answer
}

/// Every method answers, and the dropped call is settled.
fn works<F: Factory>(trial: &Trial<'_, F>, calls: &Calls) -> Checked<Step> {
    let store: &Open<F> = &trial.store;
    for method in METHODS {
        match trial.wait(calls.of(store, method)) {
            Ok(()) => {}
            // The dropped call had written it.
            Err(CommitError::Conflict { .. }) if matches!(method, Method::Commit | Method::Adopt) => {}
            Err(error) => return Err(Stop::from(error).when(&format!("{method:?}"))),
        }
    }
    trial.is_kept(&calls.step)?;
    Ok(calls.step.clone())
}

/// The call that stands still, how often it was polled before, and whether the waiting call is dropped before it goes on.
fn waits() -> impl Iterator<Item = (Method, usize, bool)> {
    [(Method::Commit, 1), (Method::Commit, 2), (Method::NoteUses, 1)]
        .into_iter()
        .flat_map(|(holder, steps)| [true, false].map(|dropped_first| (holder, steps, dropped_first)))
}

const METHODS: [Method; 11] = [
    Method::Load,
    Method::History,
    Method::Clients,
    Method::ClientOf,
    Method::Ending,
    Method::Changes,
    Method::Latest,
    Method::NoteUses,
    Method::LastUses,
    Method::Commit,
    Method::Adopt,
];

/// More than a store of a test has connections.
const POOL: usize = 32;
/// The most polls before a call is dropped.
const POLLS: usize = 4;
