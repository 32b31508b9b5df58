//! A receiver that accepts each message once: for how long it remembers, what it does when it is full, whom it gives a place.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use client_registry::clock::ManualClock;
use client_registry::webhooks::{WebhookError, WebhookHeaders, WebhookReceiver};
use client_registry::*;

use super::{KEY, headers_of, ring_at, signature};

/// A receiver under a clock set by hand, and what another implementation signs at this time.
struct Inbox {
    receiver: WebhookReceiver,
    clock: ManualClock,
}

impl Inbox {
    fn with_room(room: usize) -> Self {
        let (ring, clock) = ring_at(0);
        Self { receiver: WebhookReceiver::new(ring).remembering(room), clock }
    }

    /// A message that was signed this many seconds after now.
    fn signed(&self, id: &str, seconds: i64) -> WebhookHeaders {
        use client_registry::clock::Clock;
        let key = data_encoding::BASE64.decode(&KEY.as_bytes()[6..]).unwrap();
        let seconds = (self.clock.wall().as_secs() + seconds).to_string();
        headers_of(id, &seconds, &signature(&key, id, &seconds, b"body")).unwrap()
    }

    fn accepts(&self, headers: &WebhookHeaders) -> Result<(), WebhookError> {
        self.receiver.verify(headers, b"body").map(|_| ())
    }
}

#[test]
fn a_message_is_accepted_once_also_when_it_is_sent_again() {
    let inbox = Inbox::with_room(8);
    let message = inbox.signed("msg_1", 0);
    assert_eq!(inbox.accepts(&message), Ok(()));
    assert_eq!(inbox.accepts(&message), Err(WebhookError::Replayed));
    inbox.clock.advance(Duration::from_secs(200));
    assert_eq!(inbox.accepts(&message), Err(WebhookError::Replayed));
    assert_eq!(inbox.accepts(&inbox.signed("msg_1", 0)), Err(WebhookError::Replayed), "signed anew");
    assert_eq!(inbox.accepts(&inbox.signed("msg_2", 0)), Ok(()));
    assert_eq!(WebhookError::Replayed.kind(), ErrorKind::Conflict);
}

/// Whatever the timestamp of a message was: while it can be presented, it is remembered.
#[test]
fn a_message_is_remembered_for_as_long_as_it_can_be_presented() {
    for seconds in [-300, -1, 0, 1, 300] {
        let inbox = Inbox::with_room(8);
        let message = inbox.signed("msg_1", seconds);
        assert_eq!(inbox.accepts(&message), Ok(()));
        for _ in 0..1000 {
            inbox.clock.advance(Duration::from_secs(1));
            let again = inbox.accepts(&message);
            assert!(matches!(again, Err(WebhookError::Replayed | WebhookError::TooOld { .. })), "{again:?}");
        }
    }
}

/// A wall clock that jumps makes no receiver forget, and one that is set back by a minute lets nothing pass twice.
#[test]
fn jumps_of_the_wall_clock_let_no_message_pass_twice() {
    use client_registry::clock::Clock;
    let inbox = Inbox::with_room(8);
    let message = inbox.signed("msg_1", 300);
    assert_eq!(inbox.accepts(&message), Ok(()));
    let wall = inbox.clock.wall();
    inbox.clock.set_wall(wall.saturating_add(Days::new(30).into()).to_datetime());
    assert_eq!(inbox.accepts(&inbox.signed("msg_2", 0)), Ok(()));
    inbox.clock.set_wall(wall.to_datetime());
    assert_eq!(inbox.accepts(&message), Err(WebhookError::Replayed));
    inbox.clock.advance(Duration::from_secs(659));
    inbox.clock.set_wall(inbox.clock.wall().checked_sub(Duration::from_secs(60)).unwrap().to_datetime());
    assert_eq!(inbox.accepts(&message), Err(WebhookError::Replayed));
}

/// It never forgets early: new messages are refused until the earliest one is too old, and only those.
#[test]
fn a_receiver_that_is_full_refuses_and_forgets_nothing() {
    let inbox = Inbox::with_room(2);
    let [one, two] = ["msg_1", "msg_2"].map(|id| inbox.signed(id, 0));
    assert_eq!(inbox.accepts(&one), Ok(()));
    inbox.clock.advance(Duration::from_secs(60));
    assert_eq!(inbox.accepts(&two), Ok(()));
    assert_eq!(inbox.accepts(&inbox.signed("msg_3", 0)), Err(WebhookError::Full));
    assert_eq!(inbox.accepts(&one), Err(WebhookError::Replayed));
    assert_eq!(WebhookError::Full.kind(), ErrorKind::Unavailable);
    inbox.clock.advance(Duration::from_millis(599_999));
    assert_eq!(inbox.accepts(&inbox.signed("msg_3", 0)), Err(WebhookError::Full));
    inbox.clock.advance(Duration::from_millis(1));
    assert_eq!(inbox.accepts(&inbox.signed("msg_3", 0)), Ok(()));
    assert_eq!(inbox.accepts(&inbox.signed("msg_4", 0)), Err(WebhookError::Full));
    let none = Inbox::with_room(0);
    assert_eq!(none.accepts(&none.signed("msg_1", 0)), Err(WebhookError::Full));
}

/// An attacker without a key cannot fill it, nor keep a message out.
#[test]
fn a_message_that_is_not_verified_takes_no_place() {
    let inbox = Inbox::with_room(1);
    let message = inbox.signed("msg_1", 0);
    for number in 0..100 {
        let forged = headers_of(&format!("forged_{number}"), "1614265330", message.signatures()).unwrap();
        assert_eq!(inbox.accepts(&forged).unwrap_err().code(), "signature_mismatch");
    }
    assert!(inbox.receiver.verify(&message, b"another body").is_err());
    assert!(matches!(inbox.accepts(&inbox.signed("msg_1", -301)), Err(WebhookError::TooOld { .. })));
    assert_eq!(inbox.accepts(&message), Ok(()));
}

/// What the add-in could not process comes again, and its place is free meanwhile.
#[test]
fn a_message_that_is_forgotten_is_accepted_again() {
    let inbox = Inbox::with_room(1);
    let message = inbox.signed("msg_1", 0);
    for _ in 0..3 {
        assert_eq!(inbox.accepts(&message), Ok(()));
        assert_eq!(inbox.accepts(&message), Err(WebhookError::Replayed));
        inbox.receiver.forget(&message);
    }
    inbox.receiver.forget(&inbox.signed("msg_2", 0));
    assert_eq!(inbox.accepts(&message), Ok(()));
    // It is remembered from when it was accepted last.
    inbox.clock.advance(Duration::from_secs(200));
    inbox.receiver.forget(&message);
    assert_eq!(inbox.accepts(&message), Ok(()));
    inbox.clock.advance(Duration::from_secs(659));
    assert_eq!(inbox.accepts(&inbox.signed("msg_1", 0)), Err(WebhookError::Replayed));
}

#[test]
fn a_receiver_without_a_memory_accepts_a_message_again() {
    let inbox = Inbox::with_room(1);
    let plain = WebhookReceiver::new(ring_at(0).0);
    let message = inbox.signed("msg_1", 0);
    assert!(plain.verify(&message, b"body").is_ok() && plain.verify(&message, b"body").is_ok());
    plain.forget(&message);
    // The tolerance counts for the memory, in whichever order both are set.
    let receiver = WebhookReceiver::new(ring_at(0).0).remembering(1).tolerating(Duration::from_secs(900));
    assert!(receiver.verify(&message, b"body").is_ok());
    assert_eq!(receiver.verify(&message, b"body"), Err(WebhookError::Replayed));
}

#[test]
fn one_of_many_threads_gets_the_message() {
    let inbox = Inbox::with_room(64);
    let accepted = AtomicUsize::new(0);
    for round in 0..20 {
        let message = inbox.signed(&format!("msg_{round}"), 0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| accepted.fetch_add(inbox.accepts(&message).is_ok().into(), Ordering::Relaxed));
            }
        });
    }
    assert_eq!(accepted.load(Ordering::Relaxed), 20);
}
