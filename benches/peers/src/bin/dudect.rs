//! Whether the time of authenticating tells what must stay secret: where a secret stands, what it differs in, why it is denied.

use std::hint::black_box;
use std::process::ExitCode;

use client_registry::clock::ManualClock;
use client_registry::{AccessError, Days, Lifetime, NewSecret, Registry};
use client_registry_peers::arguments::Arguments;
use client_registry_peers::clients::{Seeded, details, policy, ready};
use client_registry_peers::floor::password::Passwords;
use client_registry_peers::leaks::{Finding, compare};
use client_registry_peers::machine;

fn main() -> ExitCode {
    let arguments = Arguments::read(USAGE, &["--samples"]);
    let samples = arguments.number("--samples", if arguments.quick { 100_000 } else { 1_000_000 });
    machine::print();
    println!("{:<66} {:>9} {:>9} {:>9}  verdict", "classes", "t", "by", "of");
    let world = World::new();
    let mut verdicts = Verdicts { arguments, is_wrong: false };
    control(samples, &mut verdicts);
    positions(&world, samples, &mut verdicts);
    outcomes(&world, samples, &mut verdicts);
    if verdicts.is_wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// What is expected of a pair of classes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    Seen,
    NotSeen,
    /// The answer itself, or a client ID, is no secret.
    Either,
}

struct Verdicts {
    arguments: Arguments,
    is_wrong: bool,
}

impl Verdicts {
    fn judge(&mut self, classes: &str, expected: Expected, measure: impl FnOnce() -> Finding) {
        if !self.arguments.selects(classes) {
            return;
        }
        let finding = measure();
        let seen = if finding.is_seen() { "seen" } else { "not seen" };
        let verdict = match expected {
            Expected::Either => format!("{seen}, for information"),
            Expected::Seen if finding.is_seen() => format!("{seen}, as it must be"),
            Expected::NotSeen if !finding.is_seen() => format!("{seen}, as it must be"),
            Expected::Seen | Expected::NotSeen => {
                self.is_wrong = true;
                format!("{seen}: NOT MET")
            }
        };
        let Finding { t, difference, time } = finding;
        println!("{classes:<66} {t:>9.1} {difference:>6.1} ns {time:>6.0} ns  {verdict}");
    }
}

/// A comparison that stops at the first difference: what this program must be able to see.
fn control(samples: usize, verdicts: &mut Verdicts) {
    let (id, secret) =
        ("0d0e2c5c-5c39-4d5b-9f3a-3c1b1f1d2a10", "crs_0123456789012345678901234567890123456789012345678");
    let floor = Passwords::<1>::default();
    floor.insert(id, &[secret]);
    let authenticate = |id: &str, presented: &str| {
        let is_known = floor.authenticate(id, presented).is_some();
        let compared =
            presented.bytes().zip(secret.bytes()).take_while(|(one, other)| black_box(one) == other);
        let is_equal = compared.count() == secret.len();
        is_known && is_equal
    };
    let [early, late] = [differing(secret, 0), differing(secret, secret.len() - 1)];
    verdicts.judge("control: differs in the first / last character, early exit", Expected::Seen, || {
        compare(samples, [(id, &early), (id, &late)], authenticate)
    });
}

fn positions(world: &World, samples: usize, verdicts: &mut Verdicts) {
    let pair = |one: (&str, &str), other: (&str, &str)| {
        compare(samples, [one, other], |id, secret| world.present((id, secret)))
    };
    let (id, secrets) = (&*world.five.0, &world.five.1);
    verdicts.judge("the same input in both classes", Expected::NotSeen, || {
        pair((id, &secrets[0]), (id, &secrets[0]))
    });
    verdicts.judge("a right secret: the first / the last of five", Expected::NotSeen, || {
        pair((id, &secrets[0]), (id, &secrets[4]))
    });
    let [early, late] = [differing(&secrets[0], 4), differing(&secrets[0], 46)];
    verdicts.judge("a wrong secret: differs in the first / last character", Expected::NotSeen, || {
        pair((id, &early), (id, &late))
    });
    let [near, far] = [differing(&secrets[4], 4), world.other.1[0].clone()];
    // What a text looks like, its sender knows.
    verdicts.judge("a wrong secret: one character off / of another client", Expected::Either, || {
        pair((id, &near), (id, &far))
    });
    let other = &*world.other.0;
    verdicts.judge("a right secret: of one client / of another one", Expected::NotSeen, || {
        pair((other, &world.other.1[0]), (&world.third.0, &world.third.1[0]))
    });
    // The table bounds what more secrets cost.
    verdicts.judge("a wrong secret: of a client with one / five secrets", Expected::Either, || {
        pair((other, &near), (id, &near))
    });
}

fn outcomes(world: &World, samples: usize, verdicts: &mut Verdicts) {
    // Well formed, so that it is not explained as a slip.
    let (id, wrong) = (&*world.five.0, world.other.1[0].clone());
    let unknown = "11111111-1111-4111-8111-111111111111";
    let cases: [(&str, Expected, (&str, &str)); 7] = [
        ("ended", Expected::NotSeen, (&world.ended.0, &world.ended.1[0])),
        ("disabled", Expected::NotSeen, (&world.disabled.0, &world.disabled.1[0])),
        ("deleted", Expected::NotSeen, (&world.removed.0, &world.removed.1[0])),
        ("suspended", Expected::NotSeen, (&world.suspended.0, &world.suspended.1[0])),
        ("unknown client ID", Expected::Either, (unknown, &wrong)),
        ("malformed client ID", Expected::Either, ("11111111_1111_4111_8111_111111111111", &wrong)),
        ("right", Expected::Either, (id, &world.five.1[0])),
    ];
    for (case, expected, presented) in cases {
        let own = if expected == Expected::Either { id } else { presented.0 };
        verdicts.judge(&format!("an outcome: wrong / {case}"), expected, || {
            compare(samples, [(own, &wrong), presented], |id, secret| world.present((id, secret)))
        });
    }
}

/// A text that differs in one character, which its checksum shows as well.
fn differing(text: &str, position: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    bytes[position] = if bytes[position] == b'7' { b'8' } else { b'7' };
    String::from_utf8(bytes).unwrap()
}

/// Clients in every state, and what they present.
struct World {
    registry: Registry,
    five: (String, Vec<String>),
    other: (String, Vec<String>),
    third: (String, Vec<String>),
    ended: (String, Vec<String>),
    disabled: (String, Vec<String>),
    removed: (String, Vec<String>),
    suspended: (String, Vec<String>),
}

impl World {
    fn new() -> Self {
        let clock = ManualClock::new("2026-03-01T09:00:00Z".parse().unwrap());
        let builder = Registry::builder().entropy(Seeded::default()).policy(policy()).clock(clock.clone());
        let registry = builder.last_use_interval(Days::new(3_650)).in_memory();
        let contoso = registry.as_seller("contoso").unwrap();
        let mut number = 0;
        let mut client = |lifetimes: &[Lifetime]| {
            number += 1;
            let first = ready(contoso.register(details(number), lifetimes[0])).unwrap();
            let handle = contoso.client(first.client_id());
            let mut secrets = vec![first.client_secret().expose().to_owned()];
            for lifetime in &lifetimes[1..] {
                let next = ready(handle.add_secret(NewSecret::lasting(*lifetime))).unwrap();
                secrets.push(next.client_secret().expose().to_owned());
            }
            (handle, (first.client_id().as_str().to_owned(), secrets), first.secret_id())
        };
        let year = Lifetime::OneYear;
        let (_, five, _) = client(&[year; 5]);
        let (_, other, _) = client(&[year]);
        let (_, third, _) = client(&[year]);
        let (_, ended, _) = client(&[Lifetime::Days(Days::new(1)), year]);
        let (of_disabled, disabled, secret) = client(&[year; 2]);
        let plan = ready(of_disabled.plan_disabling(secret)).unwrap();
        ready(of_disabled.confirm(plan)).unwrap();
        let (of_removed, removed, secret) = client(&[year; 2]);
        let plan = ready(of_removed.plan_deletion(secret)).unwrap();
        ready(of_removed.confirm(plan)).unwrap();
        let (of_suspended, suspended, _) = client(&[year]);
        ready(of_suspended.suspend()).unwrap();
        clock.advance(Days::new(2));
        let world = Self { registry, five, other, third, ended, disabled, removed, suspended };
        for (what, is_let_in) in [
            (&world.five, true),
            (&world.other, true),
            (&world.third, true),
            (&world.ended, false),
            (&world.disabled, false),
            (&world.removed, false),
            (&world.suspended, false),
        ] {
            assert_eq!(world.present((&what.0, &what.1[0])).is_ok(), is_let_in);
        }
        world
    }

    #[inline]
    fn present(&self, (id, secret): (&str, &str)) -> Result<client_registry::Authenticated, AccessError> {
        ready(self.registry.authenticate(id, secret))
    }
}

const USAGE: &str = "dudect [--samples N] [--quick] [PART OF THE NAME OF TWO CLASSES]...

Measures pairs of classes N times (a million) and says whether the time tells them apart: |t| > 10 and by more than a hundredth of the
time. Fails if a pair is seen that must not be, or the control is not.";
