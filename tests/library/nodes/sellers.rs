//! Suspending and transferring on several nodes: both hold everywhere within the freshness, and nothing of the old seller's view
//! remains.

use std::time::Duration;

use client_registry::review::Notice;
use client_registry::store::MemoryStore;
use client_registry::value::Revision;
use client_registry::*;
use pollster::block_on;

use super::{Node, node};
use crate::support::details;

const FRESHNESS: Duration = Duration::from_secs(5);

fn advance(nodes: &[Node], by: Duration) {
    nodes.iter().for_each(|node| node.clock.advance(by));
}

#[test]
fn rule_20_a_suspension_holds_on_every_node_within_the_freshness() {
    block_on(async {
        let memory = MemoryStore::new();
        let nodes = [node(&memory, 1).await, node(&memory, 2).await, node(&memory, 3).await];
        let contoso = nodes[0].registry.as_seller("contoso").unwrap();
        let issued = contoso.register(details("calendar app"), Lifetime::OneYear).await.unwrap();
        let client = contoso.client(issued.client_id());
        for (suspends, outcome) in [(true, Err(Some(Reason::Suspended))), (false, Ok(()))] {
            for node in &nodes {
                assert_eq!(node.lets_in(&issued).await.is_ok(), suspends);
            }
            let told = if suspends { client.suspend().await } else { client.resume().await };
            assert_eq!(told.unwrap(), Outcome::Changed);
            assert_eq!(nodes[0].lets_in(&issued).await, outcome, "at once where it was made");
            advance(&nodes, FRESHNESS);
            for node in &nodes {
                assert_eq!(node.lets_in(&issued).await, outcome);
                let signs = node.registry.sign(issued.client_id(), b"message").await;
                assert_eq!(matches!(signs, Err(SignError::Suspended)), suspends, "{signs:?}");
                let is_alive = node.registry.is_alive(issued.client_id(), issued.secret_id()).await.unwrap();
                assert_eq!(is_alive, !suspends);
            }
        }
    });
}

#[test]
fn rule_22_nothing_of_the_old_sellers_view_remains_on_any_node() {
    block_on(async {
        let memory = MemoryStore::new();
        let nodes = [node(&memory, 1).await, node(&memory, 2).await, node(&memory, 3).await];
        let contoso = nodes[0].registry.as_seller("contoso").unwrap();
        let issued = contoso.register(details("calendar app"), Lifetime::Days(Days::new(60))).await.unwrap();
        let id = issued.client_id();
        let add_in = AddIn::new("mail-helper", Availability::Worldwide).unwrap();
        contoso.client(id).associate(&add_in).await.unwrap();
        let fabrikam = nodes[1].registry.as_seller("fabrikam").unwrap();
        let taken = fabrikam.register(details("Calendar App"), Lifetime::OneYear).await.unwrap();
        for node in &nodes {
            node.lets_in(&issued).await.unwrap();
        }
        // Notices that were due before the transfer are the old seller's.
        advance(&nodes, Days::new(31).into());
        let (from, now) = (
            Timestamp::MIN,
            nodes[0].registry.as_seller("contoso").unwrap().client(id).snapshot().await.unwrap().at(),
        );
        let due = contoso.due_notices(&(from..now), None, 9).await.unwrap();
        assert!(due.items().iter().any(|notice| notice.expiry.client_id == *id));

        let ann = nodes[2].registry.as_operator("ann").unwrap();
        let to = SellerId::parse("fabrikam").unwrap();
        let refused = ann.client(id).transfer(&to).await;
        assert!(matches!(refused, Err(Error::NameTaken { .. })), "{refused:?}");
        fabrikam.client(taken.client_id()).change_details(details("diary")).await.unwrap();
        assert_eq!(ann.client(id).transfer(&to).await.unwrap(), Outcome::Changed);
        assert_eq!(ann.client(id).transfer(&to).await.unwrap(), Outcome::Unchanged);
        advance(&nodes, FRESHNESS);
        for node in &nodes {
            node.lets_in(&issued).await.unwrap();
            let who = node.registry.authenticate(id.as_str(), issued.client_secret().expose()).await.unwrap();
            assert_eq!(who.owner(), &to);
            let old = node.registry.as_seller("contoso").unwrap();
            assert!(old.clients(None, 9).await.unwrap().items().is_empty());
            assert!(is_unknown(old.client(id).snapshot().await));
            assert!(is_unknown(old.client(id).trail(Revision::ZERO, 9).await));
            assert!(is_unknown(old.client(id).suspend().await));
            assert!(old.client_of(add_in.id()).await.unwrap().is_none());
            assert!(old.client_named("calendar app").await.unwrap().is_none());
            let ever = Timestamp::MIN..Timestamp::MAX;
            assert!(old.due_notices(&ever, None, 9).await.unwrap().items().is_empty());
            assert!(old.expiry_report(&ever, None, 9).await.unwrap().items().is_empty());

            let new = node.registry.as_seller("fabrikam").unwrap();
            assert_eq!(new.client_named("calendar app").await.unwrap().unwrap().client().id(), id);
            assert_eq!(new.client_of(add_in.id()).await.unwrap().unwrap().client().id(), id);
            assert_eq!(new.clients(None, 9).await.unwrap().items().len(), 2);
            let trail = new.client(id).trail(Revision::ZERO, 99).await.unwrap();
            assert!(
                trail.iter().any(|event| event.actor().to_string().contains("contoso")),
                "its whole trail"
            );
            let of_it = |notice: &&Notice| notice.expiry.client_id == *id;
            let before = new.due_notices(&(from..now), None, 9).await.unwrap();
            assert_eq!(before.items().iter().filter(of_it).count(), 0, "earlier notices are not given again");
            let later = new.due_notices(&(now..Timestamp::MAX), None, 99).await.unwrap();
            assert!(later.items().iter().filter(of_it).count() > 0);
        }
        // The name is free where it came from, and taken where it went.
        let again = nodes[1].registry.as_seller("contoso").unwrap();
        assert!(again.register(details("calendar app"), Lifetime::OneYear).await.is_ok());
        let refused = fabrikam.register(details("calendar app"), Lifetime::OneYear).await.map(drop);
        assert!(matches!(refused, Err(Error::NameTaken { .. })), "{refused:?}");
        assert!(nodes[0].registry.check().await.unwrap().is_clean());
    });
}

fn is_unknown<T: std::fmt::Debug>(answer: Result<T, Error>) -> bool {
    matches!(answer, Err(Error::Refused(Refusal::UnknownClient)))
}
