//! Each finding in a state that has it, and in the nearest one that does not. What is expected is all that is found.

mod ending;
mod uses;

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
