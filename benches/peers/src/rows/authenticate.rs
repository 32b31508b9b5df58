//! Authenticating from memory: 1,000 clients with one, two and five secrets, a million clients at random, and those who are
//! denied.

use std::hint::black_box;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use client_registry::AccessError;
use oxide_auth::primitives::registrar::{ClientMap, Registrar};

use crate::clients::{Platform, details, ready, seller_of};
use crate::floor::password::Passwords;
use crate::peers::oxide;
use crate::peers::prefixed::PrefixedKeys;
use crate::report::Aim::{AtMost, None as NoAim, Within};
use crate::report::Report;

pub fn measure(report: &mut Report) {
    few::<1>(report, "authenticate, 1 secret");
    few::<2>(report, "authenticate, 2 secrets");
    few::<5>(report, "authenticate, 5 secrets");
    more_secrets(report);
    denied(report);
    slow_hashes(report);
    million(report);
}

/// Everybody who presents the last secret is let in.
fn few<const SECRETS: usize>(report: &mut Report, name: &'static str) {
    if !report.wants(name) {
        return;
    }
    let (floor, mut oxide) = (Passwords::<SECRETS>::default(), oxide::with_sha256());
    let ours = Platform::new(CLIENTS, SECRETS, |id, texts| {
        floor.insert(id, texts);
        oxide::register(&mut oxide, id, texts.last().unwrap());
    });
    let prefixed = PrefixedKeys::new(CLIENTS);
    let (mut for_ours, mut for_floor, mut for_oxide) =
        (ours.presented.walk(), ours.presented.walk(), ours.presented.walk());
    let (mut for_prefixed, mut without_map) = (prefixed.presented.iter().cycle(), prefixed.presented.iter());
    let (key, hash) = (without_map.next().unwrap(), prefixed.hash_of(&prefixed.presented[0]));
    let row = report.row(name).ours(|| {
        let (id, secret) = for_ours.next().unwrap();
        ready(ours.registry.authenticate(id, secret)).unwrap()
    });
    let row = row.peer("oxide-auth, SHA-256 policy", AtMost(1.1), || {
        let (id, secret) = for_oxide.next().unwrap();
        oxide.check(id, Some(secret.as_bytes())).unwrap();
    });
    let row = row.peer("prefixed-api-key with its map", AtMost(0.75), || {
        assert!(prefixed.authenticate(for_prefixed.next().unwrap()));
    });
    let row = row.peer("prefixed-api-key without a map", NoAim, || {
        assert!(prefixed.check(black_box(key), black_box(hash)));
    });
    let mut for_coarse = ours.presented.walk();
    let row = row.peer("the floor, with the coarse clock", NoAim, || {
        let (id, secret) = for_coarse.next().unwrap();
        floor.authenticate_coarsely(id, secret).unwrap()
    });
    // With one secret the least of all; with more of them the floor hands out the client, too.
    let row = if SECRETS == 1 {
        row.floor(AtMost(1.25), || {
            let (id, secret) = for_floor.next().unwrap();
            floor.authenticate(id, secret).unwrap()
        })
    } else {
        row.floor(AtMost(1.25), || {
            let (id, secret) = for_floor.next().unwrap();
            floor.authenticate_shared(id, secret).unwrap()
        })
    };
    report.measure(row);
}

/// More secrets cost next to nothing.
fn more_secrets(report: &mut Report) {
    let name = "authenticate, 5 secrets beside 1";
    if !report.wants(name) {
        return;
    }
    let [one, five] = [1, 5].map(|secrets| Platform::new(CLIENTS, secrets, |_, _| ()));
    let (mut for_one, mut for_five) = (one.presented.walk(), five.presented.walk());
    let row = report.row(name).ours(|| {
        let (id, secret) = for_five.next().unwrap();
        ready(five.registry.authenticate(id, secret)).unwrap()
    });
    let row = row.peer("ours, 1 secret", AtMost(1.1), || {
        let (id, secret) = for_one.next().unwrap();
        ready(one.registry.authenticate(id, secret)).unwrap()
    });
    report.measure(row);
}

/// Those who are not let in cost as much as those who are.
fn denied(report: &mut Report) {
    let names = [
        "a wrong secret beside a right one",
        "an unknown client ID beside a right secret",
        "a malformed client ID beside a right secret",
        "a deleted client beside a right secret",
    ];
    if !report.wants_any(&names) {
        return;
    }
    if report.is_listing() {
        return names.iter().for_each(|name| println!("{name}"));
    }
    let ours = Platform::new(CLIENTS, 2, |_, _| ());
    let registry = &ours.registry;
    let deleted = {
        let contoso = registry.as_seller(seller_of(0)).unwrap();
        let issued = contoso.register(details(1_000_000), client_registry::Lifetime::OneYear);
        let issued = ready(issued).unwrap();
        let client = contoso.client(issued.client_id());
        let _ = ready(client.delete_in_emergency(issued.secret_id(), None)).unwrap();
        let plan = ready(client.plan_client_deletion()).unwrap();
        ready(client.confirm(plan)).unwrap();
        issued.client_id().as_str().to_owned()
    };
    for name in names {
        if !report.wants(name) {
            continue;
        }
        let (mut for_right, mut for_ours) = (ours.presented.walk(), ours.presented.walk());
        let mut others = ours.presented.walk_from(0.5);
        let right = || {
            let (id, secret) = for_right.next().unwrap();
            ready(registry.authenticate(id, secret)).unwrap()
        };
        let wrong = || -> AccessError {
            let (own, _) = for_ours.next().unwrap();
            let (_, secret) = others.next().unwrap();
            let id = match name {
                "a wrong secret beside a right one" => own,
                "an unknown client ID beside a right secret" => "00000000-0000-4000-8000-000000000000",
                "a malformed client ID beside a right secret" => "00000000_0000_4000_8000_000000000000",
                _ => &deleted,
            };
            ready(registry.authenticate(black_box(id), secret)).unwrap_err()
        };
        // The rule asks for it of a wrong secret; the others are shown.
        let aim = if name == names[0] { Within(0.05) } else { NoAim };
        let row = report.row(name).ours(wrong).peer("ours, a right secret", aim, right);
        report.measure(row);
    }
}

/// Hashes that are made for passwords that people choose.
fn slow_hashes(report: &mut Report) {
    let name = "authenticate, slow hashes";
    if !report.wants(name) {
        return;
    }
    let mut oxide: ClientMap = oxide::with_default();
    let ours = Platform::new(1, 1, |id, texts| oxide::register(&mut oxide, id, texts[0]));
    let (id, secret) = ours.presented.at(0);
    let argon2 = Argon2::default();
    let hash = argon2.hash_password(secret.as_bytes()).unwrap().to_string();
    let row = report.row(name).rounds(if report.is_quick() { 5 } else { 15 });
    let row = row.ours(|| ready(ours.registry.authenticate(black_box(id), secret)).unwrap());
    let row =
        row.peer("oxide-auth, default policy", NoAim, || oxide.check(id, Some(secret.as_bytes())).unwrap());
    let row = row.peer("argon2, defaults", NoAim, || {
        let hash = PasswordHash::new(&hash).unwrap();
        argon2.verify_password(secret.as_bytes(), &hash).unwrap();
    });
    report.measure(row);
}

/// Too many clients for the processor's caches.
fn million(report: &mut Report) {
    let name = "authenticate, a million clients at random";
    if !report.wants(name) {
        return;
    }
    let floor = Passwords::<2>::default();
    let ours = Platform::new(report.scaled(1_000_000, 50_000), 2, |id, texts| floor.insert(id, texts));
    let (mut for_ours, mut for_floor) = (ours.presented.walk_from(0.5), ours.presented.walk());
    let row = report.row(name).ours(|| {
        let (id, secret) = for_ours.next().unwrap();
        ready(ours.registry.authenticate(id, secret)).unwrap()
    });
    let row = row.floor(AtMost(1.3), || {
        let (id, secret) = for_floor.next().unwrap();
        floor.authenticate_shared(id, secret).unwrap()
    });
    report.measure(row);
}

const CLIENTS: usize = 1_000;
