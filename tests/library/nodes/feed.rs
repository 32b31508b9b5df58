//! The feed: what a node that follows it knows, and when; what it hides, and what becomes of a lost cursor.

use std::time::Duration;

use client_registry::event::{EventHash, check_trail};
use client_registry::store::{ClientsBy, Store};
use client_registry::*;
use pollster::block_on;

use super::{GONE, UNAVAILABLE, delete, two_nodes};
use crate::support::details;

/// The feed is followed from its end, and what was loaded before may have changed before that.
#[test]
fn what_was_deleted_before_the_feed_was_followed_is_known_as_soon_as_it_is() {
    block_on(async {
        let (here, there, issued) = two_nodes().await;
        assert_eq!(there.lets_in(&issued).await, Ok(()));
        delete(&here, &issued).await;
        let mut following = there.follow();
        following.poll();
        assert_eq!(there.lets_in(&issued).await, GONE);
    });
}

#[test]
fn who_follows_the_feed_knows_with_the_next_poll_and_does_not_load_again_what_nobody_changes() {
    block_on(async {
        let (here, there, issued) = two_nodes().await;
        let other = here.registry.as_seller("contoso").unwrap();
        let other = other.register(details("mail app"), Lifetime::OneYear).await.unwrap();
        let mut following = there.follow();
        following.poll();
        there.clock.advance(Duration::from_millis(1));
        assert_eq!(there.lets_in(&issued).await, Ok(()));
        assert_eq!(there.lets_in(&other).await, Ok(()));
        let loads = there.loads();
        for _ in 0..100 {
            there.clock.advance(Duration::from_millis(1250));
            following.poll();
            assert_eq!(there.lets_in(&issued).await, Ok(()));
        }
        assert_eq!(there.loads(), loads, "two minutes without a load");
        delete(&here, &issued).await;
        following.poll();
        assert_eq!(there.lets_in(&issued).await, GONE);
        assert_eq!(there.lets_in(&other).await, Ok(()));
        assert_eq!(there.loads(), loads + 1);
        // What it signs with and verifies follows as well.
        let signed = there.registry.sign(issued.client_id(), b"message").await;
        assert!(matches!(signed, Err(SignError::NoSigningSecret)), "{signed:?}");
        // Dropped, it is as it was without.
        drop(following);
        delete(&here, &other).await;
        assert_eq!(there.lets_in(&other).await, Ok(()));
        there.clock.advance(Duration::from_secs(5));
        assert_eq!(there.lets_in(&other).await, GONE);
    });
}

#[test]
fn a_lost_cursor_drops_everything_and_what_was_seen_of_it() {
    block_on(async {
        let (here, there, issued) = two_nodes().await;
        let backup = vec![there.wire.memory.load(issued.client_id().into()).await.unwrap().unwrap()];
        let mut following = there.follow();
        following.poll();
        there.clock.advance(Duration::from_millis(1));
        let client = here.registry.as_seller("contoso").unwrap().client(issued.client_id());
        client.change_details(details("calendar app 2")).await.unwrap();
        following.poll();
        assert_eq!(there.lets_in(&issued).await, Ok(()));

        // A backup is restored, and nobody says so: what was seen is not forgotten.
        there.wire.set(|state| state.set_back = Some(backup));
        there.clock.advance(Duration::from_secs(5));
        assert_eq!(there.lets_in(&issued).await, UNAVAILABLE);
        // The feed says so.
        there.wire.set(|state| state.cursor_lost = true);
        following.poll();
        assert_eq!(there.lets_in(&issued).await, Ok(()));
    });
}

/// Somebody who can write to the store hides the event of a deletion.
#[test]
fn a_change_that_the_feed_hides_is_known_after_ten_minutes_at_the_latest() {
    block_on(async {
        let (here, there, issued) = two_nodes().await;
        let mut following = there.follow();
        following.poll();
        assert_eq!(there.lets_in(&issued).await, Ok(()));
        let loads = there.loads();
        there.wire.set(|state| state.hides_events = true);
        delete(&here, &issued).await;
        let mut seconds = 0;
        while there.lets_in(&issued).await == Ok(()) {
            seconds += 1;
            assert!(seconds <= 600, "let in after ten minutes");
            there.clock.advance(Duration::from_secs(1));
            following.poll();
        }
        assert_eq!(there.lets_in(&issued).await, GONE);
        assert!(seconds >= 450, "the feed is believed so long: {seconds}");
        assert_eq!(there.loads(), loads + 1);
    });
}

/// The log hears of a feed that is lost again and again once a minute, and what is kept is not dropped again and again.
#[test]
fn a_feed_that_cannot_be_followed_is_told_once_a_minute() {
    let (here, there, issued) = block_on(two_nodes());
    let mut following = there.follow();
    following.poll();
    assert_eq!(block_on(there.lets_in(&issued)), Ok(()));
    there.wire.set(|state| state.cursor_lost = true);
    let ((), lines) = crate::support::logged(|| {
        for _ in 0..120 {
            following.poll();
            assert_eq!(block_on(there.lets_in(&issued)), Ok(()));
            there.clock.advance(Duration::from_secs(1));
        }
    });
    let warnings: Vec<_> = lines.iter().filter(|line| line.starts_with("WARN")).collect();
    assert_eq!(warnings.len(), 2, "{warnings:#?}");
    assert!(warnings[0].contains("begins anew"), "{warnings:#?}");
    assert!(warnings[1].contains("cannot be followed"), "{warnings:#?}");
    // A load each five seconds, not one each second.
    assert!(there.loads() < 40, "{}", there.loads());
    block_on(delete(&here, &issued));
    there.clock.advance(Duration::from_secs(5));
    assert_eq!(block_on(there.lets_in(&issued)), GONE);
}

#[test]
fn a_reader_of_the_feed_misses_nothing_and_goes_on_where_it_was() {
    block_on(async {
        let (here, there, issued) = two_nodes().await;
        let client = here.registry.as_seller("contoso").unwrap().client(issued.client_id());
        let mut follow = there.registry.follow(None);
        let mut from_now = there.registry.follow_from_now().await.unwrap();
        assert!(from_now.next(10).await.unwrap().is_empty());
        for number in 2..12 {
            client.change_details(details(&format!("calendar app {number}"))).await.unwrap();
        }
        let mut seen = vec![];
        loop {
            let events = follow.next(3).await.unwrap();
            let is_last = events.len() < 3;
            seen.extend(events);
            if is_last {
                break;
            }
            // The process stops, and another one goes on.
            let kept = serde_json::to_string(&follow.cursor()).unwrap();
            follow = there.registry.follow(serde_json::from_str(&kept).unwrap());
        }
        let head = client.snapshot().await.unwrap().client().head();
        check_trail(&seen, EventHash::START, head).unwrap();
        assert_eq!((seen.len(), from_now.next(100).await.unwrap().len()), (12, 10));
        let clients = there.registry.store().clients(ClientsBy::All, None, 10).await.unwrap();
        assert_eq!(clients, std::slice::from_ref(issued.client_id()));
    });
}
