//! Every order in which commands can take their steps, by depth-first search over who goes next; each order runs from
//! scratch.

use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// A command, or several by one caller, under way.
pub(crate) type Process<T> = Pin<Box<dyn Future<Output = T>>>;

/// Runs `once` in every order, or until it breaks off. It is given the decisions of this order and passes them on to
/// [`Order::run`]. Answers how many orders there were.
pub(crate) fn every_order(mut once: impl FnMut(&mut Order) -> ControlFlow<()>) -> usize {
    let mut order = Order::default();
    let mut orders = 0;
    loop {
        order.step = 0;
        let flow = once(&mut order);
        orders += 1;
        if flow.is_break() || !order.advance() {
            return orders;
        }
    }
}

/// Who went when. Shown as the numbers of the processes, step by step.
#[derive(Debug, Default)]
pub(crate) struct Order {
    choices: Vec<Choice>,
    step: usize,
}

#[derive(Debug, Clone, Copy)]
struct Choice {
    taken: usize,
    of: usize,
    process: usize,
}

impl Order {
    /// Takes all processes to their ends in this order, one step of one of them at a time.
    pub(crate) fn run<T>(&mut self, processes: Vec<Process<T>>) -> Vec<T> {
        let mut under_way: Vec<_> = processes.into_iter().enumerate().collect();
        let mut answers = Vec::new();
        while !under_way.is_empty() {
            let next = self.choose(&under_way);
            let (process, future) = &mut under_way[next];
            if let Poll::Ready(answer) = poll(future) {
                answers.push((*process, answer));
                drop(under_way.remove(next));
            }
        }
        answers.sort_by_key(|(process, _)| *process);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }

    fn choose<T>(&mut self, under_way: &[(usize, Process<T>)]) -> usize {
        let of = under_way.len();
        let taken = match self.choices.get(self.step) {
            Some(choice) => {
                assert_eq!(choice.of, of, "the same choices lead to the same place");
                choice.taken
            }
            None => 0,
        };
        let process = under_way[taken].0;
        let choice = Choice { taken, of, process };
        match self.choices.get_mut(self.step) {
            Some(known) => *known = choice,
            None => self.choices.push(choice),
        }
        self.step += 1;
        taken
    }

    /// The next order; `false` after the last.
    fn advance(&mut self) -> bool {
        while let Some(last) = self.choices.last_mut() {
            last.taken += 1;
            if last.taken < last.of {
                return true;
            }
            self.choices.pop();
        }
        false
    }
}

impl std::fmt::Display for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let choices = self.choices.iter();
        choices.map(|choice| choice.process).try_for_each(|process| write!(f, "{process}"))
    }
}

/// One step, with a waker that does nothing: a future that is to go on is polled again.
pub(crate) fn poll<T>(process: &mut Process<T>) -> Poll<T> {
    process.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}
