//! The table: a line for each comparison of a row, with its aim, met or not.

use crate::arguments::Arguments;
use crate::measure::{By, Effort, Spread, Work, in_turns, repeated};

/// The rows that were asked for, and how they came out.
pub struct Report {
    arguments: Arguments,
    has_head: bool,
    met: usize,
    missed: Vec<String>,
}

/// What a ratio of ours to another must be.
#[derive(Clone, Copy, Debug)]
pub enum Aim {
    /// No bound: the figure is for information.
    None,
    AtMost(f64),
    AtLeast(f64),
    /// Within this part of one, either way.
    Within(f64),
}

/// How figures are shown, and which way a ratio is taken: of times, bytes and nanoseconds less is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Time,
    /// Operations in a second.
    Rate,
    Bytes,
}

/// One row: ours, the floor if it has one, and peers.
pub struct Row<'a> {
    name: String,
    unit: Unit,
    by: By,
    effort: Effort,
    /// How many operations one piece of work is.
    each: f64,
    ours: Option<Work<'a>>,
    floor: Option<(Work<'a>, Aim)>,
    peers: Vec<(&'static str, Work<'a>, Aim)>,
}

/// A row that was measured in a way of its own: figures of each round.
pub struct Measured {
    pub name: String,
    pub unit: Unit,
    pub ours: Vec<f64>,
    pub floor: Option<(Vec<f64>, Aim)>,
    pub peers: Vec<(&'static str, Vec<f64>, Aim)>,
}

impl Report {
    pub fn new(arguments: Arguments) -> Self {
        Self { arguments, has_head: false, met: 0, missed: Vec::new() }
    }

    pub fn is_quick(&self) -> bool {
        self.arguments.quick
    }

    /// `clients`, or fewer where it has to be quick.
    pub fn scaled(&self, clients: usize, quick: usize) -> usize {
        if self.arguments.quick { clients.min(quick) } else { clients }
    }

    /// Whether a row was asked for. A list of the rows is made by asking for each.
    pub fn wants(&self, name: &str) -> bool {
        if self.arguments.list {
            println!("{name}");
            return false;
        }
        self.arguments.selects(name)
    }

    /// Whether one of these rows was asked for: what they share is then made.
    pub fn wants_any(&self, names: &[&str]) -> bool {
        self.arguments.list || names.iter().any(|name| self.arguments.selects(name))
    }

    pub fn is_listing(&self) -> bool {
        self.arguments.list
    }

    /// Begins a row of work that never waits.
    pub fn row<'a>(&self, name: impl Into<String>) -> Row<'a> {
        Row {
            name: name.into(),
            unit: Unit::Time,
            by: By::Processor,
            effort: self.arguments.effort(),
            each: 1.0,
            ours: None,
            floor: None,
            peers: Vec::new(),
        }
    }

    /// Measures a row and prints it.
    pub fn measure(&mut self, row: Row<'_>) {
        let (mut works, mut floor_aim, mut peers) = (Vec::new(), None, Vec::new());
        works.push(row.ours.expect("a row has something of ours"));
        if let Some((work, aim)) = row.floor {
            works.push(work);
            floor_aim = Some(aim);
        }
        for (name, work, aim) in row.peers {
            works.push(work);
            peers.push((name, aim));
        }
        let rounds = in_turns(row.by, row.effort, &mut works);
        let unit = row.unit;
        let mut figures = rounds.into_iter().map(|rounds| {
            rounds.into_iter().map(|nanoseconds| match unit {
                Unit::Rate => row.each * 1e9 / nanoseconds,
                Unit::Time | Unit::Bytes => nanoseconds / row.each,
            })
        });
        let mut next = || figures.next().unwrap().collect::<Vec<_>>();
        let (ours, floor) = (next(), floor_aim.map(|aim| (next(), aim)));
        let peers = peers.into_iter().map(|(name, aim)| (name, next(), aim)).collect();
        self.add(Measured { name: row.name, unit, ours, floor, peers });
    }

    /// Prints a row.
    pub fn add(&mut self, row: Measured) {
        if !self.has_head {
            self.has_head = true;
            self.line(["row", "ours", "floor", "peer", "", "/floor", "/peer", "aims"]);
            if self.arguments.markdown {
                self.line(["---"; 8]);
            }
        }
        let unit = row.unit;
        let ours = shown(unit, Spread::of(row.ours.clone()));
        let (mut floor, mut to_floor, mut aims) = (String::new(), String::new(), Vec::new());
        if let Some((figures, aim)) = &row.floor {
            let ratio = Spread::of_ratios(&row.ours, figures).median;
            floor = shown(unit, Spread::of(figures.clone()));
            to_floor = format!("{ratio:.2}");
            aims.extend(self.judge(&row.name, "floor", "the floor", ratio, *aim));
        }
        let mut lines = Vec::new();
        for (name, figures, aim) in &row.peers {
            let ratio = Spread::of_ratios(&row.ours, figures).median;
            let mut of_line = std::mem::take(&mut aims);
            of_line.extend(self.judge(&row.name, "peer", name, ratio, *aim));
            lines.push((
                (*name).to_owned(),
                shown(unit, Spread::of(figures.clone())),
                format!("{ratio:.2}"),
                of_line,
            ));
        }
        if lines.is_empty() {
            lines.push((String::new(), String::new(), String::new(), aims));
        }
        for (peer, figure, to_peer, aims) in lines {
            let aims = aims.join(", ");
            self.line([&row.name, &ours, &floor, &peer, &figure, &to_floor, &to_peer, &aims]);
        }
    }

    fn line(&self, [row, ours, floor, peer, figure, to_floor, to_peer, aims]: [&str; 8]) {
        if self.arguments.markdown {
            println!("| {row} | {ours} | {floor} | {peer} | {figure} | {to_floor} | {to_peer} | {aims} |");
            return;
        }
        let line = format!(
            "{row:<51} {ours:>25} {floor:>25}  {peer:<30} {figure:>25}  {to_floor:>7} {to_peer:>7}  {aims}"
        );
        println!("{}", line.trim_end());
    }

    fn judge(&mut self, row: &str, opponent: &str, name: &str, ratio: f64, aim: Aim) -> Option<String> {
        let (is_met, words) = match aim {
            Aim::None => return None,
            Aim::AtMost(most) => (ratio <= most, format!("{opponent} <= {most:.2}")),
            Aim::AtLeast(least) => (ratio >= least, format!("{opponent} >= {least:.2}")),
            Aim::Within(part) => ((ratio - 1.0).abs() <= part, format!("{opponent} 1 +- {part:.2}")),
        };
        if is_met {
            self.met += 1;
            return Some(format!("{words} met"));
        }
        self.missed.push(format!("{row}, beside {name}: {words}, is {ratio:.2}"));
        Some(format!("{words} NOT MET"))
    }

    /// Prints how many aims are met, and which are not.
    pub fn finish(self) {
        if self.arguments.list {
            return;
        }
        println!("\n{} of {} aims are met", self.met, self.met + self.missed.len());
        for missed in &self.missed {
            println!("not met: {missed}");
        }
    }
}

impl<'a> Row<'a> {
    pub fn ours<T>(mut self, operation: impl FnMut() -> T + 'a) -> Self {
        self.ours = Some(repeated(operation));
        self
    }

    pub fn floor<T>(mut self, aim: Aim, operation: impl FnMut() -> T + 'a) -> Self {
        self.floor = Some((repeated(operation), aim));
        self
    }

    pub fn peer<T>(mut self, name: &'static str, aim: Aim, operation: impl FnMut() -> T + 'a) -> Self {
        self.peers.push((name, repeated(operation), aim));
        self
    }

    /// Work that waits: for a disk, a server or another thread.
    pub fn waiting(mut self) -> Self {
        self.by = By::Wall;
        self
    }

    /// Operations in a second, of which one piece of work does so many.
    pub fn rate(mut self, each: usize) -> Self {
        (self.unit, self.each) = (Unit::Rate, each as f64);
        self
    }

    /// Fewer rounds, for work of many milliseconds.
    pub fn rounds(mut self, rounds: usize) -> Self {
        self.effort.rounds = self.effort.rounds.min(rounds);
        self
    }
}

/// A median and the quartiles around it.
pub fn shown(unit: Unit, spread: Spread) -> String {
    let Spread { low, median, high } = spread;
    match unit {
        Unit::Bytes => format!("{median:.0} B"),
        Unit::Rate if median >= 1e6 => {
            let [low, median, high] = [low, median, high].map(|rate| rate / 1e6);
            format!("{median:.2} M/s ({low:.2}..{high:.2})")
        }
        Unit::Rate => format!("{median:.0}/s ({low:.0}..{high:.0})"),
        Unit::Time => {
            let (divisor, name) = match median {
                ..1e4 => (1.0, "ns"),
                ..1e7 => (1e3, "us"),
                _ => (1e6, "ms"),
            };
            let [low, median, high] = [low, median, high].map(|time| time / divisor);
            if divisor > 1.0 && median < 100.0 {
                format!("{median:.1} {name} ({low:.1}..{high:.1})")
            } else {
                format!("{median:.0} {name} ({low:.0}..{high:.0})")
            }
        }
    }
}
