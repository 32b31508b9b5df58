//! What came out, case by case.

use std::fmt;

/// What a store did in each case.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "it may say that the store does not keep the contract"]
pub struct Report {
    cases: Vec<CaseReport>,
}

/// What a store did in one case.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CaseReport {
    /// The name by which the contract refers to the case.
    pub name: &'static str,
    /// What came out.
    pub verdict: Verdict,
}

/// What came out of a case.
///
/// Exhaustive on purpose: nothing else can come out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The store kept the contract.
    Passed,
    /// It did not, or could not be asked: this is what happened.
    Failed(String),
    /// The factory said that the case cannot be arranged, for this reason.
    Skipped(String),
}

impl Report {
    pub(super) fn new(cases: Vec<CaseReport>) -> Self {
        Self { cases }
    }

    /// Every case, in the order in which they were tried.
    #[must_use]
    pub fn cases(&self) -> &[CaseReport] {
        &self.cases
    }

    /// The cases that failed.
    pub fn failed(&self) -> impl Iterator<Item = &CaseReport> {
        self.cases.iter().filter(|case| matches!(case.verdict, Verdict::Failed(_)))
    }

    /// The cases that were not tried.
    pub fn skipped(&self) -> impl Iterator<Item = &CaseReport> {
        self.cases.iter().filter(|case| matches!(case.verdict, Verdict::Skipped(_)))
    }

    /// Ends a test.
    ///
    /// # Panics
    /// With the cases that failed, if any did.
    #[track_caller]
    #[expect(clippy::panic, reason = "what it is for")]
    pub fn assert_passed(&self) {
        let failed: Vec<_> = self.failed().cloned().collect();
        if !failed.is_empty() {
            panic!("the store does not keep the contract\n{}", Self { cases: failed });
        }
    }

    /// Ends a test that lets nothing be skipped.
    ///
    /// # Panics
    /// With the cases that failed or were skipped, if any were.
    #[track_caller]
    #[expect(clippy::panic, reason = "what it is for")]
    pub fn assert_complete(&self) {
        let rest: Vec<_> = self.failed().chain(self.skipped()).cloned().collect();
        if !rest.is_empty() {
            panic!("the store does not keep the whole contract, or was not asked\n{}", Self { cases: rest });
        }
    }

    /// Ends a test that lets just these cases be skipped: those that need what the store or its factory does not have.
    ///
    /// # Panics
    /// With the cases that failed, and with those that were skipped and are not among `allowed`, or the other way round.
    #[track_caller]
    #[expect(clippy::panic, reason = "what it is for")]
    pub fn assert_complete_but_for(&self, allowed: &[&str]) {
        self.assert_passed();
        let is_unforeseen =
            |case: &&CaseReport| matches!(case.verdict, Verdict::Skipped(_)) != allowed.contains(&case.name);
        let cases: Vec<_> = self.cases.iter().filter(is_unforeseen).cloned().collect();
        if !cases.is_empty() {
            panic!(
                "these cases were skipped and should not have been, or the other way round\n{}",
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
