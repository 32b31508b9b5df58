//! Errors as answers over HTTP: each public error has problem details, with the status of its code, and none tells the outside what is for
//! logs.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::io;
use std::path::Path;

use client_registry::client::SecretDeletion;
use client_registry::entropy::EntropyError;
use client_registry::problem::ProblemDetails;
use client_registry::registry::ConfirmError;
use client_registry::registry::upkeep::{ExportError, ImportError, RetireError};
use client_registry::ring::{RingConfig, SecretSource};
use client_registry::store::{CommitError, StoreError, StoreErrorKind};
use client_registry::value::KeyId;
use client_registry::*;
use pollster::block_on;

use crate::support::{Platform, client_id, details, in_words, secret_id};
use crate::values::repeating::sources;

/// What a store may say, and nobody outside may hear.
const INTERNAL: &str = "could not connect to 10.0.0.7:5432 as registry_owner";

fn down() -> StoreError {
    StoreError::with_source(StoreErrorKind::Unavailable, io::Error::other(INTERNAL))
}

/// The problem details of an error tell nothing of what lies behind it, although the error itself does.
fn hides<'a, E: Display>(error: &'a E, hidden: &str)
where
    ProblemDetails: From<&'a E>,
{
    let problem = ProblemDetails::from(error);
    let said = format!("{problem:?} {}", serde_json::to_string(&problem).unwrap());
    assert!(!said.contains(hidden), "{said}");
}

#[test]
fn what_a_store_says_stays_inside() {
    let errors = [Error::from(down()), Error::from(EntropyError::new(INTERNAL))];
    for error in &errors {
        assert!(in_words(error).contains(INTERNAL), "or nothing is hidden: {error}");
        hides(error, "10.0.0.7");
        assert_eq!(ProblemDetails::from(error).status(), 503);
    }
    hides(&down(), "10.0.0.7");
    hides(&AccessError::from(down()), "10.0.0.7");
    hides(&SignError::from(down()), "10.0.0.7");
    hides(&OpenError::from(down()), "10.0.0.7");
    hides(&RetireError::Unavailable(down()), "10.0.0.7");
    hides(&ExportError::Store(down()), "10.0.0.7");
    hides(&ImportError::Malformed(INTERNAL.into()), "10.0.0.7");
    hides(&ImportError::Io(io::Error::other(INTERNAL)), "10.0.0.7");
    hides(&CommitError::Failed(down()), "10.0.0.7");
    hides(&ConfirmError::<SecretDeletion>::Failed(down().into()), "10.0.0.7");
    hides(&OpenError::MissingKey { key_id: KeyId::parse("key-of-2026").unwrap() }, "key-of-2026");
    hides(&Error::KeyRetired { key_id: KeyId::parse("key-of-2026").unwrap() }, "key-of-2026");
    let path = "/etc/ring/no-such-file";
    let config = RingConfig::new(client_id("calendar-app"), SecretSource::file(path));
    let missing = SecretRing::from_config(config).unwrap_err();
    assert!(missing.to_string().contains(path));
    hides(&missing, path);
}

/// A seller learns which rule stands against a command, and what to do instead.
#[test]
fn what_a_rule_says_is_told() {
    let platform = Platform::new();
    let issued = block_on(platform.register("calendar app"));
    let client = platform.contoso.client(issued.client_id());
    let error = block_on(platform.contoso.register(details("calendar app"), Lifetime::OneYear)).unwrap_err();
    let problem = ProblemDetails::from(&error);
    assert_eq!((problem.status(), problem.code(), problem.title()), (409, "name_taken", "Conflict"));
    assert_eq!(problem.detail(), error.to_string());
    let plan = block_on(client.plan_deletion(secret_id(1))).unwrap();
    let obstructed = block_on(client.confirm(plan)).unwrap_err();
    let problem = ProblemDetails::from(&obstructed);
    assert_eq!((problem.status(), problem.code()), (409, "obstructed"));
    assert_eq!(problem.detail(), obstructed.to_string());
    let unknown = block_on(client.promote(secret_id(9))).unwrap_err();
    assert_eq!(ProblemDetails::from(&unknown).status(), 404);
}

/// Rule 5: one answer, whatever the reason.
#[test]
fn rule_05_a_denial_tells_no_reason() {
    let platform = crate::authentication::lenient(3);
    let mut answers = BTreeSet::new();
    for (_, id, secret) in block_on(crate::authentication::one_of_each(&platform)) {
        let denied = block_on(platform.denied(&id, &secret));
        answers.insert(serde_json::to_string(&ProblemDetails::from(&denied)).unwrap());
        answers.insert(serde_json::to_string(&ProblemDetails::from(&AccessError::from(denied))).unwrap());
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
}

/// An outcome that is not known is 503 like others, and does not say "try again": the same command may issue another client secret.
#[test]
fn an_unresolved_change_does_not_invite_to_try_again() {
    let platform = Platform::new();
    let issued = block_on(platform.register("calendar app"));
    platform.store.knobs.commit_fails.on();
    let client = platform.contoso.client(issued.client_id());
    let error = block_on(client.add_secret(NewSecret::lasting(Lifetime::OneYear))).unwrap_err();
    let problem = ProblemDetails::from(&error);
    assert_eq!((problem.status(), problem.code()), (503, "unresolved"));
    assert!(problem.detail().contains("not known") && !problem.detail().contains("try again"));
    assert_eq!(problem.retry_after_secs(), None);
    assert_eq!(ProblemDetails::from(&Error::from(down())).retry_after_secs(), Some(5));
    assert_eq!(ProblemDetails::from(&Error::from(Refusal::UnknownClient)).retry_after_secs(), None);
}

/// The codes of tokens tell why they were refused, and so do the details: 401 or not.
#[test]
fn a_token_that_was_refused_is_told_why() {
    let from = "2026-03-01T09:00:00Z".parse().unwrap();
    let problem = ProblemDetails::from(&jwt::JwtError::NotYetValid { from });
    let json = serde_json::to_value(&problem).unwrap();
    assert_eq!((problem.status(), json["code"].as_str()), (401, Some("token_not_yet_valid")));
    assert!(json["detail"].as_str().unwrap().contains("compare the clocks"), "{json}");
}

/// Every public error of the sources has problem details. A suite for stores has an error that no service meets, and OAuth has
/// answers of its own.
#[test]
fn no_public_error_is_left_out() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let answered = std::fs::read_to_string(root.join("problem/errors.rs")).unwrap();
    let mut found = BTreeSet::new();
    for (_, source) in sources(&root) {
        for (at, _) in source.match_indices("thiserror::Error)]") {
            let rest = &source[at..];
            let Some(declared) = rest.lines().find(|line| line.starts_with("pub ")) else { continue };
            let name = declared.split([' ', '<', '(', ';', '{']).nth(2).unwrap();
            found.insert(name.to_owned());
        }
        let by_hand = source.match_indices("\nimpl Error for ");
        found.extend(
            by_hand.map(|(at, text)| source[at + text.len()..].split(' ').next().unwrap().to_owned()),
        );
    }
    assert!(found.len() > 18, "or the names were not read: {found:?}");
    for name in found.iter().filter(|name| *name != "DraftError") {
        assert!(
            answered.contains(&format!("{name},"))
                || answered.contains(&format!("{name} "))
                || answered.contains(&format!("&{name}<")),
            "{name}"
        );
    }
}
