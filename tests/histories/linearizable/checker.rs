//! Explains a history: an order of its calls in which each fits between its beginning and its end, and a client that does
//! one thing after the other would have told the same. Found by trying (Wing and Gong), remembering what led nowhere (Lowe).

use std::collections::{BTreeSet, HashSet};

use crate::linearizable::history::{Answer, Call, MAX_SECRETS, Question};

/// A client that does one thing after the other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Model {
    revision: u64,
    last: u32,
    live: BTreeSet<u32>,
    /// In the order in which they were promoted, the latest last.
    promoted: Vec<u32>,
}

impl Model {
    fn new() -> Self {
        Self { revision: 1, last: 1, live: BTreeSet::from([1]), promoted: vec![] }
    }

    fn signs(&self) -> Option<u32> {
        let promoted = self.promoted.last().copied();
        promoted.or_else(|| self.live.first().copied())
    }

    /// What it says, and what it is then.
    fn ask(&self, question: Question) -> (Answer, Self) {
        let mut next = self.clone();
        let answer = match question {
            Question::Add if self.live.len() >= MAX_SECRETS => Answer::TooMany,
            Question::Add => {
                next.last += 1;
                next.live.insert(next.last);
                next.revision += 1;
                Answer::Added(next.last)
            }
            Question::Delete(secret) if self.live.contains(&secret) => {
                next.live.remove(&secret);
                next.promoted.retain(|promoted| *promoted != secret);
                next.revision += 1;
                Answer::Done
            }
            // It is dead already.
            Question::Delete(secret) if secret <= self.last => Answer::Done,
            Question::Delete(_) => Answer::Unknown,
            Question::Promote(secret) if !self.live.contains(&secret) => Answer::Unknown,
            // Nothing changes where it signs by its promotion already.
            Question::Promote(secret) if self.promoted.last() == Some(&secret) => Answer::Done,
            Question::Promote(secret) => {
                next.promoted.retain(|promoted| *promoted != secret);
                next.promoted.push(secret);
                next.revision += 1;
                Answer::Done
            }
            Question::Authenticate(secret) if self.live.contains(&secret) => Answer::LetIn,
            Question::Authenticate(secret) if secret <= self.last => Answer::Compromised,
            Question::Authenticate(_) => Answer::Unknown,
            Question::Sign => self.signs().map_or(Answer::NoSigningSecret, Answer::SignedBy),
            Question::Look => Answer::Revision(self.revision),
        };
        (answer, next)
    }
}

/// Finds an order, or says what there was to explain.
pub(crate) fn explain(history: &[Call]) -> Result<(), String> {
    let mut calls = history.to_vec();
    calls.sort_by_key(|call| call.began);
    let mut nowhere = HashSet::new();
    if leads_on(&calls, 0, &Model::new(), &mut nowhere) {
        return Ok(());
    }
    Err(calls.iter().map(|call| format!("  {call}\n")).collect())
}

/// Whether the calls that have not been done can be explained from here on.
fn leads_on(calls: &[Call], done: u32, model: &Model, nowhere: &mut HashSet<(u32, Model)>) -> bool {
    let open = || (0..).zip(calls).filter(|(at, _)| done & (1 << at) == 0);
    // Whatever is of unknown outcome may never have happened.
    if open().all(|(_, call)| call.answer.is_none()) {
        return true;
    }
    if !nowhere.insert((done, model.clone())) {
        return false;
    }
    // No call comes after one that began when it had ended. One of unknown outcome has no end.
    let first_end = open().filter(|(_, call)| call.answer.is_some()).map(|(_, call)| call.ended).min();
    open().filter(|(_, call)| first_end.is_none_or(|end| call.began < end)).any(|(at, call): (u32, &Call)| {
        let (answer, next) = model.ask(call.question);
        call.answer.is_none_or(|told| told == answer) && leads_on(calls, done | 1 << at, &next, nowhere)
    })
}

#[test]
fn it_explains_what_can_be_explained_and_nothing_else() {
    let call = |question, answer, began, ended| Call { thread: 0, question, answer, began, ended };
    let (add, look) = (Question::Add, Question::Look);
    let explained = |calls: &[Call]| explain(calls).is_ok();
    // One after the other.
    assert!(explained(&[
        call(add, Some(Answer::Added(2)), 0, 1),
        call(look, Some(Answer::Revision(2)), 2, 3)
    ]));
    assert!(!explained(&[
        call(add, Some(Answer::Added(2)), 0, 1),
        call(look, Some(Answer::Revision(1)), 2, 3)
    ]));
    // At once, either way.
    for revision in [1, 2] {
        let looked = call(look, Some(Answer::Revision(revision)), 1, 3);
        assert!(explained(&[call(add, Some(Answer::Added(2)), 0, 2), looked]));
    }
    // Nobody knows: never, at once, or much later.
    let unknown = call(add, None, 0, 1);
    for revisions in [[1, 1], [1, 2], [2, 2]] {
        let [one, two] = revisions.map(|revision| Some(Answer::Revision(revision)));
        assert!(explained(&[unknown.clone(), call(look, one, 2, 3), call(look, two, 4, 5)]));
    }
    let [one, two] = [2, 1].map(|revision| Some(Answer::Revision(revision)));
    assert!(!explained(&[unknown, call(look, one, 2, 3), call(look, two, 4, 5)]));
}
