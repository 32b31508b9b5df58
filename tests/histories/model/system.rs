//! The registry under test, told to do what the model was told, and its answers in the form that both have in common.

use std::time::Duration;

use chrono::DateTime;
use client_registry::client::{
    ClientDeletion, ImportedClient, ImportedSecret, Obstacle, SecretDeletion, SecretDisabling,
};
use client_registry::clock::ManualClock;
use client_registry::event::EventHash;
use client_registry::registry::ConfirmError;
use client_registry::secret::KeyEncoding;
use client_registry::store::MemoryStore;
use client_registry::value::{Label, Revision, Validity};
use client_registry::*;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::model::answer::{Answer, Planned};
use crate::model::command::{Command, Name};
use crate::model::home::Home;
use crate::model::naive::{Actor, BASE64_TEXT, Import, New, PlanKind, Present, Rotate, START, Signs, Text};
use crate::model::tally;
use crate::support::{Counted, block_on};

pub(crate) struct System<S: Home = MemoryStore> {
    pub(crate) registry: Registry<S>,
    clock: ManualClock,
    /// The client IDs in the order in which they came to be.
    pub(crate) ids: Vec<ClientId>,
    /// The client secrets in the order in which they were issued.
    texts: Vec<String>,
    signatures: Vec<Signature>,
    /// The latest plan of each client.
    plans: Vec<Option<AnyPlan>>,
    /// How far the trail of each client has been checked.
    pub(crate) checked: Vec<(Revision, EventHash)>,
    pub(crate) history: Vec<Command>,
}

enum AnyPlan {
    Deletion(Plan<SecretDeletion>),
    Disabling(Plan<SecretDisabling>),
    Client(Plan<ClientDeletion>),
}

impl<S: Home> System<S> {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::new(DateTime::from_timestamp_millis(START).unwrap());
        let builder = Registry::builder()
            .clock(clock.clone())
            .entropy(Counted::default())
            .last_use_interval(Duration::ZERO);
        let registry = S::registry(builder);
        Self {
            registry,
            clock,
            ids: vec![],
            texts: vec![],
            signatures: vec![],
            plans: vec![],
            checked: vec![],
            history: vec![],
        }
    }

    pub(crate) fn obey(&mut self, command: &Command) -> Answer {
        match command {
            Command::Register { actor, seller, name, china, new } => {
                let seller = match actor {
                    Actor::Operator => self.operator().seller(seller_id(*seller)).unwrap(),
                    Actor::Seller(_) => self.registry.as_seller(seller_id(*seller)).unwrap(),
                };
                let issued = block_on(seller.register_with(
                    details(*name),
                    availability(*china),
                    self.new_secret(new),
                ));
                if let Ok(issued) = &issued {
                    self.know(issued.client_id().clone());
                }
                self.issued(issued)
            }
            Command::ChangeDetails { actor, client, name } => {
                outcome(block_on(self.handle(*actor, *client).change_details(details(*name))))
            }
            Command::Add { actor, client, new } => {
                let issued = block_on(self.handle(*actor, *client).add_secret(self.new_secret(new)));
                self.issued(issued)
            }
            Command::Rotate { actor, client, rotate } => {
                let issued = block_on(self.handle(*actor, *client).rotate(rotation(rotate)));
                self.issued(issued)
            }
            Command::Plan { actor, client, kind } => match self.plan(*actor, *client, *kind) {
                Ok((plan, planned)) => {
                    self.plans[*client] = Some(plan);
                    Answer::Planned(planned)
                }
                Err(error) => refused(&error),
            },
            Command::ConfirmLatest { actor, client } => match self.plans[*client].take() {
                Some(plan) => self.confirm(*actor, *client, plan),
                None => Answer::NoPlan,
            },
            Command::PlanAndConfirm { actor, client, kind } => self.plan_and_confirm(*actor, *client, *kind),
            Command::CleanUp { actor, client, secrets } => {
                let deletions = secrets.iter().map(|id| PlanKind::Deletion(*id));
                Answer::Several(deletions.map(|kind| self.plan_and_confirm(*actor, *client, kind)).collect())
            }
            Command::Enable { actor, client, secret } => {
                outcome(block_on(self.handle(*actor, *client).enable(secret_id(*secret))))
            }
            Command::Promote { actor, client, secret } => {
                outcome(block_on(self.handle(*actor, *client).promote(secret_id(*secret))))
            }
            Command::Schedule { actor, client, secret, at } => {
                let handle = self.handle(*actor, *client);
                outcome(block_on(handle.schedule_promotion(secret_id(*secret), instant(*at))))
            }
            Command::Withdraw { actor, client, secret } => {
                outcome(block_on(self.handle(*actor, *client).withdraw_promotion(secret_id(*secret))))
            }
            Command::Emergency { actor, client, secret, replacement } => {
                let replacement = replacement.as_ref().map(|new| self.new_secret(new));
                let handle = self.handle(*actor, *client);
                match block_on(handle.delete_in_emergency(secret_id(*secret), replacement)) {
                    Ok(EmergencyDeletion::Deleted { .. }) => Answer::Deleted,
                    Ok(EmergencyDeletion::Replaced(issued)) => {
                        self.texts.push(issued.client_secret().expose().to_owned());
                        Answer::Replaced(issued.secret_id().number())
                    }
                    Ok(EmergencyDeletion::NotReplaced { why: Error::Refused(refusal), .. }) => {
                        Answer::NotReplaced(why(&refusal))
                    }
                    Ok(other) => panic!("{other:?}"),
                    Err(error) => refused(&error),
                }
            }
            Command::MarkCompromised { actor, client, secret } => {
                outcome(block_on(self.handle(*actor, *client).mark_compromised(secret_id(*secret))))
            }
            Command::ImportSecret { actor, client, import } => {
                match block_on(self.handle(*actor, *client).import_secret(self.imported(import))) {
                    Ok(id) => Answer::Secret(id.number()),
                    Err(error) => refused(&error),
                }
            }
            Command::ImportClient { id, seller, name, china, imports, add_ins } => {
                let id = ClientId::parse(&format!("imported-{id}")).unwrap();
                let owner = SellerId::parse(seller_id(*seller)).unwrap();
                let mut client = ImportedClient::new(id.clone(), owner, details(*name), availability(*china));
                for import in imports {
                    client = client.with_secret(self.imported(import));
                }
                for number in add_ins {
                    client = client.with_add_in(add_in(*number));
                }
                let answer = outcome(block_on(self.operator().import(client)));
                if answer == Answer::Changed {
                    self.know(id);
                }
                answer
            }
            Command::Associate { actor, client, add_in: number } => {
                outcome(block_on(self.handle(*actor, *client).associate(&add_in(*number))))
            }
            Command::Dissociate { actor, client, add_in: number } => {
                outcome(block_on(self.handle(*actor, *client).dissociate(add_in(*number).id())))
            }
            Command::Move { actor, client, to, add_in: number } => {
                let handle = self.handle(*actor, *client);
                outcome(block_on(handle.move_add_in(add_in(*number).id(), &self.ids[*to])))
            }
            Command::Authenticate { client, present } => self.authenticate(*client, *present),
            Command::PresentAll { client } => self.present_all(*client),
            Command::Sign { client } => {
                let signature = block_on(self.registry.sign(&self.ids[*client], MESSAGE));
                self.signed(signature.map(|signature| vec![signature]))
            }
            Command::SignAll { client } => {
                let signatures = block_on(self.registry.sign_all(&self.ids[*client], MESSAGE));
                self.signed(signatures)
            }
            Command::Verify { signature, forged } => {
                let signature = self.presented(*signature, *forged);
                verified(block_on(self.registry.verify(&signature, MESSAGE)))
            }
            Command::VerifyAny { signature, forged } => {
                let signature = self.presented(*signature, *forged);
                verified(block_on(self.registry.verify_any(signature.client_id(), signature.mac(), MESSAGE)))
            }
            Command::Named { seller, name } => self.named(*seller, *name),
            Command::ClientOf { actor, add_in } => self.client_of(*actor, *add_in),
            Command::Page { actor, limit } => self.pages(*actor, *limit),
            Command::History { actor, client } => {
                match block_on(self.handle(*actor, *client).trail(Revision::ZERO, usize::MAX)) {
                    Ok(events) => Answer::Commits(events.last().map_or(0, |event| event.revision().number())),
                    Err(error) => refused(&error),
                }
            }
            Command::SetClock { to } => {
                // As an application does from time to time.
                block_on(self.registry.flush_last_uses()).unwrap();
                self.clock.set_wall(DateTime::from_timestamp_millis(*to).unwrap());
                Answer::Changed
            }
        }
    }

    pub(crate) fn operator(&self) -> Operator<S> {
        self.registry.as_operator("ann").unwrap()
    }

    fn handle(&self, actor: Actor, client: usize) -> ClientHandle<S> {
        match actor {
            Actor::Operator => self.operator().client(&self.ids[client]),
            Actor::Seller(seller) => {
                self.registry.as_seller(seller_id(seller)).unwrap().client(&self.ids[client])
            }
        }
    }

    fn know(&mut self, id: ClientId) {
        self.ids.push(id);
        self.plans.push(None);
        self.checked.push((Revision::ZERO, EventHash::START));
    }

    fn new_secret(&self, new: &New) -> NewSecret {
        let mut secret = NewSecret::lasting(lifetime(new.lifetime)).for_purpose(purpose(new.signs));
        if let Some(starts) = new.starts {
            secret = secret.starting(instant(starts));
        }
        match new.label {
            Some(label) => secret.labelled(label_of(label)),
            None => secret,
        }
    }

    fn imported(&self, import: &Import) -> ImportedSecret {
        let validity = Validity::new(instant(import.from), import.until.map(instant)).unwrap();
        let encoding = if import.base64 { KeyEncoding::Base64 } else { KeyEncoding::Utf8 };
        let text = ClientSecret::parse(&self.text(import.text)).unwrap();
        let mut secret = ImportedSecret::new(text, validity, encoding).for_purpose(purpose(import.signs));
        if let Some(label) = import.label {
            secret = secret.labelled(label_of(label));
        }
        if import.signs_today { secret.signing_today() } else { secret }
    }

    fn issued(&mut self, issued: Result<Issued, Error>) -> Answer {
        match issued {
            Ok(issued) => {
                self.texts.push(issued.client_secret().expose().to_owned());
                Answer::Issued(issued.secret_id().number())
            }
            Err(error) => refused(&error),
        }
    }

    fn plan(&self, actor: Actor, client: usize, kind: PlanKind) -> Result<(AnyPlan, Planned), Error> {
        let handle = self.handle(actor, client);
        Ok(match kind {
            PlanKind::Deletion(id) => {
                let plan = block_on(handle.plan_deletion(secret_id(id)))?;
                let planned = Planned {
                    signs: number(plan.signs()),
                    next: number(plan.signs_next()),
                    valid: plan.valid_left().iter().map(|id| id.number()).collect(),
                    ..about(&plan)
                };
                (AnyPlan::Deletion(plan), planned)
            }
            PlanKind::Disabling(id) => {
                let plan = block_on(handle.plan_disabling(secret_id(id)))?;
                let planned = Planned {
                    signs: number(plan.signs()),
                    next: number(plan.signs_next()),
                    valid: plan.valid_left().iter().map(|id| id.number()).collect(),
                    ..about(&plan)
                };
                (AnyPlan::Disabling(plan), planned)
            }
            PlanKind::Client => {
                let plan = block_on(handle.plan_client_deletion())?;
                let planned = Planned {
                    valid: plan.valid_secrets().iter().map(|id| id.number()).collect(),
                    add_ins: plan.add_ins().iter().map(add_in_number).collect(),
                    ..about(&plan)
                };
                (AnyPlan::Client(plan), planned)
            }
        })
    }

    fn confirm(&self, actor: Actor, client: usize, plan: AnyPlan) -> Answer {
        let handle = self.handle(actor, client);
        match plan {
            AnyPlan::Deletion(plan) => confirmed(block_on(handle.confirm(plan))),
            AnyPlan::Disabling(plan) => confirmed(block_on(handle.confirm(plan))),
            AnyPlan::Client(plan) => confirmed(block_on(handle.confirm(plan))),
        }
    }

    fn plan_and_confirm(&self, actor: Actor, client: usize, kind: PlanKind) -> Answer {
        match self.plan(actor, client, kind) {
            Ok((plan, planned)) => Answer::Confirmed(planned, Box::new(self.confirm(actor, client, plan))),
            Err(error) => refused(&error),
        }
    }

    pub(crate) fn authenticate(&self, client: Option<usize>, present: Present) -> Answer {
        let client_id = client.map_or("no-such-client", |client| self.ids[client].as_str());
        let presented = match present {
            Present::Exactly(text) => self.text(text),
            Present::Beginning(text) => self.text(text)[..20].to_owned(),
            Present::Extended(text) => self.text(text) + "x",
            Present::Mistyped(text) => {
                let mut text = self.text(text).into_bytes();
                text[10] = if text[10] == b'x' { b'y' } else { b'x' };
                String::from_utf8(text).unwrap()
            }
            Present::Number(number) => number.to_string(),
            Present::Garbage => "open sesame".to_owned(),
        };
        match block_on(self.registry.authenticate(client_id, &presented)) {
            Ok(who) => {
                assert_eq!(who.client_id().as_str(), client_id);
                Answer::In {
                    secret: who.secret_id().number(),
                    signs: who.signs(),
                    newer: number(who.newer()),
                    ends: who.ends().map(Timestamp::as_millis),
                }
            }
            Err(error) => denied(&error),
        }
    }

    pub(crate) fn present_all(&self, client: usize) -> Answer {
        let issued = (0..self.texts.len()).map(Text::Generated);
        let all = issued.chain((0..7).map(Text::Pool));
        Answer::Several(all.map(|text| self.authenticate(Some(client), Present::Exactly(text))).collect())
    }

    fn signed(&mut self, signatures: Result<Vec<Signature>, SignError>) -> Answer {
        match signatures {
            Ok(signatures) => {
                let ids = signatures.iter().map(|signature| signature.secret_id().number()).collect();
                self.signatures.extend(signatures);
                Answer::SignedBy(ids)
            }
            Err(SignError::ClientDeleted) => Answer::Refused("ClientDeleted"),
            Err(SignError::NoSigningSecret) => Answer::Refused("NoSigningSecret"),
            Err(error) => panic!("{error}"),
        }
    }

    fn presented(&self, signature: usize, forged: bool) -> Signature {
        let signature = &self.signatures[signature];
        let mut mac = *signature.mac();
        mac[7] ^= u8::from(forged);
        Signature::new(signature.client_id().clone(), signature.secret_id(), mac)
    }

    /// Whether the latest signatures are what any HMAC makes with these texts.
    pub(crate) fn check_signatures(&self, texts: &[Text]) {
        let latest = &self.signatures[self.signatures.len() - texts.len()..];
        for (signature, text) in latest.iter().zip(texts) {
            let key = match *text {
                BASE64_TEXT => (0..32).collect(),
                text => self.text(text).into_bytes(),
            };
            let mut hmac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            hmac.update(MESSAGE);
            hmac.verify_slice(signature.mac()).expect("signed with the client secret");
        }
    }

    pub(crate) fn named(&self, seller: u8, name: Name) -> Answer {
        let seller = self.registry.as_seller(seller_id(seller)).unwrap();
        self.found(block_on(seller.client_named(spelling(name))))
    }

    pub(crate) fn client_of(&self, actor: Actor, number: u8) -> Answer {
        let id = add_in(number);
        self.found(match actor {
            Actor::Operator => block_on(self.operator().client_of(id.id())),
            Actor::Seller(seller) => {
                block_on(self.registry.as_seller(seller_id(seller)).unwrap().client_of(id.id()))
            }
        })
    }

    fn found(&self, found: Result<Option<Snapshot>, Error>) -> Answer {
        let found = found.unwrap();
        Answer::Clients(found.iter().map(|found| self.position(found)).collect())
    }

    pub(crate) fn pages(&self, actor: Actor, limit: usize) -> Answer {
        let mut found: Vec<ClientId> = vec![];
        let mut after = None;
        loop {
            let page = match actor {
                Actor::Operator => block_on(self.operator().clients(after.as_ref(), limit)),
                Actor::Seller(seller) => {
                    let seller = self.registry.as_seller(seller_id(seller)).unwrap();
                    block_on(seller.clients(after.as_ref(), limit))
                }
            };
            let page = page.unwrap();
            assert!(page.items().len() <= limit);
            found.extend(page.items().iter().map(|found| found.client().id().clone()));
            after = page.next().cloned();
            if after.is_none() {
                break;
            }
        }
        assert!(found.is_sorted(), "pages are in the order of client IDs");
        let mut positions: Vec<_> = found.iter().map(|id| self.position_of(id)).collect();
        positions.sort_unstable();
        Answer::Clients(positions)
    }

    fn position(&self, found: &Snapshot) -> usize {
        self.position_of(found.client().id())
    }

    fn position_of(&self, id: &ClientId) -> usize {
        self.ids.iter().position(|known| known == id).expect("a client that was made here")
    }

    fn text(&self, text: Text) -> String {
        match text {
            Text::Generated(number) => self.texts[number].clone(),
            Text::Pool(3) => "abcdefghijklabcdefghijkl".to_owned(),
            Text::Pool(4) => "aaaabbbbccccddddeeeeffff1".to_owned(),
            BASE64_TEXT => "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned(),
            Text::Pool(number) => format!("a client secret of long ago, {number}"),
        }
    }
}

impl<S: Home> Drop for System<S> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tally::went_wrong(&self.history);
        }
    }
}

fn confirmed<C: std::fmt::Debug>(confirmed: Result<Outcome, ConfirmError<C>>) -> Answer {
    match confirmed {
        Ok(Outcome::Changed) => Answer::Changed,
        Ok(Outcome::Unchanged) => Answer::Unchanged,
        Err(ConfirmError::Obstructed(_)) => Answer::Obstructed,
        Err(ConfirmError::Changed(_)) => Answer::PlanChanged,
        Err(ConfirmError::Failed(error)) => refused(&error),
        Err(other) => panic!("{other}"),
    }
}

fn outcome(outcome: Result<Outcome, Error>) -> Answer {
    match outcome {
        Ok(Outcome::Changed) => Answer::Changed,
        Ok(Outcome::Unchanged) => Answer::Unchanged,
        Err(error) => refused(&error),
    }
}

fn verified(verified: Result<Verified, AccessError>) -> Answer {
    match verified {
        Ok(verified) => Answer::Verified(verified.secret_id().number()),
        Err(error) => denied(&error),
    }
}

fn denied(error: &AccessError) -> Answer {
    let AccessError::Denied(denied) = error else { panic!("{error}") };
    let reason = match denied.reason() {
        Reason::UnknownClient => "UnknownClient",
        Reason::ClientDeleted => "ClientDeleted",
        Reason::Wrong => "Wrong",
        Reason::Mistyped => "Mistyped",
        Reason::LooksLikeSecretId => "LooksLikeSecretId",
        Reason::Ended => "Ended",
        Reason::NotYetStarted => "NotYetStarted",
        Reason::Disabled => "Disabled",
        Reason::Deleted => "Deleted",
        Reason::Compromised => "Compromised",
        Reason::CannotSign => "CannotSign",
        other => panic!("{other}"),
    };
    assert_eq!(error.to_string(), "invalid client", "the outside gets one answer");
    Answer::Denied(reason, number(denied.secret_id()))
}

fn refused(error: &Error) -> Answer {
    Answer::Refused(match error {
        Error::Refused(refusal) => why(refusal),
        Error::NameTaken { .. } => "NameTaken",
        Error::AddInTaken { by: Some(_), .. } => "AddInTaken, named",
        Error::AddInTaken { by: None, .. } => "AddInTaken",
        other => panic!("{other}"),
    })
}

fn why(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::UnknownClient => "UnknownClient",
        Refusal::ClientDeleted => "ClientDeleted",
        Refusal::ClientExists { .. } => "ClientExists",
        Refusal::UnknownSecret { .. } => "UnknownSecret",
        Refusal::TooManySecrets { .. } => "TooManySecrets",
        Refusal::LifetimeTooLong { .. } => "LifetimeTooLong",
        Refusal::StartsInThePast { .. } => "StartsInThePast",
        Refusal::Invalid(_) => "Invalid",
        Refusal::RedirectNotAllowed { .. } => "RedirectNotAllowed",
        Refusal::Weak { .. } => "Weak",
        Refusal::SecretExists { .. } => "SecretExists",
        Refusal::Remembered { .. } => "Remembered",
        Refusal::NamedTwice { .. } => "NamedTwice",
        Refusal::CannotSign => "CannotSign",
        Refusal::NotValidThen { .. } => "NotValidThen",
        Refusal::InThePast { .. } => "InThePast",
        Refusal::NothingScheduled { .. } => "NothingScheduled",
        Refusal::RotationUnderway { .. } => "RotationUnderway",
        Refusal::CannotReplace { .. } => "CannotReplace",
        Refusal::Overlap => "Overlap",
        Refusal::OutsideOverlap { .. } => "OutsideOverlap",
        Refusal::AvailabilityDiffers { .. } => "AvailabilityDiffers",
        Refusal::NotAssociated { .. } => "NotAssociated",
        Refusal::OtherOwner => "OtherOwner",
        Refusal::NoValidSecret => "NoValidSecret",
        Refusal::NotDeleted { .. } => "NotDeleted",
        Refusal::ClockBehind { .. } => "ClockBehind",
        other => panic!("{other}"),
    }
}

fn about<C>(plan: &Plan<C>) -> Planned {
    let obstacle = |obstacle: &Obstacle| match obstacle {
        Obstacle::LastValid => "LastValid",
        Obstacle::LastThatSigns => "LastThatSigns",
        Obstacle::UsedRecently { .. } => "UsedRecently",
        other => panic!("{other}"),
    };
    Planned {
        last_used: plan.last_used().map(Timestamp::as_millis),
        use_ahead: plan.use_ahead().map(Timestamp::as_millis),
        obstacles: plan.obstacles().iter().map(obstacle).collect(),
        ..Planned::default()
    }
}

fn rotation(rotate: &Rotate) -> Rotation {
    let overlap = match rotate.overlap {
        i64::MAX => Duration::MAX,
        millis => Duration::from_millis(u64::try_from(millis).unwrap()),
    };
    let mut rotation =
        Rotation::overlap(overlap).lasting(lifetime(rotate.lifetime)).for_purpose(purpose(rotate.signs));
    if let Some(replaces) = &rotate.replaces {
        rotation = rotation.replacing(replaces.iter().map(|id| secret_id(*id)));
    }
    match rotate.when {
        Signs::Now => rotation.signing_now(),
        Signs::At(at) => rotation.signing_at(instant(at)),
        Signs::WhenReplacedHaveEnded => rotation,
    }
}

pub(crate) fn details(name: Name) -> ClientDetails {
    let url = if name.url == 0 { "https://app.contoso.com/done" } else { "http://app.contoso.com/done" };
    ClientDetails::new(spelling(name), "app.contoso.com", url).unwrap()
}

/// Names, each in three spellings that are one name (rule 15).
fn spelling(name: Name) -> &'static str {
    let spellings = match name.number {
        0 => ["calendar app", "Calendar App", "ＣＡＬＥＮＤＡＲ app"],
        1 => ["files", "FILES", "ﬁles"],
        2 => ["İstanbul", "i̇stanbul", "İSTANBUL"],
        3 => ["mail", "Mail", "ｍａｉｌ"],
        4 => ["Ångström", "ÅNGSTRÖM", "A\u{30a}ngstro\u{308}m"],
        5 => ["notes 2", "NOTES 2", "notes ②"],
        _ => ["straße", "Straße", "STRAẞE"],
    };
    spellings[usize::from(name.spelling)]
}

fn lifetime(number: u8) -> Lifetime {
    match number {
        0 => Lifetime::OneYear,
        1 => Lifetime::TwoYears,
        2 => Lifetime::ThreeYears,
        3 => Lifetime::Days(Days::new(1)),
        4 => Lifetime::Days(Days::new(3)),
        5 => Lifetime::Days(Days::new(10)),
        6 => Lifetime::Days(Days::new(40)),
        7 => Lifetime::Days(Days::new(0)),
        8 => Lifetime::Unlimited,
        _ => Lifetime::Days(Days::new(1200)),
    }
}

pub(crate) fn label_of(number: u8) -> Label {
    Label::parse(["deploy of March", "batch jobs", "the old one"][usize::from(number)]).unwrap()
}

pub(crate) fn seller_id(seller: u8) -> &'static str {
    ["contoso", "fabrikam"][usize::from(seller)]
}

pub(crate) fn availability(china: bool) -> Availability {
    if china { Availability::ChinaOnly } else { Availability::Worldwide }
}

fn add_in(number: u8) -> AddIn {
    AddIn::new(&format!("add-in-{number}"), availability(number % 2 == 1)).unwrap()
}

pub(crate) fn add_in_number(id: &AddInId) -> u8 {
    id.as_str().strip_prefix("add-in-").and_then(|number| number.parse().ok()).unwrap()
}

fn purpose(signs: bool) -> Purpose {
    if signs { Purpose::SigningAndPassword } else { Purpose::PasswordOnly }
}

fn secret_id(number: u32) -> SecretId {
    SecretId::new(number).unwrap()
}

pub(crate) fn number(id: Option<SecretId>) -> Option<u32> {
    id.map(SecretId::number)
}

pub(crate) fn instant(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap()
}

const MESSAGE: &[u8] = b"what the platform sends";
