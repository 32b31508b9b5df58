//! The table: ours, the floor and the peers, in turns, a line for each comparison.

use client_registry_peers::arguments::Arguments;
use client_registry_peers::machine;
use client_registry_peers::report::Report;
use client_registry_peers::rows::{self, memory};

fn main() {
    let mut weighing = std::env::args().skip(1);
    if weighing.next().as_deref() == Some(memory::WEIGH) {
        let (what, clients) = (weighing.next().unwrap_or_default(), weighing.next().unwrap_or_default());
        return memory::weigh(&what, clients.parse().expect("a number of clients"));
    }
    let arguments = Arguments::read(USAGE, &[]);
    if !arguments.list {
        machine::print();
    }
    let has_postgres = !arguments.no_postgres;
    let mut report = Report::new(arguments);
    rows::measure(&mut report, has_postgres);
    report.finish();
}

const USAGE: &str = "table [--quick] [--no-postgres] [--markdown] [--list] [PART OF A ROW'S NAME]...

Measures the rows whose names contain one of the words; without words all of them, within 15 minutes.
  --quick        fewer rounds and fewer clients, no PostgreSQL: within a minute
  --no-postgres  leaves out what needs a server
  --markdown     prints the lines of a Markdown table
  --list         prints the names of the rows and measures nothing";
