//! A race: commands that run at once, and how they may end.
//!
//! They may end only as they could if they came one after the other. These ends are found by running the same commands
//! call by call, in every order.

use std::collections::BTreeSet;
use std::future::Future;
use std::io::Write as _;
use std::ops::ControlFlow;

use crate::interleavings::gates::Gates;
use crate::interleavings::schedule::{Order, Process, every_order};
use crate::interleavings::world::{World, ensure};

type Rule = Box<dyn Fn(&World, &[String]) -> Result<(), String>>;

/// Commands that run at once, each answering in words, and the rule that must hold when all are done.
#[derive(Default)]
pub(crate) struct Race {
    processes: Vec<Process<String>>,
    rules: Vec<Rule>,
}

impl Race {
    pub(crate) fn of(command: impl Future<Output = String> + 'static) -> Self {
        Self::default().against(command)
    }

    pub(crate) fn against(mut self, command: impl Future<Output = String> + 'static) -> Self {
        self.processes.push(Box::pin(command));
        self
    }

    /// So many answers contain this text.
    pub(crate) fn answers(self, count: usize, text: &'static str) -> Self {
        self.leaves(move |_, answers| {
            let found = answers.iter().filter(|answer| answer.contains(text)).count();
            ensure(found == count, &format!("{found} instead of {count} answers {text}"))
        })
    }

    pub(crate) fn leaves(mut self, rule: impl Fn(&World, &[String]) -> Result<(), String> + 'static) -> Self {
        self.rules.push(Box::new(rule));
        self
    }

    /// Runs the commands in this order, and answers with how they ended.
    fn run(self, world: &World, close: fn(&Gates), order: &mut Order) -> Result<String, String> {
        close(&world.gates);
        let answers = order.run(self.processes);
        world.gates.open();
        world.audit()?;
        self.rules.iter().try_for_each(|rule| rule(world, &answers))?;
        Ok(world.in_words(&answers.join("\n")) + &world.picture())
    }
}

/// Runs the race in every order: with a sound store it always ends as some order of whole calls does; with a store that
/// checks and then writes there is an order in which it does not.
pub(crate) fn in_every_order(name: &str, race: fn(&World) -> Race) {
    let allowed = ends_of_whole_calls(name, race);
    let orders = every_order(|order| match run_in(order, World::sound, race, &allowed) {
        Ok(()) => ControlFlow::Continue(()),
        Err(wrong) => panic!("{name}: in the order {order}: {wrong}"),
    });
    let mut caught = None;
    let planted = every_order(|order| match run_in(order, World::careless, race, &allowed) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => {
            caught = Some(order.to_string());
            ControlFlow::Break(())
        }
    });
    let caught =
        caught.unwrap_or_else(|| panic!("{name}: check-then-write goes unnoticed in {planted} orders"));
    let ends = allowed.len();
    // Past the capture of passing tests: a figure that nobody sees is none.
    let _ = writeln!(
        std::io::stdout(),
        "{name}: {orders} orders, {ends} ends; check-then-write caught in order {planted}: {caught}"
    );
}

fn ends_of_whole_calls(name: &str, race: fn(&World) -> Race) -> BTreeSet<String> {
    let mut ends = BTreeSet::new();
    every_order(|order| {
        let world = World::sound();
        let race = race(&world);
        match race.run(&world, Gates::close_between_calls, order) {
            Ok(end) => ends.insert(end),
            Err(wrong) => panic!("{name}: call by call, in the order {order}: {wrong}"),
        };
        ControlFlow::Continue(())
    });
    ends
}

fn run_in(
    order: &mut Order,
    world: fn() -> World,
    race: fn(&World) -> Race,
    allowed: &BTreeSet<String>,
) -> Result<(), String> {
    let world = world();
    let race = race(&world);
    let end = race.run(&world, Gates::close_in_store, order)?;
    ensure(allowed.contains(&end), &format!("no order of whole calls ends like this: {end}"))
}
