//! What was run: histories, commands, and how often each was carried out or refused, and why.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::model::answer::Answer;
use crate::model::command::Command;

#[derive(Debug, Default, Clone)]
pub(crate) struct Tally {
    pub(crate) histories: usize,
    pub(crate) commands: usize,
    pub(crate) families: BTreeMap<&'static str, Family>,
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Family {
    pub(crate) accepted: usize,
    pub(crate) refused: BTreeMap<&'static str, usize>,
}

impl Family {
    pub(crate) fn asked(&self) -> usize {
        self.accepted + self.refused.values().sum::<usize>()
    }
}

thread_local! {
    static TALLY: RefCell<Tally> = RefCell::default();
    static STORY: RefCell<String> = RefCell::default();
}

/// Keeps the history that went wrong last, which after shortening is the shortest.
pub(crate) fn went_wrong(history: &[Command]) {
    let lines = history.iter().map(|command| format!("{command:?}\n"));
    STORY.set(lines.collect());
}

pub(crate) fn story() -> String {
    STORY.with_borrow(String::clone)
}

pub(crate) fn history() {
    TALLY.with_borrow_mut(|tally| tally.histories += 1);
}

pub(crate) fn command(family: &'static str, answer: &Answer) {
    TALLY.with_borrow_mut(|tally| {
        tally.commands += 1;
        let family = tally.families.entry(family).or_default();
        match answer.is_accepted() {
            true => family.accepted += 1,
            false => *family.refused.entry(answer.reason()).or_default() += 1,
        }
    });
}

/// What this thread has run so far.
pub(crate) fn so_far() -> Tally {
    TALLY.with_borrow(Tally::clone)
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} histories, {} commands", self.histories, self.commands)?;
        for (name, family) in &self.families {
            let (asked, accepted) = (family.asked(), family.accepted);
            write!(f, "  {name}: {asked} times, {} % accepted;", 100 * accepted / asked)?;
            let mut refused: Vec<_> = family.refused.iter().collect();
            refused.sort_by_key(|(_, times)| std::cmp::Reverse(**times));
            for (why, times) in refused {
                write!(f, " {why} {times},")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
