//! Adding, rotating, promoting, switching on (rules 3, 4, 6, 7, 11 and 12).

use chrono::{DateTime, Datelike};

use super::*;

impl Model {
    /// Rule 3.
    pub(super) fn refuse_many(&self, client: usize, t: i64, against: &mut Vec<&'static str>) {
        let running = self.clients[client].secrets.iter().filter(|secret| !secret.has_ended(t));
        if running.count() + 1 > 5 + usize::from(self.fault == Fault::OneTooMany) {
            against.push("TooManySecrets");
        }
    }

    pub(super) fn add(&mut self, actor: Actor, client: usize, new: &New) -> Answers {
        let (t, mut against) = match self.admit(actor, client) {
            Ok(admitted) => admitted,
            Err(answers) => return answers,
        };
        let validity = validity(new, t, &mut against);
        self.refuse_many(client, t, &mut against);
        let (true, Some((from, until))) = (against.is_empty(), validity) else {
            return refused(&against);
        };
        self.commit(actor, client, t);
        let text = self.next_text();
        vec![Answer::Issued(self.clients[client].put(t, text, new.signs, from, until, new.label, None))]
    }

    pub(super) fn next_text(&mut self) -> Text {
        self.texts += 1;
        Text::Generated(self.texts - 1)
    }

    /// Rule 11.
    pub(super) fn rotate(&mut self, actor: Actor, client: usize, rotate: &Rotate) -> Answers {
        let (t, mut against) = match self.admit(actor, client) {
            Ok(admitted) => admitted,
            Err(answers) => return answers,
        };
        let found = &self.clients[client];
        let of_purpose = |secret: &&Secret| secret.signs == rotate.signs && secret.runs(t);
        let is_underway = |secret: &Secret| secret.replaced_by.is_some_and(|by| found.secret(by).is_some());
        if found.secrets.iter().filter(of_purpose).any(is_underway) {
            against.push("RotationUnderway");
        }
        self.refuse_many(client, t, &mut against);
        let new = New { lifetime: rotate.lifetime, starts: None, signs: rotate.signs, label: None };
        let validity = validity(&new, t, &mut against);
        let replaceable: Vec<u32> = found.secrets.iter().filter(of_purpose).map(|secret| secret.id).collect();
        let replaced = rotate.replaces.clone().unwrap_or_else(|| replaceable.clone());
        for id in &replaced {
            match found.secret(*id) {
                None => against.push("UnknownSecret"),
                Some(_) if !replaceable.contains(id) => against.push("CannotReplace"),
                Some(_) => {}
            }
        }
        if !rotate.signs && rotate.when != Signs::WhenReplacedHaveEnded {
            against.push("CannotSign");
        }
        if rotate.overlap < HOUR {
            against.push("OverlapTooShort");
            return refused(&against);
        }
        if rotate.overlap == i64::MAX {
            against.push("Overlap");
            return refused(&against);
        }
        let overlap_ends = t + rotate.overlap;
        let end_of =
            |id: &u32| found.secret(*id).map(|one| one.until.map_or(overlap_ends, |u| u.min(overlap_ends)));
        let signs_at = match rotate.when {
            Signs::Now => t,
            Signs::At(at) => at,
            Signs::WhenReplacedHaveEnded => replaced.iter().filter_map(end_of).max().unwrap_or(t),
        };
        if rotate.signs && (signs_at < t || signs_at > overlap_ends) {
            against.push("OutsideOverlap");
        }
        if let Some((from, until)) = validity
            && rotate.signs
            && (signs_at < from || until.is_some_and(|until| until <= signs_at))
        {
            against.push("NotValidThen");
        }
        let (true, Some((from, until))) = (against.is_empty(), validity) else {
            return refused(&against);
        };
        self.commit(actor, client, t);
        let text = self.next_text();
        let client = &mut self.clients[client];
        let id = client.put(t, text, rotate.signs, from, until, None, None);
        for old in replaced {
            client.replace(t, old, id, overlap_ends);
        }
        if rotate.signs {
            let (made, follows) = (client.steps, rotate.when == Signs::WhenReplacedHaveEnded);
            client.place(t, Promotion { secret: id, at: signs_at, made, follows, withheld: false });
        }
        vec![Answer::Issued(id)]
    }

    /// Rule 12.
    pub(super) fn enable(&mut self, actor: Actor, client: usize, id: u32) -> Answers {
        let (t, mut against) = match self.admit(actor, client) {
            Ok(admitted) => admitted,
            Err(answers) => return answers,
        };
        let disabled = self.clients[client].secret(id).map(|secret| secret.disabled);
        if disabled.is_none() {
            against.push("UnknownSecret");
        }
        if !against.is_empty() {
            return refused(&against);
        }
        if disabled == Some(false) {
            return vec![Answer::Unchanged];
        }
        self.commit(actor, client, t);
        let client = &mut self.clients[client];
        let standing = client.next_standing(t);
        for secret in client.secrets.iter_mut().filter(|secret| secret.id == id) {
            secret.disabled = false;
            secret.standing = standing;
        }
        client.steps += 1;
        vec![Answer::Changed]
    }

    /// Rule 7.
    pub(super) fn schedule(&mut self, actor: Actor, client: usize, id: u32, at: i64) -> Answers {
        let (t, mut against) = match self.admit(actor, client) {
            Ok(admitted) => admitted,
            Err(answers) => return answers,
        };
        let found = &self.clients[client];
        if at < t {
            against.push("InThePast");
        }
        match found.secret(id) {
            None => against.push("UnknownSecret"),
            Some(secret) => {
                if !secret.signs {
                    against.push("CannotSign");
                }
                if !secret.is_valid(at, self.fault) {
                    against.push("NotValidThen");
                }
            }
        }
        if !against.is_empty() {
            return refused(&against);
        }
        // Of two for one instant the one made last counts (rule 6), also of those that a rotation may give back.
        let order = |one: &&Promotion| (one.at, one.made);
        let withheld = found.promotions.iter().filter(|one| one.withheld && one.at <= t).max_by_key(order);
        let is_so = match at == t {
            true => found.promotion(t, self.fault).is_some_and(|signs| {
                signs.secret == id && withheld.is_none_or(|held| order(&held) < order(&signs))
            }),
            false => {
                let then = found.promotions.iter().filter(|one| one.at == at);
                then.max_by_key(order).is_some_and(|last| last.secret == id && !last.withheld)
            }
        };
        if is_so {
            return vec![Answer::Unchanged];
        }
        self.commit(actor, client, t);
        self.clients[client].promote(t, id, at);
        vec![Answer::Changed]
    }

    /// Rule 7.
    pub(super) fn withdraw(&mut self, actor: Actor, client: usize, id: u32) -> Answers {
        let (t, mut against) = match self.admit(actor, client) {
            Ok(admitted) => admitted,
            Err(answers) => return answers,
        };
        let found = &self.clients[client];
        let is_scheduled = |one: &Promotion| one.secret == id && one.at > t && !one.withheld;
        if found.secret(id).is_none() {
            against.push("UnknownSecret");
        } else if !found.promotions.iter().any(is_scheduled) {
            against.push("NothingScheduled");
        }
        if !against.is_empty() {
            return refused(&against);
        }
        self.commit(actor, client, t);
        let client = &mut self.clients[client];
        client.promotions.retain(|one| !is_scheduled(one));
        client.steps += 1;
        vec![Answer::Changed]
    }
}

/// Rule 4.
pub(super) fn validity(new: &New, t: i64, against: &mut Vec<&'static str>) -> Option<(i64, Option<i64>)> {
    let from = new.starts.unwrap_or(t);
    if from < t {
        against.push("StartsInThePast");
    }
    let until = match new.lifetime {
        0..3 => years_after(from, i32::from(new.lifetime) + 1),
        3 => from + DAY,
        4 => from + 3 * DAY,
        5 => from + 10 * DAY,
        6 => from + 40 * DAY,
        7 => {
            against.push("Invalid");
            return None;
        }
        _ => {
            against.push("LifetimeTooLong");
            return None;
        }
    };
    Some((from, Some(until)))
}

/// The same day of a later year; 29 February ends on 28 February.
pub(super) fn years_after(from: i64, years: i32) -> i64 {
    let from = DateTime::from_timestamp_millis(from).expect("within the calendar");
    let year = from.year() + years;
    let until = from.with_year(year).or_else(|| from.with_day(28).and_then(|day| day.with_year(year)));
    until.expect("within the calendar").timestamp_millis()
}
