//! The overlap of a rotation, and ends that are moved (rules 11 and 21).

use super::secrets::years_after;
use super::*;

impl Client {
    /// The secrets that this one replaced and that still run.
    pub(super) fn still_replaced(&self, came: u32, t: i64) -> Vec<u32> {
        let not_ended = self.not_ended(came, t).into_iter();
        not_ended.filter(|id| self.secret(*id).is_some_and(|secret| secret.runs(t))).collect()
    }

    /// The secrets that come back if the rotation of this one is called off. One that has not started by a clock that was set
    /// back is among them.
    pub(super) fn not_ended(&self, came: u32, t: i64) -> Vec<u32> {
        let replaced = self.secrets.iter().filter(|secret| secret.replaced_by == Some(came));
        replaced.filter(|secret| !secret.has_ended(t)).map(|secret| secret.id).collect()
    }

    /// Rule 11: what a rotation takes from a secret that it replaces, and keeps to give it back.
    pub(super) fn replace(&mut self, t: i64, id: u32, by: u32, overlap_ends: i64) {
        for secret in self.secrets.iter_mut().filter(|secret| secret.id == id) {
            secret.end_before = Some(secret.until);
            secret.until = Some(secret.until.map_or(overlap_ends, |until| until.min(overlap_ends)));
            secret.replaced_by = Some(by);
        }
        self.promotions.retain(|one| one.secret != id || !one.withheld);
        for one in self.promotions.iter_mut().filter(|one| one.secret == id && one.at > t) {
            one.withheld = true;
        }
        self.steps += 1;
    }

    /// Rule 11: what came goes, and what it replaced is as it was.
    pub(super) fn call_off(&mut self, t: i64, came: u32, fault: Fault) {
        for id in self.not_ended(came, t) {
            for secret in self.secrets.iter_mut().filter(|secret| secret.id == id) {
                secret.replaced_by = None;
                if let Some(end) = secret.end_before.take()
                    && fault != Fault::EndsStayCut
                {
                    secret.until = end;
                }
            }
            if fault == Fault::PromotionsStayAway {
                self.promotions.retain(|one| one.secret != id || !one.withheld);
            }
            for one in self.promotions.iter_mut().filter(|one| one.secret == id) {
                one.withheld = false;
            }
            // The two latest stay: one in force and one scheduled, or what came of them.
            let of_it = self.promotions.iter().filter(|one| one.secret == id);
            let mut order: Vec<_> = of_it.map(|one| (one.at, one.made)).collect();
            order.sort_unstable();
            let third = order.len().checked_sub(3).map(|last| order[last]);
            self.promotions.retain(|one| one.secret != id || Some((one.at, one.made)) > third);
            self.steps += 1;
        }
        self.delete(came, fault);
    }

    /// What a rotation has kept is of no use any longer once the secret that came is gone.
    pub(super) fn give_up_for_good(&mut self, came: u32) {
        for secret in self.secrets.iter_mut().filter(|secret| secret.replaced_by == Some(came)) {
            secret.end_before = None;
            let id = secret.id;
            self.promotions.retain(|one| one.secret != id || !one.withheld);
        }
    }

    /// Rule 21: what stands against an end.
    pub(super) fn refuse_end(
        &self,
        t: i64,
        id: u32,
        until: i64,
        fault: Fault,
        against: &mut Vec<&'static str>,
    ) {
        let Some(secret) = self.secret(id) else { return };
        if secret.has_ended(t) {
            against.push("AlreadyEnded");
        }
        if until < t {
            against.push("InThePast");
        }
        if until <= secret.from {
            against.push("Invalid");
        }
        let is_later = secret.until.is_some_and(|before| before < until);
        let too_late = |latest: Option<i64>| is_later && latest.is_some_and(|latest| latest < until);
        let allowed = years_after(secret.from, 3);
        if too_late(Some(allowed)) || too_late(secret.issued_until) && fault != Fault::EndPastIssued {
            against.push("EndTooLate");
        }
    }

    /// Rule 21: the end is moved, with the promotions that it is about.
    pub(super) fn end(&mut self, t: i64, id: u32, until: i64, fault: Fault) {
        let Some(secret) = self.secrets.iter_mut().find(|secret| secret.id == id) else { return };
        if secret.until == Some(until) && secret.end_before.is_none() {
            return;
        }
        secret.until = Some(until);
        // It stays, whatever is called off later.
        secret.end_before = None;
        let by = secret.replaced_by;
        self.promotions.retain(|one| one.secret != id || one.at < until || one.at <= t && !one.withheld);
        self.steps += 1;
        let waits = |one: &Promotion| Some(one.secret) == by && one.follows && !one.withheld && one.at > t;
        let Some(waiting) = self.promotions.iter().find(|one| waits(one)).copied() else { return };
        if fault == Fault::PromotionStays {
            return;
        }
        let ends = self.secrets.iter().filter(|secret| secret.replaced_by == by);
        let last = ends.filter_map(|secret| secret.until).max().unwrap_or(t).max(t);
        if last == waiting.at {
            return;
        }
        if self.secret(waiting.secret).is_some_and(|secret| secret.runs(last)) {
            // Others of its secret stay as they are.
            self.promotions.iter_mut().filter(|one| waits(one)).for_each(|one| one.at = last);
            self.steps += 1;
        } else {
            self.promotions.retain(|one| !waits(one));
        }
    }
}
