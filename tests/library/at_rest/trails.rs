//! Trails outside the registry: what a third party is given, and how it is checked without this crate; and what a damaged
//! event does to those who follow the feed.

use std::pin::pin;
use std::process::Command;
use std::task::Poll;
use std::time::Duration;

use client_registry::event::{EventHash, Fact, check_trail};
use client_registry::store::{EventText, MemoryStore};
use client_registry::value::Revision;
use client_registry::*;
use pollster::block_on;

use crate::at_rest::hostile::Hostile;
use crate::at_rest::world::{Known, builder, filled, keyring, open};
use crate::support::{denied, poll_once};

/// The lines that the documentation of `check_trail` shows.
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/event/verify_trail.py");

/// Whether the program of the documentation is content, and what it says.
fn verify(lines: &[Vec<u8>], head: &str) -> (bool, String) {
    let file = std::env::temp_dir().join(format!("client-registry-trail-{}", std::process::id()));
    let mut text = Vec::new();
    for line in lines {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    std::fs::write(&file, text).unwrap();
    let output = Command::new("python3").arg(PROGRAM).arg(&file).arg(head).output();
    let output = output.unwrap_or_else(|error| {
        panic!("python3 cannot be run, and checks the trails here ({error}): install it (Debian: apt-get install python3)")
    });
    std::fs::remove_file(&file).unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[test]
fn a_trail_is_verified_by_the_lines_of_python_in_the_documentation() {
    block_on(async {
        let (_, registry, _, contents) = filled().await;
        let ann = registry.as_operator("ann").unwrap();
        for id in &contents.clients {
            let client = ann.client(id);
            let events = client.trail(Revision::ZERO, 1000).await.unwrap();
            let lines: Vec<_> = events.iter().map(|event| event.text().as_bytes().to_vec()).collect();
            let head = client.head().await.unwrap().to_string();
            assert_eq!(head, events.last().unwrap().hash().to_string());
            let (is_clean, said) = verify(&lines, &head);
            assert!(is_clean && said.contains(&format!("{} events", lines.len())), "{said}");
            let mut missing = lines.clone();
            missing.pop();
            let mut swapped = lines.clone();
            swapped.swap(0, 1);
            let mut edited = lines.clone();
            edited.last_mut().unwrap().insert(1, b' ');
            for (what, lines) in [("missing", missing), ("swapped", swapped), ("edited", edited)] {
                let (is_clean, said) = verify(&lines, &head);
                assert!(!is_clean && (said.contains("event") || said.contains("trail")), "{what}: {said}");
            }
        }
    });
}

#[test]
fn the_head_of_a_deleted_client_can_be_had_by_those_who_may_see_it() {
    block_on(async {
        let (_, registry, _, contents) = filled().await;
        let gone = contents.clients.last().unwrap();
        let contoso = registry.as_seller("contoso").unwrap().client(gone);
        let events = contoso.trail(Revision::ZERO, 1000).await.unwrap();
        assert!(matches!(events.last().unwrap().fact(), Fact::ClientDeleted { .. }));
        let head = contoso.head().await.unwrap();
        check_trail(&events, EventHash::START, head).unwrap();
        let fabrikam = registry.as_seller("fabrikam").unwrap().client(gone);
        let refused = fabrikam.head().await.unwrap_err();
        assert!(matches!(refused, Error::Refused(Refusal::UnknownClient)), "{refused}");
    });
}

/// A node that follows the feed cannot tell whom a damaged event is about. It drops what it keeps in memory, and what was
/// deleted elsewhere is known at once.
#[test]
fn a_damaged_event_in_the_feed_empties_the_cache() {
    block_on(async {
        let memory = MemoryStore::new();
        let (writer, _) = open(memory.clone(), &["2026"], 1).await;
        let contoso = writer.as_seller("contoso").unwrap();
        let details = crate::support::details("calendar app");
        let issued = contoso.register(details, Lifetime::OneYear).await.unwrap();
        let known = Known::of(&issued);
        let store = Hostile::over(memory);
        let (builder, _) = builder(2);
        let builder = builder.freshness(Freshness::within(Duration::from_secs(3600)));
        let node = builder.open(store.clone(), keyring(&["2026"])).await.unwrap();
        let mut pauses = 0;
        let wait = |_| {
            let mut is_first = true;
            std::future::poll_fn(move |_| match std::mem::take(&mut is_first) {
                true => Poll::Pending,
                false => Poll::Ready(()),
            })
        };
        let mut following = pin!(node.keep_fresh(wait));
        let mut poll = || {
            pauses += 1;
            assert!(poll_once(following.as_mut()).is_pending());
        };
        poll();
        node.authenticate(known.client_id.as_str(), &known.text).await.unwrap();
        store.edit_text(|_| EventText::from_bytes(*b"{"));
        let _ = contoso.client(&known.client_id).delete_in_emergency(known.secret, None).await.unwrap();
        poll();
        poll();
        let reason = denied(node.authenticate(known.client_id.as_str(), &known.text).await).reason();
        assert_eq!(reason, Reason::Compromised);
    });
}
