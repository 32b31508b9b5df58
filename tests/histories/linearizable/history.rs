//! What several threads asked one client of several registries, when, and what they were told.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use client_registry::clock::ManualClock;
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
    /// Which revision is it?
    Look,
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
    Revision(u64),
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
        let policy = Policy::default().with_max_secrets(MAX_SECRETS).unwrap();
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
    match random.random_range(0..100) {
        0..25 => Question::Add,
        25..45 => Question::Delete(number),
        45..60 => Question::Promote(number),
        60..80 => Question::Authenticate(number),
        80..90 => Question::Sign,
        _ => Question::Look,
    }
}

async fn ask<S: Store>(
    registry: &Registry<S>,
    id: &ClientId,
    question: Question,
    told: &Told,
) -> Option<Answer> {
    let client = registry.as_operator("ann").unwrap().client(id);
    let number = |number| SecretId::new(number).unwrap();
    let refused = |error| match error {
        Error::Refused(Refusal::TooManySecrets { .. }) => Some(Answer::TooMany),
        Error::Refused(Refusal::UnknownSecret { .. }) => Some(Answer::Unknown),
        Error::Refused(Refusal::NotValidThen { .. }) => Some(Answer::CannotSign),
        Error::Unresolved(_) | Error::Contention { .. } | Error::Unavailable(_) => None,
        other => panic!("{other:?}"),
    };
    match question {
        Question::Add => match client.add_secret(NewSecret::lasting(Lifetime::OneYear)).await {
            Ok(issued) => {
                let secret = issued.secret_id().number();
                let text = Zeroizing::new(issued.client_secret().expose().to_owned());
                told.lock().unwrap().push((secret, text));
                Some(Answer::Added(secret))
            }
            Err(error) => refused(error),
        },
        Question::Delete(secret) => match client.delete_in_emergency(number(secret), None).await {
            Ok(_) => Some(Answer::Done),
            Err(error) => refused(error),
        },
        Question::Promote(secret) => match client.promote(number(secret)).await {
            Ok(_) => Some(Answer::Done),
            Err(error) => refused(error),
        },
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
                    Reason::Wrong => Some(Answer::Unknown),
                    other => panic!("{other}"),
                },
                // Refused, since a node has seen a newer record: no caller got an answer.
                Err(_) => None,
            }
        }
        Question::Sign => match registry.sign(id, b"message").await {
            Ok(signature) => Some(Answer::SignedBy(signature.secret_id().number())),
            Err(SignError::NoSigningSecret) => Some(Answer::NoSigningSecret),
            Err(_) => None,
        },
        Question::Look => match client.snapshot().await {
            Ok(snapshot) => Some(Answer::Revision(snapshot.client().revision().number())),
            Err(_) => None,
        },
    }
}
