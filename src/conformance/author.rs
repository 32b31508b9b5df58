//! Makes the changes that are written to the store under test: real clients, decided by the core and sealed under real keys. They
//! are the same in every run.

mod step;
mod values;

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use sha2::{Digest, Sha256};

pub(super) use self::step::Step;
use self::values::{START, details};
pub(super) use self::values::{add_in, after_start, client_id, days, secret, seller};
use crate::client::{
    Change, Client, CommandContext, Decision, ImportedClient, ImportedSecret, LastUses, Move, NewSecret,
    Refusal,
};
use crate::conformance::stop::Stop;
use crate::entropy::{Entropy, EntropyError};
use crate::record::{Keyring, Opened, Record, RecordId, RegistryRecord, Sealing};
use crate::secret::{ClientSecret, KeyEncoding};
use crate::store::{Adopted, Commit, CommitId, Committed, Expected, Index, RecordChange};
use crate::value::{
    Actor, AddIn, AddInId, Availability, ClientId, Days, KeyId, Label, Lifetime, OperatorId, Policy,
    Revision, SecretId, SellerId, Timestamp, Validity,
};

/// Decides and seals changes. Each random value is a new one, and the same one in the next run.
pub(super) struct Author {
    /// The key that everything is written under at first.
    old: Sealing,
    /// The key that records are resealed under.
    new: Sealing,
    entropy: Counted,
    policy: Policy,
    operator: Actor,
    clock: AtomicI64,
}

impl Author {
    pub(super) fn new() -> Result<Self, Stop> {
        Self::under(KEY_IDS)
    }

    /// An author with keys of these names.
    pub(super) fn under(key_ids: [impl AsRef<str>; 2]) -> Result<Self, Stop> {
        let [old, new] = key_ids.map(|id| KeyId::parse(id.as_ref()));
        let (old, new) = (old?, new?);
        let [first, second] = [Keyring::new(old.clone(), &OLD_KEY)?, Keyring::new(new, &NEW_KEY)?];
        let second = second.with(old, &OLD_KEY)?;
        Ok(Self {
            old: Sealing { keyring: first, registry_id: REGISTRY_ID },
            new: Sealing { keyring: second, registry_id: REGISTRY_ID },
            entropy: Counted::default(),
            policy: Policy::default().with_max_secrets(32)?.with_longest_lifetime(Lifetime::Unlimited),
            operator: Actor::Operator(OperatorId::parse("conformance")?),
            clock: AtomicI64::new(START),
        })
    }

    /// The key of records that were not resealed.
    pub(super) fn old_key(&self) -> &KeyId {
        self.old.keyring.primary()
    }

    /// The key of resealed records.
    pub(super) fn new_key(&self) -> &KeyId {
        self.new.keyring.primary()
    }

    /// A client ID as the registry makes it.
    pub(super) fn fresh_id(&self) -> Result<ClientId, Stop> {
        self.random().map(ClientId::from_random)
    }

    /// A new client with one secret.
    pub(super) fn register(&self, seller: &str, name: &str) -> Result<Step, Stop> {
        self.register_as(&self.fresh_id()?, seller, name)
    }

    /// A new client under a chosen client ID, with one secret.
    pub(super) fn register_as(&self, id: &ClientId, seller: &str, name: &str) -> Result<Step, Stop> {
        let (id, seller) = (id.clone(), SellerId::parse(seller)?);
        let first = NewSecret::lasting(Lifetime::OneYear);
        let (details, availability, secret) = (details(name)?, Availability::Worldwide, self.secret()?);
        let transition =
            Client::register(id, seller, details, availability, &first, &secret, &self.context())?;
        self.first(transition)
    }

    /// A new client with one secret and some add-ins.
    pub(super) fn serving(&self, seller: &str, name: &str, add_ins: &[&str]) -> Result<Step, Stop> {
        let validity = Lifetime::OneYear.starting(self.now())?;
        let add_ins = add_ins.iter().map(|id| (*id).to_owned());
        self.import(&self.fresh_id()?, (seller, name), add_ins, [(validity, None)])
    }

    /// An imported client with any add-ins, and with secrets of chosen validity.
    pub(super) fn import(
        &self,
        id: &ClientId,
        (seller, name): (&str, &str),
        add_ins: impl IntoIterator<Item = String>,
        secrets: impl IntoIterator<Item = (Validity, Option<Label>)>,
    ) -> Result<Step, Stop> {
        let seller = SellerId::parse(seller)?;
        let mut imported = ImportedClient::new(id.clone(), seller, details(name)?, Availability::Worldwide);
        for add_in in add_ins {
            imported = imported.with_add_in(AddIn::new(&add_in, Availability::Worldwide)?);
        }
        for (validity, label) in secrets {
            let secret = ImportedSecret::new(self.secret()?, validity, KeyEncoding::Utf8);
            imported = imported.with_secret(match label {
                Some(label) => secret.labelled(label),
                None => secret,
            });
        }
        let transition = Client::import(&imported, &self.context())?;
        self.first(transition)
    }

    /// The next change of a client.
    pub(super) fn then(
        &self,
        step: &Step,
        decide: impl FnOnce(&Client, &CommandContext<'_>) -> Result<Decision, Refusal>,
    ) -> Result<Step, Stop> {
        let change = decide(step.opened.client()?, &self.context())?.change();
        self.step(*change.ok_or_else(unchanged)?, Expected::Exactly(step.revision()), self.sealing_of(step))
    }

    pub(super) fn rename(&self, step: &Step, name: &str) -> Result<Step, Stop> {
        let details = details(name)?;
        self.then(step, |client, context| client.change_details(details, context))
    }

    pub(super) fn transfer(&self, step: &Step, seller: &str) -> Result<Step, Stop> {
        let seller = SellerId::parse(seller)?;
        self.then(step, |client, context| client.transfer(&seller, context))
    }

    pub(super) fn associate(&self, step: &Step, add_in: &str) -> Result<Step, Stop> {
        let add_in = AddIn::new(add_in, Availability::Worldwide)?;
        self.then(step, |client, context| client.associate(&add_in, context))
    }

    pub(super) fn dissociate(&self, step: &Step, add_in: &str) -> Result<Step, Stop> {
        let add_in = AddInId::parse(add_in)?;
        self.then(step, |client, context| client.dissociate(&add_in, context))
    }

    /// Moves an add-in in one commit of two clients.
    pub(super) fn moved(&self, from: &Step, to: &Step, add_in: &str) -> Result<[Step; 2], Stop> {
        let add_in = AddInId::parse(add_in)?;
        let decided = from.opened.client()?.move_add_in(to.opened.client()?, &add_in, &self.context())?;
        let Move::Changed { from: left, to: came } = decided else {
            return Err(unchanged());
        };
        let expected = |step: &Step| Expected::Exactly(step.revision());
        Ok([
            self.step(*left, expected(from), self.sealing_of(from))?,
            self.step(*came, expected(to), self.sealing_of(to))?,
        ])
    }

    pub(super) fn add_secret(&self, step: &Step, days: u32) -> Result<Step, Stop> {
        let (new, secret) = (NewSecret::lasting(Lifetime::Days(Days::new(days))), self.secret()?);
        self.then(step, |client, context| client.add_secret(&new, &secret, context))
    }

    /// Deletes a secret in an emergency.
    pub(super) fn delete_secret(&self, step: &Step, secret: SecretId) -> Result<Step, Stop> {
        self.then(step, |client, context| {
            client.delete_in_emergency(secret, None, context).map(|(transition, _)| transition)
        })
    }

    /// Deletes the client, which leaves a tombstone.
    pub(super) fn delete(&self, step: &Step) -> Result<Step, Stop> {
        let (client, context, uses) = (step.opened.client()?, self.context(), LastUses::default());
        let plan = client.plan_client_deletion(&uses, &context)?;
        let transition = client.confirm(&plan, &uses, &context).map_err(|error| Stop::unprepared(&error))?;
        let change = transition.change().ok_or_else(unchanged)?;
        self.step(*change, Expected::Exactly(step.revision()), self.sealing_of(step))
    }

    /// Reseals the record under the other key. Its revision stays.
    pub(super) fn reseal(&self, step: &Step) -> Result<Step, Stop> {
        let sealed = step.record().sealed()?;
        let resealed = self.new.reseal(sealed, &self.entropy).map_err(|error| Stop::unprepared(&error))?;
        let record = Record::from(resealed);
        let expected = Expected::Under(step.revision(), sealed.key_id().clone());
        let index = Index::of(&step.opened, record.key_id());
        Ok(Step { opened: step.opened.clone(), change: RecordChange::new(record, expected, index, &[]) })
    }

    /// The next record of the registry itself.
    pub(super) fn registry_record(&self, before: Option<&Record>) -> Result<RecordChange, Stop> {
        let (expected, next) = match before {
            None => (Expected::Absent, RegistryRecord::new(REGISTRY_ID, &self.old.keyring)),
            Some(before) => {
                let found = RegistryRecord::read(before.sealed()?)?;
                let mut next = found.knowing(&self.new.keyring).unwrap_or_else(|| found.clone());
                next.revision = found.revision.next();
                (Expected::Exactly(found.revision), next)
            }
        };
        let sealed = next.seal(&self.new.keyring, &self.entropy).map_err(|error| Stop::unprepared(&error))?;
        let record = Record::from(sealed);
        let index = Index { key_id: record.key_id().cloned(), ..Index::default() };
        Ok(RecordChange::new(record, expected, index, &[]))
    }

    /// A record with any body and any sealed part, which need not be those of a client.
    pub(super) fn any_record(
        &self,
        id: &ClientId,
        revision: Revision,
        body: &str,
        material: &[u8],
    ) -> Result<Record, Stop> {
        let sealed = self.old.seal_parts(id.into(), revision, body, material, &self.entropy);
        sealed.map(Record::from).map_err(|error| Stop::unprepared(&error))
    }

    /// The same change as a registry in memory makes it: not sealed.
    pub(super) fn unsealed(&self, step: &Step) -> RecordChange {
        let record = Record::live(step.opened.clone());
        let index = Index::of(&step.opened, None);
        RecordChange { record, index, ..step.change.clone() }
    }

    /// Returns whether a record is, byte for byte, one that this author sealed.
    pub(super) fn authenticates(&self, id: RecordId<'_>, record: &Record) -> Result<bool, Stop> {
        Ok(self.new.open_parts(id, record.sealed()?).is_ok())
    }

    pub(super) fn commit<'a>(&self, steps: impl IntoIterator<Item = &'a Step>) -> Result<Commit, Stop> {
        self.commit_of(steps.into_iter().map(|step| step.change.clone()).collect())
    }

    pub(super) fn commit_of(&self, changes: Vec<RecordChange>) -> Result<Commit, Stop> {
        Ok(Commit::new(CommitId::from_bytes(self.random()?), changes))
    }

    /// A client after the last of some changes, with all of them as its history.
    pub(super) fn adopted<'a>(&self, steps: impl IntoIterator<Item = &'a Step>) -> Result<Adopted, Stop> {
        let (mut history, mut last) = (Vec::new(), None);
        for step in steps {
            if !step.events().is_empty() {
                let commit_id = CommitId::from_bytes(self.random()?);
                history.push(Committed {
                    commit_id,
                    revision: step.revision(),
                    events: step.events().to_vec(),
                });
            }
            last = Some(step);
        }
        let last = last.ok_or_else(unchanged)?;
        Ok(Adopted::new(last.record().clone(), last.index().clone(), history))
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.clock.load(Ordering::Relaxed)).unwrap_or(Timestamp::MAX)
    }

    /// Sets back the clock by which the author decides.
    pub(super) fn step_back(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).unwrap_or_default();
        self.clock.fetch_sub(millis, Ordering::Relaxed);
    }

    fn context(&self) -> CommandContext<'_> {
        let now = self.clock.fetch_add(1000, Ordering::Relaxed);
        let now = Timestamp::from_millis(now).unwrap_or(Timestamp::MAX);
        CommandContext { actor: &self.operator, policy: &self.policy, now }
    }

    fn first(&self, transition: Decision) -> Result<Step, Stop> {
        self.step(*transition.change().ok_or_else(unchanged)?, Expected::Absent, &self.old)
    }

    fn step(&self, change: Change, expected: Expected, sealing: &Sealing) -> Result<Step, Stop> {
        let (next, events) = change.into_parts();
        let opened = Opened::new(next);
        let sealed = sealing.seal(&opened, &self.entropy).map_err(|error| Stop::unprepared(&error))?;
        let record = Record::from(sealed);
        let index = Index::of(&opened, record.key_id());
        Ok(Step { opened, change: RecordChange::new(record, expected, index, &events) })
    }

    fn sealing_of(&self, step: &Step) -> &Sealing {
        if step.record().key_id() == Some(self.old_key()) { &self.old } else { &self.new }
    }

    fn secret(&self) -> Result<ClientSecret, Stop> {
        Ok(ClientSecret::generate(&self.policy, &self.entropy)?)
    }

    fn random(&self) -> Result<[u8; 16], Stop> {
        let mut bytes = [0; 16];
        self.entropy.fill(&mut bytes)?;
        Ok(bytes)
    }
}

/// SHA-256 of 0, 1, 2 and so on: as good as random, and the same in every run.
#[derive(Debug, Default)]
struct Counted(AtomicU64);

impl Entropy for Counted {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        for part in buffer.chunks_mut(32) {
            let block = Sha256::digest(self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes());
            for (byte, drawn) in part.iter_mut().zip(block) {
                *byte = drawn;
            }
        }
        Ok(())
    }
}

fn unchanged() -> Stop {
    Stop::unprepared(&"nothing changed")
}

/// They differ only in case, so a collation would take one for the other.
const KEY_IDS: [&str; 2] = ["key-a", "Key-A"];
const OLD_KEY: [u8; 32] = *b"the key that records begin under";
const NEW_KEY: [u8; 32] = *b"the key that they are resealed u";
const REGISTRY_ID: [u8; 16] = *b"conformance/suit";
