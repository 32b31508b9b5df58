//! The result of a run: a verdict for each case, and the assertions that end a test.

use std::fmt;

/// The verdicts of all cases.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "it may say that the store does not keep the contract"]
pub struct Report {
    cases: Vec<CaseReport>,
}

/// The verdict of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CaseReport {
    /// The name of the case, by which the contract cites it.
    pub name: &'static str,
    /// The verdict.
    pub verdict: Verdict,
}

/// The outcome of a case.
///
/// Exhaustive on purpose: there is no other outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The store kept the contract.
    Passed,
    /// The store broke the contract, or the case could not be run. The text says what happened.
    Failed(String),
    /// The factory cannot arrange what the case needs, for this reason.
    Skipped(String),
}

impl Report {
    pub(super) fn new(cases: Vec<CaseReport>) -> Self {
        Self { cases }
    }

    /// Returns every case, in the order of the run.
    #[must_use]
    pub fn cases(&self) -> &[CaseReport] {
        &self.cases
    }

    /// Returns the cases that failed.
    pub fn failed(&self) -> impl Iterator<Item = &CaseReport> {
        self.cases.iter().filter(|case| matches!(case.verdict, Verdict::Failed(_)))
    }

    /// Returns the cases that were skipped.
    pub fn skipped(&self) -> impl Iterator<Item = &CaseReport> {
        self.cases.iter().filter(|case| matches!(case.verdict, Verdict::Skipped(_)))
    }

    /// Asserts that no case failed.
    ///
    /// # Panics
    /// If a case failed. The message lists the cases that did.
    #[track_caller]
    #[expect(clippy::panic, reason = "what it is for")]
    pub fn assert_passed(&self) {
        let failed: Vec<_> = self.failed().cloned().collect();
        if !failed.is_empty() {
            panic!("the store does not keep the contract\n{}", Self { cases: failed });
        }
    }

    /// Asserts that every case passed.
    ///
    /// # Panics
    /// If a case failed or was skipped. The message lists the cases that did.
    #[track_caller]
    #[expect(clippy::panic, reason = "what it is for")]
    pub fn assert_complete(&self) {
        let rest: Vec<_> = self.failed().chain(self.skipped()).cloned().collect();
        if !rest.is_empty() {
            panic!(
                "the store does not keep the whole contract, or cases were skipped\n{}",
                Self { cases: rest }
            );
        }
    }

    /// Asserts that every case passed but those in `allowed`, and that those were skipped: they need something that the store or
    /// its factory does not have.
    ///
    /// # Panics
    /// If a case failed, if a case was skipped that is not in `allowed`, or if one in `allowed` was not skipped. The message lists
    /// these cases.
    #[track_caller]
    #[expect(clippy::panic, reason = "what it is for")]
    pub fn assert_complete_but_for(&self, allowed: &[&str]) {
        self.assert_passed();
        let is_unforeseen =
            |case: &&CaseReport| matches!(case.verdict, Verdict::Skipped(_)) != allowed.contains(&case.name);
        let cases: Vec<_> = self.cases.iter().filter(is_unforeseen).cloned().collect();
        if !cases.is_empty() {
            panic!(
                "these cases were skipped although not allowed, or allowed to be skipped and were not\n{}",
                Self { cases }
            );
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.cases.iter().map(|case| case.name.len()).max().unwrap_or_default();
        for CaseReport { name, verdict } in &self.cases {
            writeln!(f, "{name:width$}  {verdict}")?;
        }
        let (failed, skipped) = (self.failed().count(), self.skipped().count());
        let passed = self.cases.len() - failed - skipped;
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

impl fmt::Display for CaseReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.verdict)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("passed"),
            Self::Failed(what) => write!(f, "FAILED: {what}"),
            Self::Skipped(reason) => write!(f, "skipped: {reason}"),
        }
    }
}
