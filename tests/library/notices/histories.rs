//! Random histories under random windows: each notice comes exactly once, in the window that its moment lies in.

mod world;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use world::World;

const DAYS: [u32; 6] = [90, 60, 30, 15, 7, 1];

#[derive(Debug, Clone, Copy)]
enum Command {
    Register {
        seller: usize,
        lasting: u32,
    },
    Add {
        client: u8,
        lasting: u32,
        starts_in: u32,
    },
    Rotate {
        client: u8,
        overlap: u32,
        lasting: u32,
    },
    Disable {
        client: u8,
        secret: u8,
    },
    Enable {
        client: u8,
        secret: u8,
    },
    Delete {
        client: u8,
        secret: u8,
    },
    /// The latest rotation is called off.
    CallOff {
        client: u8,
    },
    MoveEnd {
        client: u8,
        secret: u8,
        days: u32,
    },
    /// A window ends, and what fell due in it is asked for.
    Ask {
        limit: usize,
    },
}

#[derive(Debug, Clone, Copy)]
enum Wait {
    No,
    Days(u32),
    Millis(u32),
    /// Until the n-th moment to come at which a notice falls due or a secret ends, or a millisecond before or after.
    Moment(u8, i8),
}

/// What is wrong with how the windows are asked for, to show that it is noticed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// The end of a window belongs to it.
    Closed,
    /// Neither end of a window belongs to it.
    Open,
    /// Each window begins where the last one began.
    StartForgotten,
}

#[test]
fn each_notice_is_given_once_whatever_the_windows() {
    check(2_000, Fault::None).unwrap();
}

#[test]
fn a_wrong_window_is_noticed() {
    for fault in [Fault::Closed, Fault::Open, Fault::StartForgotten] {
        check(400, fault).unwrap_err();
    }
}

fn check(cases: u32, fault: Fault) -> Result<(), String> {
    let config = Config { cases, max_shrink_iters: 500, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[6; 32]));
    let strategy = (
        prop::collection::vec((wait(), command()), 1..24),
        prop::collection::vec((any::<prop::sample::Index>(), -1i64..=1), 0..12),
    );
    let result = runner.run(&strategy, |(steps, cuts)| {
        let mut world = World::new(fault);
        for (wait, command) in steps {
            world.now = world.resolve(wait);
            world.market.go_to(world.now);
            world.give(command)?;
        }
        world.ask(3)?;
        world.cut_up(&cuts)?;
        world.report()
    });
    result.map_err(|error| error.to_string())
}

fn wait() -> impl Strategy<Value = Wait> {
    prop_oneof![
        3 => Just(Wait::No),
        1 => (1u32..40).prop_map(Wait::Days),
        1 => (1u32..3).prop_map(Wait::Millis),
        6 => (0u8..5, -1i8..=1).prop_map(|(number, delta)| Wait::Moment(number, delta)),
    ]
}

fn command() -> impl Strategy<Value = Command> {
    let days = || prop_oneof![1u32..130, prop::sample::select(&DAYS[..])];
    prop_oneof![
        2 => (0usize..2, days()).prop_map(|(seller, lasting)| Command::Register { seller, lasting }),
        3 => (0u8..4, days(), 0u32..20)
            .prop_map(|(client, lasting, starts_in)| Command::Add { client, lasting, starts_in }),
        2 => (0u8..4, days(), days())
            .prop_map(|(client, overlap, lasting)| Command::Rotate { client, overlap, lasting }),
        1 => (0u8..4, 0u8..6).prop_map(|(client, secret)| Command::Disable { client, secret }),
        2 => (0u8..4, 0u8..6).prop_map(|(client, secret)| Command::Enable { client, secret }),
        1 => (0u8..4, 0u8..6).prop_map(|(client, secret)| Command::Delete { client, secret }),
        2 => (0u8..4).prop_map(|client| Command::CallOff { client }),
        2 => (0u8..4, 0u8..6, days())
            .prop_map(|(client, secret, days)| Command::MoveEnd { client, secret, days }),
        8 => (1usize..6).prop_map(|limit| Command::Ask { limit }),
    ]
}
