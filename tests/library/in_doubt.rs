//! Commits whose outcome the store did not tell: from then on only `Ok` and `Conflict` say what became of them, and the history
//! says whose trace a conflict is. Without a doubt, every answer means what it says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use client_registry::registry::{Resolution, Unresolved};
use client_registry::store::{
    Commit, CommitError, Committed, IndexEntry, MemoryStore, Store, StoreError, StoreErrorKind,
};
use client_registry::value::{FriendlyName, Revision};
use client_registry::*;
use pollster::block_on;

use crate::support::forward;
use crate::support::{contoso, details};

/// What a store answers to one commit.
#[derive(Debug, Clone)]
enum Answer {
    /// It fails, and was applied.
    Lost,
    /// It fails, and was not applied.
    Failed,
    /// Another caller was faster.
    Overtaken,
    /// The store knows that it was not written.
    NotWritten,
    /// Another client has this name.
    Taken(&'static str, ClientId),
}

/// A store that answers as it is told, then works.
#[derive(Debug, Clone)]
struct Scripted {
    memory: MemoryStore,
    script: Arc<Mutex<Script>>,
}

#[derive(Debug, Default)]
struct Script {
    answers: VecDeque<Answer>,
    history_fails: bool,
    sent: usize,
}

impl Store for Scripted {
    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        let answer = {
            let mut script = self.script.lock().unwrap();
            script.sent += 1;
            script.answers.pop_front()
        };
        match answer {
            None => return self.memory.commit(commit).await,
            Some(Answer::Lost) => self.memory.commit(commit).await?,
            Some(Answer::Failed) => {}
            Some(Answer::Overtaken) => {
                let record_id = commit.changes()[0].id().as_str().into();
                return Err(CommitError::Conflict { record_id, found: None });
            }
            Some(Answer::NotWritten) => {
                return Err(CommitError::NotWritten(StoreError::new(StoreErrorKind::ReadOnly)));
            }
            Some(Answer::Taken(name, by)) => {
                let key = FriendlyName::parse(name).unwrap().key();
                return Err(CommitError::Taken { entry: IndexEntry::Name(contoso(), key), by });
            }
        }
        Err(CommitError::Failed(StoreError::new(StoreErrorKind::Unavailable)))
    }

    async fn history(
        &self,
        client_id: &ClientId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Committed>, StoreError> {
        if self.script.lock().unwrap().history_fails {
            return Err(StoreError::new(StoreErrorKind::Unavailable));
        }
        self.memory.history(client_id, after, limit).await
    }

    forward!(memory: load clients client_of ending changes latest adopt note_uses last_uses);
}

/// A registry over such a store, and two clients of one seller: "calendar" and "mail".
struct World {
    registry: Registry<Scripted>,
    contoso: Seller<Scripted>,
    calendar: ClientId,
    mail: ClientId,
}

impl World {
    fn new() -> Self {
        let registry =
            Registry::builder().in_memory_behind(|memory| Scripted { memory, script: Arc::default() });
        let contoso = registry.as_seller("contoso").unwrap();
        let register = |name| block_on(contoso.register(details(name), Lifetime::OneYear)).unwrap();
        let [calendar, mail] = ["calendar", "mail"].map(|name| register(name).client_id().clone());
        Self { registry, contoso, calendar, mail }
    }

    fn will_answer(&self, answers: &[Answer]) {
        let mut script = self.registry.store().script.lock().unwrap();
        script.answers = answers.iter().cloned().collect();
        script.sent = 0;
    }

    fn history_fails(&self, fails: bool) {
        self.registry.store().script.lock().unwrap().history_fails = fails;
    }

    fn sent(&self) -> usize {
        self.registry.store().script.lock().unwrap().sent
    }

    fn rename_mail(&self, name: &str) -> Result<Outcome, Error> {
        block_on(self.contoso.client(&self.mail).change_details(details(name)))
    }

    fn add_secret(&self) -> Result<Issued, Error> {
        let calendar = self.contoso.client(&self.calendar);
        block_on(calendar.add_secret(NewSecret::lasting(Lifetime::OneYear)))
    }

    fn secrets(&self) -> usize {
        block_on(self.contoso.client(&self.calendar).snapshot()).unwrap().client().secrets().len()
    }
}

fn in_doubt<T>(answer: Result<T, Error>) -> Unresolved {
    match answer {
        Err(Error::Unresolved(unresolved)) => *unresolved,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("done"),
    }
}

/// The second attempt meets what the first one wrote. Deciding anew would add a second secret, and lose the first.
#[test]
fn rule_08_a_conflict_with_an_attempt_before_is_its_trace() {
    let world = World::new();
    world.will_answer(&[Answer::Lost]);
    let issued = world.add_secret().unwrap();
    assert_eq!((world.sent(), world.secrets()), (2, 2));
    let (id, text) = (world.calendar.as_str(), issued.client_secret().expose());
    block_on(world.registry.authenticate(id, text)).unwrap();
    // Where the history does not answer, it is not known whose trace it is, and the plaintext is kept.
    world.will_answer(&[Answer::Lost]);
    world.history_fails(true);
    let unresolved = in_doubt(world.add_secret());
    assert_eq!(unresolved.cause().kind(), StoreErrorKind::Unavailable);
    world.history_fails(false);
    assert!(matches!(block_on(world.registry.resolve(unresolved)), Ok(Resolution::Made(Some(_)))));
    assert_eq!(world.secrets(), 3);
}

/// A conflict with another caller needs no history.
#[test]
fn what_was_overtaken_without_a_doubt_is_decided_anew() {
    let world = World::new();
    world.will_answer(&[Answer::Overtaken, Answer::Overtaken]);
    world.history_fails(true);
    let _ = world.add_secret().unwrap();
    assert_eq!((world.sent(), world.secrets()), (3, 2));
}

/// The name may be free when the first attempt arrives, although another client has it now.
#[test]
fn a_name_that_is_taken_settles_no_attempt_before() {
    let world = World::new();
    let taken = Answer::Taken("agenda", world.calendar.clone());
    // The client in question did not ask for that name: a lie while nothing is in doubt, and nothing at all otherwise.
    let other = Answer::Taken("another name", world.calendar.clone());
    for later in [[taken.clone(), other.clone()], [other, taken]] {
        let world = World::new();
        let script: Vec<_> = [Answer::Failed].into_iter().chain(later).collect();
        world.will_answer(&script);
        let unresolved = in_doubt(world.rename_mail("agenda"));
        assert_eq!((world.sent(), unresolved.cause().kind()), (3, StoreErrorKind::InDoubt));
        world.will_answer(&script[1..]);
        assert!(matches!(block_on(world.registry.resolve(unresolved)), Ok(Resolution::Made(None))));
        let renamed = block_on(world.contoso.client(&world.mail).snapshot()).unwrap();
        assert_eq!(renamed.client().details().friendly_name().as_str(), "agenda");
    }
    // Without a doubt, the same answer is believed as far as the record of the other client bears it out.
    assert!(
        matches!(world.rename_mail("calendar"), Err(Error::NameTaken { by, .. }) if by == world.calendar)
    );
}

/// The disk may be full by now because the first attempt filled it.
#[test]
fn rule_08_what_was_not_written_this_time_settles_no_attempt_before() {
    let world = World::new();
    world.will_answer(&[Answer::Failed, Answer::NotWritten, Answer::NotWritten]);
    let unresolved = in_doubt(world.add_secret());
    assert_eq!((world.sent(), unresolved.cause().kind()), (3, StoreErrorKind::ReadOnly));
    world.will_answer(&[Answer::NotWritten, Answer::NotWritten, Answer::NotWritten]);
    let unresolved = block_on(world.registry.resolve(unresolved)).unwrap_err();
    assert_eq!((world.sent(), unresolved.cause().kind()), (3, StoreErrorKind::ReadOnly));
    assert!(matches!(block_on(world.registry.resolve(unresolved)), Ok(Resolution::Made(Some(_)))));
    assert_eq!(world.secrets(), 2);
    // Without a doubt it is final: nothing is sent again, and nothing is handed over to be resolved.
    world.will_answer(&[Answer::NotWritten]);
    let refused = world.add_secret().unwrap_err();
    assert!(
        matches!(&refused, Error::Unavailable(error) if error.kind() == StoreErrorKind::ReadOnly),
        "{refused}"
    );
    assert_eq!((world.sent(), world.secrets()), (1, 2));
}
