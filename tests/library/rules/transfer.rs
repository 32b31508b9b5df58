//! Rule 22: another seller gets a client ID, with everything that belongs to it.

use client_registry::event::Fact;
use client_registry::{Refusal, Secret, SellerId};
use proptest::prelude::*;

use crate::rules::history::history;
use crate::rules::world::{World, probes};
use crate::support::{Desk, into_client, is_unchanged, one_secret, start};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    /// "An operator moves a client ID with its add-ins, secrets and trail to another seller": nothing but the owner changes. The old
    /// seller sees nothing of it from then on, and the new one may do all that the old one did.
    #[test]
    fn rule_22_nothing_but_the_owner_changes(steps in history(10)) {
        let world = World::after(&steps);
        let (client, to) = (&*world.client, SellerId::parse("fabrikam").unwrap());
        let context = Desk::operator();
        let change = client.transfer(&to, &context.at(world.now)).unwrap().change().unwrap();
        prop_assert_eq!(change.events().len(), 1);
        let from = client.owner().clone();
        prop_assert_eq!(change.events()[0].fact(), &Fact::ClientTransferred { from, to: to.clone() });
        prop_assert!(change.events()[0].signing().is_none());
        prop_assert_eq!(change.events()[0].previous(), client.head());
        let next = into_client(client_registry::client::Decision::Changed(change));
        prop_assert_eq!((next.owner(), next.transferred_at()), (&to, Some(world.now)));
        prop_assert!(next.secrets().eq(client.secrets()));
        prop_assert!(next.remembered().eq(client.remembered()));
        prop_assert_eq!((next.promotions(), next.add_ins()), (client.promotions(), client.add_ins()));
        prop_assert_eq!((next.id(), next.details()), (client.id(), client.details()));
        for t in probes(client, world.now) {
            prop_assert_eq!(next.signing_at(t), client.signing_at(t));
            prop_assert!(next.valid_at(t).map(Secret::id).eq(client.valid_at(t).map(Secret::id)));
        }
        let (old, new) = (Desk::owner(), Desk::stranger());
        prop_assert_eq!(next.suspend(&old.at(world.now)).err(), Some(Refusal::UnknownClient));
        prop_assert!(next.suspend(&new.at(world.now)).is_ok());
    }
}

/// Sellers cannot; the same seller again changes nothing; "the new one may lift the old seller's suspension", not an operator's.
#[test]
fn rule_22_who_transfers_and_who_lifts_a_suspension_then() {
    let (client, old) = one_secret();
    let (ann, new, to) = (Desk::operator(), Desk::stranger(), SellerId::parse("fabrikam").unwrap());
    assert_eq!(client.transfer(&to, &old.at(start())).err(), Some(Refusal::OperatorsOnly));
    assert_eq!(client.transfer(&to, &new.at(start())).err(), Some(Refusal::UnknownClient));
    assert!(is_unchanged(&client.transfer(client.owner(), &ann.at(start())).unwrap()));
    let transferred = |by: &Desk| {
        let suspended = into_client(client.suspend(&by.at(start())).unwrap());
        into_client(suspended.transfer(&to, &ann.at(start())).unwrap())
    };
    let lifted = transferred(&old).resume(&new.at(start())).unwrap();
    assert!(into_client(lifted).suspension().is_none());
    let refused = transferred(&ann).resume(&new.at(start())).err();
    assert_eq!(refused, Some(Refusal::SuspendedByOperator { since: start() }));
}
