//! Explains a history: an order of its calls in which each fits between its beginning and its end, and a client that does
//! one thing after the other would have told the same. Found by trying (Wing and Gong), remembering what led nowhere (Lowe).

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::linearizable::history::{Answer, By, Call, MAX_SECRETS, Owner, Question};

/// A client that does one thing after the other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Model {
    revision: u64,
    last: u32,
    live: BTreeMap<u32, Secret>,
    /// Those whose rotation was called off, and that were not deleted in an emergency since.
    called_off: BTreeSet<u32>,
    /// In the order in which they were promoted, the latest last.
    promoted: Vec<u32>,
    suspended: Option<By>,
    owner: Owner,
}

/// A secret: in how many days it ends, and what a rotation has made of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Secret {
    ends: u32,
    replaced_by: Option<u32>,
    /// When it would have ended.
    ended: Option<u32>,
}

impl Model {
    fn new() -> Self {
        Self {
            revision: 1,
            last: 1,
            live: BTreeMap::from([(1, Secret::new())]),
            called_off: BTreeSet::new(),
            promoted: vec![],
            suspended: None,
            owner: Owner::Contoso,
        }
    }

    fn signs(&self) -> Option<u32> {
        let promoted = self.promoted.last().copied();
        promoted.or_else(|| self.live.first_key_value().map(|(first, _)| *first))
    }

    fn is_underway(&self) -> bool {
        let came = self.live.values().filter_map(|secret| secret.replaced_by);
        came.into_iter().any(|came| self.live.contains_key(&came))
    }

    fn is_seen_by(&self, by: By) -> bool {
        by == By::Operator || self.owner == Owner::Contoso
    }

    /// What it says, and what it is then.
    fn ask(&self, question: Question) -> (Answer, Self) {
        let mut next = self.clone();
        let answer = next.obey(question);
        (answer, next)
    }

    fn obey(&mut self, question: Question) -> Answer {
        let is_live = |secret| self.live.contains_key(&secret);
        match question {
            Question::Rotate if self.is_underway() => Answer::Underway,
            Question::Add | Question::Rotate if self.live.len() >= MAX_SECRETS => Answer::TooMany,
            Question::Add | Question::Rotate => {
                self.last += 1;
                if question == Question::Rotate {
                    self.live.values_mut().for_each(|secret| secret.replace(self.last));
                    self.promoted.push(self.last);
                }
                self.live.insert(self.last, Secret::new());
                self.revision += 1;
                Answer::Added(self.last)
            }
            Question::Delete(secret) => match is_live(secret) || self.called_off.remove(&secret) {
                true => {
                    self.remove(secret);
                    self.done()
                }
                // It is dead already.
                false if secret <= self.last => Answer::Done,
                false => Answer::Unknown,
            },
            Question::CallOff(secret) | Question::MoveEnd(secret, _) | Question::Promote(secret)
                if !is_live(secret) =>
            {
                Answer::Unknown
            }
            Question::CallOff(came) => self.call_off(came),
            Question::MoveEnd(secret, days) => self.move_end(secret, days),
            // Nothing changes where it signs by its promotion already.
            Question::Promote(secret) if self.promoted.last() == Some(&secret) => Answer::Done,
            Question::Promote(secret) => {
                self.promoted.retain(|promoted| *promoted != secret);
                self.promoted.push(secret);
                self.done()
            }
            Question::Authenticate(secret) if is_live(secret) => {
                self.suspended.map_or(Answer::LetIn, |_| Answer::Suspended)
            }
            Question::Authenticate(secret) if self.called_off.contains(&secret) => Answer::Deleted,
            Question::Authenticate(secret) if secret <= self.last => Answer::Compromised,
            Question::Authenticate(_) => Answer::Unknown,
            Question::Sign if self.suspended.is_some() => Answer::Suspended,
            Question::Sign => self.signs().map_or(Answer::NoSigningSecret, Answer::SignedBy),
            Question::Suspend(by) | Question::Resume(by) if !self.is_seen_by(by) => Answer::NotSeen,
            Question::Suspend(by) if self.suspended.is_none_or(|old| old != by && by == By::Operator) => {
                self.suspended = Some(by);
                self.done()
            }
            Question::Resume(By::Contoso) if self.suspended == Some(By::Operator) => {
                Answer::SuspendedByOperator
            }
            Question::Resume(_) if self.suspended.is_some() => {
                self.suspended = None;
                self.done()
            }
            Question::Transfer(to) if self.owner != to => {
                self.owner = to;
                self.done()
            }
            Question::Suspend(_) | Question::Resume(_) | Question::Transfer(_) => Answer::Done,
            Question::Look => {
                let days = self.live.values().map(|secret| secret.ends).sum();
                Answer::Seen(self.revision, self.owner, days)
            }
        }
    }

    fn done(&mut self) -> Answer {
        self.revision += 1;
        Answer::Done
    }

    fn remove(&mut self, secret: u32) {
        self.live.remove(&secret);
        self.promoted.retain(|promoted| *promoted != secret);
        // Its rotation can no longer be called off.
        for replaced in self.live.values_mut().filter(|replaced| replaced.replaced_by == Some(secret)) {
            replaced.ended = None;
        }
    }

    fn call_off(&mut self, came: u32) -> Answer {
        if !self.live.values().any(|secret| secret.replaced_by == Some(came)) {
            return Answer::NotUnderway;
        }
        for secret in self.live.values_mut().filter(|secret| secret.replaced_by == Some(came)) {
            secret.replaced_by = None;
            secret.ends = secret.ended.take().unwrap_or(secret.ends);
        }
        self.remove(came);
        self.called_off.insert(came);
        self.done()
    }

    fn move_end(&mut self, secret: u32, days: u32) -> Answer {
        let others_go_on = self.live.iter().any(|(other, one)| *other != secret && one.ends > days);
        let moved = self.live.get_mut(&secret).expect("it is alive");
        // One that a rotation has set is not yet this one.
        if moved.ends == days && moved.ended.is_none() {
            return Answer::Done;
        }
        if days < moved.ends && !others_go_on {
            return Answer::Obstructed;
        }
        moved.ends = days;
        // What was moved stays.
        moved.ended = None;
        self.done()
    }
}

impl Secret {
    /// All are issued for a year.
    fn new() -> Self {
        Self { ends: 365, replaced_by: None, ended: None }
    }

    fn replace(&mut self, by: u32) {
        self.ended = Some(self.ends);
        self.ends = self.ends.min(30);
        self.replaced_by = Some(by);
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
    let seen = |revision| {
        let secrets = u32::try_from(revision).unwrap();
        Some(Answer::Seen(revision, Owner::Contoso, secrets * 365))
    };
    let explained = |calls: &[Call]| explain(calls).is_ok();
    // One after the other.
    assert!(explained(&[call(add, Some(Answer::Added(2)), 0, 1), call(look, seen(2), 2, 3)]));
    assert!(!explained(&[call(add, Some(Answer::Added(2)), 0, 1), call(look, seen(1), 2, 3)]));
    // At once, either way.
    for revision in [1, 2] {
        let looked = call(look, seen(revision), 1, 3);
        assert!(explained(&[call(add, Some(Answer::Added(2)), 0, 2), looked]));
    }
    // Nobody knows: never, at once, or much later.
    let unknown = call(add, None, 0, 1);
    for revisions in [[1, 1], [1, 2], [2, 2]] {
        let [one, two] = revisions.map(seen);
        assert!(explained(&[unknown.clone(), call(look, one, 2, 3), call(look, two, 4, 5)]));
    }
    let [one, two] = [2, 1].map(seen);
    assert!(!explained(&[unknown, call(look, one, 2, 3), call(look, two, 4, 5)]));
}

/// Nobody gets in once a suspension was acknowledged, nobody is suspended for long whom the operator resumed, and what is not
/// acknowledged may take its time.
#[test]
fn it_explains_no_entry_after_a_suspension() {
    let call = |question, answer, began, ended| Call { thread: 0, question, answer, began, ended };
    let explained = |calls: &[Call]| explain(calls).is_ok();
    let (suspend, resume) = (Question::Suspend(By::Operator), Question::Resume(By::Contoso));
    let enter = |answer, began| call(Question::Authenticate(1), Some(answer), began, began + 1);
    let suspended = call(suspend, Some(Answer::Done), 0, 1);
    assert!(explained(&[suspended.clone(), enter(Answer::Suspended, 2)]));
    assert!(!explained(&[suspended.clone(), enter(Answer::LetIn, 2)]));
    let lifted = |answer| call(resume, Some(answer), 2, 3);
    assert!(explained(&[
        suspended.clone(),
        lifted(Answer::SuspendedByOperator),
        enter(Answer::Suspended, 4)
    ]));
    assert!(!explained(&[suspended, lifted(Answer::Done), enter(Answer::LetIn, 4)]));
    assert!(explained(&[call(suspend, None, 0, 1), enter(Answer::LetIn, 2), enter(Answer::Suspended, 4)]));
}

/// What came is gone, and an end that it took is there again, unless that was moved.
#[test]
fn it_explains_a_rotation_that_was_called_off() {
    let calls = |questions: &[(Question, Answer)]| {
        let times = (0..).step_by(2);
        let call = |(&(question, answer), began)| Call {
            thread: 0,
            question,
            answer: Some(answer),
            began,
            ended: began + 1,
        };
        explain(&questions.iter().zip(times).map(call).collect::<Vec<_>>()).is_ok()
    };
    let rotated = [(Question::Rotate, Answer::Added(2)), (Question::Sign, Answer::SignedBy(2))];
    let called_off = (Question::CallOff(2), Answer::Done);
    let then = |rest: &[(Question, Answer)]| calls(&[&rotated, rest].concat());
    assert!(then(&[called_off, (Question::Sign, Answer::SignedBy(1))]));
    assert!(!then(&[called_off, (Question::Sign, Answer::SignedBy(2))]));
    assert!(then(&[called_off, (Question::Authenticate(2), Answer::Deleted)]));
    assert!(!then(&[called_off, (Question::Authenticate(2), Answer::LetIn)]));
    // It is revision 3, and the one secret has its end again.
    let seen = |days| (Question::Look, Answer::Seen(3, Owner::Contoso, days));
    assert!(then(&[called_off, seen(365)]) && !then(&[called_off, seen(30)]));
    // The last secret goes on for a year again, so it is in the way of an end in forty days; one that was moved is not.
    let (moved, last) = (Question::MoveEnd(1, 40), Question::MoveEnd(1, 20));
    assert!(then(&[called_off, (moved, Answer::Obstructed)]));
    assert!(then(&[(moved, Answer::Done), called_off, (moved, Answer::Done), (last, Answer::Obstructed)]));
    assert!(!then(&[called_off, (moved, Answer::Done)]));
}
