//! Findings about uses: secrets that are still presented, or never were.

use std::slice::from_ref;

use client_registry::Finding;
use client_registry::review::Severity;
use client_registry::value::Validity;

use super::{Reviewed, day, lasting, only_one, password};
use crate::support::{into_client, later, secret_id, start};

#[test]
fn rule_09_a_secret_that_is_refused_is_still_presented() {
    let with = |used| Reviewed::with(&[lasting(10), lasting(400), lasting(800)]).used(1, used);
    let still = |refused_since, last_used| {
        vec![Finding::StillPresented { secret: secret_id(1), refused_since, last_used }]
    };
    let used = day(12);
    assert_eq!(with(used).at(used), still(day(10), used));
    assert_eq!(with(used).at(later(day(19), -1)), still(day(10), used));
    let ended = Finding::EndedLongAgo { secret: secret_id(1), ended: day(10) };
    assert_eq!(with(used).at(day(19)), from_ref(&ended));
    // Presented in time, it was not refused.
    assert_eq!(with(day(10)).at(day(11)), still(day(10), day(10)));
    assert_eq!(with(later(day(10), -1)).at(day(11)), []);

    let disabled = Reviewed::with(&[lasting(300), lasting(400), lasting(800)]).disabled(1, day(3));
    assert_eq!(disabled.at(day(5)), []);
    assert_eq!(disabled.used(1, day(4)).at(day(5)), still(day(3), day(4)));
    // Disabled first, then ended: refused since the first of the two.
    let both = Reviewed::with(&[lasting(10), lasting(400), lasting(800)]).disabled(1, day(3));
    assert_eq!(both.used(1, day(4)).at(day(10)), still(day(3), day(4)));
}

#[test]
fn a_secret_signs_and_was_never_used() {
    let unused = Reviewed::unused(&[lasting(400), lasting(800)]);
    assert_eq!(unused.at(start()), [Finding::SignsUnused { secret: secret_id(1) }]);
    assert_eq!(unused.used(1, start()).at(start()), []);
    // The other one does not sign.
    let other = Reviewed::unused(&[lasting(400), lasting(800)]).used(2, start());
    assert_eq!(other.at(start()), [Finding::SignsUnused { secret: secret_id(1) }]);
    // An imported one counts as used at its import (rule 9).
    let imported = Reviewed::unused(&[password(lasting(800))])
        .importing(Validity::new(start(), Some(day(400))).unwrap(), start());
    assert_eq!(imported.at(start()), [Finding::Imported { secret: secret_id(2) }]);
}

/// What a caller that went away leaves behind: a secret that was issued and that nobody has.
#[test]
fn a_secret_came_by_a_rotation_and_was_never_used() {
    let never_used = |replaces: &[u32]| Finding::NeverUsed {
        secret: secret_id(2),
        issued: day(5),
        replaces: replaces.iter().copied().map(secret_id).collect(),
    };
    let rotated = Reviewed::unused(&[lasting(800)]).used(1, start()).rotated(60, day(5));
    assert_eq!(rotated.at(day(5)), [never_used(&[1])]);
    assert_eq!(never_used(&[1]).severity(), Severity::Warning);
    // As soon as it signs, that says more.
    let signs = Finding::SignsUnused { secret: secret_id(2) };
    assert_eq!(rotated.at(day(65)), [signs, only_one(2)]);
    let deleted = Reviewed {
        client: into_client(
            rotated.client.delete_in_emergency(secret_id(2), None, &rotated.desk.at(day(6))).unwrap().0,
        ),
        ..rotated
    };
    assert_eq!(deleted.at(day(6)), [only_one(1)]);
    let used = Reviewed::unused(&[lasting(800)]).used(1, start()).rotated(60, day(5)).used(2, day(5));
    assert_eq!(used.at(day(5)), []);
    // Nor is a rotation of passwords left out, or a registration: their secrets never sign.
    let first = Reviewed::unused(&[password(lasting(800))]);
    let issued = Finding::NeverUsed { secret: secret_id(1), issued: start(), replaces: vec![] };
    assert_eq!(first.at(start()), [issued, only_one(1)]);
    assert_eq!(first.used(1, start()).at(start()), [only_one(1)]);
}
