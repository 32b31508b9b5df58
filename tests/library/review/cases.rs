//! Each finding in a state that has it, and in the nearest one that does not. What is expected is all that is found.

use std::slice::from_ref;

use client_registry::client::{Client, LastUses};
use client_registry::review::Severity;
use client_registry::value::Validity;
use client_registry::{
    ClientDetails, Days, Finding, Lifetime, NewSecret, Policy, Purpose, Rotation, Timestamp,
};

use crate::support::{
    Desk, Seeded, add_in, changed, days_later, foreign, into_client, later, secret_id, start,
};

/// A client that an add-in uses, with the last uses of its secrets.
struct Reviewed {
    client: Client,
    desk: Desk,
    uses: LastUses,
    entropy: Seeded,
}

/// The instant that many days after the start.
fn day(count: u32) -> Timestamp {
    days_later(start(), count)
}

fn lasting(days: u32) -> NewSecret {
    NewSecret::lasting(Lifetime::Days(Days::new(days)))
}

/// A secret that starts and ends at the ends of these days.
fn between(from: u32, until: u32) -> NewSecret {
    lasting(until - from).starting(day(from))
}

fn password(new: NewSecret) -> NewSecret {
    new.for_purpose(Purpose::PasswordOnly)
}

impl Reviewed {
    /// A client with these secrets, added at the start and used then.
    fn with(secrets: &[NewSecret]) -> Self {
        let mut reviewed = Self::unused(secrets);
        for number in 1..=u32::try_from(secrets.len()).unwrap() {
            reviewed.uses.note(secret_id(number), start());
        }
        reviewed
    }

    fn unused(secrets: &[NewSecret]) -> Self {
        let (entropy, desk) = (Seeded::new(21), Desk::owner().allowing_secrets(8));
        let client = crate::support::registered(&secrets[0], &entropy, &desk, start());
        let client = into_client(client.associate(&add_in(1), &desk.at(start())).unwrap());
        let mut reviewed = Self { client, desk, uses: LastUses::default(), entropy };
        for new in &secrets[1..] {
            let client_secret = reviewed.entropy.client_secret();
            let added = reviewed.client.add_secret(new, &client_secret, &reviewed.desk.at(start()));
            reviewed.client = into_client(added.unwrap());
        }
        reviewed
    }

    fn used(mut self, secret: u32, at: Timestamp) -> Self {
        self.uses.note(secret_id(secret), at);
        self
    }

    fn disabled(mut self, secret: u32, at: Timestamp) -> Self {
        let (uses, context) = (LastUses::default(), self.desk.at(at));
        let plan = self.client.plan_disabling(secret_id(secret), &uses, &context).unwrap();
        self.client = into_client(self.client.confirm(&plan, &uses, &context).unwrap());
        self
    }

    fn importing(mut self, validity: Validity, at: Timestamp) -> Self {
        let imported = foreign(1, validity);
        self.client = into_client(self.client.import_secret(&imported, &self.desk.at(at)).unwrap());
        self
    }

    fn rotated(mut self, overlap: u32, at: Timestamp) -> Self {
        let rotation = Rotation::overlap(Days::new(overlap)).lasting(Lifetime::ThreeYears);
        let client_secret = self.entropy.client_secret();
        let rotated = self.client.rotate(&rotation, &client_secret, &self.uses, &self.desk.at(at)).unwrap();
        self.client = into_client(rotated);
        self
    }

    fn at(&self, t: Timestamp) -> Vec<Finding> {
        self.client.review(&self.uses, &Policy::default(), t)
    }
}

fn ends_soon(secret: u32, ends: Timestamp, successor: Option<u32>) -> Finding {
    Finding::EndsSoon { secret: secret_id(secret), ends, successor: successor.map(secret_id) }
}

fn only_one(secret: u32) -> Finding {
    Finding::OnlyOneValid { secret: secret_id(secret) }
}

#[test]
fn two_secrets_that_end_far_apart_are_as_they_should_be() {
    let reviewed = Reviewed::with(&[lasting(400), lasting(800)]);
    assert_eq!(reviewed.at(start()), []);
    assert_eq!(reviewed.at(later(day(370), -1)), []);
}

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

#[test]
fn the_redirect_url_lies_outside_the_app_domain() {
    let lies_outside = |domain: &str, url: &str| {
        let details = ClientDetails::new("calendar app", domain, url).unwrap();
        let policy = Policy::default().with_loopback_redirects().with_redirect_scheme("ms-app").unwrap();
        let mut reviewed = Reviewed::with(&[lasting(400), lasting(800)]);
        let desk = reviewed.desk.clone().under(policy.with_max_secrets(8).unwrap());
        reviewed.client =
            into_client(reviewed.client.change_details(details.clone(), &desk.at(start())).unwrap());
        let found = reviewed.at(start());
        let (redirect_url, app_domain) = (details.redirect_url().clone(), details.app_domain().clone());
        let outside = details.redirects_outside_domain();
        let expected = outside.then_some(Finding::RedirectOutsideDomain { redirect_url, app_domain });
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
        outside
    };
    for (domain, url) in [
        ("app.contoso.com", "https://app.contoso.com/"),
        ("app.contoso.com", "https://APP.Contoso.com"),
        ("App.Contoso.Com", "HTTPS://app.contoso.com:8443/done?x"),
        ("app.contoso.com:3333", "https://app.contoso.com/done"),
        ("app.contoso.com", "https://eu.app.contoso.com/done"),
        ("app.contoso.com", "https://app.contoso.com./done"),
        ("app.contoso.com", "http://localhost:1234/done"),
        ("app.contoso.com", "http://127.0.0.1/done"),
        ("app.contoso.com", "http://[::1]/done"),
        ("app.contoso.com", "ms-app://s-1-15-2-1234/"),
        ("app.contoso.com", "ms-app:done"),
    ] {
        assert!(!lies_outside(domain, url), "{domain} {url}");
    }
    for (domain, url) in [
        ("app.contoso.com", "https://contoso.com/done"),
        ("app.contoso.com", "https://fabrikam.com/app.contoso.com"),
        ("app.contoso.com", "https://my-app.contoso.com/done"),
        ("app.contoso.com", "https://app.contoso.com.fabrikam.com/done"),
        ("app.contoso.com", "https://fabrikam.com/?https://app.contoso.com"),
        ("app.contoso.com", "https://192.0.2.1/done"),
        ("contoso.com", "https://xn--contos-3va.com/done"),
    ] {
        assert!(lies_outside(domain, url), "{domain} {url}");
    }
}

#[test]
fn rule_04_an_import_may_be_longer_and_is_found() {
    let (secret, longest) = (secret_id(2), Lifetime::ThreeYears);
    let most = Lifetime::ThreeYears.starting(start()).unwrap().until().unwrap();
    let import = |until| {
        let validity = Validity::new(start(), until).unwrap();
        (Reviewed::with(&[lasting(800)]).importing(validity, start()), validity)
    };
    let imported = Finding::Imported { secret };
    assert_eq!(import(Some(most)).0.at(start()), from_ref(&imported));
    for until in [Some(later(most, 1)), None] {
        let (reviewed, validity) = import(until);
        let too_long = Finding::LivesTooLong { secret, validity, longest };
        assert_eq!(reviewed.at(start()), [too_long, imported.clone()]);
        // A rotation is what it asks for.
        let rotated = reviewed.rotated(40, start()).used(3, start());
        assert_eq!(rotated.at(day(1)), [Finding::MoreThanRecommended { valid: 3 }]);
    }
    // One that was added when more was allowed.
    let tighter = Policy::default().with_longest_lifetime(Lifetime::Days(Days::new(500)));
    let reviewed = Reviewed::with(&[lasting(500), lasting(501)]);
    let found = reviewed.client.review(&reviewed.uses, &tighter, start());
    let validity = reviewed.client.secret(secret).unwrap().validity();
    let longest = Lifetime::Days(Days::new(500));
    assert!(found.contains(&Finding::LivesTooLong { secret, validity, longest }));
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn rule_18_an_imported_secret_may_be_weak() {
    let validity = Validity::new(start(), Some(day(400))).unwrap();
    let reviewed = Reviewed::with(&[lasting(800)]).importing(validity, start());
    assert_eq!(reviewed.at(start()), [Finding::Imported { secret: secret_id(2) }]);
    assert_eq!(reviewed.at(day(400)), [only_one(1)]);
    let disabled = reviewed.disabled(2, day(1));
    assert_eq!(disabled.at(day(1)), [only_one(1)]);
}

#[test]
fn only_one_secret_is_valid() {
    assert_eq!(Reviewed::with(&[lasting(400)]).at(start()), [only_one(1)]);
    assert_eq!(Reviewed::with(&[lasting(400), between(1, 800)]).at(start()), [only_one(1)]);
    assert_eq!(Reviewed::with(&[lasting(400), between(1, 800)]).at(day(1)), []);
    // Its end says it all, as long as nothing takes its place.
    let one = Reviewed::with(&[lasting(400)]);
    assert_eq!(one.at(later(day(370), -1)), [only_one(1)]);
    assert_eq!(one.at(day(370)), [ends_soon(1, day(400), None)]);
}

#[test]
fn more_secrets_are_valid_than_recommended() {
    let three = Reviewed::with(&[lasting(400), lasting(600), between(5, 800)]);
    assert_eq!(three.at(later(day(5), -1)), []);
    assert_eq!(three.at(day(5)), [Finding::MoreThanRecommended { valid: 3 }]);
    assert_eq!(three.disabled(2, day(5)).at(day(5)), []);
}

#[test]
fn rule_01_no_add_in_uses_the_client_id() {
    let mut reviewed = Reviewed::with(&[lasting(400), lasting(800)]);
    assert_eq!(reviewed.at(start()), []);
    let dissociated = reviewed.client.dissociate(add_in(1).id(), &reviewed.desk.at(start())).unwrap();
    reviewed.client = into_client(dissociated);
    assert_eq!(reviewed.at(start()), [Finding::NotAssociated]);
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

#[test]
fn what_matters_most_comes_first() {
    let (entropy, desk) = (Seeded::new(3), Desk::owner());
    let client = crate::support::registered(&lasting(10), &entropy, &desk, start());
    let findings = client.review(&LastUses::default(), &Policy::default(), start());
    let severities: Vec<_> = findings.iter().map(Finding::severity).collect();
    assert_eq!(severities, [Severity::Warning, Severity::Warning, Severity::Info]);
    let findings = client.review(&LastUses::default(), &Policy::default(), day(10));
    let severities: Vec<_> = findings.iter().map(Finding::severity).collect();
    assert_eq!(severities, [Severity::Critical, Severity::Info]);
    let (_, events) = changed(client.associate(&add_in(1), &desk.at(start())).unwrap());
    assert_eq!(events.len(), 1, "a review changes nothing, and the client goes on");
}
