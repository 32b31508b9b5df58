//! Leaked texts: whose they are, and what deleting them comes to.

use client_registry::client::{LeakedSecret, LeakedState};
use client_registry::registry::LeakVerdict;
use client_registry::*;

use super::refusals::refused;
use super::{System, seller_number};
use crate::model::answer::{Answer, Leak};
use crate::model::home::Home;
use crate::model::naive::Text;
use crate::support::block_on;

impl<S: Home> System<S> {
    /// Given up once, and gone on with by another search of the same texts.
    pub(crate) fn find_leaked(&self, limit: usize) -> Answer {
        let issued = (0..self.texts.len()).map(Text::Generated);
        let mut texts: Vec<String> =
            issued.chain((0..7).map(Text::Pool)).map(|text| self.text(text)).collect();
        texts.extend(self.texts.first().map(|text| format!("{text}x")));
        texts.push("open sesame".to_owned());
        let mut found = vec![(vec![], ""); texts.len()];
        let mut looked_at = 0;
        let operator = self.operator();
        let mut search = operator.find_leaked(&texts).unwrap();
        let goes_on = block_on(search.next_page(limit)).unwrap();
        looked_at += search.looked_at();
        self.note(&search.verdicts(), &mut found);
        if goes_on && let Some(place) = search.place().cloned() {
            let mut search = operator.find_leaked(&texts).unwrap().after(place);
            while block_on(search.next_page(limit)).unwrap() {}
            assert!(search.is_done() && search.unreadable().is_empty());
            looked_at += search.looked_at();
            self.note(&search.verdicts(), &mut found);
        }
        assert_eq!(looked_at, self.ids.len(), "each client is looked at once");
        found.iter_mut().for_each(|(leaks, _)| leaks.sort_unstable());
        Answer::Leaks(found)
    }

    fn note(&self, verdicts: &[LeakVerdict], found: &mut [(Vec<Leak>, &'static str)]) {
        for (verdict, (leaks, looks)) in verdicts.iter().zip(found) {
            match verdict {
                LeakVerdict::Ours { secrets } => {
                    leaks.extend(secrets.iter().map(|leaked| self.leak(leaked)));
                    *looks = "Ours";
                }
                LeakVerdict::Mistyped => *looks = "Mistyped",
                LeakVerdict::NotOurs if leaks.is_empty() => *looks = "NotOurs",
                LeakVerdict::NotOurs => {}
                other => panic!("{other:?}"),
            }
        }
    }

    pub(super) fn delete_leaked(&self, text: Text) -> Answer {
        let (text, operator) = (self.text(text), self.operator());
        let mut search = operator.find_leaked([&text]).unwrap();
        while block_on(search.next_page(1000)).unwrap() {}
        let deleted = block_on(operator.delete_leaked(search.found()));
        let mut answers: Vec<_> = deleted
            .into_iter()
            .map(|(leaked, deleted)| {
                let answer = match deleted {
                    Ok(EmergencyDeletion::Deleted { .. }) => Answer::Deleted,
                    Ok(other) => panic!("{other:?}"),
                    Err(error) => refused(&error),
                };
                (self.leak(leaked).0, answer)
            })
            .collect();
        answers.sort_by_key(|(client, _)| *client);
        Answer::Several(answers.into_iter().map(|(_, answer)| answer).collect())
    }

    fn leak(&self, leaked: &LeakedSecret) -> Leak {
        let client = self.ids.iter().position(|known| *known == leaked.client_id);
        let state = match leaked.state {
            LeakedState::Valid => "Valid",
            LeakedState::NotYetStarted => "NotYetStarted",
            LeakedState::Disabled => "Disabled",
            LeakedState::Ended => "Ended",
            LeakedState::Deleted => "Deleted",
            LeakedState::Compromised => "Compromised",
            other => panic!("{other:?}"),
        };
        let client = client.expect("a client that was made here");
        (client, seller_number(&leaked.owner), leaked.secret.number(), state)
    }
}
