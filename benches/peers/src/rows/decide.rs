//! Deciding on a client with five secrets: the core alone, beside a copy of the data and for each event its JSON and the hash of
//! that.

use client_registry::client::{Client, CommandContext, Decision, LastUses};
use client_registry::value::Actor;
use client_registry::{
    Availability, ClientId, ClientSecret, Days, Lifetime, NewSecret, Policy, Rotation, SecretId, SellerId,
    Timestamp,
};

use crate::clients::{Seeded, details, next};
use crate::floor::aggregate::Plain;
use crate::report::Aim::None as NoAim;
use crate::report::Report;

pub fn measure(report: &mut Report) {
    let policy = Policy::default().with_max_secrets(8).unwrap();
    let seller = SellerId::parse("contoso").unwrap();
    let actor = Actor::Seller(seller.clone());
    let entropy = Seeded::default();
    let client_secret = || ClientSecret::generate(&Policy::default(), &entropy).unwrap();
    let new = NewSecret::lasting(Lifetime::OneYear);
    let [first_day, today] =
        ["2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z"].map(|day| day.parse::<Timestamp>().unwrap());
    let context = CommandContext { actor: &actor, policy: &policy, now: first_day };
    let id = ClientId::parse("0d0e2c5c-5c39-4d5b-9f3a-3c1b1f1d2a10").unwrap();
    let registered =
        Client::register(id, seller, details(1), Availability::Worldwide, &new, &client_secret(), &context);
    let mut client = next(registered.unwrap());
    for _ in 1..5 {
        client = next(client.add_secret(&new, &client_secret(), &context).unwrap());
    }

    let context = CommandContext { now: today, ..context };
    let (fresh, rotation, third) =
        (client_secret(), Rotation::overlap(Days::new(30)), SecretId::new(3).unwrap());
    let mut beside = |name: &str, command: &dyn Fn() -> Decision| {
        if report.wants(name) {
            let plain = Plain::of(&client);
            let (_, events) = command().change().unwrap().into_parts();
            let row = report.row(name).ours(command).floor(NoAim, || plain.change(&events));
            report.measure(row);
        }
    };
    beside("decide: add a secret", &|| client.add_secret(&new, &fresh, &context).unwrap());
    beside("decide: rotate", &|| client.rotate(&rotation, &fresh, &LastUses::default(), &context).unwrap());
    beside("decide: promote", &|| client.promote(third, &context).unwrap());
    // A plan has no events: its floor is the copy alone.
    let name = "decide: plan a deletion";
    if report.wants(name) {
        let (plain, uses) = (Plain::of(&client), LastUses::default());
        let row = report.row(name).ours(|| client.plan_deletion(third, &uses, &context).unwrap());
        let row = row.floor(NoAim, || plain.change(&[]));
        report.measure(row);
    }
}
