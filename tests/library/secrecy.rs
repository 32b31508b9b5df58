//! Not one path from a secret to a log (rule 8). A whole life runs through the registry, and whatever has a face on the
//! way (`Debug`, `Display`, JSON, the log at every level) is kept and searched: for every client secret that was issued
//! or imported, for pieces of it, for what is kept in its place, each in the usual encodings. Leaks that are planted are
//! found by the same search, and a public type that nobody looked at fails the test.

mod at_rest;
mod client;
mod faces;
mod failures;
mod later;
mod leaks;
mod needles;
mod public_names;
mod registry;
mod ring;
mod store;

use std::collections::BTreeSet;
use std::fmt::Debug;

use client_registry::client::ImportedSecret;
use client_registry::entropy::Entropy;
use client_registry::secret::KeyEncoding;
use client_registry::value::Validity;
use client_registry::*;
use data_encoding::BASE64;
use pollster::block_on;
use zeroize::Zeroizing;

use crate::support::{Platform, Seeded, instant};
use faces::{Walker, see};
use needles::{Kept, Needles};

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
        see!(self.walker, error, error.kind(), problem::ProblemDetails::from(&error));
        match error {
            Error::Refused(refusal) => see!(self.walker, refusal, refusal.kind()),
            Error::Unavailable(error) => see!(self.walker, error, error.kind()),
            Error::Entropy(error) => see!(self.walker, error),
            _ => {}
        }
    }

    fn access<T: Debug>(&mut self, answer: Result<T, AccessError>) -> Reason {
        let error = answer.unwrap_err();
        see!(self.walker, error, error.kind(), problem::ProblemDetails::from(&error));
        match error {
            AccessError::Denied(denied) => {
                see!(self.walker, denied, denied.reason());
                denied.reason()
            }
            other => panic!("{other}"),
        }
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
