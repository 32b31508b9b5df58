//! Not one path from a secret to a log (rule 8). A whole life runs through the registry, and whatever has a face on the
//! way (`Debug`, `Display`, JSON, the log at every level) is kept and searched: for every client secret that was issued
//! or imported, for pieces of it, for what is kept in its place, each in the usual encodings. Leaks that are planted are
//! found by the same search, and a public type that nobody looked at fails the test.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::error::Error as StdError;
use std::fmt::{Debug, Display};

use crate::support::{Platform, START, Seeded, details, instant, key, secret_id, verifier};
use crate::support::{bytes_of, chaining_values};
use client_registry::client::{
    Client, ClientState, CommandContext, Decision, ImportedClient, ImportedSecret, LastUses,
};
use client_registry::clock::ManualClock;
use client_registry::entropy::{Entropy, EntropyError};
use client_registry::event::{BrokenTrail, EventHash};
use client_registry::record::KeyState;
use client_registry::registry::Resolution;
use client_registry::registry::upkeep::Lookup;
use client_registry::ring::{CallError, Credentials, SharedSecret};
use client_registry::secret::{Hint, KeyEncoding};
use client_registry::store::{
    Adopted, ClientsBy, CommitError, Cursor, DynStore, Expected, Index, IndexEntry, MemoryStore, RecordId,
    Store, StoreError, StoreErrorKind, Use,
};
use client_registry::value::{
    Actor, AppDomain, FriendlyName, KeyId, Label, OperatorId, RedirectUrl, Revision, Validity,
};
use client_registry::*;
use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use pollster::block_on;
use sha2::Digest;
use zeroize::Zeroizing;

/// What was written, and by the `Debug`, `Display` or JSON of which type.
#[derive(Default)]
struct Walker {
    seen: BTreeSet<String>,
    texts: Vec<(String, String)>,
}

impl Walker {
    fn keep<T>(&mut self, _: &T, texts: impl IntoIterator<Item = String>) {
        let path = std::any::type_name::<T>();
        let path = path.split('<').next().unwrap_or_default();
        let name = path.rsplit("::").next().unwrap_or_default().to_owned();
        self.seen.insert(name.clone());
        self.texts.extend(texts.into_iter().map(|text| (name.clone(), text)));
    }

    /// The types in whose texts a needle is.
    fn leaks(&self, needles: &Needles) -> BTreeSet<&str> {
        let leaky = self.texts.iter().filter(|(_, text)| needles.are_in(text));
        leaky.map(|(name, _)| name.as_str()).collect()
    }
}

/// Looks at every face that a value has; whether it has one, the compiler knows.
macro_rules! see {
    ($walker:expr, $($value:expr),+ $(,)?) => {{$(
        match &$value {
            value => {
                let mut texts = vec![format!("{value:?}"), format!("{value:#?}")];
                texts.extend((&Faces(value)).displayed());
                texts.extend((&Faces(value)).json());
                texts.extend((&Faces(value)).sources());
                $walker.keep(value, texts);
            }
        }
    )+}};
}

/// A method call finds the implementation for `Faces<T>` first, and that for `&Faces<T>` only where there is none.
struct Faces<'a, T>(&'a T);

trait HasDisplay {
    fn displayed(&self) -> Vec<String>;
}
trait HasNoDisplay {
    fn displayed(&self) -> Vec<String> {
        vec![]
    }
}
trait HasJson {
    fn json(&self) -> Vec<String>;
}
trait HasNoJson {
    fn json(&self) -> Vec<String> {
        vec![]
    }
}
trait HasSources {
    fn sources(&self) -> Vec<String>;
}
trait HasNoSources {
    fn sources(&self) -> Vec<String> {
        vec![]
    }
}

impl<T: Display> HasDisplay for Faces<'_, T> {
    fn displayed(&self) -> Vec<String> {
        vec![format!("{}", self.0), format!("{:#}", self.0)]
    }
}
impl<T> HasNoDisplay for &Faces<'_, T> {}
impl<T: serde::Serialize> HasJson for Faces<'_, T> {
    fn json(&self) -> Vec<String> {
        vec![serde_json::to_string(self.0).unwrap()]
    }
}
impl<T> HasNoJson for &Faces<'_, T> {}
impl<T: StdError> HasSources for Faces<'_, T> {
    fn sources(&self) -> Vec<String> {
        let mut texts = vec![];
        let mut next = self.0.source();
        while let Some(error) = next {
            texts.push(format!("{error} {error:?} {error:#?}"));
            next = error.source();
        }
        texts
    }
}
impl<T> HasNoSources for &Faces<'_, T> {}

/// A client secret that was issued or imported.
struct Kept {
    client_id: ClientId,
    text: Zeroizing<String>,
    encoding: KeyEncoding,
    /// Of the plaintext no piece of this length may be seen; 4 characters of a generated one are its hint.
    piece: usize,
}

/// Pieces of secrets, by their length. A text is searched for all of them at once.
#[derive(Default)]
struct Needles(BTreeMap<usize, HashSet<Vec<u8>>>);

/// Long enough that no two encodings of anything else have as much in common.
const PIECE: usize = 16;

impl Needles {
    fn of(secrets: &[Kept]) -> Self {
        let mut needles = Self::default();
        for Kept { client_id, text, encoding, piece } in secrets {
            // What all generated ones begin with is no secret.
            let body = text.strip_prefix("crs_").unwrap_or(text);
            needles.add(body, *piece);
            needles.add_encodings(text.as_bytes());
            let key = key(text, *encoding);
            needles.add_encodings(&key);
            needles.add_encodings(&verifier(client_id, text));
            let digest: Vec<u8> = sha2::Sha256::digest(text.as_bytes()).to_vec();
            needles.add_encodings(&digest);
            for state in chaining_values(&key) {
                needles.add_encodings(&bytes_of(state));
            }
        }
        needles
    }

    fn add(&mut self, text: &str, piece: usize) {
        let pieces = self.0.entry(piece).or_default();
        pieces.extend(text.as_bytes().windows(piece).map(<[u8]>::to_vec));
    }

    fn add_encodings(&mut self, bytes: &[u8]) {
        for hex in [HEXLOWER, HEXUPPER] {
            self.add(&hex.encode(bytes), PIECE);
        }
        for base64 in [BASE64, BASE64URL, BASE64_NOPAD, BASE64URL_NOPAD] {
            self.add(&base64.encode(bytes), PIECE);
        }
        // Embedded in something longer it starts at any of three offsets, and shares its last character.
        for base64 in [BASE64_NOPAD, BASE64URL_NOPAD] {
            for offset in 1..3 {
                let inner = &bytes[offset..];
                self.add(&base64.encode(&inner[..inner.len() / 3 * 3]), PIECE);
            }
        }
        // As `Debug` of an array would have it; white space is taken out before the search.
        self.add_list(bytes.iter());
        let words = bytes.as_chunks::<4>().0;
        self.add_list(words.iter().map(|word| u32::from_be_bytes(*word)));
        self.add_list(words.iter().map(|word| u32::from_le_bytes(*word)));
        let words = bytes.as_chunks::<8>().0;
        self.add_list(words.iter().map(|word| u64::from_be_bytes(*word)));
        self.add_list(words.iter().map(|word| u64::from_le_bytes(*word)));
    }

    fn add_list(&mut self, numbers: impl Iterator<Item = impl Display>) {
        let list: Vec<_> = numbers.map(|number| number.to_string()).collect();
        self.add(&list.join(","), PIECE);
    }

    fn are_in(&self, text: &str) -> bool {
        let dense: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        [text, &dense].into_iter().any(|text| {
            let found = |(piece, pieces): (&usize, &HashSet<Vec<u8>>)| {
                text.as_bytes().windows(*piece).any(|window| pieces.contains(window))
            };
            self.0.iter().any(found)
        })
    }
}

/// A life in the making.
struct Life {
    platform: Platform,
    walker: Walker,
    secrets: Vec<Kept>,
    /// Of keyrings.
    keys: Vec<Zeroizing<Vec<u8>>>,
    texts: Seeded,
}

impl Life {
    fn keep(&mut self, client_id: &ClientId, text: &str, encoding: KeyEncoding, piece: usize) {
        self.secrets.push(Kept {
            client_id: client_id.clone(),
            text: Zeroizing::new(text.to_owned()),
            encoding,
            piece,
        });
    }

    fn issued(&mut self, issued: &Issued) -> (SecretId, String) {
        see!(self.walker, *issued, *issued.client_secret(), issued.validity());
        let text = issued.client_secret().expose();
        self.keep(issued.client_id(), text, KeyEncoding::Utf8, 8);
        (issued.secret_id(), text.to_owned())
    }

    /// A text to be imported, of characters that nothing else is written with.
    fn plain_text(&mut self, client_id: &ClientId) -> String {
        let text = self.texts.text("!#$%&*+;<>?@^|~", 40).to_string();
        self.keep(client_id, &text, KeyEncoding::Utf8, 4);
        text
    }

    fn base64_text(&mut self, client_id: &ClientId) -> String {
        let mut bytes = [0; 32];
        self.texts.fill(&mut bytes).unwrap();
        let text = BASE64.encode(&bytes);
        self.keep(client_id, &text, KeyEncoding::Base64, 7);
        text
    }

    fn importable(&mut self, text: &str, encoding: KeyEncoding) -> ImportedSecret {
        let validity =
            Validity::new(instant("2026-01-01T00:00:00Z"), Some(instant("2027-01-01T00:00:00Z"))).unwrap();
        let secret = ClientSecret::parse(text).unwrap();
        see!(self.walker, secret, validity);
        let imported = ImportedSecret::new(secret, validity, encoding);
        see!(self.walker, imported);
        imported
    }

    fn refused<T: Debug>(&mut self, result: Result<T, Error>) {
        let error = result.unwrap_err();
        see!(self.walker, error, error.kind());
        match error {
            Error::Refused(refusal) => see!(self.walker, refusal, refusal.kind()),
            Error::Unavailable(error) => see!(self.walker, error, error.kind()),
            Error::Entropy(error) => see!(self.walker, error),
            _ => {}
        }
    }

    fn access<T: Debug>(&mut self, answer: Result<T, AccessError>) -> Reason {
        let error = answer.unwrap_err();
        see!(self.walker, error, error.kind());
        match error {
            AccessError::Denied(denied) => {
                see!(self.walker, denied, denied.reason());
                denied.reason()
            }
            other => panic!("{other}"),
        }
    }

    /// The core by itself, from the first fact to the tombstone.
    fn core(&mut self) {
        let policy = Policy::default().with_retire_after(std::time::Duration::ZERO);
        let seller = SellerId::parse("contoso").unwrap();
        let (actor, now) = (Actor::Seller(seller.clone()), instant(START));
        let context = CommandContext { actor: &actor, policy: &policy, now };
        see!(self.walker, policy, context, actor, seller, now);
        let clients = ["core-client-1", "core-client-2"].map(|id| {
            let id = ClientId::parse(id).unwrap();
            let secret = ClientSecret::generate(&Policy::default(), &self.texts).unwrap();
            self.keep(&id, secret.expose(), KeyEncoding::Utf8, 8);
            let new = NewSecret::lasting(Lifetime::OneYear).labelled(Label::parse("first").unwrap());
            let (owner, details) = (seller.clone(), details(id.as_str()));
            see!(self.walker, new, Lifetime::OneYear, Days::new(3), details);
            see!(self.walker, *details.friendly_name(), *details.app_domain());
            see!(self.walker, *details.redirect_url(), details.friendly_name().key());
            let place = Availability::Worldwide;
            see!(self.walker, place);
            let made = Client::register(id, owner, details, place, &new, &secret, &context).unwrap();
            self.changed(made)
        });
        let [one, two] = clients.each_ref().map(|state| state.active().unwrap());
        let secret = ClientSecret::generate(&Policy::default(), &self.texts).unwrap();
        self.keep(one.id(), secret.expose(), KeyEncoding::Utf8, 8);
        let rotation = Rotation::overlap(Days::new(3)).signing_now();
        see!(self.walker, rotation);
        let state = self.changed(one.rotate(&rotation, &secret, &LastUses::default(), &context).unwrap());
        let one = state.active().unwrap();
        let refused = one.rotate(&rotation, &secret, &LastUses::default(), &context).unwrap_err();
        see!(self.walker, refused);
        let again = one.add_secret(&NewSecret::lasting(Lifetime::OneYear), &secret, &context).unwrap_err();
        see!(self.walker, again);
        see!(self.walker, one.promote(secret_id(2), &context).unwrap());

        let add_in = AddIn::new("mail-helper", Availability::Worldwide).unwrap();
        see!(self.walker, add_in, *add_in.id());
        let state = self.changed(one.associate(&add_in, &context).unwrap());
        let one = state.active().unwrap();
        let moved = one.move_add_in(two, add_in.id(), &context).unwrap();
        see!(self.walker, moved);

        let uses = LastUses::default();
        let plan = one.plan_deletion(secret_id(1), &uses, &context).unwrap();
        see!(self.walker, uses, plan);
        let stale = two.plan_deletion(secret_id(1), &uses, &context).unwrap();
        see!(self.walker, two.confirm(&stale, &uses, &context).unwrap_err());
        let (deleted, replacement) = one.delete_in_emergency(secret_id(2), None, &context).unwrap();
        see!(self.walker, replacement);
        let state = self.changed(deleted);
        let one = state.active().unwrap();
        let (added, replacement) = one
            .delete_in_emergency(
                secret_id(2),
                Some((&NewSecret::lasting(Lifetime::OneYear), &secret)),
                &context,
            )
            .unwrap();
        see!(self.walker, added, replacement);
        let plan = one.plan_client_deletion(&uses, &context).unwrap();
        see!(self.walker, plan);
        let state = self.changed(one.confirm(&plan, &uses, &context).unwrap());
        let ClientState::Deleted(tombstone) = &state else { panic!("not deleted") };
        see!(self.walker, *tombstone);
        let condemned = tombstone.mark_compromised(secret_id(1), &context).unwrap();
        self.changed(condemned);
    }

    fn changed(&mut self, transition: Decision) -> ClientState {
        see!(self.walker, transition);
        let change = transition.change().unwrap();
        see!(self.walker, *change);
        let (state, events) = change.into_parts();
        see!(self.walker, state);
        self.events(&events);
        if let Some(client) = state.active() {
            self.client(client);
        }
        state
    }

    fn client(&mut self, client: &Client) {
        see!(self.walker, *client, client.timeline(), client.timeline().spans()[0]);
        see!(self.walker, client.signing_at(client.changed_at()), client.head());
        let (uses, policy) = (LastUses::default(), Policy::default());
        see!(self.walker, client.view(&uses, &policy, client.changed_at()));
        for secret in client.secrets() {
            see!(self.walker, *secret, secret.id(), secret.purpose(), secret.origin());
            see!(self.walker, secret.state_at(client.changed_at()));
            if let Some(hint) = secret.hint() {
                see!(self.walker, hint);
            }
            if let Some(label) = secret.label() {
                see!(self.walker, *label);
            }
        }
        for promotion in client.promotions() {
            see!(self.walker, *promotion);
        }
        for (_, fate) in client.remembered() {
            see!(self.walker, fate);
        }
        let denied = client.authenticate("no such secret", &Policy::default(), client.changed_at());
        see!(self.walker, denied.unwrap_err());
    }

    fn events(&mut self, events: &[Event]) {
        for event in events {
            see!(self.walker, *event, *event.fact(), event.revision(), event.hash());
            if let Some(handover) = event.signing() {
                see!(self.walker, handover);
            }
        }
    }

    /// The registry, from registering to deleting, with everything that goes wrong on the way.
    async fn registry(&mut self) {
        let registry = self.platform.registry.clone();
        let contoso = registry.as_seller("contoso").unwrap();
        let operator = registry.as_operator("ann").unwrap();
        see!(self.walker, registry, contoso, operator, registry.policy().clone());

        let first = self.platform.register("calendar app").await;
        let client_id = first.client_id().clone();
        let client = contoso.client(&client_id);
        see!(self.walker, client, client_id);
        let (first_id, first_text) = self.issued(&first);

        let lasting = || NewSecret::lasting(Lifetime::OneYear);
        let added = client.add_secret(lasting()).await.unwrap();
        let (added_id, added_text) = self.issued(&added);
        let password = lasting().for_purpose(Purpose::PasswordOnly);
        let password = client.add_secret(password).await.unwrap();
        let (password_id, password_text) = self.issued(&password);
        let future = lasting().starting(instant("2026-06-01T00:00:00Z"));
        let future = client.add_secret(future).await.unwrap();
        let (_, future_text) = self.issued(&future);
        let rotated = client.rotate(Rotation::overlap(Days::new(2)).replacing([added_id])).await.unwrap();
        self.issued(&rotated);

        for encoding in [KeyEncoding::Utf8, KeyEncoding::Base64] {
            let text = match encoding {
                KeyEncoding::Base64 => self.base64_text(&client_id),
                _ => self.plain_text(&client_id),
            };
            see!(self.walker, encoding);
            let imported = self.importable(&text, encoding);
            let id = client.import_secret(imported).await.unwrap();
            let who = registry.authenticate(client_id.as_str(), &text).await.unwrap();
            see!(self.walker, who, id);
            // Once more with another attribute, and as another key.
            let imported = self.importable(&text, encoding).labelled(Label::parse("other").unwrap());
            let refused = client.import_secret(imported).await;
            self.refused(refused);
        }
        let no_base64 = self.plain_text(&client_id);
        // Of base64 only by its name, so its bytes are those of the text.
        let imported = self.importable(&no_base64, KeyEncoding::Base64);
        let refused = client.import_secret(imported).await;
        self.refused(refused);
        let weak = self.plain_text(&client_id).repeat(2);
        let imported = self.importable(&weak, KeyEncoding::Utf8);
        let refused = client.import_secret(imported).await;
        self.refused(refused);

        self.whole_import(&operator).await;
        self.signatures(&client_id, first_id, password_id, &password_text).await;
        self.pasted_into_the_wrong_field(&first_text, &operator).await;

        // Refusals.
        let refused = client.add_secret(lasting()).await;
        self.refused(refused.map(|_| ()));
        let refused = client.add_secret(NewSecret::lasting(Lifetime::Unlimited)).await.map(|_| ());
        self.refused(refused);
        let refused = client.rotate(Rotation::overlap(Days::new(2)).replacing([added_id])).await.map(|_| ());
        self.refused(refused);
        let refused = client.promote(password_id).await;
        self.refused(refused);
        let refused = client.mark_compromised(first_id).await;
        self.refused(refused);
        let refused = client.promote(secret_id(99)).await;
        self.refused(refused);
        let refused = contoso.register(details("Calendar App"), Lifetime::OneYear).await;
        self.refused(refused.map(|_| ()));
        see!(self.walker, Error::Contention { attempts: 3 });

        // Every reason of a denial.
        let who = registry.authenticate(client_id.as_str(), &first_text).await.unwrap();
        see!(self.walker, who);
        let mut reasons = BTreeSet::new();
        let mut denied = async |life: &mut Self, id: &str, secret: &str| {
            let answer = life.platform.registry.authenticate(id, secret).await;
            reasons.insert(life.access(answer).to_string());
        };
        denied(self, &first_text, client_id.as_str()).await;
        denied(self, &first_text, &first_text).await;
        denied(self, &format!("{first_text} "), &first_text).await;
        denied(self, "no-such-client", &first_text).await;
        denied(self, client_id.as_str(), &first_text[..52]).await;
        denied(self, client_id.as_str(), &format!("x{first_text}")).await;
        denied(self, client_id.as_str(), &first_text[4..]).await;
        denied(self, client_id.as_str(), "1").await;
        denied(self, client_id.as_str(), &future_text).await;

        let plan = client.plan_disabling(password_id).await.unwrap();
        see!(self.walker, plan, client.confirm(plan.clone()).await.unwrap());
        denied(self, client_id.as_str(), &password_text).await;
        let plan = client.plan_deletion(first_id).await.unwrap();
        see!(self.walker, plan, plan.obstacles()[0]);
        let confirmed = client.confirm(plan).await.unwrap_err();
        see!(self.walker, confirmed, confirmed.kind());
        self.platform.clock.advance(Days::new(3));
        denied(self, client_id.as_str(), &added_text).await;
        self.platform.clock.advance(Days::new(8));
        let stale = client.plan_deletion(first_id).await.unwrap();
        client.promote(first_id).await.unwrap();
        see!(self.walker, client.confirm(stale).await.unwrap_err());
        let plan = client.plan_deletion(first_id).await.unwrap();
        client.confirm(plan).await.unwrap();
        denied(self, client_id.as_str(), &first_text).await;
        let again = self.importable(&first_text, KeyEncoding::Utf8);
        let refused = client.import_secret(again).await;
        self.refused(refused);
        client.mark_compromised(first_id).await.unwrap();
        denied(self, client_id.as_str(), &first_text).await;

        let deleted = client.delete_in_emergency(added_id, Some(lasting())).await.unwrap();
        see!(self.walker, deleted);
        if let EmergencyDeletion::Replaced(issued) = &deleted {
            self.issued(issued);
        }
        let deleted = client.delete_in_emergency(rotated.secret_id(), None).await.unwrap();
        see!(self.walker, deleted);
        let too_long = NewSecret::lasting(Lifetime::Unlimited);
        let deleted = client.delete_in_emergency(future.secret_id(), Some(too_long)).await;
        see!(self.walker, deleted.unwrap());

        self.failures(&client).await;

        let snapshot = client.snapshot().await.unwrap();
        see!(self.walker, snapshot);
        self.client(snapshot.client());
        see!(self.walker, contoso.clients(None, 10).await.unwrap());
        self.told(&contoso, &operator, &client).await;
        let plan = client.plan_client_deletion().await.unwrap();
        see!(self.walker, plan);
        client.confirm(plan).await.unwrap();
        denied(self, client_id.as_str(), &added_text).await;
        denied(self, client_id.as_str(), "correct horse battery staple").await;
        assert_eq!(reasons.len(), 11, "all but the one that signatures have: {reasons:?}");
        let refused = client.snapshot().await;
        self.refused(refused);
        let events = client.trail(Revision::ZERO, usize::MAX).await.unwrap();
        self.events(&events);
    }

    /// What a seller should know.
    async fn told(
        &mut self,
        contoso: &Seller<crate::support::Watched>,
        operator: &Operator<crate::support::Watched>,
        client: &ClientHandle<crate::support::Watched>,
    ) {
        let findings = client.review().await.unwrap();
        assert!(findings.len() > 3, "{findings:?}");
        for finding in &findings {
            see!(self.walker, *finding, finding.severity());
        }
        let ever = Timestamp::MIN..Timestamp::MAX;
        let ends = operator.expiry_report(&ever, None, 10).await.unwrap();
        let due = operator.due_notices(&ever, None, 10).await.unwrap();
        see!(self.walker, ends, ends.items()[0], due, due.items()[0]);
        see!(self.walker, contoso.expiry_report(&ever, None, 10).await.unwrap());
        see!(self.walker, contoso.due_notices(&ever, None, 10).await.unwrap());
    }

    async fn whole_import(&mut self, operator: &Operator<crate::support::Watched>) {
        let id = ClientId::parse("legacy-calendar").unwrap();
        let (plain, base64) = (self.plain_text(&id), self.base64_text(&id));
        let weak = self.plain_text(&id).repeat(2);
        for (texts, outcome) in [
            (vec![(&plain, KeyEncoding::Utf8), (&base64, KeyEncoding::Base64)], Some(Outcome::Changed)),
            (vec![(&plain, KeyEncoding::Utf8)], Some(Outcome::Unchanged)),
            (vec![(&plain, KeyEncoding::Utf8), (&plain, KeyEncoding::Utf8)], None),
            (vec![(&base64, KeyEncoding::Utf8)], None),
            (vec![(&weak, KeyEncoding::Utf8)], None),
        ] {
            let owner = SellerId::parse("contoso").unwrap();
            let mut imported =
                ImportedClient::new(id.clone(), owner, details("legacy"), Availability::Worldwide);
            for (text, encoding) in texts {
                imported = imported.with_secret(self.importable(text, encoding));
            }
            see!(self.walker, imported);
            match (operator.import(imported).await, outcome) {
                (Ok(told), Some(outcome)) => {
                    see!(self.walker, told);
                    assert_eq!(told, outcome);
                }
                (result, None) => self.refused(result),
                (Err(error), Some(_)) => panic!("{error}"),
            }
        }
    }

    async fn signatures(
        &mut self,
        client_id: &ClientId,
        first: SecretId,
        password: SecretId,
        password_text: &str,
    ) {
        let registry = self.platform.registry.clone();
        let signature = registry.sign(client_id, b"message").await.unwrap();
        see!(self.walker, signature, registry.sign_all(client_id, b"message").await.unwrap());
        see!(self.walker, registry.verify(&signature, b"message").await.unwrap());
        let any = registry.verify_any(client_id, signature.mac(), b"message").await;
        see!(self.walker, any.unwrap());
        for (secret, mac) in
            [(first, [7; 32]), (password, crate::support::hmac(password_text.as_bytes(), b"message"))]
        {
            let forged = Signature::new(client_id.clone(), secret, mac);
            let answer = registry.verify(&forged, b"message").await;
            self.access(answer);
            let answer = registry.verify_any(client_id, &mac, b"message").await;
            self.access(answer);
        }
        let nobody = ClientId::parse("no-such-client").unwrap();
        let error = registry.sign(&nobody, b"message").await.unwrap_err();
        see!(self.walker, error, error.kind());
    }

    /// Sooner or later somebody does.
    async fn pasted_into_the_wrong_field(
        &mut self,
        secret: &str,
        operator: &Operator<crate::support::Watched>,
    ) {
        let (padded, line) = (format!("{secret} "), format!("{secret}\n"));
        let invalid = [
            ClientId::parse(&padded).unwrap_err(),
            SellerId::parse(&padded).unwrap_err(),
            OperatorId::parse(&padded).unwrap_err(),
            AddInId::parse(&padded).unwrap_err(),
            secret.parse::<SecretId>().unwrap_err(),
            FriendlyName::parse(&line).unwrap_err(),
            Label::parse(&line).unwrap_err(),
            AppDomain::parse(secret).unwrap_err(),
            RedirectUrl::parse(secret).unwrap_err(),
            ClientDetails::new(secret, secret, secret).unwrap_err(),
            Signature::parse(secret).unwrap_err(),
            Signature::parse(&format!("v1:calendar-app:1:{secret}")).unwrap_err(),
            ClientSecret::parse(&line).unwrap_err(),
            Policy::default().with_secret_prefix(secret).unwrap_err(),
            Policy::default().with_redirect_scheme(secret).unwrap_err(),
            operator.seller(&padded).unwrap_err(),
        ];
        for error in invalid {
            see!(self.walker, error, error.field(), error.problem());
            self.refused::<()>(Err(error.into()));
        }
        see!(self.walker, secret.parse::<EventHash>().unwrap_err());
        let json = |text: &str| serde_json::to_string(text).unwrap();
        let unreadable = [
            serde_json::from_str::<ClientId>(&json(&padded)).map(drop),
            serde_json::from_str::<SellerId>(&json(&padded)).map(drop),
            serde_json::from_str::<FriendlyName>(&json(&line)).map(drop),
            serde_json::from_str::<AppDomain>(&json(secret)).map(drop),
            serde_json::from_str::<RedirectUrl>(&json(secret)).map(drop),
            serde_json::from_str::<Signature>(&json(secret)).map(drop),
            serde_json::from_str::<EventHash>(&json(secret)).map(drop),
            serde_json::from_str::<Hint>(&json(secret)).map(drop),
            serde_json::from_str::<Timestamp>(&json(secret)).map(drop),
        ];
        for error in unreadable {
            see!(self.walker, error.unwrap_err());
        }
    }

    /// A store that fails at every point, and one that keeps what it should not have said it lost.
    async fn failures(&mut self, client: &ClientHandle<crate::support::Watched>) {
        let lasting = || NewSecret::lasting(Lifetime::OneYear);
        let registry = self.platform.registry.clone();
        let knobs = std::sync::Arc::clone(&self.platform.store.knobs);
        knobs.load_fails.on();
        let failed = client.add_secret(lasting()).await;
        self.refused(failed.map(|_| ()));
        let text = self.plain_text(client.id());
        let error = registry.authenticate(client.id().as_str(), &text).await.unwrap_err();
        see!(self.walker, error);
        let error = registry.sign(client.id(), b"message").await.unwrap_err();
        see!(self.walker, error);
        knobs.load_fails.off();

        // The answer to the commit is lost: sending it again tells that it was made.
        knobs.answer_is_lost.on();
        let issued = client.add_secret(lasting()).await.unwrap();
        knobs.answer_is_lost.off();
        let (id, _) = self.issued(&issued);
        let _ = client.delete_in_emergency(id, None).await.unwrap();

        knobs.commit_fails.on();
        let error = client.add_secret(lasting()).await.unwrap_err();
        see!(self.walker, error);
        let Error::Unresolved(unresolved) = error else { panic!("resolved: {error}") };
        see!(self.walker, *unresolved, *unresolved.cause());
        self.issued(unresolved.issued().unwrap());
        let unresolved = registry.resolve(*unresolved).await.unwrap_err();
        see!(self.walker, unresolved);
        knobs.commit_fails.off();
        let resolution = registry.resolve(unresolved).await.unwrap();
        see!(self.walker, resolution);
        let Resolution::Made(Some(issued)) = &resolution else { panic!("not made") };
        let _ = client.delete_in_emergency(issued.secret_id(), None).await.unwrap();

        knobs.commit_fails.on();
        let error = client.rotate(Rotation::overlap(Days::new(1))).await.unwrap_err();
        knobs.commit_fails.off();
        client.change_details(details("overtaken")).await.unwrap();
        let Error::Unresolved(unresolved) = error else { panic!("resolved: {error}") };
        self.issued(unresolved.issued().unwrap());
        let resolution = registry.resolve(*unresolved).await.unwrap();
        assert!(matches!(resolution, Resolution::NotMade));
        see!(self.walker, resolution);
        let error = EntropyError::new("the source is dry");
        see!(self.walker, error, Error::from(error.clone()));
    }

    /// What the store was given, and its own types.
    async fn store(&mut self) {
        let store = self.platform.store.clone();
        let commits = store.commits();
        assert!(commits.len() > 15, "a whole life");
        for commit in &commits {
            see!(self.walker, *commit, commit.id());
            for change in commit.changes() {
                see!(self.walker, *change, *change.record(), *change.index());
                see!(self.walker, change.expected(), change.record().id());
                for text in change.events() {
                    see!(self.walker, text, Event::parse(text).unwrap());
                }
            }
        }
        let id = ClientId::parse("legacy-calendar").unwrap();
        let page = crate::at_rest::world::page_with_an_unreadable_client().await;
        see!(self.walker, page, page.unreadable()[0]);
        let record = store.load(RecordId::from(&id)).await.unwrap().unwrap();
        let history = store.history(&id, Revision::ZERO, usize::MAX).await.unwrap();
        see!(self.walker, history[0], record);
        let changes = commits.iter().flat_map(|commit| commit.changes());
        let last = changes.rev().find(|change| change.id() == RecordId::from(&id)).unwrap();
        let adopted = Adopted::new(record, last.index().clone(), history);
        see!(self.walker, adopted);
        let memory = MemoryStore::new();
        memory.adopt(std::slice::from_ref(&adopted)).await.unwrap();
        let conflict = memory.adopt(&[adopted]).await.unwrap_err();
        see!(self.walker, conflict);
        let ending = memory.ending(Timestamp::MAX, None, 1).await.unwrap().remove(0);
        let changes = memory.changes(None, 100).await.unwrap();
        let lost = memory.changes(Some(&Cursor::new("elsewhere")), 1).await.unwrap_err();
        see!(self.walker, ending, changes, changes.cursor, lost);
        let (secret, at) = (secret_id(1), instant(START));
        let used = Use { client_id: id.clone(), secret, at };
        memory.note_uses(std::slice::from_ref(&used), Timestamp::MAX).await.unwrap();
        see!(self.walker, used, memory.last_uses(&id).await.unwrap());
        let entry = IndexEntry::AddIn(AddInId::parse("mail-helper").unwrap());
        let taken = CommitError::Taken { entry, by: id };
        see!(self.walker, taken, ClientsBy::All, Expected::Absent);
        let failed = StoreError::with_source(StoreErrorKind::ReadOnly, "a full disk");
        see!(self.walker, failed.kind(), CommitError::from(failed));
        see!(self.walker, memory, DynStore::new(memory.clone()));
        see!(self.walker, IndexEntry::AddIn(AddInId::parse("mail-helper").unwrap()));
    }

    /// The add-in's side.
    async fn ring(&mut self) {
        let id = ClientId::parse("calendar-app").unwrap();
        let (plain, base64) = (self.plain_text(&id), self.base64_text(&id));
        let primary = SharedSecret::from(ClientSecret::parse(&plain).unwrap());
        let secondary =
            SharedSecret::new(ClientSecret::parse(&base64).unwrap(), KeyEncoding::Base64).unwrap();
        let refused = SharedSecret::new(ClientSecret::parse(&plain).unwrap(), KeyEncoding::Base64);
        see!(self.walker, primary, secondary, refused.unwrap_err());
        let ring = SecretRing::new(id, primary, Some(secondary));
        see!(self.walker, ring, ring.verify_mac(&[7; 32], b"message").unwrap_err());
        let mut faces = vec![];
        let answer = ring
            .call(|credentials: Credentials| {
                let mut walker = Walker::default();
                let slot = credentials.slot();
                see!(walker, credentials, *credentials.client_secret(), slot);
                faces.push(walker);
                std::future::ready(Err::<(), _>(CallError::InvalidClient("invalid client")))
            })
            .await;
        assert_eq!((answer, faces.len()), (Err("invalid client"), 2));
        for walker in faces {
            self.walker.seen.extend(walker.seen);
            self.walker.texts.extend(walker.texts);
        }
        see!(self.walker, CallError::Failed("no route"), ring);
    }

    /// What protects records, and what a store is given of a registry that has a keyring.
    async fn at_rest(&mut self) {
        // A list of random numbers has a piece of any other sooner or later; random digits do not.
        let hex = |bytes: &[u8]| HEXLOWER.encode(bytes);
        let mut keys = [[0; 32]; 2];
        for key in &mut keys {
            self.texts.fill(key).unwrap();
            self.keys.push(Zeroizing::new(key.to_vec()));
        }
        let [old, new] = ["2025", "2026"].map(|id| KeyId::parse(id).unwrap());
        let keyring = Keyring::new(old.clone(), &keys[0]).unwrap();
        let store = MemoryStore::new();
        let before = Registry::open(store.clone(), keyring.clone()).await.unwrap();
        let contoso = before.as_seller("contoso").unwrap();
        let lifetime = Lifetime::OneYear;
        let issued = contoso.register(details("sealed app"), lifetime).await.unwrap();
        self.keep(issued.client_id(), issued.client_secret().expose(), KeyEncoding::Utf8, PIECE);
        let record = store.load(issued.client_id().into()).await.unwrap().unwrap();
        let parts = record.parts().unwrap();
        see!(
            self.walker,
            record,
            parts,
            parts.body,
            hex(parts.sealed),
            hex(&record.to_bytes().unwrap()),
            issued
        );
        let about_itself = store.load(RecordId::REGISTRY).await.unwrap().unwrap();
        see!(
            self.walker,
            about_itself,
            about_itself.parts().unwrap().body,
            hex(&about_itself.to_bytes().unwrap())
        );

        let both = Keyring::new(new.clone(), &keys[1]).unwrap().with(old.clone(), &keys[0]).unwrap();
        let after = Registry::open(store.clone(), both.clone()).await.unwrap();
        let wrong = Keyring::new(old.clone(), &keys[1]).unwrap();
        see!(self.walker, keyring, both, old, after);
        see!(self.walker, Registry::open(store.clone(), wrong).await.unwrap_err());
        see!(self.walker, Keyring::parse("2026:no key").unwrap_err());
        see!(self.walker, after.keys().await.unwrap()[0], KeyState::Active);
        see!(self.walker, after.retire_key(&new).await.unwrap_err());
        let mut resealing = after.reseal().await.unwrap();
        see!(self.walker, resealing, resealing.step(10).await.unwrap().unwrap());
        let resealed = store.load(issued.client_id().into()).await.unwrap().unwrap();
        see!(self.walker, resealed, hex(resealed.parts().unwrap().sealed));
        let _ = after.retire_key(&old).await.unwrap();
        see!(self.walker, before.authenticate("no such client", "no such secret").await.unwrap_err());

        let checked = after.check().await.unwrap();
        assert!(checked.is_clean());
        see!(self.walker, checked, Lookup::Name, after.follow(None), Freshness::default());
        let stray = Registry::open(MemoryStore::new(), both.clone()).await.unwrap();
        let mut stream = Vec::new();
        let exported = after.export(&mut stream).await.unwrap();
        see!(self.walker, exported, hex(&stream), String::from_utf8_lossy(&stream));
        see!(self.walker, Registry::in_memory().export(&mut Vec::new()).await.unwrap_err());
        let import = async |store: MemoryStore, stream: &[u8]| {
            Registry::builder().import(store, both.clone(), &mut &*stream).await
        };
        see!(self.walker, import(stray.store().clone(), &stream).await.unwrap_err());
        see!(self.walker, import(MemoryStore::new(), &stream[..stream.len() / 2]).await.unwrap_err());
        // What a check finds: the record of one registry among those of another.
        let (moved, imported) = import(MemoryStore::new(), &stream).await.unwrap();
        see!(self.walker, moved, imported);
        let theirs = stray.as_seller("contoso").unwrap();
        let theirs = theirs.register(details("stray app"), lifetime).await.unwrap();
        let record = stray.store().load(theirs.client_id().into()).await.unwrap().unwrap();
        store.adopt(&[Adopted::new(record, Index::default(), vec![])]).await.unwrap();
        let checked = after.check().await.unwrap();
        assert!(!checked.is_clean());
        let faults = checked.discrepancies;
        see!(self.walker, faults[0], *faults[0].what());
    }

    fn surroundings(&mut self) {
        see!(self.walker, OperatorId::parse("ann").unwrap());
        let clock = ManualClock::new(instant(START).to_datetime());
        let builder = Registry::builder().clock(clock);
        see!(self.walker, builder, BrokenTrail::Head);
        see!(self.walker, builder.in_memory(), Registry::in_memory());
    }
}

fn live() -> (Walker, Needles) {
    let policy = Policy::default().with_max_secrets(7).unwrap();
    let mut life = Life {
        platform: Platform::seeded(11, policy),
        walker: Walker::default(),
        secrets: vec![],
        keys: vec![],
        texts: Seeded::new(12),
    };
    let ((), log) = crate::support::logged(|| {
        life.core();
        block_on(async {
            life.registry().await;
            life.store().await;
            life.ring().await;
            life.at_rest().await;
        });
        life.surroundings();
    });
    assert!(log.len() > 15, "the log was read");
    let Life { mut walker, secrets, keys, .. } = life;
    walker.texts.extend(log.into_iter().map(|line| ("the log".to_owned(), line)));
    assert!(secrets.len() > 15, "a whole life");
    let mut needles = Needles::of(&secrets);
    for key in &keys {
        needles.add_encodings(key);
    }
    for Kept { text, .. } in &secrets {
        assert!(needles.are_in(text), "or the search is blind");
    }
    (walker, needles)
}

#[test]
fn rule_08_no_secret_shows_in_any_face_of_any_type_nor_in_the_log() {
    let (walker, needles) = live();
    assert!(walker.texts.len() > 1000);
    assert_eq!(walker.leaks(&needles), BTreeSet::new());
}

/// A face that hides a secret still says what it is the face of.
#[test]
fn no_face_of_any_type_is_blank() {
    let (walker, _) = live();
    let blank = walker.texts.iter().filter(|(_, text)| text.is_empty());
    assert_eq!(blank.map(|(name, _)| name.as_str()).collect::<BTreeSet<_>>(), BTreeSet::new());
}

/// Everything that is public was looked at, or is known never to meet a secret.
#[test]
fn rule_08_no_public_type_was_left_out() {
    let (walker, _) = live();
    let public = public_names();
    assert!(public.len() > 90, "or the names were not read: {public:?}");
    let apart: BTreeSet<_> = APART.iter().map(|(name, _)| (*name).to_owned()).collect();
    let missing: Vec<_> =
        public.iter().filter(|name| !walker.seen.contains(*name) && !apart.contains(*name)).collect();
    assert!(missing.is_empty(), "look at these as well: {missing:?}");
    let twice: Vec<_> = apart.intersection(&walker.seen).collect();
    assert!(twice.is_empty(), "looked at, and so not apart: {twice:?}");
    let gone: Vec<_> = apart.difference(&public).collect();
    assert!(gone.is_empty(), "no longer public: {gone:?}");
}

/// What is public and has no face, or holds nothing that is anybody's.
const APART: &[(&str, &str)] = &[
    ("MAX_ADD_INS", "a number"),
    ("MAX_EVENTS", "a number"),
    ("MAX_RECORD", "a number"),
    ("RegistryId", "16 random bytes that say which registry it is, in public"),
    ("check_trail", "a function; the events and the error it gives are looked at"),
    ("Clock", "a trait for what tells the time"),
    ("ManualClock", "holds two readings of the time"),
    ("SystemClock", "holds an instant"),
    ("Entropy", "a trait; what it fills is wiped by its caller"),
    ("SystemEntropy", "has no fields"),
    ("KeyringVariableError", "names a variable; `src/record/keyring/variable.rs` looks for what it holds"),
    ("Planned", "a trait for what can be confirmed"),
    ("ClientDeletion", "only ever inside a plan, which is looked at"),
    ("SecretDeletion", "only ever inside a plan, which is looked at"),
    ("SecretDisabling", "only ever inside a plan, which is looked at"),
    ("Store", "a trait; what goes through it is looked at"),
    ("SqliteStore", "shows the path of its file; what is in that, tests/sqlite looks at"),
    ("SqliteOptions", "holds two numbers"),
    ("Factory", "a trait for stores under test, which hold clients of the suite's own"),
    ("Skip", "a reason that the author of a store gives"),
    ("Spoil", "the ID of a client of the suite's own"),
    ("run", "a function; it meets clients of the suite's own"),
    ("run_case", "a function; it meets clients of the suite's own"),
    ("Disk", "holds what a store under test wrote, of clients of the suite's own"),
    ("Draft", "a commit about a client of the suite's own"),
    ("DraftError", "what is wrong with a commit about a client of the suite's own"),
    ("Drafts", "clients of the suite's own"),
    ("Suite", "a factory and a limit of time"),
    ("Report", "what became of clients of the suite's own"),
    ("CaseReport", "what became of clients of the suite's own"),
    ("Verdict", "what became of clients of the suite's own"),
    ("PostgresStore", "shows the name of its schema; `tests/postgres` looks for the password"),
    (
        "PostgresOptions",
        "a name, numbers and switches; that there is a source of passwords, and not what it says",
    ),
    ("ChangeHints", "says that something happened"),
];

/// The names behind `pub use` in the crate's root, and those that its public modules declare or re-export: the store
/// contract, and the suite beneath it.
fn public_names() -> BTreeSet<String> {
    let root = include_str!("../../src/lib.rs");
    let store = include_str!("../../src/store.rs");
    let rooms = [
        include_str!("../../src/client.rs"),
        include_str!("../../src/clock.rs"),
        include_str!("../../src/conformance.rs"),
        include_str!("../../src/entropy.rs"),
        include_str!("../../src/event.rs"),
        include_str!("../../src/record.rs"),
        include_str!("../../src/registry.rs"),
        include_str!("../../src/review.rs"),
        include_str!("../../src/ring.rs"),
        include_str!("../../src/secret.rs"),
        store,
        include_str!("../../src/value.rs"),
    ];
    let mut names = BTreeSet::new();
    for source in [root].into_iter().chain(rooms) {
        for (position, _) in source.match_indices("\npub use ") {
            let statement = source[position..].trim_start().split(';').next().unwrap();
            let list = statement.rsplit("::").next().unwrap();
            let list = list.trim_matches(|c: char| "{}".contains(c) || c.is_whitespace());
            names.extend(list.split(',').map(|name| name.trim().to_owned()).filter(|n| !n.is_empty()));
        }
    }
    for source in rooms {
        // Some types stand in a macro that reads them without repeating what stood there.
        for kind in ["struct", "enum", "trait", "fn", "const", "type"] {
            for indent in ["", "    "] {
                for (position, found) in source.match_indices(&format!("\n{indent}pub {kind} ")) {
                    let rest = &source[position + found.len()..];
                    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap();
                    // Constants of types are no types.
                    if indent.is_empty() || (kind != "const" && rest.starts_with(char::is_uppercase)) {
                        names.insert(rest[..end].to_owned());
                    }
                }
            }
        }
    }
    // Of the rest, one page of documentation with nothing in it; beneath the contract two.
    assert!(root.contains("\npub mod json;"));
    assert_eq!(root.matches("\npub mod ").count(), rooms.len() + 1, "all public modules are read");
    assert_eq!(store.matches("\npub mod ").count(), 2, "all public modules are read");
    names
}

mod planted {
    #[derive(Debug)]
    pub(super) struct Plaintext {
        pub(super) client_secret: String,
    }
    #[derive(Debug, serde::Serialize)]
    pub(super) struct Piece(pub(super) String);
    #[derive(Debug)]
    pub(super) struct Bytes {
        pub(super) verifier: [u8; 32],
    }
    #[derive(Debug)]
    pub(super) struct Words(pub(super) [u32; 8]);
    #[derive(Debug)]
    pub(super) struct Encoded(pub(super) String);
    #[derive(Debug)]
    pub(super) struct Innocent {
        pub(super) hint: String,
    }
}

/// A search that finds nothing proves something only if it would have found it.
#[test]
fn planted_leaks_are_found() {
    let client_id = ClientId::parse("calendar-app").unwrap();
    let generated = ClientSecret::generate(&Policy::default(), &Seeded::new(13)).unwrap();
    let text = generated.expose();
    let base64 = BASE64.encode(&verifier(&client_id, "any 32 bytes will do"));
    let kept = |text: &str, encoding, piece| Kept {
        client_id: client_id.clone(),
        text: Zeroizing::new(text.to_owned()),
        encoding,
        piece,
    };
    let needles = Needles::of(&[kept(text, KeyEncoding::Utf8, 8), kept(&base64, KeyEncoding::Base64, 7)]);
    let decoded = key(&base64, KeyEncoding::Base64);
    let chaining = chaining_values(text.as_bytes()).map(bytes_of);
    let words = |bytes: &[u8]| {
        let mut words = [0; 8];
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u32::from_be_bytes(*bytes);
        }
        words
    };
    let embedded = |before: &str| BASE64URL_NOPAD.encode(format!("{before}{text}&state=1").as_bytes());

    let client_secret = text.to_owned();
    let leaks = |look: &dyn Fn(&mut Walker)| {
        let mut walker = Walker::default();
        look(&mut walker);
        !walker.leaks(&needles).is_empty()
    };
    let plaintext = planted::Plaintext { client_secret };
    assert!(leaks(&|walker| see!(walker, plaintext)));
    assert!(!plaintext.client_secret.is_empty());
    for start in 4..text.len() - 7 {
        let piece = planted::Piece(text[start..start + 8].to_owned());
        assert!(leaks(&|walker| see!(walker, piece)), "at {start}");
    }
    let verifier = verifier(&client_id, text);
    let bytes = planted::Bytes { verifier };
    assert!(leaks(&|walker| see!(walker, bytes)));
    assert_eq!(bytes.verifier, verifier);
    for state in &chaining {
        let words = planted::Words(words(state));
        assert!(leaks(&|walker| see!(walker, words)));
        assert_ne!(words.0, [0; 8]);
    }
    let encoded = [
        HEXLOWER.encode(text.as_bytes()),
        HEXUPPER.encode(&verifier),
        BASE64.encode(text.as_bytes()),
        embedded(""),
        embedded("a"),
        embedded("ab"),
        embedded("client_secret="),
        HEXLOWER.encode(&decoded),
        BASE64URL.encode(&decoded),
        BASE64.encode(&chaining[0]),
    ];
    for text in encoded {
        let encoded = planted::Encoded(text);
        assert!(leaks(&|walker| see!(walker, encoded)), "{}", encoded.0);
    }
    let ((), log) = crate::support::logged(|| tracing::trace!(secret = %text, "a careless line"));
    assert!(log.iter().any(|line| needles.are_in(line)));

    let hint = text[4..8].to_owned();
    let innocent = planted::Innocent { hint };
    assert!(!leaks(&|walker| see!(walker, innocent)), "{}", innocent.hint);
}
