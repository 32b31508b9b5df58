//! Checking what a store holds: every record and every trail is read, and every list compared with the records.
//!
//! A store is not trusted. Records and trails are tamper-evident each for itself; laid side by side they also show an old
//! record that was put back, events that are gone, and an index that leads elsewhere.
//!
//! A check cannot see: an old record whose trail was cut to the same length; index rows under an add-in, a name or a seller
//! that no record and no trail names; a false last use that is possible; a false commit ID in the history, which nothing
//! vouches for.

mod discrepancy;
mod feed;
mod last_uses;
mod lookups;
mod sweep;
mod trail;

use std::collections::BTreeSet;

pub use self::discrepancy::{CheckReport, Discrepancy, DiscrepancyKind, Lookup};
use self::sweep::{Stray, Sweep, readable, unless_unreadable};
use self::trail::Trail;
use crate::registry::walk::Walk;
use crate::registry::{ATTEMPTS, Registry};
use crate::store::{ClientsBy, Store};
use crate::store_error::StoreError;
use crate::value::{ClientId, Revision};

impl<S: Store> Registry<S> {
    /// Reads everything that the store holds, and reports what is wrong and where. The registry may be used meanwhile: a
    /// difference between a list and the records is reported only if it is there at a second look.
    ///
    /// A check takes a few reads for each client, and some hundred bytes of memory.
    ///
    /// ```
    /// # use client_registry::Registry;
    /// # pollster::block_on(async {
    /// # let registry = Registry::in_memory();
    /// let report = registry.check().await?;
    /// for discrepancy in &report.discrepancies {
    ///     eprintln!("{discrepancy}");
    /// }
    /// # Ok::<(), client_registry::store::StoreError>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`StoreError`] if the store did not answer. Data that is wrong or cannot be read is in the report instead.
    pub async fn check(&self) -> Result<CheckReport, StoreError> {
        let mut discrepancies = Vec::new();
        if let Some(protection) = &self.inner.protection
            && let Err(error) = protection.refresh(&self.inner.store, &*self.inner.clock).await
        {
            discrepancies
                .push(Discrepancy { client_id: None, what: DiscrepancyKind::Record(readable(error)?) });
        }
        let mut sweep = Sweep::default();
        unless_unreadable(self.sweep(&mut sweep).await, &mut discrepancies)?;
        unless_unreadable(self.check_feed(&sweep.heads, &mut sweep.discrepancies).await, &mut discrepancies)?;
        self.judge_last_uses(&mut sweep);
        let strays = self.confirmed_strays(&sweep, &mut discrepancies).await?;
        discrepancies.append(&mut sweep.discrepancies);
        let strays: BTreeSet<_> =
            strays.into_iter().map(|(id, lookup, found, _)| (id, lookup, found)).collect();
        discrepancies.extend(strays.into_iter().map(|(client_id, lookup, found)| Discrepancy {
            client_id: Some(client_id),
            what: if found { DiscrepancyKind::FoundBy(lookup) } else { DiscrepancyKind::NotFoundBy(lookup) },
        }));
        Ok(CheckReport { clients: sweep.clients, events: sweep.events, discrepancies })
    }

    /// The strays that two readings agree on. A change in between makes one look stray once.
    async fn confirmed_strays(
        &self,
        sweep: &Sweep,
        discrepancies: &mut Vec<Discrepancy>,
    ) -> Result<BTreeSet<Stray>, StoreError> {
        let mut strays = self.strays(sweep, discrepancies).await?;
        if !strays.is_empty() {
            // The first reading has reported what cannot be read.
            let (mut again, mut known) = (Sweep::default(), Vec::new());
            unless_unreadable(self.sweep(&mut again).await, &mut known)?;
            let second = self.strays(&again, &mut known).await?;
            strays.retain(|one| second.contains(one));
        }
        Ok(strays)
    }

    /// Reads every record and its trail.
    async fn sweep(&self, sweep: &mut Sweep) -> Result<(), StoreError> {
        let mut walk = Walk::new();
        while let Some(page) = self.next_clients(&mut walk, ClientsBy::All).await? {
            for client_id in &page {
                self.check_client(client_id, sweep).await?;
            }
        }
        Ok(())
    }

    /// Reads a record and its trail. A client that cannot be read is reported, and the others are read all the same.
    async fn check_client(&self, client_id: &ClientId, sweep: &mut Sweep) -> Result<(), StoreError> {
        if let Err(error) = self.read_client(client_id, sweep).await {
            sweep.fault(client_id, DiscrepancyKind::Unreadable(readable(error)?));
        }
        Ok(())
    }

    async fn read_client(&self, client_id: &ClientId, sweep: &mut Sweep) -> Result<(), StoreError> {
        sweep.clients += 1;
        for _ in 0..ATTEMPTS {
            let opened = match self.load(client_id).await {
                Ok(Some(opened)) => opened,
                Ok(None) => {
                    sweep.fault(client_id, DiscrepancyKind::NoRecord);
                    return Ok(());
                }
                Err(error) => {
                    sweep.fault(client_id, DiscrepancyKind::Record(readable(error)?));
                    return Ok(());
                }
            };
            let mut trail = Trail::default();
            if let Err(error) = self.follow_trail(client_id, &mut trail, opened.revision()).await {
                sweep.fault(client_id, DiscrepancyKind::Trail(readable(error)?));
                return Ok(());
            }
            let what = trail.fault(&opened);
            let is_current = match &what {
                // Another caller may have committed between the two look-ups.
                Some(DiscrepancyKind::OlderThanTrail) => {
                    self.load(client_id).await?.is_some_and(|now| now.revision() == opened.revision())
                }
                _ => true,
            };
            if is_current {
                sweep.events += trail.events;
                sweep.heads.insert(client_id.clone(), opened.head());
                if let Some(what) = what {
                    sweep.fault(client_id, what);
                }
                self.check_last_uses(&opened, sweep).await?;
                return self.note_lookups(&opened, trail.add_ins, sweep).await;
            }
        }
        Ok(())
    }

    /// Follows a trail up to a revision, and notes whether it goes on.
    async fn follow_trail(
        &self,
        client_id: &ClientId,
        trail: &mut Trail,
        until: Revision,
    ) -> Result<(), StoreError> {
        let mut walk = Walk::after(Revision::ZERO);
        while let Some(page) = self.next_commits(&mut walk, client_id).await? {
            for committed in &page {
                if committed.revision > until {
                    trail.longer = true;
                    return Ok(());
                }
                trail.take(client_id, committed);
            }
        }
        Ok(())
    }
}
