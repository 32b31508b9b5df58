//! Plans, their confirmation, and what is planned and confirmed in one call (rules 9, 11 to 13 and 21).

use super::*;

impl Model {
    pub(super) fn keep_plan(&mut self, actor: Actor, client: usize, kind: PlanKind) -> Answers {
        match self.plan(actor, client, kind) {
            Ok(plan) => {
                let revision = self.clients[client].revision;
                self.clients[client].plan = Some((kind, revision, plan.clone()));
                vec![Answer::Planned(plan)]
            }
            Err(answers) => answers,
        }
    }

    pub(super) fn plan_and_confirm(&mut self, actor: Actor, client: usize, kind: PlanKind) -> Answers {
        match self.plan(actor, client, kind) {
            Ok(plan) => {
                let revision = self.clients[client].revision;
                let answers = self.confirm(actor, client, kind, revision, &plan);
                let confirmed = |answer| Answer::Confirmed(plan.clone(), Box::new(answer));
                answers.into_iter().map(confirmed).collect()
            }
            Err(answers) => answers,
        }
    }

    /// Carries it out at once where nothing stands in the way.
    pub(super) fn at_once(&mut self, actor: Actor, client: usize, kind: PlanKind) -> Answers {
        match self.plan(actor, client, kind) {
            Ok(plan) if plan.obstacles.is_empty() => self.carry_out(actor, client, kind),
            Ok(_) => vec![Answer::Obstructed],
            Err(answers) => answers,
        }
    }

    /// Rules 9, 11, 13 and 21: what it would do, what for, and what stands in the way.
    pub(super) fn plan(&self, actor: Actor, client: usize, kind: PlanKind) -> Result<Planned, Answers> {
        let (t, mut against) = self.admit(actor, client)?;
        let (found, fault) = (&self.clients[client], self.fault);
        let mut next = found.clone();
        // Which secrets it takes something from, which others it is about, and when that can be seen.
        let (mut taken_from, mut others, mut before, mut then) = (vec![], vec![], None, t);
        match kind {
            PlanKind::Deletion(id) | PlanKind::Disabling(id) => {
                taken_from.push(id);
                next.secrets.retain(|secret| secret.id != id);
                next.promotions.retain(|one| one.secret != id);
            }
            PlanKind::Client => taken_from.extend(found.secrets.iter().map(|secret| secret.id)),
            PlanKind::CallingOff(came) => {
                taken_from.push(came);
                others = found.not_ended(came, t);
                next.call_off(t, came, fault);
            }
            PlanKind::Closing(came) => {
                others = found.still_replaced(came, t);
                taken_from.clone_from(&others);
                others.iter().for_each(|id| next.end(t, *id, t, fault));
                if found.secret(came).is_none() {
                    against.push("UnknownSecret");
                }
                let is_new = |id: &u32| found.secret(*id).is_some_and(|secret| secret.from >= t);
                if others.iter().any(is_new) {
                    against.push("Invalid");
                }
            }
            PlanKind::EndMove(id, until) => {
                taken_from.push(id);
                then = until;
                before = found.secret(id).and_then(|secret| secret.until);
                found.refuse_end(t, id, until, fault, &mut against);
                next.end(t, id, until, fault);
            }
        }
        if taken_from.iter().any(|id| found.secret(*id).is_none()) {
            against.push("UnknownSecret");
        }
        if matches!(kind, PlanKind::CallingOff(_) | PlanKind::Closing(_)) && others.is_empty() {
            against.push("NotUnderway");
        }
        if !against.is_empty() {
            return Err(refused(&against));
        }
        let uses = |id: &u32| found.secret(*id).map(|secret| used(found, secret, t));
        let of_each = |secret: &Secret| used(found, secret, t).0.map(|at| (secret.id, at));
        let planned = Planned {
            others,
            before,
            last_used: taken_from.iter().filter_map(uses).filter_map(|(last, _)| last).max(),
            use_ahead: taken_from.iter().filter_map(uses).filter_map(|(_, ahead)| ahead).max(),
            last_uses: found.secrets.iter().filter_map(of_each).collect(),
            ..Planned::default()
        };
        if kind == PlanKind::Client {
            let (valid, add_ins) = (found.valid(t, fault), found.add_ins.clone());
            return Ok(Planned { valid, add_ins, ..planned });
        }
        let able = |client: &Client| client.secrets.iter().any(|secret| secret.can_sign(then, fault));
        let mut obstacles = vec![];
        if !found.valid(then, fault).is_empty() && next.valid(then, fault).is_empty() {
            obstacles.push("LastValid");
        }
        if able(found) && !able(&next) {
            obstacles.push("LastThatSigns");
        }
        let takes_away = match kind {
            PlanKind::Disabling(_) => false,
            PlanKind::EndMove(_, until) => before.is_none_or(|before| until < before),
            _ => true,
        };
        if takes_away && planned.last_used.is_some_and(|at| then < at + 7 * DAY) {
            obstacles.push("UsedRecently");
        }
        Ok(Planned {
            signs: found.signing(then, fault).map(|(id, _)| id),
            next: next.signing(then, fault).map(|(id, _)| id),
            valid: next.valid(then, fault),
            obstacles,
            ..planned
        })
    }

    pub(super) fn confirm(
        &mut self,
        actor: Actor,
        client: usize,
        kind: PlanKind,
        revision: u64,
        old: &Planned,
    ) -> Answers {
        let plan = match self.plan(actor, client, kind) {
            Ok(plan) => plan,
            Err(answers) => return answers,
        };
        if !plan.obstacles.is_empty() {
            return vec![Answer::Obstructed];
        }
        let consequences = |plan: &Planned| {
            let Planned { signs, next, valid, add_ins, others, .. } = plan.clone();
            (signs, next, valid, add_ins, others)
        };
        if self.clients[client].revision != revision || consequences(&plan) != consequences(old) {
            return vec![Answer::PlanChanged];
        }
        self.carry_out(actor, client, kind)
    }

    /// What was decided.
    fn carry_out(&mut self, actor: Actor, client: usize, kind: PlanKind) -> Answers {
        let found = &self.clients[client];
        let t = found.instant(self.now);
        let is_so = |secret: &Secret| match kind {
            PlanKind::Disabling(id) => secret.id == id && secret.disabled,
            // One that a rotation has set stays from now on, whatever is called off later.
            PlanKind::EndMove(id, until) => {
                secret.id == id && secret.until == Some(until) && secret.end_before.is_none()
            }
            _ => false,
        };
        if found.secrets.iter().any(is_so) {
            return vec![Answer::Unchanged];
        }
        self.commit(actor, client, t);
        let fault = self.fault;
        let client = &mut self.clients[client];
        match kind {
            PlanKind::Deletion(id) => client.delete(id, fault),
            PlanKind::Disabling(id) => {
                for secret in client.secrets.iter_mut().filter(|secret| secret.id == id) {
                    secret.disabled = true;
                }
                client.promotions.retain(|one| one.secret != id);
                client.steps += 1;
            }
            PlanKind::Client => {
                let runs = |secret: &Secret| secret.until.is_none_or(|until| t < until);
                let mut ids: Vec<_> = client.secrets.iter().map(|secret| (runs(secret), secret.id)).collect();
                ids.sort_unstable();
                ids.iter().for_each(|(_, id)| client.delete(*id, fault));
                client.add_ins.clear();
                client.deleted = true;
            }
            PlanKind::CallingOff(came) => client.call_off(t, came, fault),
            PlanKind::Closing(came) => {
                client.still_replaced(came, t).iter().for_each(|id| client.end(t, *id, t, fault));
            }
            PlanKind::EndMove(id, until) => client.end(t, id, until, fault),
        }
        vec![Answer::Changed]
    }
}

/// An imported secret counts as used at its import (rule 9); what is more than a minute ahead is not believed.
pub(super) fn used(client: &Client, secret: &Secret, t: i64) -> (Option<i64>, Option<i64>) {
    let both = [client.last_use(secret.id), secret.imported.map(|(at, _)| at)];
    let both = || both.into_iter().flatten();
    (both().filter(|at| *at <= t + MINUTE).max(), both().filter(|at| *at > t + MINUTE).max())
}
