//! Growth: what operations cost in each store as clients and secrets become more; figures and a plot.

use client_registry_peers::arguments::Arguments;
use client_registry_peers::growth::stores::{self, OPEN, Sizes};
use client_registry_peers::growth::{Curves, Over, plot};
use client_registry_peers::machine;

fn main() {
    let arguments = Arguments::read(USAGE, &["--clients", "--svg"]);
    let most = arguments.number("--clients", if arguments.quick { 10_000 } else { 1_000_000 }).max(1);
    let mut clients: Vec<usize> =
        [1_000, 10_000, 100_000, 1_000_000].into_iter().filter(|n| *n < most).collect();
    clients.push(most);
    let sizes = Sizes { clients, secrets: vec![1, 2, 4, 8, 16, 32], clients_with_secrets: most.min(1_000) };
    machine::print();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut curves = Curves::default();
    if arguments.selects("memory") {
        stores::memory(&runtime, &sizes, &mut curves);
    }
    if arguments.selects("sqlite") {
        stores::sqlite(&runtime, &sizes, &mut curves);
    }
    if arguments.selects("postgres") && !arguments.no_postgres {
        stores::postgres(&runtime, &sizes, &mut curves);
    }
    judge_opening(&curves);
    let path = arguments.text("--svg").unwrap_or("growth.svg");
    std::fs::write(path, plot::svg(&curves)).expect("a place for the plot");
    println!("the plot is in {path}");
}

/// Opening the largest file takes no longer than opening the smallest.
fn judge_opening(curves: &Curves) {
    let opening = curves.all().iter().filter(|curve| curve.over == Over::Clients && curve.operation == OPEN);
    for curve in opening {
        if let ([(small, of_small), ..], [.., (large, of_large)]) = (&curve.points[..], &curve.points[..]) {
            let ratio = of_large / of_small;
            let verdict = if ratio <= NO_LONGER { "met" } else { "NOT MET" };
            println!(
                "\n{}: opening {large} clients takes {ratio:.2} times as long as {small}; <= {NO_LONGER} {verdict}",
                curve.store
            );
        }
    }
}

/// What still counts as no longer, where a machine is not quiet.
const NO_LONGER: f64 = 1.25;

const USAGE: &str = "growth [--clients N] [--svg FILE] [--no-postgres] [memory] [sqlite] [postgres]

Fills each store up to N clients (a million) with two secrets each, and measures it at every power of ten on the way; then 1,000
clients with 1 to 32 secrets each. Prints the figures and writes the plot to FILE (growth.svg). Takes up to 40 minutes.
  --quick  10,000 clients at most, no PostgreSQL";
