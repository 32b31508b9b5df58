//! Findings about ends: secrets that end soon, together, or ended long ago, and signing that ends with them.

use std::slice::from_ref;

use client_registry::value::Validity;
use client_registry::{Days, Finding, Policy};

use super::{Reviewed, between, day, ends_soon, lasting, only_one, password};
use crate::support::{later, secret_id, start};

#[test]
fn rule_04_no_secret_is_valid() {
    let one = Reviewed::with(&[lasting(10)]);
    assert_eq!(one.at(later(day(10), -1)), [ends_soon(1, day(10), None)]);
    assert_eq!(one.at(day(10)), [Finding::NoValidSecret { until: None }]);

    let two = Reviewed::with(&[lasting(10), between(12, 900)]);
    assert_eq!(two.at(day(10)), [Finding::NoValidSecret { until: Some(day(12)) }]);
    assert_eq!(two.at(day(12)), [only_one(2)]);
}

#[test]
fn rule_06_nothing_signs_although_something_should() {
    let passwords = [password(lasting(500)), password(lasting(900))];
    let with_signer = |signer| Reviewed::with(&[signer, passwords[0].clone(), passwords[1].clone()]);
    let ends = with_signer(lasting(100));
    assert_eq!(ends.at(day(60)), [Finding::MoreThanRecommended { valid: 3 }]);
    let nothing = Finding::NoSigningSecret { until: None };
    assert_eq!(ends.at(day(100)), from_ref(&nothing));
    // Ended long ago by now, and nothing signs all the same.
    let ended = Finding::EndedLongAgo { secret: secret_id(1), ended: day(100) };
    assert_eq!(ends.at(day(107)), [nothing, ended]);

    let starts = with_signer(between(50, 450));
    assert_eq!(starts.at(day(40)), [Finding::NoSigningSecret { until: Some(day(50)) }]);
    assert_eq!(starts.at(day(50)), [Finding::MoreThanRecommended { valid: 3 }]);
    // All passwords by choice.
    assert_eq!(Reviewed::with(&passwords).at(start()), []);
    // Where nothing is valid, that says it all.
    assert_eq!(Reviewed::with(&[lasting(10)]).at(day(10)), [Finding::NoValidSecret { until: None }]);
}

#[test]
fn rule_06_signing_ends_before_a_successor_starts() {
    let gap = Finding::SigningGap {
        secret: secret_id(1),
        from: day(400),
        until: later(day(400), 1),
        successor: secret_id(2),
    };
    let late = lasting(800).starting(later(day(400), 1));
    let apart = Reviewed::with(&[lasting(400), late.clone()]);
    assert_eq!(apart.at(start()), [gap.clone(), only_one(1)]);
    // Soon, and the gap says all that there is to say about its end.
    assert_eq!(apart.at(day(370)), from_ref(&gap));
    let seamless = Reviewed::with(&[lasting(400), between(400, 1200)]);
    assert_eq!(seamless.at(start()), [only_one(1)]);
    assert_eq!(seamless.at(day(370)), [ends_soon(1, day(400), Some(2)), only_one(1)]);

    // Passwords alone do not fill it, one that can sign does.
    let passwords = Reviewed::with(&[lasting(400), late.clone(), password(lasting(900))]);
    assert_eq!(passwords.at(start()), [gap]);
    let filled = Reviewed::with(&[lasting(400), late, between(350, 500)]);
    assert_eq!(filled.at(start()), [only_one(1)]);
    // That a password ends at the same moment is another matter.
    let later_gap = Finding::SigningGap {
        secret: secret_id(1),
        from: day(400),
        until: day(405),
        successor: secret_id(2),
    };
    let with_password = Reviewed::with(&[lasting(400), between(405, 900), password(lasting(400))]);
    assert_eq!(with_password.at(day(380)), [later_gap, ends_soon(3, day(400), None)]);
    // Nothing signs after it: it ends, and that is all.
    assert_eq!(Reviewed::with(&[lasting(400), password(lasting(900))]).at(start()), []);
}

#[test]
fn several_end_together() {
    // The second begins a millisecond late: one of 401 days ends that much more than a day after one of 400.
    let now = later(start(), 1);
    let second = |days| lasting(days).starting(now);
    let together = |days, last| {
        let reviewed = Reviewed::with(&[lasting(400), second(days)]);
        let secrets = vec![secret_id(1), secret_id(2)];
        let first = day(400).min(last);
        (reviewed, Finding::SeveralEndTogether { secrets, first, last })
    };
    let (reviewed, finding) = together(400, later(day(400), 1));
    assert_eq!(reviewed.at(now), from_ref(&finding));
    // Soon, it still says it all.
    assert_eq!(reviewed.at(day(399)), [finding]);
    // Once one of them is left, it is not several that end.
    assert_eq!(reviewed.at(day(400)), [ends_soon(2, later(day(400), 1), None)]);
    let exactly_a_day = Reviewed::with(&[lasting(400), lasting(401)]);
    let secrets = vec![secret_id(1), secret_id(2)];
    let finding = Finding::SeveralEndTogether { secrets, first: day(400), last: day(401) };
    assert_eq!(exactly_a_day.at(start()), [finding]);
    assert_eq!(together(401, later(day(401), 1)).0.at(now), []);
    // Another one goes on, from before their end or from it on.
    for from in [300, 401] {
        let goes_on = Reviewed::with(&[lasting(400), lasting(401), between(from, 900)]);
        assert_eq!(goes_on.at(start()), []);
    }
    // A disabled one does not end together with anything.
    for (disabled, left) in [(2, 1), (1, 2)] {
        let reviewed = Reviewed::with(&[lasting(400), lasting(401)]).disabled(disabled, day(1));
        assert_eq!(reviewed.at(day(1)), [only_one(left)]);
    }
}

#[test]
fn a_secret_ends_soon_from_thirty_days_before_on() {
    let reviewed = Reviewed::with(&[lasting(400), lasting(800)]);
    assert_eq!(reviewed.at(later(day(370), -1)), []);
    assert_eq!(reviewed.at(day(370)), [ends_soon(1, day(400), Some(2))]);
    assert_eq!(reviewed.at(day(400)), [only_one(2)]);
    // What does not last for more than a day takes nobody's place.
    let short = Reviewed::with(&[lasting(400), between(390, 401), between(402, 900)]);
    let gap = |secret| Finding::SigningGap {
        secret: secret_id(secret),
        from: day(401),
        until: day(402),
        successor: secret_id(3),
    };
    assert_eq!(short.at(day(395)), [gap(2), ends_soon(1, day(400), None)]);
    // A password takes the place of a password, not of a signing secret.
    let password_left = Reviewed::with(&[lasting(400), password(lasting(900))]);
    assert_eq!(password_left.at(day(380)), [ends_soon(1, day(400), None)]);
    let signer_left = Reviewed::with(&[password(lasting(400)), lasting(900)]);
    assert_eq!(signer_left.at(day(380)), [ends_soon(1, day(400), Some(2))]);
    // A rotation leaves the new one in its place.
    let rotated = Reviewed::with(&[lasting(800)]).rotated(20, start()).used(2, start());
    assert_eq!(rotated.at(start()), [ends_soon(1, day(20), Some(2))]);
}

#[test]
fn rule_09_a_secret_ended_long_ago_and_can_be_deleted() {
    let with = || Reviewed::with(&[lasting(10), lasting(400), lasting(800)]);
    let ended = Finding::EndedLongAgo { secret: secret_id(1), ended: day(10) };
    assert_eq!(with().at(later(day(17), -1)), []);
    assert_eq!(with().at(day(17)), from_ref(&ended));
    // Used before its end, but under this policy not long ago.
    let slow = Policy::default().with_retire_after(Days::new(14));
    let reviewed = with().used(1, day(9));
    assert_eq!(reviewed.client.review(&reviewed.uses, &slow, day(17)), []);
    assert_eq!(reviewed.client.review(&reviewed.uses, &slow, day(23)), [ended]);
    // What it says can be done.
    let plan = reviewed.client.plan_deletion(secret_id(1), &reviewed.uses, &reviewed.desk.at(day(17)));
    assert_eq!(plan.unwrap().obstacles(), []);

    // One that was imported ended counts as used at its import.
    let validity = Validity::new(later(start(), -1), Some(start())).unwrap();
    let imported = Reviewed::with(&[lasting(400), lasting(800)]).importing(validity, day(20));
    assert_eq!(imported.at(later(day(27), -1)), []);
    let ended = Finding::EndedLongAgo { secret: secret_id(3), ended: start() };
    assert_eq!(imported.at(day(27)), [ended]);
}
