//! The public types: each was looked at, or stands here with the reason why it holds no secret.

use std::collections::BTreeSet;

use super::live;

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
    ("MAX_LEN", "a number"),
    ("TYPE", "the type of a token, a word"),
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
    ("CallingOff", "only ever inside a plan, which is looked at"),
    ("ClosingEarly", "only ever inside a plan, which is looked at"),
    ("EndMove", "only ever inside a plan, which is looked at"),
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
    ("AuthenticatedClient", "shows what a `ProvenClient` shows; `tests/library/oauth` looks at it"),
    ("ClientAuthMethod", "a word"),
    ("ClientInformation", "holds what is public of a client; `tests/library/oauth` looks at it"),
    ("ClientMetadata", "holds `ClientDetails`, which are looked at"),
    ("ClientRequest", "`tests/library/oauth` looks for what it was parsed from"),
    ("ClientVerdict", "`tests/library/oauth` looks at what is in it"),
    ("ErrorCode", "a word"),
    ("ExposedInformation", "`tests/library/oauth` looks at its `Debug`"),
    ("Form", "shows a number; `tests/library/oauth` looks for what it was parsed from"),
    ("OAuthError", "made of constant texts; `tests/library/oauth` looks for what the request held"),
    ("ProvenClient", "shows an `Authenticated`, which is looked at, and a `Form`"),
    ("RequestFault", "a word"),
    ("UnprovenClient", "shows a client ID and a `Form`"),
    ("ALARM", "a word"),
    ("DENIED", "a word"),
    ("MAX_AUTHORIZATION", "a number"),
    ("MAX_BODY", "a number"),
    ("MAX_PARAMETERS", "a number"),
    ("MAX_QUERY", "a number"),
    ("end_from", "a function of a number"),
    ("expires_at", "a function; it gives a number"),
    ("lifetime_from", "a function of a number"),
];

/// The names behind `pub use` in the crate's root, and those that its public modules declare or re-export: the store
/// contract, and the suite beneath it.
fn public_names() -> BTreeSet<String> {
    let root = include_str!("../../../src/lib.rs");
    let store = include_str!("../../../src/store.rs");
    let rooms = [
        include_str!("../../../src/client.rs"),
        include_str!("../../../src/clock.rs"),
        include_str!("../../../src/conformance.rs"),
        include_str!("../../../src/entropy.rs"),
        include_str!("../../../src/event.rs"),
        include_str!("../../../src/jwt.rs"),
        include_str!("../../../src/log.rs"),
        include_str!("../../../src/oauth.rs"),
        include_str!("../../../src/problem.rs"),
        include_str!("../../../src/record.rs"),
        include_str!("../../../src/registry.rs"),
        include_str!("../../../src/review.rs"),
        include_str!("../../../src/ring.rs"),
        include_str!("../../../src/secret.rs"),
        store,
        include_str!("../../../src/value.rs"),
        include_str!("../../../src/webhooks.rs"),
    ];
    let mut names = BTreeSet::new();
    // Nobody has what a feature brings without it.
    let is_there =
        |source: &&str| cfg!(feature = "webhooks") || !source.starts_with("//! [Standard Webhooks]");
    for source in [root].into_iter().chain(rooms).filter(is_there) {
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
