//! Leak intake: finding out whose leaked client secrets are, and deleting them (rule 23).
//!
//! Nothing is kept to find them by, so a search looks at every client once, page by page. It authenticates each record and hashes
//! each text; the rest of a record is read only where a text may belong. It writes nothing, notes no use, and raises no alarm about a
//! compromised secret. The texts are borrowed: they are neither copied, nor stored, nor
//! logged.

use std::fmt;

use serde::Serialize;
use tracing::Instrument;

use crate::client::{LeakedSecret, may_hold};
use crate::record::Opened;
use crate::registry::manage::trace;
use crate::registry::manage::view::{MAX_PAGE, View};
use crate::registry::{ClientHandle, EmergencyDeletion, Error, Operator, Registry, Unreadable};
use crate::store::{ClientsBy, MemoryStore, Store};
use crate::store_error::{StoreError, StoreErrorKind};
use crate::value::secret_text::{Looks, looks};
use crate::value::{ClientId, Field, InvalidValue, Problem};

/// A search for the owners of leaked texts: one pass over all clients, a page at a time.
///
/// [`Operator::find_leaked`] begins one, and its example shows the whole search. To interrupt a search, keep its
/// [`place`](Self::place); a later search of the same texts continues there with [`after`](Self::after).
#[must_use = "a search does nothing until its pages are looked at"]
pub struct LeakSearch<'t, S = MemoryStore> {
    view: View<S>,
    texts: Vec<&'t str>,
    found: Vec<Vec<LeakedSecret>>,
    unreadable: Vec<Unreadable>,
    place: Option<ClientId>,
    looked_at: usize,
    is_done: bool,
}

/// The verdict about one leaked text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum LeakVerdict {
    /// It is a client secret of this registry. The same imported one can belong to several client IDs.
    Ours {
        /// Each client ID that it belongs to, with the state of the secret there.
        secrets: Vec<LeakedSecret>,
    },
    /// It looks like a generated client secret with a slip: a wrong character, a missing piece, or other text around it. Look
    /// for the whole text in the place where it leaked, and search again.
    Mistyped,
    /// No client has this client secret or remembers it.
    NotOurs,
}

impl LeakVerdict {
    /// Returns whether the text is a client secret of this registry, live or dead.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Ours { .. })
    }
}

impl<S: Store> Operator<S> {
    /// Begins a search for the owners of leaked texts, up to 1,000 at a time (rule 23). Call [`LeakSearch::next_page`] until it
    /// returns `false`; then the [verdicts](LeakSearch::verdicts) are complete.
    ///
    /// A client secret that is imported while the search goes on may be missed.
    ///
    /// A search deletes nothing: pass what it found to [`delete_leaked`](Self::delete_leaked).
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let registry = Registry::in_memory();
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = registry.as_seller("contoso")?.register(details, Lifetime::OneYear).await?;
    /// # let operator = registry.as_operator("ann")?;
    /// let leaked = [issued.client_secret().expose(), "hunter2"];
    /// let mut search = operator.find_leaked(leaked)?;
    /// while search.next_page(1_000).await? {
    ///     println!("{} client IDs looked at", search.looked_at());
    /// }
    /// assert!(search.verdicts()[0].is_ours());
    /// assert!(!search.verdicts()[1].is_ours());
    /// for (found, deleted) in operator.delete_leaked(search.found()).await {
    ///     println!("secret {} of {}: {deleted:?}", found.secret, found.client_id);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`InvalidValue`] if there are more than 1,000 texts.
    pub fn find_leaked<'t, T: AsRef<str> + ?Sized + 't>(
        &self,
        texts: impl IntoIterator<Item = &'t T>,
    ) -> Result<LeakSearch<'t, S>, InvalidValue> {
        let texts: Vec<&str> = texts.into_iter().take(MAX_TEXTS + 1).map(AsRef::as_ref).collect();
        if texts.len() > MAX_TEXTS {
            return Err(InvalidValue::new(Field::LeakedTexts, Problem::Form("are too many")));
        }
        Ok(LeakSearch {
            view: self.view.clone(),
            found: vec![Vec::new(); texts.len()],
            texts,
            unreadable: Vec::new(),
            place: None,
            looked_at: 0,
            is_done: false,
        })
    }

    /// Deletes leaked client secrets in an emergency, without replacement (rules 9 and 23). It calls
    /// [`delete_in_emergency`](ClientHandle::delete_in_emergency) for each of them in turn, also after one of them failed, and
    /// returns each result. A secret that was deleted before is marked as compromised.
    ///
    /// A dropped call may have deleted some of them: give it again.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let registry = Registry::in_memory();
    /// # let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
    /// # let issued = registry.as_seller("contoso")?.register(details, Lifetime::OneYear).await?;
    /// # let operator = registry.as_operator("ann")?;
    /// let mut search = operator.find_leaked([issued.client_secret().expose()])?;
    /// while search.next_page(1_000).await? {}
    /// for (found, deleted) in operator.delete_leaked(search.found()).await {
    ///     match deleted {
    ///         Ok(_) => println!("secret {} of {} is deleted", found.secret, found.client_id),
    ///         Err(error) => eprintln!("secret {} of {} may still work: {error}", found.secret, found.client_id),
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    pub async fn delete_leaked<'f>(
        &self,
        found: impl IntoIterator<Item = &'f LeakedSecret>,
    ) -> Vec<(&'f LeakedSecret, Result<EmergencyDeletion, Error>)> {
        let mut deleted = Vec::new();
        for leaked in found.into_iter().collect::<Vec<_>>() {
            let client: ClientHandle<S> = self.client(&leaked.client_id);
            deleted.push((leaked, client.delete_in_emergency(leaked.secret, None).await));
        }
        deleted
    }
}

impl<S: Store> LeakSearch<'_, S> {
    /// Continues after the [place](Self::place) that an earlier search of the same texts reached. This search then knows only what
    /// it finds after the place, whatever it has looked at before.
    pub fn after(self, place: ClientId) -> Self {
        let found = vec![Vec::new(); self.texts.len()];
        Self { place: Some(place), found, unreadable: Vec::new(), looked_at: 0, is_done: false, ..self }
    }

    /// Looks at the next `limit` client IDs (at most 1,000). Returns `false` once there are no more.
    ///
    /// A dropped call may have looked at some of them: the next call looks at them again.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the store did not answer. Call it again: the search continues where it was.
    pub async fn next_page(&mut self, limit: usize) -> Result<bool, Error> {
        if self.is_done {
            return Ok(false);
        }
        let limit = limit.clamp(1, MAX_PAGE);
        let span = trace::span("find_leaked", &self.view.actor, None);
        let looked = async {
            let registry = &self.view.registry;
            let ids = registry.inner.store.clients(ClientsBy::All, self.place.as_ref(), limit).await?;
            if ids.last().is_some_and(|last| self.place.as_ref().is_some_and(|place| last <= place)) {
                return Err(StoreError::with_source(StoreErrorKind::Corrupt, "a list does not go on").into());
            }
            let (mut found, mut unreadable) = (Vec::new(), Vec::new());
            for id in &ids {
                match registry.load_if_it_may_hold(id, &self.texts).await {
                    Ok(Some(Opened::Active(live))) => {
                        found.extend(live.find_leaked(&self.texts, registry.instant_of(&live)));
                    }
                    Ok(Some(Opened::Deleted(tombstone))) => found.extend(tombstone.find_leaked(&self.texts)),
                    Ok(None) => {}
                    Err(error) if error.kind().is_about_what_was_read() => {
                        unreadable.push(Unreadable::new(id, &error));
                    }
                    Err(error) => return Err(Error::from(error)),
                }
            }
            Ok((ids, found, unreadable))
        };
        let (ids, found, unreadable) = looked.instrument(span).await?;
        for (position, leaked) in found {
            if let Some(of_text) = self.found.get_mut(position) {
                of_text.push(leaked);
            }
        }
        self.unreadable.extend(unreadable);
        self.looked_at += ids.len();
        self.is_done = ids.len() < limit;
        self.place = ids.into_iter().next_back().or(self.place.take());
        Ok(!self.is_done)
    }

    /// Returns how many client IDs were looked at, those of deleted clients included.
    #[must_use]
    pub fn looked_at(&self) -> usize {
        self.looked_at
    }

    /// Returns the last client ID that was looked at: the place to [go on after](Self::after).
    #[must_use]
    pub fn place(&self) -> Option<&ClientId> {
        self.place.as_ref()
    }

    /// Returns whether every client was looked at.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.is_done
    }

    /// Returns the clients that could not be read, and so were not searched.
    #[must_use]
    pub fn unreadable(&self) -> &[Unreadable] {
        &self.unreadable
    }

    /// Returns the secrets that were found so far, in the order of the texts.
    pub fn found(&self) -> impl Iterator<Item = &LeakedSecret> {
        self.found.iter().flatten()
    }

    /// Returns the verdict about each text so far, in the order of the texts. The verdicts are complete once the search [is
    /// done](Self::is_done).
    #[must_use]
    pub fn verdicts(&self) -> Vec<LeakVerdict> {
        let prefix = self.view.registry.policy().secret_prefix();
        let both = self.texts.iter().zip(&self.found);
        both.map(|(text, found)| match (found.is_empty(), looks(text, prefix)) {
            (false, _) => LeakVerdict::Ours { secrets: found.clone() },
            (true, Looks::Mistyped) => LeakVerdict::Mistyped,
            (true, Looks::LikeSecretId | Looks::Other) => LeakVerdict::NotOurs,
        })
        .collect()
    }
}

impl<S: Store> Registry<S> {
    /// Loads a client that may have or remember one of these texts, as the store has it now. The rest of a record is read only for such
    /// a client.
    async fn load_if_it_may_hold(&self, id: &ClientId, texts: &[&str]) -> Result<Option<Opened>, StoreError> {
        let Some(protection) = &self.inner.protection else { return self.load(id).await };
        let is_wanted = |material: &[u8]| may_hold(id, material, texts);
        self.alarmed(id.into(), protection.load_if(&self.inner.store, id.into(), is_wanted).await)
    }
}

impl<S: Store> fmt::Debug for LeakSearch<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeakSearch")
            .field("texts", &self.texts.len())
            .field("looked_at", &self.looked_at)
            .field("place", &self.place)
            .field("found", &self.found)
            .finish_non_exhaustive()
    }
}

/// The most texts that one search is for.
const MAX_TEXTS: usize = 1000;
