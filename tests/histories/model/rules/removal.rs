//! Taking out of use: plans, their confirmation, emergencies (rules 9, 10, 12 and 13).

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

    /// Rules 9 and 13: what it would do, what for, and what stands in the way.
    pub(super) fn plan(&self, actor: Actor, client: usize, kind: PlanKind) -> Result<Planned, Answers> {
        let (t, mut against) = self.admit(actor, client)?;
        let found = &self.clients[client];
        let id = match kind {
            PlanKind::Deletion(id) | PlanKind::Disabling(id) => id,
            PlanKind::Client if against.is_empty() => {
                return Ok(Planned {
                    valid: found.valid(t, self.fault),
                    add_ins: found.add_ins.clone(),
                    last_used: found.secrets.iter().filter_map(|secret| used(found, secret, t).0).max(),
                    use_ahead: found.secrets.iter().filter_map(|secret| used(found, secret, t).1).max(),
                    ..Planned::default()
                });
            }
            PlanKind::Client => return Err(refused(&against)),
        };
        if found.secret(id).is_none() {
            against.push("UnknownSecret");
        }
        let (true, Some(secret)) = (against.is_empty(), found.secret(id)) else {
            return Err(refused(&against));
        };
        let mut without = found.clone();
        without.secrets.retain(|secret| secret.id != id);
        without.promotions.retain(|one| one.secret != id);
        let able = |client: &Client| client.secrets.iter().any(|secret| secret.can_sign(t, self.fault));
        let mut obstacles = vec![];
        if secret.is_valid(t, self.fault) && without.valid(t, self.fault).is_empty() {
            obstacles.push("LastValid");
        }
        if secret.can_sign(t, self.fault) && !able(&without) {
            obstacles.push("LastThatSigns");
        }
        let (last_used, use_ahead) = used(found, secret, t);
        if matches!(kind, PlanKind::Deletion(_)) && last_used.is_some_and(|at| t < at + 7 * DAY) {
            obstacles.push("UsedRecently");
        }
        Ok(Planned {
            signs: found.signing(t, self.fault).map(|(id, _)| id),
            next: without.signing(t, self.fault).map(|(id, _)| id),
            valid: without.valid(t, self.fault),
            add_ins: vec![],
            last_used,
            use_ahead,
            obstacles,
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
        let consequences = |plan: &Planned| (plan.signs, plan.next, plan.valid.clone(), plan.add_ins.clone());
        let found = &self.clients[client];
        if found.revision != revision || consequences(&plan) != consequences(old) {
            return vec![Answer::PlanChanged];
        }
        let t = found.instant(self.now);
        if let PlanKind::Disabling(id) = kind
            && found.secret(id).is_some_and(|secret| secret.disabled)
        {
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
        }
        vec![Answer::Changed]
    }

    /// Rule 9: one call, refused only for an unknown secret.
    pub(super) fn emergency(
        &mut self,
        actor: Actor,
        client: usize,
        id: u32,
        replacement: Option<&New>,
    ) -> Answers {
        if !may_see(actor, &self.clients[client]) {
            return refused(&["UnknownClient"]);
        }
        let t = self.clients[client].instant(self.now);
        let mut after = self.clone();
        after.commit(actor, client, t);
        let found = &mut after.clients[client];
        let mut changed = false;
        if let Some(secret) = found.secrets.iter().find(|secret| secret.id == id) {
            let (id, text) = (secret.id, secret.text);
            found.secrets.retain(|secret| secret.id != id);
            found.promotions.retain(|one| one.secret != id);
            found.dead.push(Dead { id, text, compromised: false });
            found.steps += 1;
        }
        match found.dead.iter().find(|dead| dead.id == id).map(|dead| dead.compromised) {
            None => return refused(&["UnknownSecret"]),
            Some(true) => {}
            Some(false) => {
                found.condemn(id);
                changed = true;
            }
        }
        let answers = match replacement {
            None => vec![Answer::Deleted],
            Some(_) if found.deleted => vec![Answer::NotReplaced("ClientDeleted")],
            Some(new) => {
                let mut against = vec![];
                let validity = validity(new, t, &mut against);
                after.refuse_many(client, t, &mut against);
                match validity {
                    Some((from, until)) if against.is_empty() => {
                        let text = after.next_text();
                        changed = true;
                        let client = &mut after.clients[client];
                        let id = client.put(t, text, new.signs, from, until, new.label, None);
                        vec![Answer::Replaced(id)]
                    }
                    _ => against.iter().map(|why| Answer::NotReplaced(why)).collect(),
                }
            }
        };
        if changed {
            *self = after;
        }
        answers
    }

    /// Rule 10, also after the client's deletion.
    pub(super) fn mark(&mut self, actor: Actor, client: usize, id: u32) -> Answers {
        let found = &self.clients[client];
        if !may_see(actor, found) {
            return refused(&["UnknownClient"]);
        }
        let mut against = vec![];
        if actor != Actor::Operator && found.is_ahead(self.now) {
            against.push("ClockBehind");
        }
        let dead = found.dead.iter().find(|dead| dead.id == id);
        if found.secret(id).is_some() {
            against.push("NotDeleted");
        } else if dead.is_none() {
            against.push("UnknownSecret");
        }
        if !against.is_empty() {
            return refused(&against);
        }
        if dead.is_some_and(|dead| dead.compromised) {
            return vec![Answer::Unchanged];
        }
        let t = found.instant(self.now);
        self.commit(actor, client, t);
        self.clients[client].condemn(id);
        vec![Answer::Changed]
    }
}

/// An imported secret counts as used at its import (rule 9); what is more than a minute ahead is not believed.
pub(super) fn used(client: &Client, secret: &Secret, t: i64) -> (Option<i64>, Option<i64>) {
    let both = [client.last_use(secret.id), secret.imported.map(|(at, _)| at)];
    let both = || both.into_iter().flatten();
    (both().filter(|at| *at <= t + MINUTE).max(), both().filter(|at| *at > t + MINUTE).max())
}
