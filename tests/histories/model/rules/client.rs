//! What happens to one client, once nothing stands against it (rules 3, 6, 7 and 10).

use super::*;

impl Client {
    /// Adding never moves who signs: nothing stands longer than what stands already.
    pub(super) fn next_standing(&self, t: i64) -> (i64, u64) {
        let latest = self.secrets.iter().map(|secret| secret.standing.0).max();
        (latest.map_or(t, |latest| latest.max(t)), self.steps)
    }

    #[allow(clippy::too_many_arguments, reason = "a secret has that many attributes")]
    pub(super) fn put(
        &mut self,
        t: i64,
        text: Text,
        signs: bool,
        from: i64,
        until: Option<i64>,
        label: Option<u8>,
        imported: Option<(i64, bool)>,
    ) -> u32 {
        self.count += 1;
        let standing = self.next_standing(t);
        let secret = Secret {
            id: self.count,
            text,
            signs,
            from,
            until,
            label,
            disabled: false,
            issued_until: until,
            replaced_by: None,
            end_before: None,
            imported,
            standing,
        };
        self.secrets.push(secret);
        self.steps += 1;
        // Rules 3 and 19: of ended ones 16 are kept, and those that the last change did not find ended.
        loop {
            let ended = self.secrets.iter().filter(|secret| secret.has_ended(t));
            let settled = ended.clone().filter(|secret| secret.has_ended(self.settled));
            let longest = settled.map(|secret| (secret.until, secret.id)).min().map(|(_, id)| id);
            if ended.count() <= 16 || longest.is_none() {
                return self.count;
            }
            self.secrets.retain(|secret| Some(secret.id) != longest);
            self.promotions.retain(|one| Some(one.secret) != longest);
            longest.into_iter().for_each(|id| self.give_up_for_good(id));
            self.steps += 1;
        }
    }

    /// Rule 3: sixteen have ended since then or at that instant, so that one that ended with this import goes at once.
    pub(super) fn would_lose(&self, t: i64, import: &Import) -> bool {
        let settled = t.min(self.changed_at);
        let Some(until) = import.until.filter(|until| *until <= settled) else { return false };
        let ended = self.secrets.iter().filter_map(|secret| secret.until).filter(|end| *end <= t);
        ended.filter(|end| *end >= until).count() >= 16
    }

    pub(super) fn move_in(&mut self, t: i64, import: &Import) -> u32 {
        let Import { text, signs, from, until, label, base64, .. } = *import;
        let id = self.put(t, text, signs, from, until, label, Some((t, base64)));
        if import.signs_today {
            self.promote(t, id, t);
        }
        id
    }

    pub(super) fn take_in(&mut self, add_in: u8) {
        self.add_ins.push(add_in);
        self.add_ins.sort_unstable();
    }

    pub(super) fn promote(&mut self, t: i64, id: u32, at: i64) {
        let made = self.steps;
        self.place(t, Promotion { secret: id, at, made, follows: false, withheld: false });
    }

    /// Of what a rotation holds back, only what would be there too had it not been rotated is ever given back (rule 11).
    pub(super) fn place(&mut self, t: i64, new: Promotion) {
        let latest_of = |all: &[Promotion], withheld: bool| {
            let of_it = all.iter().filter(|one| one.secret == new.secret && one.at <= t);
            let of_it = of_it.filter(|one| withheld || !one.withheld);
            of_it.max_by_key(|one| (one.at, one.made)).map(|one| one.made)
        };
        let latest = [latest_of(&self.promotions, false), latest_of(&self.promotions, true)];
        self.promotions.retain(|one| match one.secret == new.secret {
            false => true,
            // Scheduling replaces what is scheduled, and leaves the latest in force.
            true if t < new.at => one.at <= t && latest[usize::from(one.withheld)] == Some(one.made),
            true => t < one.at,
        });
        self.promotions.push(new);
        self.steps += 1;
    }

    /// Rules 7 and 10.
    pub(super) fn delete(&mut self, id: u32, fault: Fault) {
        let Some(position) = self.secrets.iter().position(|secret| secret.id == id) else {
            return;
        };
        let secret = self.secrets.remove(position);
        self.promotions.retain(|one| one.secret != id);
        self.give_up_for_good(id);
        self.steps += 1;
        if fault == Fault::DeadForgotten {
            return;
        }
        self.dead.push(Dead { id, text: secret.text, compromised: false });
        self.forget(false, 16);
    }

    pub(super) fn condemn(&mut self, id: u32) {
        let position = self.dead.iter().position(|dead| dead.id == id).expect("it was found before");
        let dead = self.dead.remove(position);
        self.dead.push(Dead { compromised: true, ..dead });
        self.steps += 1;
        self.forget(true, 64);
    }

    pub(super) fn forget(&mut self, compromised: bool, limit: usize) {
        let of_kind = |dead: &&Dead| dead.compromised == compromised;
        if self.dead.iter().filter(of_kind).count() > limit {
            let oldest = self.dead.iter().position(|dead| dead.compromised == compromised);
            self.dead.remove(oldest.expect("there are many"));
        }
    }
}

pub(super) fn blank(imported: Option<u8>, owner: u8, name: Name, china: bool, t: i64) -> Client {
    Client {
        imported,
        owner,
        transferred: None,
        name,
        china,
        changed_at: t,
        settled: t,
        revision: 0,
        secrets: vec![],
        promotions: vec![],
        add_ins: vec![],
        dead: vec![],
        count: 0,
        steps: 0,
        deleted: false,
        suspended: None,
        attributes: 0,
        uses: vec![],
        plan: None,
    }
}
