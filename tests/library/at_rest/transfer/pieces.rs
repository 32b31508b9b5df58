//! The pieces of an export: each is in its place and authentic, or the import is refused.

use std::io::Read;
use std::sync::atomic::Ordering::SeqCst;

use client_registry::clock::Clock;
use client_registry::registry::upkeep::{ImportError, ImportSummary};
use client_registry::store::{MemoryStore, RecordId, Store};
use client_registry::*;
use pollster::block_on;

use super::{exported, import, not_opened};
use crate::at_rest::odd::Odd;
use crate::at_rest::world::{builder, filled, keyring, open};

/// Where the pieces begin and end. The proof of each stands behind it.
fn pieces(stream: &[u8]) -> Vec<(u8, usize, usize)> {
    let mut at = 25;
    let mut all = Vec::new();
    while at < stream.len() {
        let len = u32::from_be_bytes(stream[at + 1..at + 5].try_into().unwrap()) as usize;
        all.push((stream[at], at, at + 5 + len));
        at += 5 + len + PROOF;
    }
    all
}

/// The bytes of a proof.
const PROOF: usize = 32;

/// The stream of these pieces as the first version wrote it: without proofs.
fn unproved<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    [&b"client-registry export 1\n"[..]].into_iter().chain(pieces).flatten().copied().collect()
}

async fn import_unproved(stream: &[u8]) -> Result<(Registry<MemoryStore>, ImportSummary), ImportError> {
    let builder = builder(7).0.accept_unauthenticated_exports();
    builder.import(MemoryStore::new(), keyring(&["2026"]), &mut &*stream).await
}

/// A client of an export: its record, and everything that follows about it.
struct Part<'a> {
    whole: Vec<&'a [u8]>,
    events: u64,
}

/// The pieces before the first client, and the clients. With their proofs, if these are wanted.
fn parts(stream: &[u8], with_proofs: bool) -> (Vec<&[u8]>, Vec<Part<'_>>) {
    let (mut before, mut clients) = (Vec::new(), Vec::<Part<'_>>::new());
    for (kind, from, to) in pieces(stream) {
        let piece = &stream[from..to + if with_proofs { PROOF } else { 0 }];
        match (kind, clients.last_mut()) {
            (b'.', _) => {}
            (b'K', _) if !with_proofs => {}
            (b'C', _) => clients.push(Part { whole: vec![piece], events: 0 }),
            (_, None) => before.push(piece),
            (_, Some(client)) => {
                client.whole.push(piece);
                client.events += u64::from(kind == b'E');
            }
        }
    }
    (before, clients)
}

/// The last piece, with the numbers of these clients.
fn end(clients: &[&Part<'_>]) -> Vec<u8> {
    let events = clients.iter().map(|client| client.events).sum::<u64>();
    [&[b'.', 0, 0, 0, 16][..], &(clients.len() as u64).to_be_bytes(), &events.to_be_bytes()].concat()
}

/// An attacker who may write to an export, and has an older one, leaves out a client or what is left of one, or puts one back,
/// and adjusts the numbers.
#[test]
fn an_export_in_which_a_client_was_left_out_or_put_back_is_refused() {
    block_on(async {
        let (store, registry, _, contents) = filled().await;
        let (mut older, mut newer) = (Vec::new(), Vec::new());
        registry.export(&mut older).await.unwrap();
        let client = registry.as_operator("ann").unwrap().client(&contents.clients[0]);
        client.associate(&AddIn::new("later", Availability::Worldwide).unwrap()).await.unwrap();
        registry.export(&mut newer).await.unwrap();
        drop(store);
        for with_proofs in [false, true] {
            let ((before, old), (_, new)) = (parts(&older, with_proofs), parts(&newer, with_proofs));
            let mut edits = Vec::new();
            for position in 0..new.len() {
                edits.push(
                    new.iter().enumerate().filter(|(at, _)| *at != position).map(|(_, one)| one).collect(),
                );
                let put_back = |(at, (new, old))| if at == position { old } else { new };
                let edited: Vec<&Part<'_>> = new.iter().zip(&old).enumerate().map(put_back).collect();
                // Where the client did not change, this is the export itself.
                if edited.iter().zip(&new).any(|(edited, new)| edited.whole != new.whole) {
                    edits.push(edited);
                }
            }
            assert!(edits.len() >= 5, "four are left out, one is put back");
            for edited in edits {
                let numbers = end(&edited);
                let body = edited.iter().flat_map(|client| client.whole.iter().copied());
                let pieces = before.iter().copied().chain(body).chain([&*numbers]);
                if with_proofs {
                    let last = pieces.clone().collect::<Vec<_>>();
                    let mut stream = [&newer[..25], &last.concat()].concat();
                    stream.extend_from_slice(&newer[newer.len() - PROOF..]);
                    let store = MemoryStore::new();
                    let error = import(store.clone(), &stream).await.unwrap_err();
                    assert!(matches!(error, ImportError::Edited), "{error}");
                    not_opened(store).await;
                } else {
                    // That is what the proofs are for: without them nobody would notice.
                    let (moved, _) = import_unproved(&unproved(pieces)).await.unwrap();
                    assert!(moved.check().await.unwrap().is_clean());
                }
            }
        }
    });
}

#[test]
fn every_piece_that_is_left_out_doubled_moved_or_replaced_is_refused() {
    block_on(async {
        let (stream, _) = exported().await;
        let (_, other, ..) = filled().await;
        let contoso = other.as_seller("contoso").unwrap();
        let more = crate::support::details("one more");
        let _ = contoso.register(more, Lifetime::OneYear).await.unwrap();
        let mut foreign = Vec::new();
        other.export(&mut foreign).await.unwrap();
        let cut = |stream: &[u8]| -> Vec<Vec<u8>> {
            pieces(stream).iter().map(|(_, from, to)| stream[*from..*to + PROOF].to_vec()).collect()
        };
        let (whole, foreign) = (cut(&stream), cut(&foreign));
        let joined = |pieces: &[Vec<u8>]| [&stream[..25], &pieces.concat()].concat();
        assert!(joined(&whole) == stream);
        import(MemoryStore::new(), &stream).await.unwrap();
        let mut tried = 0;
        for at in 0..whole.len() {
            let mut edits = vec![whole.clone(), whole.clone()];
            edits[0].remove(at);
            edits[1].insert(at, whole[at].clone());
            if at + 1 < whole.len() {
                edits.push(whole.clone());
                edits[2].swap(at, at + 1);
            }
            for replacement in
                [at.saturating_sub(2), at + 3].into_iter().filter_map(|other| foreign.get(other))
            {
                let mut replaced = whole.clone();
                replaced[at].clone_from(replacement);
                edits.push(replaced);
            }
            for edited in edits {
                // Doubled at the end, it is behind the end: nobody reads it.
                if edited == whole || (at + 1 == whole.len() && edited.len() > whole.len()) {
                    continue;
                }
                tried += 1;
                let store = MemoryStore::new();
                let error = import(store.clone(), &joined(&edited)).await.unwrap_err();
                assert!(matches!(error, ImportError::Edited | ImportError::Malformed(_)), "{at}: {error}");
                not_opened(store).await;
            }
        }
        assert!(tried > 200, "{tried}");
    });
}

/// The proof needs the key, and an export of the first version has none.
#[test]
fn an_export_without_proofs_is_taken_by_those_alone_who_say_so() {
    block_on(async {
        let (stream, exported) = exported().await;
        let (before, clients) = parts(&stream, false);
        let all: Vec<_> = clients.iter().collect();
        let numbers = end(&all);
        let body = clients.iter().flat_map(|client| client.whole.iter().copied());
        let stripped = unproved(before.into_iter().chain(body).chain([&*numbers]));
        let store = MemoryStore::new();
        let error = import(store.clone(), &stripped).await.unwrap_err();
        assert!(matches!(error, ImportError::Unauthenticated), "{error}");
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(store.load(RecordId::REGISTRY).await.unwrap().is_none());
        let (moved, imported) = import_unproved(&stripped).await.unwrap();
        assert_eq!((imported.clients, imported.events), (exported.clients, exported.events));
        assert!(moved.check().await.unwrap().is_clean());
        // Another key of the same ID proves nothing.
        let (id, mut bytes) = crate::at_rest::world::key("2026");
        bytes[0] ^= 1;
        let other = Keyring::new(id, &bytes).unwrap();
        let error = builder(7).0.import(MemoryStore::new(), other, &mut &*stream).await.unwrap_err();
        assert!(matches!(error, ImportError::Edited), "{error}");
    });
}

#[test]
fn what_is_not_authentic_is_not_gathered_in_memory() {
    block_on(async {
        let (stream, _) = exported().await;
        let client = *pieces(&stream).iter().find(|(kind, ..)| *kind == b'C').unwrap();
        let mut head = stream[..client.2].to_vec();
        *head.last_mut().unwrap() ^= 1; // forged
        struct Endless {
            head: Vec<u8>,
            at: usize,
        }
        impl Read for Endless {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                if self.at >= 64 << 20 {
                    return Ok(0);
                }
                let piece: Vec<u8> = [&[b'M', 0, 0, 0, 24][..], &[7; 24]].concat();
                for byte in buffer.iter_mut() {
                    *byte = match self.head.get(self.at) {
                        Some(byte) => *byte,
                        None => piece[(self.at - self.head.len()) % piece.len()],
                    };
                    self.at += 1;
                }
                Ok(buffer.len())
            }
        }
        let mut endless = Endless { head, at: 0 };
        let (builder, _) = builder(7);
        builder.import(MemoryStore::new(), keyring(&["2026"]), &mut endless).await.unwrap_err();
        assert!(
            endless.at < 1 << 20,
            "{} bytes were read and kept before the record was looked at",
            endless.at
        );
    });
}

#[test]
fn a_history_that_does_not_go_on_ends_the_export() {
    block_on(async {
        let (memory, _, clock, _) = filled().await;
        let odd = Odd::over(memory);
        let (node, hands) = open(odd.clone(), &["2026"], 3).await;
        hands.set_wall(Clock::wall(&clock).to_datetime());
        struct Disk(usize);
        impl std::io::Write for Disk {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0 += bytes.len();
                if self.0 > 32 << 20 {
                    return Err(std::io::Error::other("the disk is full"));
                }
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        odd.state.stuck.store(true, SeqCst);
        let mut disk = Disk(0);
        let answer = node.export(&mut disk).await;
        assert!(disk.0 < 1 << 20, "{answer:?}: {} bytes of four clients", disk.0);
    });
}

#[test]
fn a_client_that_comes_twice_is_refused() {
    block_on(async {
        let (stream, _) = exported().await;
        let (before, clients) = parts(&stream, false);
        // What is left of the deleted client has nothing that must be unique.
        let is_tombstone =
            |client: &&Part<'_>| String::from_utf8_lossy(client.whole[0]).contains("\"deleted\",\"owner\"");
        let tombstone = clients.iter().find(is_tombstone).unwrap();
        let all: Vec<_> = clients.iter().chain([tombstone]).collect();
        let numbers = end(&all);
        let body = all.iter().flat_map(|client| client.whole.iter().copied());
        let twice = unproved(before.into_iter().chain(body).chain([&*numbers]));
        let error = import_unproved(&twice).await.unwrap_err();
        assert!(matches!(error, ImportError::Malformed(_)), "{error}");
    });
}
