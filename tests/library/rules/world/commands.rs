//! What each command of a history asks of the client.

use client_registry::client::{ImportedSecret, Replacement};
use client_registry::secret::KeyEncoding;
use client_registry::value::Validity;
use client_registry::{
    ClientSecret, Days, Event, Lifetime, NewSecret, Purpose, Rotation, SecretId, Timestamp,
};

use super::{Refused, World, replaceable};
use crate::rules::history::{Command, Pick, When};
use crate::rules::naive::Fact;
use crate::support::{add_in, days_later, foreign_text, lasting_days, later};

impl World {
    pub(super) fn give(&mut self, command: Command) -> Result<Vec<Event>, Refused> {
        match command {
            Command::Add { purpose, starts, lifetime } => self.add(purpose, starts, lifetime),
            Command::Import { purpose, from, until, signing_today } => {
                self.import(purpose, from, until, signing_today)
            }
            Command::Delete(pick) => {
                let secret = self.pick(pick);
                let plan = self.client.plan_deletion(secret, &self.uses, &self.context())?;
                let transition = self.client.confirm(&plan, &self.uses, &self.context())?;
                Ok(self.accept(transition, [Fact::Deleted { secret }]))
            }
            Command::Disable(pick) => {
                let secret = self.pick(pick);
                let plan = self.client.plan_disabling(secret, &self.uses, &self.context())?;
                let transition = self.client.confirm(&plan, &self.uses, &self.context())?;
                Ok(self.accept_change(transition, Fact::Disabled { secret }))
            }
            Command::Enable(pick) => {
                let secret = self.pick(pick);
                let transition = self.client.enable(secret, &self.context())?;
                Ok(self.accept_change(transition, Fact::Enabled { secret, at: self.now }))
            }
            Command::Promote(pick) => {
                let secret = self.pick(pick);
                let transition = self.client.promote(secret, &self.context())?;
                Ok(self.accept(transition, [Fact::Promoted { secret, made: self.now, from: self.now }]))
            }
            Command::Schedule(pick, when) => {
                let (secret, from) = (self.pick(pick), self.resolve(when));
                let transition = self.client.schedule_promotion(secret, from, &self.context())?;
                Ok(self.accept(transition, [Fact::Promoted { secret, made: self.now, from }]))
            }
            Command::Withdraw(pick) => {
                let secret = self.pick(pick);
                let transition = self.client.withdraw_promotion(secret, &self.context())?;
                Ok(self.accept(transition, [Fact::Withdrawn { secret, at: self.now }]))
            }
            Command::Rotate { purpose, overlap, lifetime, signs, only } => {
                self.rotate(purpose, overlap, lifetime, signs, only)
            }
            Command::DeleteInEmergency { secret, replace } => self.delete_in_emergency(secret, replace),
            Command::MarkCompromised(pick) => {
                let transition = self.client.mark_compromised(self.pick(pick), &self.context())?;
                Ok(self.accept(transition, []))
            }
            Command::Associate(number) => {
                let add_in = add_in(usize::from(number));
                let transition = self.client.associate(&add_in, &self.context())?;
                Ok(self.accept(transition, []))
            }
            Command::Dissociate(number) => {
                let add_in = add_in(usize::from(number));
                let transition = self.client.dissociate(add_in.id(), &self.context())?;
                Ok(self.accept(transition, []))
            }
            Command::Use(pick) => {
                self.uses.note(self.pick(pick), self.now);
                Ok(Vec::new())
            }
        }
    }

    fn add(&mut self, purpose: Purpose, starts: When, lifetime: Lifetime) -> Result<Vec<Event>, Refused> {
        let from = self.resolve(starts);
        let new = NewSecret::lasting(lifetime).for_purpose(purpose).starting(from);
        let client_secret = self.entropy.client_secret();
        let transition = self.client.add_secret(&new, &client_secret, &self.context())?;
        let until = end(lifetime, from);
        let added = self.added(&client_secret, from, until, purpose);
        Ok(self.accept(transition, [added]))
    }

    fn import(
        &mut self,
        purpose: Purpose,
        from: i32,
        until: Option<When>,
        signing_today: bool,
    ) -> Result<Vec<Event>, Refused> {
        let from = later(self.now, i64::from(from) * 24 * 60 * 60 * 1000);
        let until = until.map(|until| self.resolve(until)).filter(|&until| until > from);
        let validity = Validity::new(from, until).unwrap();
        self.foreign += 1;
        let client_secret = || ClientSecret::parse(&foreign_text(self.foreign)).unwrap();
        let secret = ImportedSecret::new(client_secret(), validity, KeyEncoding::Utf8).for_purpose(purpose);
        let secret = if signing_today { secret.signing_today() } else { secret };
        let transition = self.client.import_secret(&secret, &self.context())?;
        let added = self.added(&client_secret(), from, until, purpose);
        let Fact::Added { secret, .. } = added else { unreachable!("it was added") };
        let promoted = Fact::Promoted { secret, made: self.now, from: self.now };
        Ok(self.accept(transition, [added].into_iter().chain(signing_today.then_some(promoted))))
    }

    fn rotate(
        &mut self,
        purpose: Purpose,
        overlap: u8,
        lifetime: Lifetime,
        signs: Option<When>,
        only: Option<Pick>,
    ) -> Result<Vec<Event>, Refused> {
        let now = self.now;
        let overlap_ends = days_later(now, u32::from(overlap));
        let rotation =
            Rotation::overlap(Days::new(u32::from(overlap))).for_purpose(purpose).lasting(lifetime);
        let signs = signs.map(|when| self.resolve(when));
        let rotation = signs.map_or(rotation.clone(), |at| rotation.signing_at(at));
        let only = only.map(|pick| self.pick(pick));
        let rotation = only.map_or(rotation.clone(), |only| rotation.replacing([only]));
        let client_secret = self.entropy.client_secret();
        let transition = self.client.rotate(&rotation, &client_secret, &self.uses, &self.context())?;

        let replaced: Vec<_> = match only {
            Some(only) => vec![only],
            None => replaceable(&self.facts, purpose, now),
        };
        let added = self.added(&client_secret, now, end(lifetime, now), purpose);
        let Fact::Added { secret: by, .. } = added else { unreachable!("it was added") };
        let shortened = |secret: &SecretId| {
            self.facts.end_of(*secret).map_or(overlap_ends, |until| until.min(overlap_ends))
        };
        let last_end = replaced.iter().map(shortened).max().unwrap_or(now);
        let mut facts = vec![added];
        facts.extend(replaced.iter().map(|&secret| Fact::Replaced { secret, at: now, until: overlap_ends }));
        if purpose.signs() {
            facts.push(Fact::Promoted { secret: by, made: now, from: signs.unwrap_or(last_end) });
        }
        Ok(self.accept(transition, facts))
    }

    fn delete_in_emergency(&mut self, pick: Pick, replace: bool) -> Result<Vec<Event>, Refused> {
        let (secret, now) = (self.pick(pick), self.now);
        let client_secret = self.entropy.client_secret();
        let new = lasting_days(3);
        let replacement = replace.then_some((&new, &client_secret));
        let (transition, replacement) =
            self.client.delete_in_emergency(secret, replacement, &self.context())?;
        let mut facts = vec![Fact::Deleted { secret }];
        if let Replacement::Added(_) = replacement {
            facts.push(self.added(
                &client_secret,
                now,
                Some(days_later(now, 3)),
                Purpose::SigningAndPassword,
            ));
        }
        Ok(self.accept(transition, facts))
    }
}

/// The end of a lifetime that is counted in days or years; the histories begin on a day that every year has.
fn end(lifetime: Lifetime, from: Timestamp) -> Option<Timestamp> {
    match lifetime {
        Lifetime::Days(days) => Some(days_later(from, days.count())),
        Lifetime::Unlimited => None,
        years => years.starting(from).unwrap().until(),
    }
}
