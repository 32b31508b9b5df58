//! What passed, and what did not.

#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failures: Vec<String>,
}

impl Tally {
    pub(crate) fn check(&mut self, what: impl Into<String>, holds: Result<(), String>) {
        match holds {
            Ok(()) => self.passed += 1,
            Err(why) => self.failures.push(format!("{}: {why}", what.into())),
        }
    }

    /// Something that has to be accepted.
    pub(crate) fn accepted<T, E: ToString>(
        &mut self,
        what: impl Into<String>,
        answer: Result<T, E>,
    ) -> Option<T> {
        match answer {
            Ok(value) => {
                self.passed += 1;
                Some(value)
            }
            Err(error) => {
                self.failures.push(format!("{} was not accepted: {}", what.into(), error.to_string()));
                None
            }
        }
    }

    /// Something that has to be refused.
    pub(crate) fn refused<T, E>(&mut self, what: impl Into<String>, answer: Result<T, E>) {
        self.check(what, answer.map_or(Ok(()), |_| Err("was let in".to_owned())));
    }
}
