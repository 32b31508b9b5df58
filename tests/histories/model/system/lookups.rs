//! Clients that are looked up by name, by add-in, and page by page.

use client_registry::*;

use super::{System, add_in, seller_id, spelling};
use crate::model::answer::Answer;
use crate::model::command::Name;
use crate::model::home::Home;
use crate::model::naive::Actor;
use crate::support::block_on;

impl<S: Home> System<S> {
    pub(crate) fn named(&self, seller: u8, name: Name) -> Answer {
        let seller = self.registry.as_seller(seller_id(seller)).unwrap();
        self.found(block_on(seller.client_named(spelling(name))))
    }

    pub(crate) fn client_of(&self, actor: Actor, number: u8) -> Answer {
        let id = add_in(number);
        self.found(match actor {
            Actor::Operator => block_on(self.operator().client_of(id.id())),
            Actor::Seller(seller) => {
                block_on(self.registry.as_seller(seller_id(seller)).unwrap().client_of(id.id()))
            }
        })
    }

    fn found(&self, found: Result<Option<Snapshot>, Error>) -> Answer {
        let found = found.unwrap();
        Answer::Clients(found.iter().map(|found| self.position(found)).collect())
    }

    pub(crate) fn pages(&self, actor: Actor, limit: usize) -> Answer {
        let mut found: Vec<ClientId> = vec![];
        let mut after = None;
        loop {
            let page = match actor {
                Actor::Operator => block_on(self.operator().clients(after.as_ref(), limit)),
                Actor::Seller(seller) => {
                    let seller = self.registry.as_seller(seller_id(seller)).unwrap();
                    block_on(seller.clients(after.as_ref(), limit))
                }
            };
            let page = page.unwrap();
            assert!(page.items().len() <= limit);
            found.extend(page.items().iter().map(|found| found.client().id().clone()));
            after = page.next().cloned();
            if after.is_none() {
                break;
            }
        }
        assert!(found.is_sorted(), "pages are in the order of client IDs");
        let mut positions: Vec<_> = found.iter().map(|id| self.position_of(id)).collect();
        positions.sort_unstable();
        Answer::Clients(positions)
    }

    fn position(&self, found: &Snapshot) -> usize {
        self.position_of(found.client().id())
    }

    fn position_of(&self, id: &ClientId) -> usize {
        self.ids.iter().position(|known| known == id).expect("a client that was made here")
    }
}
