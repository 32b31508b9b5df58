//! Two clients that lead the same life, except that one was rotated. Whatever happens afterwards happens to both.

use client_registry::client::{Client, ConfirmError, Decision, ImportedSecret, LastUses};
use client_registry::secret::KeyEncoding;
use client_registry::{
    ClientSecret, Days, Lifetime, NewSecret, Purpose, Refusal, Rotation, Secret, SecretId, Timestamp,
};
use proptest::prelude::*;

use crate::rules::history::{When, when};
use crate::rules::world::{World, edges};
use crate::support::{
    Desk, Seeded, days_later, foreign_text, into_client, is_unchanged, later, secret_id, validity,
};

/// What happens to both, or to the secret that came with the rotation.
#[derive(Debug, Clone, Copy)]
pub(super) enum Act {
    Add {
        purpose: Purpose,
        starts: When,
        days: u8,
    },
    Import {
        purpose: Purpose,
        days: u8,
        signing_today: bool,
    },
    Rotate {
        purpose: Purpose,
        overlap: u8,
        signs: Option<When>,
    },
    Of(Whom, Deed),
    Suspend,
    Resume,
    /// The clock turns out to have been ahead by this many minutes, and an operator goes on.
    ClockSetBack(u16),
}

/// The secret that came, or one of those that both clients have.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whom {
    Came,
    Both(u8),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Deed {
    Delete,
    DeleteInEmergency,
    Disable,
    Enable,
    Promote,
    Schedule(When),
    Withdraw,
    MoveEnd(When),
    Use,
}

/// The two clients.
pub(super) struct Twins {
    pub(super) rotated: Client,
    pub(super) spared: Client,
    pub(super) came: SecretId,
    /// Of the rotation.
    purpose: Purpose,
    pub(super) now: Timestamp,
    pub(super) desk: Desk,
    /// The last uses of the rotated one, and of the other.
    pub(super) uses: [LastUses; 2],
    /// The plaintexts of all secrets of the rotated one.
    pub(super) texts: Vec<(SecretId, String)>,
    entropy: Seeded,
    foreign: usize,
    /// The latest instant at which the secret that came was added or enabled.
    came_enabled: Timestamp,
    /// Whether a promotion was a change to one alone, since it signed there by an earlier one. That shows if a clock is set back.
    is_parted: bool,
}

impl Twins {
    /// Rotates the client of a world. Returns `None` if the rules refuse it.
    pub(super) fn part(world: World, rotation: &Rotation) -> Option<Self> {
        let entropy = Seeded::new(2111);
        let (client_secret, text) = (entropy.client_secret(), Seeded::new(2111).client_secret());
        let (client, desk, now) = (&world.client, world.desk.clone(), world.now);
        let change = client.rotate(rotation, &client_secret, &world.uses, &desk.at(now)).ok()?.change()?;
        let came = change.added()[0];
        let rotated = change.into_parts().0;
        let client_registry::client::ClientState::Active(rotated) = rotated else { return None };
        let mut texts: Vec<_> = world.texts.clone().into_iter().collect();
        texts.push((came, text.expose().to_owned()));
        let uses = [world.uses.clone(), world.uses.clone()];
        let spared = std::rc::Rc::try_unwrap(world.client).ok()?;
        let purpose = rotated.secret(came)?.purpose();
        let (foreign, came_enabled) = (500, now);
        let is_parted = false;
        Some(Self {
            rotated,
            spared,
            came,
            purpose,
            now,
            desk,
            uses,
            texts,
            entropy,
            foreign,
            came_enabled,
            is_parted,
        })
    }

    /// The ID, in the rotated client, of a secret of the spared one.
    pub(super) fn in_rotated(&self, secret: SecretId) -> SecretId {
        if secret < self.came { secret } else { secret_id(secret.number() + 1) }
    }

    pub(super) fn resolve(&self, when: When) -> Timestamp {
        match when {
            When::Now => self.now,
            When::Soon(millis) => later(self.now, i64::from(millis)),
            When::Days(days) => days_later(self.now, u32::from(days)),
            When::Edge(edge, delta) => {
                let mut both = edges(&self.rotated, self.now);
                both.extend(edges(&self.spared, self.now));
                both.sort_unstable();
                let edge = both.get(usize::from(edge) % both.len().max(1));
                edge.map_or(self.now, |&edge| later(edge, i64::from(delta)).max(self.now))
            }
        }
    }

    /// Waits. Both are judged at the clock's reading.
    pub(super) fn wait(&mut self, when: When) {
        self.now = self.resolve(when);
        self.settle();
    }

    fn settle(&mut self) {
        let judged = |client: &Client| client.instant(self.now);
        if judged(&self.rotated) != self.now || judged(&self.spared) != self.now {
            self.now = self.rotated.changed_at().max(self.spared.changed_at());
        }
    }

    /// Carries out an act on both, or on neither if the rules refuse it to one of them.
    pub(super) fn act(&mut self, act: Act) {
        match act {
            Act::ClockSetBack(_) if self.is_parted => {}
            Act::ClockSetBack(minutes) => {
                self.now = later(self.now, -60_000 * i64::from(minutes));
                self.settle();
            }
            Act::Suspend => self.both(|client, _, _, context| Ok(client.suspend(context)?)),
            Act::Resume => self.both(|client, _, _, context| Ok(client.resume(context)?)),
            Act::Add { purpose, starts, days } => {
                let new = NewSecret::lasting(Lifetime::Days(Days::new(u32::from(days))));
                let new = new.for_purpose(purpose).starting(self.resolve(starts));
                self.adding(|client, client_secret, _, context| {
                    client.add_secret(&new, client_secret, context)
                });
            }
            // A rotation of the same purpose would replace one secret more here than there.
            Act::Rotate { purpose, .. } if purpose == self.purpose => {}
            Act::Rotate { purpose, overlap, signs } => {
                let rotation = Rotation::overlap(Days::new(u32::from(overlap))).for_purpose(purpose);
                let signs = signs.map(|signs| self.resolve(signs));
                let rotation = signs.map_or(rotation.clone(), |at| rotation.signing_at(at));
                self.adding(|client, client_secret, uses, context| {
                    client.rotate(&rotation, client_secret, uses, context)
                });
            }
            Act::Import { purpose, days, signing_today } => {
                self.foreign += 1;
                let (foreign, now) = (self.foreign, self.now);
                let secret = || {
                    let text = ClientSecret::parse(&foreign_text(foreign)).unwrap();
                    let validity = validity(later(now, -1000), days_later(now, u32::from(days)));
                    let secret = ImportedSecret::new(text, validity, KeyEncoding::Utf8).for_purpose(purpose);
                    if signing_today { secret.signing_today() } else { secret }
                };
                self.adding(|client, _, _, context| client.import_secret(&secret(), context));
            }
            Act::Of(Whom::Came, deed) => self.do_to_came(deed),
            Act::Of(Whom::Both(n), deed) => {
                let secrets: Vec<_> = self.spared.secrets().map(Secret::id).collect();
                let Some(&secret) = secrets.get(usize::from(n) % secrets.len().max(1)) else { return };
                if matches!(deed, Deed::Enable) && self.now < self.came_enabled {
                    return;
                }
                let ids = [self.in_rotated(secret), secret];
                if matches!(deed, Deed::Use) {
                    self.uses.iter_mut().zip(ids).for_each(|(uses, id)| uses.note(id, self.now));
                    return;
                }
                let deed = self.resolved(deed);
                self.both(|client, which, uses, context| give(deed, client, ids[which], uses, context));
            }
        }
    }

    /// With an instant instead of what leads to it.
    fn resolved(&self, deed: Deed) -> (Deed, Timestamp) {
        match deed {
            Deed::Schedule(when) | Deed::MoveEnd(when) => (deed, self.resolve(when)),
            _ => (deed, self.now),
        }
    }

    fn do_to_came(&mut self, deed: Deed) {
        let (came, deed) = (self.came, self.resolved(deed));
        if matches!(deed.0, Deed::Use) {
            return self.uses[0].note(came, self.now);
        }
        let context = self.desk.at(self.now);
        let Ok(decision) = give(deed, &self.rotated, came, &self.uses[0], &context) else { return };
        if let Some(change) = decision.change() {
            self.rotated = into_client(Decision::Changed(change));
            if matches!(deed.0, Deed::Enable) {
                self.came_enabled = self.came_enabled.max(self.now);
            }
        }
    }

    /// Adds a secret to both. Where an operator works under a clock that was set back, what he adds counts as no earlier than
    /// the secret that came (rule 6), so nothing is added then.
    fn adding(
        &mut self,
        add: impl Fn(
            &Client,
            &ClientSecret,
            &LastUses,
            &client_registry::client::CommandContext<'_>,
        ) -> Result<Decision, Refusal>,
    ) {
        if self.now < self.came_enabled {
            return;
        }
        let client_secret = self.entropy.client_secret();
        let before = self.spared.secrets().len();
        self.both(|client, _, uses, context| Ok(add(client, &client_secret, uses, context)?));
        if self.spared.secrets().len() > before {
            let text = match self.spared.secrets().last().map(Secret::hint) {
                Some(Some(_)) => client_secret.expose().to_owned(),
                _ => foreign_text(self.foreign),
            };
            let secret = self.rotated.secrets().map(Secret::id).max().unwrap();
            self.texts.push((secret, text));
        }
    }

    fn both(
        &mut self,
        decide: impl Fn(
            &Client,
            usize,
            &LastUses,
            &client_registry::client::CommandContext<'_>,
        ) -> Result<Decision, Undone>,
    ) {
        let context = self.desk.at(self.now);
        let rotated = decide(&self.rotated, 0, &self.uses[0], &context);
        let spared = decide(&self.spared, 1, &self.uses[1], &context);
        let (Ok(rotated), Ok(spared)) = (rotated, spared) else { return };
        self.is_parted |= is_unchanged(&rotated) != is_unchanged(&spared);
        if let Some(change) = rotated.change() {
            self.rotated = into_client(Decision::Changed(change));
        }
        if let Some(change) = spared.change() {
            self.spared = into_client(Decision::Changed(change));
        }
    }
}

/// Why something was not done. The reason makes no difference.
#[derive(Debug)]
struct Undone;

impl From<Refusal> for Undone {
    fn from(_: Refusal) -> Self {
        Self
    }
}

impl<C> From<ConfirmError<C>> for Undone {
    fn from(_: ConfirmError<C>) -> Self {
        Self
    }
}

fn give(
    (deed, at): (Deed, Timestamp),
    client: &Client,
    secret: SecretId,
    uses: &LastUses,
    context: &client_registry::client::CommandContext<'_>,
) -> Result<Decision, Undone> {
    Ok(match deed {
        Deed::Delete => client.confirm(&client.plan_deletion(secret, uses, context)?, uses, context)?,
        Deed::DeleteInEmergency => client.delete_in_emergency(secret, None, context)?.0,
        Deed::Disable => client.confirm(&client.plan_disabling(secret, uses, context)?, uses, context)?,
        Deed::Enable => client.enable(secret, context)?,
        Deed::Promote => client.promote(secret, context)?,
        Deed::Schedule(_) => client.schedule_promotion(secret, at, context)?,
        Deed::Withdraw => client.withdraw_promotion(secret, context)?,
        Deed::MoveEnd(_) => client.move_end(secret, at, uses, context)?,
        Deed::Use => return Err(Undone),
    })
}

pub(super) fn act() -> impl Strategy<Value = Act> {
    let purpose = || prop_oneof![3 => Just(Purpose::SigningAndPassword), 1 => Just(Purpose::PasswordOnly)];
    prop_oneof![
        2 => (purpose(), when(), 1u8..20).prop_map(|(purpose, starts, days)| Act::Add { purpose, starts, days }),
        1 => (purpose(), 1u8..20, any::<bool>())
            .prop_map(|(purpose, days, signing_today)| Act::Import { purpose, days, signing_today }),
        1 => (purpose(), 1u8..6, prop::option::of(when()))
            .prop_map(|(purpose, overlap, signs)| Act::Rotate { purpose, overlap, signs }),
        12 => (any::<u8>(), deed()).prop_map(|(n, deed)| Act::Of(Whom::Both(n), deed)),
        3 => deed().prop_map(|deed| Act::Of(Whom::Came, deed)),
        1 => Just(Act::Suspend),
        1 => Just(Act::Resume),
        2 => (2u16..10_000).prop_map(Act::ClockSetBack),
    ]
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        1 => Just(Deed::Delete),
        1 => Just(Deed::DeleteInEmergency),
        2 => Just(Deed::Disable),
        2 => Just(Deed::Enable),
        3 => Just(Deed::Promote),
        4 => when().prop_map(Deed::Schedule),
        2 => Just(Deed::Withdraw),
        3 => when().prop_map(Deed::MoveEnd),
        1 => Just(Deed::Use),
    ]
}
