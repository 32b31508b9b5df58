//! What several threads asked one client of several registries, when, and what they were told.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use client_registry::clock::ManualClock;
use client_registry::registry::ConfirmError;
use client_registry::store::Store;
use client_registry::value::KeyId;
use client_registry::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use zeroize::Zeroizing;

use crate::linearizable::unreliable::Unreliable;
use crate::support::block_on;
use crate::support::{START, Seeded, details};

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    /// Adds a secret.
    Add,
    /// Deletes a secret in an emergency.
    Delete(u32),
    /// Lets a secret sign.
    Promote(u32),
    /// Presents a secret.
    Authenticate(u32),
    /// Which secret signs?
    Sign,
    /// Adds a secret that signs from now on, and ends all others in thirty days.
    Rotate,
    /// Calls off the rotation that a secret came with.
    CallOff(u32),
    /// Lets a secret end so many days from now.
    MoveEnd(u32, u32),
    /// As a seller, or as an operator.
    Suspend(By),
    Resume(By),
    Transfer(Owner),
    /// Which revision is it, whose, and when do its secrets end?
    Look,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum By {
    /// The seller that registered it.
    Contoso,
    Operator,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Owner {
    Contoso,
    Fabrikam,
}

/// What was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Added(u32),
    TooMany,
    Done,
    LetIn,
    Compromised,
    SignedBy(u32),
    NoSigningSecret,
    Unknown,
    CannotSign,
    /// Its rotation was called off.
    Deleted,
    Underway,
    NotUnderway,
    Obstructed,
    Suspended,
    SuspendedByOperator,
    /// It is another seller's.
    NotSeen,
    /// The revision, the owner, and the days until each secret ends, all together.
    Seen(u64, Owner, u32),
}

/// A question, from its beginning to its end.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) thread: usize,
    pub(crate) question: Question,
    /// `None`: nobody knows what came of it.
    pub(crate) answer: Option<Answer>,
    pub(crate) began: u64,
    pub(crate) ended: u64,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { thread, question, answer, began, ended } = self;
        write!(f, "{began:>3} to {ended:>3}  thread {thread}: {question:?} -> {answer:?}")
    }
}

/// How many secrets that have not ended the client may have.
pub(crate) const MAX_SECRETS: usize = 4;
const THREADS: usize = 3;
const CALLS: usize = 6;

/// The secrets that a caller was given, by their number.
type Told = Mutex<Vec<(u32, Zeroizing<String>)>>;

/// Lets three threads ask six questions each.
pub(crate) fn run<S: Store + Clone>(store: Unreliable<S>, seed: u64) -> Vec<Call> {
    let key = std::array::from_fn(|at| u8::try_from(at).unwrap());
    let keyring = Keyring::new(KeyId::parse("2026").unwrap(), &key).unwrap();
    let clock = ManualClock::new(START.parse().unwrap());
    let open = |node: u64| {
        // Which uses a node has heard of is not part of any record.
        let policy = Policy::default().with_max_secrets(MAX_SECRETS).unwrap().with_retire_after(Days::new(0));
        let builder = Registry::builder()
            .clock(clock.clone())
            .entropy(Seeded::new(seed * 10 + node))
            .policy(policy)
            .freshness(Freshness::within(Duration::ZERO));
        block_on(builder.open(store.clone(), keyring.clone())).unwrap()
    };
    let first = open(0);
    let contoso = first.as_seller("contoso").unwrap();
    let registered = contoso.register(details("calendar app"), Lifetime::OneYear);
    let issued = block_on(registered).unwrap();
    let told: Arc<Told> = Arc::default();
    told.lock().unwrap().push((1, Zeroizing::new(issued.client_secret().expose().to_owned())));
    let nodes: Vec<_> = (1..=THREADS as u64).map(open).collect();
    store.begin();

    let time = AtomicU64::new(0);
    let calls = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for (thread, node) in nodes.iter().enumerate() {
            let (time, calls, told, id) = (&time, &calls, &told, issued.client_id());
            scope.spawn(move || {
                let mut random = StdRng::seed_from_u64(seed * 10 + thread as u64);
                for _ in 0..CALLS {
                    let question = choose(&mut random, told);
                    let began = time.fetch_add(1, Ordering::SeqCst);
                    let answer = block_on(ask(node, id, question, told));
                    let ended = time.fetch_add(1, Ordering::SeqCst);
                    calls.lock().unwrap().push(Call { thread, question, answer, began, ended });
                }
            });
        }
    });
    calls.into_inner().unwrap()
}

fn choose(random: &mut StdRng, told: &Told) -> Question {
    let told = told.lock().unwrap();
    let (number, _) = told[random.random_range(0..told.len())];
    let (latest, _) = told[told.len() - 1];
    let by = if random.random_range(0..3) == 0 { By::Contoso } else { By::Operator };
    match random.random_range(0..100) {
        0..15 => Question::Add,
        15..27 => Question::Delete(number),
        27..36 => Question::Promote(number),
        36..53 => Question::Authenticate(number),
        53..60 => Question::Sign,
        60..69 => Question::Rotate,
        69..76 => Question::CallOff(latest),
        76..82 => Question::MoveEnd(number, [20, 30, 40][random.random_range(0..3)]),
        82..85 => Question::Suspend(by),
        85..90 => Question::Resume(by),
        90..93 => Question::Transfer([Owner::Contoso, Owner::Fabrikam][random.random_range(0..2)]),
        _ => Question::Look,
    }
}

async fn ask<S: Store>(
    registry: &Registry<S>,
    id: &ClientId,
    question: Question,
    told: &Told,
) -> Option<Answer> {
    let operator = registry.as_operator("ann").unwrap();
    let client = operator.client(id);
    let as_actor = |by| match by {
        By::Contoso => registry.as_seller("contoso").unwrap().client(id),
        By::Operator => operator.client(id),
    };
    let number = |number| SecretId::new(number).unwrap();
    let done = |answer: Result<Outcome, Error>| answer.map_or_else(refused, |_| Some(Answer::Done));
    match question {
        Question::Add => issued(client.add_secret(NewSecret::lasting(Lifetime::OneYear)).await, told),
        Question::Rotate => {
            let rotation = Rotation::overlap(Days::new(30)).lasting(Lifetime::OneYear).signing_now();
            issued(client.rotate(rotation).await, told)
        }
        Question::CallOff(secret) => planned(client.call_off(number(secret)).await),
        Question::MoveEnd(secret, days) => {
            let until = START.parse::<Timestamp>().unwrap().saturating_add(Days::new(days).into());
            planned(client.move_end(number(secret), until).await)
        }
        Question::Suspend(by) => done(as_actor(by).suspend().await),
        Question::Resume(by) => done(as_actor(by).resume().await),
        Question::Transfer(to) => done(operator.client(id).transfer(&seller_id(to)).await),
        Question::Delete(secret) => match client.delete_in_emergency(number(secret), None).await {
            Ok(_) => Some(Answer::Done),
            Err(error) => refused(error),
        },
        Question::Promote(secret) => done(client.promote(number(secret)).await),
        Question::Authenticate(secret) => {
            let text = {
                let told = told.lock().unwrap();
                told.iter().find(|(number, _)| *number == secret).map(|(_, text)| text.clone()).unwrap()
            };
            match registry.authenticate(id.as_str(), &text).await {
                Ok(who) => {
                    assert_eq!(who.secret_id().number(), secret);
                    Some(Answer::LetIn)
                }
                Err(AccessError::Denied(denied)) => match denied.reason() {
                    Reason::Compromised => Some(Answer::Compromised),
                    Reason::Deleted => Some(Answer::Deleted),
                    Reason::Suspended => Some(Answer::Suspended),
                    Reason::Wrong => Some(Answer::Unknown),
                    other => panic!("{other}"),
                },
                // Refused, since a node has seen a newer record: no caller got an answer.
                Err(_) => None,
            }
        }
        Question::Sign => match registry.sign(id, b"message").await {
            Ok(signature) => Some(Answer::SignedBy(signature.secret_id().number())),
            Err(SignError::Suspended) => Some(Answer::Suspended),
            Err(SignError::NoSigningSecret) => Some(Answer::NoSigningSecret),
            Err(_) => None,
        },
        Question::Look => match client.snapshot().await {
            Ok(snapshot) => {
                let client = snapshot.client();
                let owners = [Owner::Contoso, Owner::Fabrikam];
                let owner = owners.into_iter().find(|owner| seller_id(*owner) == *client.owner());
                let ends = client.secrets().filter_map(|secret| secret.validity().until());
                let days =
                    ends.map(|end| (end.as_millis() - snapshot.at().as_millis()) / (24 * 60 * 60 * 1000));
                let days = u32::try_from(days.sum::<i64>()).unwrap();
                Some(Answer::Seen(client.revision().number(), owner.unwrap(), days))
            }
            Err(_) => None,
        },
    }
}

fn issued(issued: Result<Issued, Error>, told: &Told) -> Option<Answer> {
    let issued = match issued {
        Ok(issued) => issued,
        Err(error) => return refused(error),
    };
    let secret = issued.secret_id().number();
    let text = Zeroizing::new(issued.client_secret().expose().to_owned());
    told.lock().unwrap().push((secret, text));
    Some(Answer::Added(secret))
}

fn planned<C>(answer: Result<Outcome, ConfirmError<C>>) -> Option<Answer> {
    match answer {
        Ok(_) => Some(Answer::Done),
        Err(ConfirmError::Failed(error)) => refused(error),
        Err(_) => Some(Answer::Obstructed),
    }
}

/// Why not; `None` if nobody knows whether not.
fn refused(error: Error) -> Option<Answer> {
    let refusal = match error {
        Error::Refused(refusal) => refusal,
        Error::Unresolved(_) | Error::Contention { .. } | Error::Unavailable(_) => return None,
        other => panic!("{other:?}"),
    };
    Some(match refusal {
        Refusal::TooManySecrets { .. } => Answer::TooMany,
        Refusal::UnknownSecret { .. } => Answer::Unknown,
        Refusal::NotValidThen { .. } => Answer::CannotSign,
        Refusal::RotationUnderway { .. } => Answer::Underway,
        Refusal::NotUnderway { .. } => Answer::NotUnderway,
        Refusal::SuspendedByOperator { .. } => Answer::SuspendedByOperator,
        Refusal::UnknownClient => Answer::NotSeen,
        other => panic!("{other:?}"),
    })
}

fn seller_id(owner: Owner) -> SellerId {
    let id = match owner {
        Owner::Contoso => "contoso",
        Owner::Fabrikam => "fabrikam",
    };
    SellerId::parse(id).unwrap()
}
