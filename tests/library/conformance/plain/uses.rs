//! Last uses: how they are noted and read.

use std::sync::atomic::Ordering;

use client_registry::client::LastUses;
use client_registry::store::{StoreError, StoreErrorKind, Use};
use client_registry::{ClientId, SecretId, Timestamp};

use super::{Books, Plain, lock};
use crate::conformance::faults::Fault;

impl Plain {
    pub(super) async fn take_note(
        &self,
        uses: &[Use],
        believable_until: Timestamp,
    ) -> Result<(), StoreError> {
        let _turn = self.hold(Fault::DroppedNoteUsesHolds).await;
        if self.fault == Fault::DroppedReaderBlocks {
            *lock(&self.is_busy) = true;
        }
        self.pause(1).await;
        if self.fault == Fault::UsesNeedAClock && self.disk.clock_is_behind.load(Ordering::Relaxed) {
            return Err(StoreError::new(StoreErrorKind::Unavailable));
        }
        *lock(&self.is_busy) = false;
        if self.fault == Fault::SecretsFromMemory {
            // It looks again only for what it does not know.
            let knows = |used: &Use| lock(&self.seen).indexes.contains_key(&used.client_id);
            if !uses.iter().all(knows) {
                self.see(&self.books());
            }
        }
        if self.fault == Fault::NotesBeforeItFlushes {
            let books = self.books();
            let is_known = |used: &Use| {
                let known = books.uses.get(&(used.client_id.clone(), used.secret)).copied();
                !used.replaces(known, believable_until)
            };
            if uses.iter().all(is_known) {
                return Ok(());
            }
        }
        self.make_up_for_failures()?;
        let before = (!lock(&self.disk.failing).is_empty()).then(|| self.books().clone());
        let most = if self.fault == Fault::NotesAThousand { 1000 } else { uses.len() };
        for Use { client_id, secret, at } in uses.iter().take(most) {
            let numbered = match self.fault {
                Fault::UsesAreNumberedInTwoBytes => SecretId::new(secret.number() & 0xffff).unwrap(),
                _ => *secret,
            };
            let key = (client_id.clone(), numbered);
            let is_known = {
                let books = self.view(Fault::SecretsFromMemory);
                books
                    .indexes
                    .get(client_id)
                    .is_some_and(|index| index.ends.iter().any(|(id, _)| id == secret))
            };
            let has_end = self
                .books()
                .indexes
                .get(client_id)
                .is_some_and(|index| index.ends.iter().any(|(id, at)| id == secret && at.is_some()));
            match self.fault {
                Fault::UsesNeedAnEnd if !has_end => continue,
                Fault::UsesAreInserted => {}
                Fault::UnknownUseIsAnError if !is_known => {
                    return Err(StoreError::new(StoreErrorKind::Corrupt));
                }
                _ if !is_known => continue,
                _ => {}
            }
            let known = self.view(Fault::UsesFromMemory).uses.get(&key).copied();
            self.gap(Fault::ReadsThenNotes).await;
            self.gap(Fault::LooksThenNotes).await;
            let mut books = self.books();
            let is_known = |books: &Books| {
                books
                    .indexes
                    .get(client_id)
                    .is_some_and(|index| index.ends.iter().any(|(id, _)| id == secret))
            };
            let known = match self.fault {
                Fault::ReadsThenNotes => known,
                Fault::UsesFromMemory => lock(&self.seen).uses.get(&key).copied(),
                _ => books.uses.get(&key).copied(),
            };
            let does_not_look = matches!(
                self.fault,
                Fault::LooksThenNotes | Fault::UsesAreInserted | Fault::SecretsFromMemory
            );
            if !does_not_look && !is_known(&books) {
                continue;
            }
            let latest = match self.fault {
                Fault::LastNoteWins => *at,
                Fault::BelievesTooLittle if known == Some(believable_until) => *at,
                Fault::EveryUseIsBelieved => known.map_or(*at, |known| known.max(*at)),
                _ => known.filter(|known| *known <= believable_until).map_or(*at, |known| known.max(*at)),
            };
            if self.fault == Fault::UsesAreNotFlushed {
                *lock(&self.disk.written) = Some(books.clone());
            }
            books.uses.insert(key, latest);
            if self.fault == Fault::UsesOfAThousandClients && books.uses.len() > 1000 {
                books.uses.pop_first();
            }
            self.see(&books);
            if self.fault == Fault::UsesAreEvents {
                let again = books.feed.last().cloned();
                books.numbered += 1;
                let number = books.numbered;
                books.feed.extend(again.map(|(_, event)| (number, event)));
            }
        }
        self.flush(before)
    }

    pub(super) async fn noted(&self, client_id: &ClientId) -> Result<LastUses, StoreError> {
        let _turn = self.begin(Fault::DroppedLastUsesHolds).await?;
        self.pause(1).await;
        let mut uses = LastUses::default();
        for ((id, secret), at) in &self.view(Fault::UsesFromMemory).uses {
            let is_wanted = match self.fault {
                Fault::UsesIgnoreCase => id.as_str().eq_ignore_ascii_case(client_id.as_str()),
                _ => id == client_id,
            };
            if is_wanted && (self.fault != Fault::UsesOfAHundred || secret.number() <= 100) {
                uses.note(*secret, *at);
            }
            if self.fault == Fault::UsesAreJoined {
                let text = format!("{id}{secret}");
                let number = text.strip_prefix(client_id.as_str()).and_then(|number| number.parse().ok());
                number.into_iter().for_each(|number| uses.note(number, *at));
            }
        }
        Ok(uses)
    }
}
