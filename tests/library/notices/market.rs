//! A registry of two sellers, and all the pages of what it reports.

use std::ops::Range;

use client_registry::clock::ManualClock;
use client_registry::review::{Expiry, Notice};
use client_registry::store::{MemoryStore, Store};
use client_registry::value::Label;
use client_registry::{
    Availability, ClientDetails, ClientHandle, ClientId, Days, Issued, Lifetime, NewSecret, Policy, Registry,
    Rotation, SecretId, Seller, Timestamp,
};
use pollster::block_on;

use crate::support::{Seeded, days_later, start};

pub(crate) struct Market<S = MemoryStore> {
    pub(crate) clock: ManualClock,
    pub(crate) registry: Registry<S>,
    /// The client IDs so far, each with its owner.
    pub(crate) clients: Vec<(ClientId, usize)>,
}

pub(crate) const SELLERS: [&str; 2] = ["contoso", "fabrikam"];

impl Market {
    pub(crate) fn new() -> Self {
        Self::behind(|memory| memory)
    }
}

impl<S: Store> Market<S> {
    pub(crate) fn behind(store: impl FnOnce(MemoryStore) -> S) -> Self {
        let clock = ManualClock::new(start().to_datetime());
        let policy = Policy::default().with_longest_lifetime(Lifetime::Unlimited);
        let builder = Registry::builder().clock(clock.clone()).entropy(Seeded::new(4)).policy(policy);
        Self { clock, registry: builder.in_memory_behind(store), clients: Vec::new() }
    }

    pub(crate) fn seller(&self, number: usize) -> Seller<S> {
        self.registry.as_seller(SELLERS[number]).unwrap()
    }

    pub(crate) fn register(&mut self, seller: usize, first: NewSecret) -> Issued {
        let name = format!("app {}", self.clients.len());
        let details = ClientDetails::new(&name, "app.contoso.com", "https://app.contoso.com/").unwrap();
        let owner = self.seller(seller);
        let issued = block_on(owner.register_with(details, Availability::Worldwide, first)).unwrap();
        self.clients.push((issued.client_id().clone(), seller));
        issued
    }

    pub(crate) fn client(&self, number: usize) -> ClientHandle<S> {
        let (id, seller) = &self.clients[number];
        self.seller(*seller).client(id)
    }

    pub(crate) fn go_to(&self, now: Timestamp) {
        self.clock.set_wall(now.to_datetime());
    }

    /// Everybody's notices of a window, by pages.
    pub(crate) fn notices(&self, window: &Range<Timestamp>, limit: usize) -> Vec<Notice> {
        let operator = self.registry.as_operator("ann").unwrap();
        let (mut notices, mut after) = (Vec::new(), None);
        loop {
            let page = block_on(operator.due_notices(window, after.as_ref(), limit)).unwrap();
            assert!(page.next().is_none_or(|next| after.as_ref() < Some(next)), "pages go on");
            after = page.next().cloned();
            notices.extend(page.into_items());
            if after.is_none() {
                return notices;
            }
        }
    }

    /// The same for one seller.
    pub(crate) fn notices_of(&self, seller: usize, window: &Range<Timestamp>, limit: usize) -> Vec<Notice> {
        let (mut notices, mut after) = (Vec::new(), None);
        loop {
            let page = block_on(self.seller(seller).due_notices(window, after.as_ref(), limit)).unwrap();
            after = page.next().cloned();
            assert!(page.items().is_sorted_by_key(|notice| notice.expiry.ends));
            notices.extend(page.into_items());
            if after.is_none() {
                return notices;
            }
        }
    }

    /// Everybody's report, by pages.
    pub(crate) fn expiries(&self, ends: &Range<Timestamp>, limit: usize) -> Vec<Expiry> {
        let operator = self.registry.as_operator("ann").unwrap();
        let (mut expiries, mut after) = (Vec::new(), None);
        loop {
            let page = block_on(operator.expiry_report(ends, after.as_ref(), limit)).unwrap();
            after = page.next().cloned();
            assert!(page.items().len() <= limit);
            expiries.extend(page.into_items());
            if after.is_none() {
                return expiries;
            }
        }
    }

    pub(crate) fn expiries_of(&self, seller: usize, ends: &Range<Timestamp>, limit: usize) -> Vec<Expiry> {
        let (mut expiries, mut after) = (Vec::new(), None);
        loop {
            let page = block_on(self.seller(seller).expiry_report(ends, after.as_ref(), limit)).unwrap();
            after = page.next().cloned();
            assert!(page.items().is_sorted_by_key(|expiry| expiry.ends));
            expiries.extend(page.into_items());
            if after.is_none() {
                return expiries;
            }
        }
    }
}

/// The instant that many days after the start.
pub(crate) fn day(count: u32) -> Timestamp {
    days_later(start(), count)
}

pub(crate) fn lasting(days: u32) -> NewSecret {
    NewSecret::lasting(Lifetime::Days(Days::new(days)))
}

pub(crate) fn labelled(days: u32, label: &str) -> NewSecret {
    lasting(days).labelled(Label::parse(label).unwrap())
}

pub(crate) fn rotation(overlap: u32, lifetime: u32) -> Rotation {
    Rotation::overlap(Days::new(overlap)).lasting(Lifetime::Days(Days::new(lifetime)))
}

/// What is told apart: which notice about which secret with which end.
pub(crate) fn key(notice: &Notice) -> (Timestamp, ClientId, SecretId, u32) {
    let expiry = &notice.expiry;
    (expiry.ends, expiry.client_id.clone(), expiry.secret, notice.days.count())
}
