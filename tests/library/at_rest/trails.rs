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
    let mut text = lines.join(&b'\n');
    text.push(b'\n');
    let (code, said) = verify_file(&text, head);
    assert!(matches!(code, 0 | 1), "{said}");
    (code == 0, said)
}

/// The exit code of the program over a file with these bytes, and what it says.
fn verify_file(bytes: &[u8], head: &str) -> (i32, String) {
    let file = std::env::temp_dir().join(format!(
        "client-registry-trail-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    ));
    std::fs::write(&file, bytes).unwrap();
    let told = run_program(&[file.as_os_str(), head.as_ref()]);
    std::fs::remove_file(&file).unwrap();
    told
}

fn run_program(arguments: &[&std::ffi::OsStr]) -> (i32, String) {
    let output = Command::new("python3").arg(PROGRAM).args(arguments).output();
    let output = output.unwrap_or_else(|error| {
        panic!("python3 cannot be run, and checks the trails here ({error}): install it (Debian: apt-get install python3)")
    });
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
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

/// As people hand it around: with other line ends, without the last one, with a head in capitals, with nothing in it.
#[test]
fn the_lines_of_python_say_what_is_wrong_with_what_they_were_given() {
    block_on(async {
        let (_, registry, _, contents) = filled().await;
        let client = registry.as_operator("ann").unwrap().client(&contents.clients[0]);
        let events = client.trail(Revision::ZERO, 1000).await.unwrap();
        let lines: Vec<_> = events.iter().map(|event| event.text().as_bytes()).collect();
        let head = client.head().await.unwrap().to_string();
        let whole = [&lines.join(&b'\n')[..], b"\n"].concat();
        let in_windows = [&lines.join(&b"\r\n"[..])[..], b"\r\n"].concat();
        let good = [
            (whole.clone(), head.to_uppercase()),
            (whole.clone(), format!(" {head}\n")),
            (lines.join(&b'\n'), head.clone()),
            ([&whole[..], b"\n\n"].concat(), head.clone()),
            (in_windows, head.clone()),
        ];
        for (bytes, head) in good {
            let (code, said) = verify_file(&bytes, &head);
            assert_eq!((code, said.trim()), (0, &*format!("{} events, whole and in order", lines.len())));
        }
        let bad: [(&[u8], &str, i32, &str); 9] = [
            (b"", &head, 1, "the trail is empty: it has no events"),
            (b"\n", &head, 1, "the trail is empty: it has no events"),
            (b"Dear diary\n", &head, 1, "line 1 is not the text of an event"),
            (b"[1]\n", &head, 1, "line 1 is not the text of an event"),
            (b"{}\n", &head, 1, "line 1 is not the text of an event"),
            (b"\xff\n", &head, 1, "line 1 is not the text of an event"),
            (&[b"\n", &whole[..]].concat(), &head, 1, "line 1 is not the text of an event"),
            (&whole, "", 2, "the head is not 64 hexadecimal digits"),
            (&whole, &head[1..], 2, "the head is not 64 hexadecimal digits"),
        ];
        for (bytes, head, code, says) in bad {
            assert_eq!(verify_file(bytes, head), (code, format!("{says}\n")));
        }
        let (code, said) = run_program(&["/no/such/trail".as_ref(), head.as_ref()]);
        assert!(code == 2 && said.starts_with("the trail cannot be read: "), "{said}");
        let (code, said) = run_program(&["/".as_ref(), head.as_ref()]);
        assert!(code == 2 && said.starts_with("the trail cannot be read: "), "{said}");
        assert_eq!(run_program(&[]).0, 2);
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
