//! The moments one by one.

use client_registry::client::{Client, LastUses};
use client_registry::review::{Expiry, Notice};
use client_registry::value::Label;
use client_registry::{Days, Lifetime, NewSecret, Purpose, SecretState, SellerId, Timestamp};
use pollster::block_on;

use crate::notices::market::{Market, day, labelled, lasting, rotation};
use crate::support::{Desk, Seeded, into_client, later, registered, secret_id, start};

fn client(first: &NewSecret) -> Client {
    registered(first, &Seeded::new(1), &Desk::owner().allowing_unlimited(), start())
}

fn all() -> std::ops::Range<Timestamp> {
    Timestamp::MIN..Timestamp::MAX
}

fn days(notices: &[Notice]) -> Vec<u32> {
    notices.iter().map(|notice| notice.days.count()).collect()
}

#[test]
fn a_notice_falls_due_90_60_30_15_7_days_and_a_day_before() {
    let client = client(&lasting(100));
    let notices = client.notices(&all(), &LastUses::default(), start());
    let found: Vec<_> = notices.iter().map(|notice| (notice.days, notice.due)).collect();
    let expected = [(90, 10), (60, 40), (30, 70), (15, 85), (7, 93), (1, 99)];
    assert_eq!(found, expected.map(|(days, due)| (Days::new(days), day(due))));
}

#[test]
fn a_window_has_its_start_and_not_its_end() {
    let client = client(&lasting(100));
    let given = |window| days(&client.notices(&window, &LastUses::default(), start()));
    let due = day(70);
    assert_eq!(given(due..later(due, 1)), [30]);
    assert!(given(later(due, -1)..due).is_empty());
    assert!(given(later(due, 1)..day(85)).is_empty());
    assert_eq!(given(due..day(85)), [30]);
    assert_eq!(given(due..later(day(85), 1)), [30, 15]);
    // Empty and reversed ones have nothing.
    assert!(given(due..due).is_empty());
    assert!(given(day(99)..due).is_empty());
    // Somebody who was away is told everything, the most urgent last, also of what has ended meanwhile.
    assert_eq!(given(day(41)..day(300)), [30, 15, 7, 1]);
}

#[test]
fn there_is_none_for_a_moment_before_somebody_decided_the_end() {
    let given = |first: &NewSecret| days(&client(first).notices(&all(), &LastUses::default(), start()));
    assert_eq!(given(&lasting(45)), [30, 15, 7, 1]);
    // A seller that adds a secret of 30 days knows that it has 30 days.
    assert_eq!(given(&lasting(30)), [15, 7, 1]);
    assert!(given(&lasting(1)).is_empty());
    // Nor before it starts.
    assert_eq!(given(&lasting(20).starting(day(100))), [15, 7, 1]);
    assert!(given(&NewSecret::lasting(Lifetime::Unlimited)).is_empty());
}

#[test]
fn rule_11_a_shorter_end_is_told_from_the_rotation_on() {
    let mut market = Market::new();
    let issued = market.register(0, lasting(100));
    // The 90-day notice of the end that was.
    assert_eq!(days(&market.notices(&(start()..day(15)), 10)), [90]);
    market.go_to(day(15));
    let next = block_on(market.client(0).rotate(rotation(20, 400))).unwrap();
    // 30 days before the new end is 5 days ago. The window is open; nobody is told late.
    let notices = market.notices(&(start()..day(36)), 10);
    assert_eq!(days(&notices), [15, 7, 1]);
    for notice in &notices {
        let Expiry { secret, ends, replaced_by, successor, .. } = notice.expiry;
        assert_eq!((secret, ends), (issued.secret_id(), day(35)));
        // Its end is on purpose: the application may say so, or nothing.
        assert_eq!((replaced_by, successor), (Some(next.secret_id()), Some(next.secret_id())));
    }
}

/// "A rotation whose new secret was deleted is not under way": then nobody means the old secret to end, and its seller has to know.
#[test]
fn rule_11_an_end_is_on_purpose_only_while_the_new_secret_is_there() {
    let mut market = Market::new();
    let issued = market.register(0, lasting(400));
    let client = market.client(0);
    let next = block_on(client.rotate(rotation(20, 400))).unwrap();
    let _ = block_on(client.delete_in_emergency(next.secret_id(), None)).unwrap();
    let notices = market.notices(&all(), 10);
    assert_eq!(days(&notices), [15, 7, 1]);
    for notice in notices {
        let Expiry { secret, ends, replaced_by, successor, .. } = notice.expiry;
        assert_eq!((secret, ends, replaced_by, successor), (issued.secret_id(), day(20), None, None));
    }
}

/// A clock that was ahead, and was set back by an operator, keeps no notice back: not of what was decided under it, nor of what is
/// added afterwards, which counts as added no earlier than what stood already (rule 6).
#[test]
fn rule_19_a_clock_that_was_ahead_keeps_no_notice_back() {
    let (entropy, uses) = (Seeded::new(5), LastUses::default());
    let [owner, ann] = [Desk::owner(), Desk::operator()].map(Desk::allowing_unlimited);
    let add = |client: &Client, new: &NewSecret, desk: &Desk, at| {
        into_client(client.add_secret(new, &entropy.client_secret(), &desk.at(at)).unwrap())
    };
    let given = |client: &Client, secret| {
        let notices = client.notices(&all(), &uses, day(3));
        days(&notices.into_iter().filter(|one| one.expiry.secret == secret_id(secret)).collect::<Vec<_>>())
    };
    let every = [90, 60, 30, 15, 7, 1];
    let ahead = add(&client(&lasting(100)), &lasting(100), &owner, day(3650));
    let by_operator = add(&ahead, &lasting(100), &ann, day(1));
    let by_seller = add(&by_operator, &lasting(100), &owner, day(2));
    for secret in [1, 2, 3, 4] {
        assert_eq!(given(&by_seller, secret), every, "secret {secret}");
    }

    let two = add(&client(&lasting(400)), &NewSecret::lasting(Lifetime::Unlimited), &owner, start());
    let set_back = |client: &Client| into_client(client.suspend(&ann.at(day(1))).unwrap());
    let moved = into_client(two.move_end(secret_id(1), day(395), &uses, &ann.at(day(390))).unwrap());
    assert_eq!((given(&moved, 1), given(&set_back(&moved), 1)), (vec![1], every.to_vec()));
    let transferred = two.transfer(&SellerId::parse("fabrikam").unwrap(), &ann.at(day(390)));
    let transferred = into_client(transferred.unwrap());
    assert_eq!((given(&transferred, 1), given(&set_back(&transferred), 1)), (vec![7, 1], every.to_vec()));
}

#[test]
fn rule_12_a_disabled_secret_has_none_until_it_is_enabled() {
    let mut market = Market::new();
    let issued = market.register(0, lasting(100));
    let client = market.client(0);
    let _second = block_on(client.add_secret(lasting(900))).unwrap();
    market.go_to(day(20));
    let plan = block_on(client.plan_disabling(issued.secret_id())).unwrap();
    block_on(client.confirm(plan)).unwrap();
    assert_eq!(market.notices(&(day(20)..day(80)), 10), []);
    market.go_to(day(80));
    block_on(client.enable(issued.secret_id())).unwrap();
    // The 30-day notice fell due at day 70.
    assert_eq!(days(&market.notices(&(day(20)..day(200)), 10)), [15, 7, 1]);
}

#[test]
fn rule_13_what_was_deleted_has_none() {
    let mut market = Market::new();
    let one = market.register(0, lasting(100));
    let _other = market.register(0, lasting(100));
    let _ = block_on(market.client(0).delete_in_emergency(one.secret_id(), None)).unwrap();
    let plan = block_on(market.client(1).plan_client_deletion()).unwrap();
    block_on(market.client(1).confirm(plan)).unwrap();
    assert_eq!(market.notices(&all(), 10), []);
    assert_eq!(market.expiries(&all(), 10), []);
    assert_eq!(market.notices_of(0, &all(), 10), []);
}

#[test]
fn a_line_says_what_one_wants_to_know() {
    let mut market = Market::new();
    let first = market.register(1, labelled(40, "of March"));
    let client = market.client(0);
    let password = lasting(20).for_purpose(Purpose::PasswordOnly);
    let password = block_on(client.add_secret(password)).unwrap();
    let second = block_on(client.add_secret(lasting(400))).unwrap();
    market.go_to(day(5));
    let used = first.client_secret().expose();
    block_on(market.registry.authenticate(client.id().as_str(), used)).unwrap();
    market.go_to(day(25));

    let lines = market.expiries(&(start()..day(41)), 10);
    assert_eq!(lines, market.expiries_of(1, &(start()..day(41)), 10));
    let [ended, signing] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((ended.secret, ended.ends), (password.secret_id(), day(20)));
    assert_eq!((ended.state, ended.signs, ended.purpose), (SecretState::Ended, false, Purpose::PasswordOnly));
    // Of the two that go on, the one that signed then.
    assert_eq!((ended.successor, ended.last_used), (Some(first.secret_id()), None));
    assert_eq!((signing.secret, signing.ends), (first.secret_id(), day(40)));
    assert_eq!((signing.state, signing.signs), (SecretState::Valid, true));
    assert_eq!((signing.successor, signing.replaced_by), (Some(second.secret_id()), None));
    assert_eq!((signing.last_used, signing.owner.as_str()), (Some(day(5)), "fabrikam"));
    assert_eq!(signing.label, Some(Label::parse("of March").unwrap()));
    assert_eq!((signing.friendly_name.as_str(), &signing.client_id), ("app 0", client.id()));

    let notices = market.notices(&(day(24)..day(26)), 10);
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].expiry, *signing);
}

#[test]
fn the_ends_of_one_client_come_in_their_order() {
    let mut client = client(&lasting(100));
    let desk = Desk::owner().allowing_unlimited();
    let secrets = [
        (lasting(300), 10),
        (lasting(50), 11),
        (lasting(100), 12),
        (NewSecret::lasting(Lifetime::Unlimited), 13),
    ];
    for (new, seed) in secrets {
        let client_secret = Seeded::new(seed).client_secret();
        client = into_client(client.add_secret(&new, &client_secret, &desk.at(start())).unwrap());
    }
    let ends = |span| {
        let expiries = client.expiries(&span, &LastUses::default(), start());
        expiries.iter().map(|expiry| expiry.secret.number()).collect::<Vec<_>>()
    };
    assert_eq!(ends(all()), [3, 1, 4, 2]);
    assert_eq!(ends(day(50)..day(100)), [3]);
    assert_eq!(ends(later(day(50), 1)..day(300)), [1, 4]);
    let notices = client.notices(&(day(43)..day(100)), &LastUses::default(), start());
    let found: Vec<_> = notices.iter().map(|n| (n.expiry.secret.number(), n.days.count())).collect();
    assert_eq!(found, [(3, 7), (3, 1), (1, 30), (1, 15), (1, 7), (1, 1), (4, 30), (4, 15), (4, 7), (4, 1)]);
}

#[test]
fn rule_15_a_seller_is_told_of_its_own() {
    let mut market = Market::new();
    let _ours = market.register(0, lasting(100));
    let _theirs = market.register(1, lasting(100));
    assert_eq!(market.notices(&all(), 10).len(), 12);
    for (seller, name) in [(0, "contoso"), (1, "fabrikam")] {
        let notices = market.notices_of(seller, &all(), 10);
        assert_eq!(notices.len(), 6);
        assert!(notices.iter().all(|notice| notice.expiry.owner.as_str() == name));
    }
}

#[test]
fn ends_of_the_calendar_are_harmless() {
    let mut market = Market::new();
    let _issued = market.register(0, lasting(100));
    let edge = later(Timestamp::MAX, -1);
    for window in
        [edge..Timestamp::MAX, Timestamp::MIN..later(Timestamp::MIN, 1), Timestamp::MAX..Timestamp::MIN]
    {
        assert_eq!(market.notices(&window, 10), []);
        assert_eq!(market.expiries(&window, 10), []);
        assert_eq!(market.notices_of(0, &window, 10), []);
    }
    assert_eq!(market.notices(&all(), 10).len(), 6);
    assert_eq!(market.expiries(&all(), 10).len(), 1);
    // One that ends with the calendar has its notices in it.
    let (from, until) = (start(), edge);
    let millis = u64::try_from(until.as_millis() - from.as_millis()).unwrap();
    let whole_days = u32::try_from(millis / (24 * 60 * 60 * 1000)).unwrap();
    let _ = block_on(market.client(0).add_secret(lasting(whole_days))).unwrap();
    assert_eq!(market.notices(&all(), 10).len(), 12);
    assert_eq!(secret_id(2), market.expiries(&(day(200)..Timestamp::MAX), 10)[0].secret);
}
