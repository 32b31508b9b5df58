//! Growth: what operations cost as clients and secrets become more, in each store.

pub mod operations;
pub mod plot;
pub mod stores;

/// Figures of one operation in one store, as something grows.
#[derive(Clone, Debug)]
pub struct Curve {
    /// What grows: the panels of one kind stand in one row of the plot.
    pub over: Over,
    pub operation: &'static str,
    pub store: &'static str,
    pub unit: Unit,
    pub points: Vec<(f64, f64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    Clients,
    SecretsOfEach,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Nanoseconds,
    BytesOfEach,
}

/// All curves of a run. Prints each figure as it comes.
#[derive(Debug, Default)]
pub struct Curves(Vec<Curve>);

impl Curves {
    pub fn add(
        &mut self,
        over: Over,
        store: &'static str,
        operation: &'static str,
        unit: Unit,
        (size, figure): (usize, f64),
    ) {
        let words = match over {
            Over::Clients => "clients",
            Over::SecretsOfEach => "secrets of each",
        };
        println!("{store:<12} {size:>9} {words:<16} {operation:<28} {:>12}", shown(unit, figure));
        let point = (size as f64, figure);
        let same =
            |curve: &&mut Curve| (curve.over, curve.store, curve.operation) == (over, store, operation);
        match self.0.iter_mut().find(same) {
            Some(curve) => curve.points.push(point),
            None => self.0.push(Curve { over, operation, store, unit, points: vec![point] }),
        }
    }

    pub fn all(&self) -> &[Curve] {
        &self.0
    }
}

/// A figure with its unit.
pub fn shown(unit: Unit, figure: f64) -> String {
    match (unit, figure) {
        (Unit::BytesOfEach, _) => format!("{figure:.0} B"),
        (_, ..1e3) => format!("{figure:.0} ns"),
        (_, ..1e6) => format!("{:.1} us", figure / 1e3),
        (_, ..1e9) => format!("{:.1} ms", figure / 1e6),
        _ => format!("{:.1} s", figure / 1e9),
    }
}
