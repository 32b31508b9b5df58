//! One of ten clients is damaged: lists, look-ups, exports and checks name it and go on with the others.

use client_registry::registry::upkeep::{DiscrepancyKind, ExportError};
use client_registry::registry::{Page, Unreadable};
use client_registry::review::Notice;
use client_registry::store::{MemoryStore, StoreErrorKind};
use client_registry::{
    AddIn, Availability, ClientId, Error, Issued, Lifetime, Registry, Snapshot, Timestamp,
};
use pollster::block_on;

use crate::world::{World, details, keyring};

/// Ten clients of contoso and one of fabrikam; the record of one of the ten is damaged.
fn one_of_ten_is_damaged() -> (World, Vec<Issued>, ClientId) {
    let world = World::new();
    let all: Vec<_> = (0..10).map(|number| world.register(&format!("app {number}"))).collect();
    let fabrikam = world.registry.as_seller("fabrikam").unwrap();
    let year = Lifetime::OneYear;
    drop(block_on(fabrikam.register(details("app 3"), year)).unwrap());
    let bad = all[3].client_id().clone();
    let sabotage = "UPDATE record SET body = replace(body, 'contoso', 'fabrika') WHERE id = ?1";
    assert_eq!(world.scratch.engine().execute(sabotage, [bad.as_str()]).unwrap(), 1);
    (world, all, bad)
}

/// Walks through pages: what is on them, and what is named on them as unreadable.
fn walk<T, K>(
    mut page: impl FnMut(Option<&K>) -> (Vec<T>, Vec<Unreadable>, Option<K>),
) -> (Vec<T>, Vec<Unreadable>) {
    let (mut lines, mut unreadable, mut after) = (vec![], vec![], None);
    for _ in 0..100 {
        let (more, bad, next) = page(after.as_ref());
        lines.extend(more);
        unreadable.extend(bad);
        after = next;
        if after.is_none() {
            return (lines, unreadable);
        }
    }
    panic!("the pages do not end");
}

fn clients(
    page: Result<Page<Snapshot, ClientId>, Error>,
) -> (Vec<ClientId>, Vec<Unreadable>, Option<ClientId>) {
    let page = page.unwrap();
    let ids = page.items().iter().map(|found| found.client().id().clone()).collect();
    (ids, page.unreadable().to_vec(), page.next().cloned())
}

fn report<T, K: Clone>(page: Result<Page<T, K>, Error>) -> (Vec<T>, Vec<Unreadable>, Option<K>) {
    let page = page.unwrap();
    let (unreadable, next) = (page.unreadable().to_vec(), page.next().cloned());
    (page.into_items(), unreadable, next)
}

#[test]
fn a_page_carries_what_is_sound_names_what_is_not_and_says_where_to_go_on() {
    let (world, all, bad) = one_of_ten_is_damaged();
    let contoso = &world.contoso;
    let ann = world.registry.as_operator("ann").unwrap();
    let all_time = Timestamp::MIN..Timestamp::MAX;
    let notices = world.now()..world.in_days(800);
    let is_the_one = |unreadable: &[Unreadable], times: usize| {
        assert_eq!(unreadable.len(), times, "{unreadable:?}");
        for one in unreadable {
            assert_eq!((one.client_id(), one.kind()), (&bad, StoreErrorKind::Tampered));
            assert!(one.to_string().contains(bad.as_str()), "{one}");
        }
    };
    for limit in [1, 3, 100] {
        let (mut found, unreadable) = walk(|after| clients(block_on(contoso.clients(after, limit))));
        is_the_one(&unreadable, 1);
        found.push(bad.clone());
        found.sort();
        let mut expected: Vec<_> = all.iter().map(|issued| issued.client_id().clone()).collect();
        expected.sort();
        assert_eq!(found, expected);
        let (found, unreadable) = walk(|after| clients(block_on(ann.clients(after, limit))));
        is_the_one(&unreadable, 1);
        assert_eq!(found.len(), 10);

        let (lines, unreadable) =
            walk(|after| report(block_on(contoso.expiry_report(&all_time, after, limit))));
        is_the_one(&unreadable, 1);
        assert_eq!(lines.len(), 9);
        let (lines, unreadable) = walk(|after| report(block_on(ann.expiry_report(&all_time, after, limit))));
        is_the_one(&unreadable, 1);
        assert_eq!(lines.len(), 10);

        let (lines, unreadable) = walk(|after| report(block_on(contoso.due_notices(&notices, after, limit))));
        is_the_one(&unreadable, 1);
        assert_eq!(lines.len(), 9 * Notice::DAYS.len());
        let (lines, unreadable) = walk(|after| report(block_on(ann.due_notices(&notices, after, limit))));
        is_the_one(&unreadable, 1);
        assert_eq!(lines.len(), 10 * Notice::DAYS.len());
    }
    // So is it in JSON.
    let page = block_on(ann.expiry_report(&all_time, None, 100)).unwrap();
    let json = serde_json::to_value(&page).unwrap();
    assert_eq!(json["unreadable"][0]["client_id"], serde_json::json!(page.unreadable()[0].client_id()));
    assert_eq!(json["unreadable"][0]["code"], "tampered");
}

#[test]
fn another_seller_hears_nothing_of_a_damaged_client() {
    let (world, ..) = one_of_ten_is_damaged();
    let fabrikam = world.registry.as_seller("fabrikam").unwrap();
    let (found, unreadable) = walk(|after| clients(block_on(fabrikam.clients(after, 2))));
    assert_eq!((found.len(), unreadable), (1, vec![]));
    let all_time = Timestamp::MIN..Timestamp::MAX;
    let (lines, unreadable) = walk(|after| report(block_on(fabrikam.expiry_report(&all_time, after, 2))));
    assert_eq!((lines.len(), unreadable), (1, vec![]));
    assert!(block_on(fabrikam.client_named("app 3")).unwrap().is_some());
}

/// That a name is free must not be concluded from a record that cannot be read.
#[test]
fn a_name_that_leads_to_a_damaged_record_is_an_error_and_not_a_free_name() {
    let (world, ..) = one_of_ten_is_damaged();
    match block_on(world.contoso.client_named("app 3")) {
        Err(Error::Unavailable(error)) => assert_eq!(error.kind(), StoreErrorKind::Tampered),
        other => panic!("{other:?}"),
    }
    assert!(block_on(world.contoso.client_named("app 4")).unwrap().is_some());
}

#[test]
fn an_export_names_all_that_is_damaged_and_can_go_on_without() {
    let (world, all, bad) = one_of_ten_is_damaged();
    let other = all[7].client_id();
    let sabotage = "UPDATE record SET sealed = x'00' WHERE id = ?1";
    world.scratch.engine().execute(sabotage, [other.as_str()]).unwrap();
    let mut stream = Vec::new();
    let error = block_on(world.registry.export(&mut stream)).unwrap_err();
    let ExportError::Unreadable(unreadable) = &error else { panic!("{error}") };
    let mut named: Vec<_> = unreadable.iter().map(Unreadable::client_id).collect();
    named.sort();
    let mut expected = [&bad, other];
    expected.sort();
    assert_eq!(named, expected);
    assert!(expected.iter().all(|id| error.to_string().contains(id.as_str())), "{error}");
    // What was written so far is no export.
    let import =
        |stream: &[u8]| block_on(Registry::builder().import(MemoryStore::new(), keyring(), &mut &*stream));
    import(&stream).unwrap_err();

    let one: Vec<_> = vec![bad.clone()];
    let error = block_on(world.registry.export_without(&one, &mut Vec::new())).unwrap_err();
    assert!(matches!(&error, ExportError::Unreadable(left) if left.len() == 1), "{error}");
    let mut stream = Vec::new();
    let both = [bad, other.clone()];
    let exported = block_on(world.registry.export_without(&both, &mut stream)).unwrap();
    assert_eq!((exported.clients, exported.left_out), (9, 2));
    let (moved, imported) = import(&stream).unwrap();
    assert_eq!(imported.clients, 9);
    let (found, unreadable) =
        walk(|after| clients(block_on(moved.as_operator("ann").unwrap().clients(after, 100))));
    assert_eq!((found.len(), unreadable), (9, vec![]));
}

#[test]
fn a_check_goes_on_after_what_cannot_be_read() {
    let (world, all, bad) = one_of_ten_is_damaged();
    let engine = world.scratch.engine();
    for issued in [&all[1], &all[2]] {
        let add_in = AddIn::new(issued.client_id().as_str(), Availability::Worldwide).unwrap();
        block_on(world.contoso.client(issued.client_id()).associate(&add_in)).unwrap();
    }
    // One add-in leads to what is no client ID; another client has lost its events.
    let (add_in, last) = (all[1].client_id(), all[8].client_id());
    engine.execute("UPDATE add_in SET client_id = '?' WHERE add_in = ?1", [add_in.as_str()]).unwrap();
    engine.execute("DELETE FROM event WHERE client_id = ?1", [last.as_str()]).unwrap();
    let checked = block_on(world.registry.check()).unwrap();
    let names = |id: &ClientId, is: fn(&DiscrepancyKind) -> bool| {
        checked.discrepancies.iter().any(|fault| fault.client_id() == Some(id) && is(fault.what()))
    };
    assert!(!checked.is_clean());
    assert!(names(&bad, |what| matches!(what, DiscrepancyKind::Record(_))), "{:?}", checked.discrepancies);
    assert!(
        names(add_in, |what| matches!(what, DiscrepancyKind::Unreadable(_))),
        "{:?}",
        checked.discrepancies
    );
    assert!(
        names(last, |what| matches!(what, DiscrepancyKind::TrailCutShort)),
        "{:?}",
        checked.discrepancies
    );
    assert_eq!(checked.clients, 11);
    let others = checked.discrepancies.iter().filter(|fault| fault.client_id() != Some(&bad)).count();
    assert_eq!(others, 3, "an add-in, a trail and its feed: {:?}", checked.discrepancies);
}
