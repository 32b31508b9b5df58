//! A market in the course of a history: what happens, what the notices say of it, and what they should have said.

use std::collections::BTreeSet;
use std::ops::Range;

use client_registry::review::{Expiry, Notice};
use client_registry::{ClientId, Outcome, SecretId, Timestamp};
use pollster::block_on;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::{Command, DAYS, Fault, Wait};
use crate::notices::market::{Market, key, lasting, rotation};
use crate::support::{days_later, later, secret_id, start};

/// A secret, as the model knows it.
struct Known {
    client: usize,
    secret: SecretId,
    since: Timestamp,
    from: Timestamp,
    ends: Timestamp,
    /// When its end was set, if not when it was issued.
    set: Option<Timestamp>,
    /// What a rotation took: its end, and when that was set. The end is gone once it was moved since.
    given_up: Option<(SecretId, Option<End>)>,
    disabled: bool,
    deleted: bool,
}

/// An end, and when it was set.
type End = (Timestamp, Option<Timestamp>);

pub(super) struct World {
    pub(super) market: Market,
    pub(super) now: Timestamp,
    known: Vec<Known>,
    /// Where the last window ended.
    kept: Timestamp,
    given: BTreeSet<(Timestamp, ClientId, SecretId, u32)>,
    fault: Fault,
}

impl World {
    pub(super) fn new(fault: Fault) -> Self {
        let mut market = Market::new();
        let _ = market.register(0, lasting(100));
        let given = BTreeSet::new();
        let mut world = Self { market, now: start(), known: Vec::new(), kept: start(), given, fault };
        world.added(0, secret_id(1), start(), 100);
        world
    }

    fn added(&mut self, client: usize, secret: SecretId, from: Timestamp, lasting: u32) {
        let ends = days_later(from, lasting);
        let since = self.now.max(from);
        self.known.push(Known {
            client,
            secret,
            since,
            from,
            ends,
            set: None,
            given_up: None,
            disabled: false,
            deleted: false,
        });
    }

    pub(super) fn give(&mut self, command: Command) -> Result<(), TestCaseError> {
        let now = self.now;
        let numbers = self.market.clients.len();
        let handle =
            |client: u8| (usize::from(client) % numbers, self.market.client(usize::from(client) % numbers));
        match command {
            Command::Register { seller, lasting: days } => {
                let issued = self.market.register(seller, lasting(days));
                self.added(numbers, issued.secret_id(), now, days);
            }
            Command::Add { client, lasting: days, starts_in } => {
                let (number, client) = handle(client);
                let from = days_later(now, starts_in);
                if let Ok(issued) = block_on(client.add_secret(lasting(days).starting(from))) {
                    self.added(number, issued.secret_id(), from, days);
                }
            }
            Command::Rotate { client, overlap, lasting } => {
                let (number, client) = handle(client);
                if let Ok(issued) = block_on(client.rotate(rotation(overlap, lasting))) {
                    let by = issued.secret_id();
                    for known in self.known.iter_mut().filter(|k| k.client == number && !k.deleted) {
                        if known.from <= now && now < known.ends {
                            known.given_up = Some((by, Some((known.ends, known.set))));
                            known.ends = known.ends.min(days_later(now, overlap));
                            known.set = Some(now);
                        }
                    }
                    self.added(number, by, now, lasting);
                }
            }
            Command::Disable { client, secret } => {
                let (number, client) = handle(client);
                let secret = self.pick(number, secret);
                if let Ok(plan) = block_on(client.plan_disabling(secret))
                    && block_on(client.confirm(plan)).is_ok()
                {
                    self.find(number, secret).disabled = true;
                }
            }
            Command::Enable { client, secret } => {
                let (number, client) = handle(client);
                let secret = self.pick(number, secret);
                if block_on(client.enable(secret)).is_ok() {
                    let known = self.find(number, secret);
                    if known.disabled {
                        (known.disabled, known.since) = (false, now.max(known.from));
                    }
                }
            }
            Command::Delete { client, secret } => {
                let (number, client) = handle(client);
                let secret = self.pick(number, secret);
                if block_on(client.delete_in_emergency(secret, None)).is_ok() {
                    self.find(number, secret).deleted = true;
                }
            }
            Command::CallOff { client } => {
                let (number, client) = handle(client);
                let came = self.known.iter().filter(|known| known.client == number && !known.deleted);
                let came = came.filter_map(|known| Some(known.given_up?.0)).max();
                if let Some(came) = came
                    && block_on(client.call_off(came)).is_ok()
                {
                    self.find(number, came).deleted = true;
                    let of_it =
                        |known: &&mut Known| known.client == number && !known.deleted && now < known.ends;
                    for known in self.known.iter_mut().filter(of_it) {
                        match known.given_up {
                            Some((by, end)) if by == came => {
                                (known.ends, known.set) = end.unwrap_or((known.ends, known.set));
                                known.given_up = None;
                            }
                            _ => {}
                        }
                    }
                }
            }
            Command::MoveEnd { client, secret, days } => {
                let (number, client) = handle(client);
                let secret = self.pick(number, secret);
                let until = days_later(now, days);
                if block_on(client.move_end(secret, until)).is_ok_and(|told| told == Outcome::Changed) {
                    let known = self.find(number, secret);
                    (known.ends, known.set) = (until, Some(now));
                    known.given_up = known.given_up.map(|(by, _)| (by, None));
                }
            }
            Command::Ask { limit } => self.ask(limit)?,
        }
        Ok(())
    }

    fn pick(&self, client: usize, secret: u8) -> SecretId {
        let all: Vec<_> = self.known.iter().filter(|known| known.client == client).collect();
        all[usize::from(secret) % all.len()].secret
    }

    fn find(&mut self, client: usize, secret: SecretId) -> &mut Known {
        self.known.iter_mut().find(|known| known.client == client && known.secret == secret).unwrap()
    }

    /// The end of a window.
    pub(super) fn ask(&mut self, limit: usize) -> Result<(), TestCaseError> {
        let window = self.kept..self.now;
        let asked = match self.fault {
            Fault::Closed => window.start..later(window.end, 1),
            Fault::Open => later(window.start, 1)..window.end,
            Fault::None | Fault::StartForgotten => window.clone(),
        };
        let notices = self.market.notices(&asked, limit);
        self.look_at(&window, &notices)?;
        for notice in &notices {
            prop_assert!(self.given.insert(key(notice)), "given twice: {notice:?}");
        }
        if self.fault != Fault::StartForgotten {
            self.kept = self.now;
        }
        Ok(())
    }

    fn look_at(&self, window: &Range<Timestamp>, notices: &[Notice]) -> Result<(), TestCaseError> {
        let found: Vec<_> = notices.iter().map(key).collect();
        let expected: Vec<_> = self.due(window);
        let found_in_order: BTreeSet<_> = found.iter().cloned().collect();
        prop_assert_eq!(found_in_order, expected.into_iter().collect::<BTreeSet<_>>());
        let order = |notice: &Notice| {
            (notice.expiry.ends, notice.expiry.client_id.clone(), notice.expiry.secret, notice.due)
        };
        prop_assert!(notices.is_sorted_by_key(order));
        for seller in 0..2 {
            let of_seller = |id: &ClientId| self.market.clients.contains(&(id.clone(), seller));
            let ours: BTreeSet<_> = found.iter().filter(|(_, id, ..)| of_seller(id)).cloned().collect();
            let told = self.market.notices_of(seller, window, 2);
            prop_assert_eq!(told.len(), ours.len());
            prop_assert_eq!(told.iter().map(key).collect::<BTreeSet<_>>(), ours);
        }
        Ok(())
    }

    /// Nothing changes any more: the same notices, whichever way the time is cut into windows.
    pub(super) fn cut_up(&self, cuts: &[(prop::sample::Index, i64)]) -> Result<(), TestCaseError> {
        let (first, last) = (days_later(start(), 0), days_later(self.now, 200));
        let moments = self.moments(first);
        let mut cuts: Vec<_> = cuts
            .iter()
            .filter(|_| !moments.is_empty())
            .map(|(at, delta)| later(moments[at.index(moments.len())], *delta))
            .filter(|cut| (first..last).contains(cut))
            .chain([first, last])
            .collect();
        cuts.sort_unstable();
        let mut given = Vec::new();
        for window in cuts.windows(2) {
            let end = if self.fault == Fault::Closed { later(window[1], 1) } else { window[1] };
            given.extend(self.market.notices(&(window[0]..end), 2).iter().map(key));
        }
        let mut whole: Vec<_> = self.market.notices(&(first..last), 1000).iter().map(key).collect();
        given.sort_unstable();
        whole.sort_unstable();
        prop_assert_eq!(&given, &whole);
        let mut due = self.due(&(first..last));
        due.sort_unstable();
        prop_assert_eq!(&given, &due);
        Ok(())
    }

    /// The report is what the model knows, in the order of the ends.
    pub(super) fn report(&self) -> Result<(), TestCaseError> {
        let moments = self.moments(start());
        let (from, before) = match moments[..] {
            [first, .., last] => (first, last),
            _ => (start(), self.now),
        };
        for ends in [from..before, start()..Timestamp::MAX, self.now..days_later(self.now, 90), before..from]
        {
            let mut expected: Vec<_> = self
                .known
                .iter()
                .filter(|known| !known.deleted && ends.contains(&known.ends))
                .map(|known| (known.ends, self.market.clients[known.client].0.clone(), known.secret))
                .collect();
            expected.sort_unstable();
            let key = |expiry: &Expiry| (expiry.ends, expiry.client_id.clone(), expiry.secret);
            let found: Vec<_> = self.market.expiries(&ends, 2).iter().map(key).collect();
            prop_assert_eq!(&found, &expected);
            let of_sellers = (0..2).flat_map(|seller| self.market.expiries_of(seller, &ends, 2));
            let mut found: Vec<_> = of_sellers.map(|expiry| key(&expiry)).collect();
            found.sort_unstable();
            prop_assert_eq!(found, expected);
        }
        Ok(())
    }

    /// From the words alone: due so many days before the end, in the window; not before the secret was valid, and not
    /// before the end was decided.
    fn due(&self, window: &Range<Timestamp>) -> Vec<(Timestamp, ClientId, SecretId, u32)> {
        let mut due = Vec::new();
        for known in self.known.iter().filter(|known| !known.disabled && !known.deleted) {
            for days in DAYS {
                let at = later(known.ends, -i64::from(days) * 24 * 60 * 60 * 1000);
                let stands = known.since < at && known.set.is_none_or(|set| set < at);
                if window.start <= at && at < window.end && stands {
                    let client_id = self.market.clients[known.client].0.clone();
                    due.push((known.ends, client_id, known.secret, days));
                }
            }
        }
        due
    }

    /// The moments from `from` on at which a notice falls due or a secret ends.
    fn moments(&self, from: Timestamp) -> Vec<Timestamp> {
        let before = |ends, days: u32| later(ends, -i64::from(days) * 24 * 60 * 60 * 1000);
        let all = self
            .known
            .iter()
            .flat_map(|known| DAYS.into_iter().chain([0]).map(move |days| before(known.ends, days)));
        let mut moments: Vec<_> = all.filter(|moment| from < *moment).collect();
        moments.sort_unstable();
        moments.dedup();
        moments
    }

    pub(super) fn resolve(&self, wait: Wait) -> Timestamp {
        match wait {
            Wait::No => self.now,
            Wait::Days(days) => days_later(self.now, days),
            Wait::Millis(millis) => later(self.now, i64::from(millis)),
            Wait::Moment(number, delta) => {
                let moments = self.moments(self.now);
                let moment = moments.get(usize::from(number) % moments.len().max(1));
                moment.map_or(self.now, |moment| later(*moment, i64::from(delta)).max(self.now))
            }
        }
    }
}
