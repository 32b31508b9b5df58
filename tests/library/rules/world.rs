//! A client in the course of a history: carries the commands out, and tells the second implementation of rule 6 what
//! has happened.

mod commands;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use client_registry::client::{
    Client, ClientState, CommandContext, ConfirmError, Decision, ImportedSecret, LastUses, Revocation,
};
use client_registry::secret::KeyEncoding;
use client_registry::value::Validity;
use client_registry::{ClientSecret, Event, Purpose, Refusal, SecretId, Timestamp};

use crate::rules::history::{Command, Pick, Step, When};
use crate::rules::naive::{Fact, Facts};
use crate::support::{Desk, Seeded, changed, days_later, lasting_days, later, register, secret_id, start};

/// A client in the course of its history, with everything that was told and shown on the way.
pub(crate) struct World {
    pub(crate) client: Rc<Client>,
    pub(crate) desk: Desk,
    pub(crate) now: Timestamp,
    pub(crate) facts: Facts,
    pub(crate) trail: Vec<Event>,
    pub(crate) uses: LastUses,
    /// The plaintexts of all secrets ever.
    pub(crate) texts: BTreeMap<SecretId, String>,
    entropy: Seeded,
    foreign: usize,
    picked: Cell<SecretId>,
    /// How many milliseconds the clock that decides is behind.
    lag: i64,
}

/// What became of one command.
pub(crate) struct Outcome {
    pub(crate) command: Command,
    pub(crate) now: Timestamp,
    pub(crate) before: Rc<Client>,
    pub(crate) after: Rc<Client>,
    /// The events of the change, none when nothing changed.
    pub(crate) result: Result<Vec<Event>, Refused>,
}

#[derive(Debug)]
pub(crate) enum Refused {
    Rule(Refusal),
    /// Something stands in the way of a plan.
    Obstructed,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::Rule(refusal)
    }
}

impl<C> From<ConfirmError<C>> for Refused {
    fn from(unconfirmed: ConfirmError<C>) -> Self {
        match unconfirmed {
            ConfirmError::Failed(refusal) => Self::Rule(refusal),
            ConfirmError::Obstructed(_) => Self::Obstructed,
            _ => panic!("a plan that is confirmed on the spot has not changed"),
        }
    }
}

impl World {
    /// A client with one secret of ten days, under a policy that allows every lifetime.
    pub(crate) fn new() -> Self {
        Self::under(Desk::owner().allowing_unlimited())
    }

    /// The same under another policy.
    pub(crate) fn under(desk: Desk) -> Self {
        let entropy = Seeded::new(7);
        let twin = Seeded::new(7).client_secret();
        let now = start();
        let (state, trail) = changed(register(&lasting_days(10), &entropy, &desk, now).unwrap());
        let ClientState::Active(client) = state else { panic!("a registered client is there") };
        let secret = secret_id(1);
        let mut facts = Facts::default();
        let until = Some(days_later(now, 10));
        facts.push(Fact::Added { secret, at: now, from: now, until, signs: true });
        let texts = BTreeMap::from([(secret, twin.expose().to_owned())]);
        let uses = LastUses::default();
        Self {
            client: Rc::new(client),
            desk,
            now,
            facts,
            trail,
            uses,
            texts,
            entropy,
            foreign: 0,
            picked: Cell::new(secret),
            lag: 0,
        }
    }

    /// The client after all these commands.
    pub(crate) fn after(steps: &[Step]) -> Self {
        let mut world = Self::new();
        world.run(steps);
        world
    }

    pub(crate) fn run(&mut self, steps: &[Step]) {
        for step in steps {
            self.step(step);
        }
    }

    /// Waits, then gives the command.
    pub(crate) fn step(&mut self, step: &Step) -> Outcome {
        self.now = self.resolve(step.wait);
        let before = Rc::clone(&self.client);
        let result = self.give(step.command);
        let after = Rc::clone(&self.client);
        Outcome { command: step.command, now: self.now, before, after, result }
    }

    /// The same step, decided by a clock that has stepped back by up to this many milliseconds, but by no more than to
    /// a minute before the last change, and only if the step comes at once after it.
    pub(crate) fn step_back(&mut self, step: &Step, millis: i64) {
        self.now = self.resolve(step.wait);
        let now = self.now;
        if now == self.client.changed_at() {
            self.lag = millis;
        }
        self.step(&Step { wait: When::Now, ..*step });
        self.lag = 0;
    }

    pub(crate) fn resolve(&self, when: When) -> Timestamp {
        match when {
            When::Now => self.now,
            When::Soon(millis) => later(self.now, i64::from(millis)),
            When::Days(days) => days_later(self.now, u32::from(days)),
            When::Edge(edge, delta) => {
                let edges = edges(&self.client, self.now);
                let edge = edges.get(usize::from(edge) % edges.len().max(1));
                edge.map_or(self.now, |&edge| later(edge, i64::from(delta)).max(self.now))
            }
        }
    }

    pub(crate) fn pick(&self, pick: Pick) -> SecretId {
        let ids: Vec<_> = self.client.secrets().map(client_registry::Secret::id).collect();
        let ever = u32::try_from(self.texts.len()).unwrap();
        let picked = match pick {
            Pick::Same => self.picked.get(),
            Pick::Here(n) => ids.get(usize::from(n) % ids.len().max(1)).copied().unwrap_or(secret_id(1)),
            Pick::Any(n) => secret_id(1 + u32::from(n) % (ever + 1)),
        };
        self.picked.set(picked);
        picked
    }

    fn context(&self) -> CommandContext<'_> {
        self.desk.at(later(self.now, -self.lag))
    }

    /// Notes the plaintext of the secret that is being added, whose ID is the next one.
    fn added(
        &mut self,
        client_secret: &ClientSecret,
        from: Timestamp,
        until: Option<Timestamp>,
        purpose: Purpose,
    ) -> Fact {
        let secret = secret_id(u32::try_from(self.texts.len()).unwrap() + 1);
        self.texts.insert(secret, client_secret.expose().to_owned());
        Fact::Added { secret, at: self.now, from, until, signs: purpose.signs() }
    }

    /// What was done twice happened once.
    fn accept_change(&mut self, transition: Decision, fact: Fact) -> Vec<Event> {
        let fact = (!crate::support::is_unchanged(&transition)).then_some(fact);
        self.accept(transition, fact)
    }

    fn accept(&mut self, transition: Decision, facts: impl IntoIterator<Item = Fact>) -> Vec<Event> {
        for fact in facts {
            self.facts.push(fact);
        }
        let Some(change) = transition.change() else { return Vec::new() };
        let (state, events) = change.into_parts();
        let ClientState::Active(client) = state else { panic!("no command here deletes the client") };
        self.client = Rc::new(client);
        self.trail.extend(events.iter().cloned());
        for event in &events {
            if let client_registry::event::Fact::SecretForgotten { secret } = *event.fact() {
                self.facts.push(Fact::Deleted { secret });
            }
        }
        events
    }
}

/// The secrets of a purpose that have started and not ended.
pub(crate) fn replaceable(facts: &Facts, purpose: Purpose, now: Timestamp) -> Vec<SecretId> {
    let runs = |secret: &SecretId| {
        facts.start_of(*secret).is_some_and(|from| from <= now)
            && facts.end_of(*secret).is_none_or(|until| now < until)
            && facts.can_sign(*secret) == purpose.signs()
    };
    facts.secrets().into_iter().filter(runs).collect()
}

/// The instants after `now` at which something begins or ends.
pub(crate) fn edges(client: &Client, now: Timestamp) -> Vec<Timestamp> {
    let starts = client.secrets().map(|secret| secret.validity().from());
    let ends = client.secrets().filter_map(|secret| secret.validity().until());
    let promotions = client.promotions().iter().map(client_registry::client::Promotion::at);
    let mut edges: Vec<_> = starts.chain(ends).chain(promotions).filter(|&edge| edge > now).collect();
    edges.sort_unstable();
    edges.dedup();
    edges
}

/// Now, and all edges to come with the milliseconds before and after.
pub(crate) fn probes(client: &Client, now: Timestamp) -> Vec<Timestamp> {
    let around = edges(client, now).into_iter().flat_map(|edge| [later(edge, -1), edge, later(edge, 1)]);
    let mut probes: Vec<_> = around.chain([now, later(now, 1)]).filter(|&t| t >= now).collect();
    probes.sort_unstable();
    probes.dedup();
    probes
}

/// What a client secret that is presented for import turns out to be.
pub(crate) fn recognise(client: &Client, text: &str, desk: &Desk, now: Timestamp) -> Recognised {
    let validity = Validity::new(Timestamp::MIN, None).unwrap();
    let secret = ImportedSecret::new(ClientSecret::parse(text).unwrap(), validity, KeyEncoding::Utf8);
    match client.import_secret(&secret, &desk.at(now)) {
        Err(Refusal::SecretExists { secret, .. }) => Recognised::Here(secret),
        Err(Refusal::Remembered { secret, revocation }) => Recognised::Dead(secret, revocation),
        Ok(_) | Err(Refusal::TooManySecrets { .. }) => Recognised::Unknown,
        Err(refusal) => panic!("{refusal}"),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recognised {
    Here(SecretId),
    Dead(SecretId, Revocation),
    Unknown,
}
