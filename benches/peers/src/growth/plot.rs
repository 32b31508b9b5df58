//! The plot: a panel for each operation with a line for each store, both axes logarithmic, as SVG.

use std::fmt::Write as _;

use super::{Curve, Curves, Over, Unit, shown};

/// Draws all curves.
pub fn svg(curves: &Curves) -> String {
    let mut panels: Vec<(Over, &str, Vec<&Curve>)> = Vec::new();
    for over in [Over::Clients, Over::SecretsOfEach] {
        for curve in curves.all().iter().filter(|curve| curve.over == over) {
            match panels.iter_mut().find(|(of, operation, _)| (*of, *operation) == (over, curve.operation)) {
                Some((.., curves)) => curves.push(curve),
                None => panels.push((over, curve.operation, vec![curve])),
            }
        }
    }
    let rows = panels.len().div_ceil(COLUMNS);
    let (width, height) = (COLUMNS as f64 * WIDTH, rows as f64 * HEIGHT + LEGEND);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" \
         font-size=\"11\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    for (position, (store, colour)) in STORES.iter().enumerate() {
        let x = LEFT + 120.0 * position as f64;
        let _ = writeln!(
            svg,
            "<path d=\"M{x} 14h22\" stroke=\"{colour}\" stroke-width=\"2\"/><text x=\"{}\" y=\"18\">{store}</text>",
            x + 28.0
        );
    }
    for (position, (over, operation, curves)) in panels.iter().enumerate() {
        let x = (position % COLUMNS) as f64 * WIDTH;
        let y = LEGEND + (position / COLUMNS) as f64 * HEIGHT;
        panel(&mut svg, (x, y), *over, operation, curves);
    }
    svg.push_str("</svg>\n");
    svg
}

fn panel(svg: &mut String, (x, y): (f64, f64), over: Over, operation: &str, curves: &[&Curve]) {
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let range = |of: &dyn Fn(&(f64, f64)) -> f64| {
        let (low, high) = points().map(of).fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)));
        (low.log10().floor(), high.log10().ceil().max(low.log10().floor() + 1.0))
    };
    let (from, to) = range(&|point| point.1.max(1.0));
    let (first, last) = points().fold((f64::MAX, f64::MIN), |(l, h), (v, _)| (l.min(*v), h.max(*v)));
    let (first, last) = (first.log10(), last.log10().max(first.log10() + 1e-9));
    let (inner_width, inner_height) = (WIDTH - LEFT - 14.0, HEIGHT - TOP - BOTTOM);
    let at_x = |size: f64| x + LEFT + (size.log10() - first) / (last - first) * inner_width;
    let at_y = |figure: f64| y + TOP + (to - figure.max(1.0).log10()) / (to - from) * inner_height;
    let words = match over {
        Over::Clients => "",
        Over::SecretsOfEach => ", by secrets",
    };
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" font-weight=\"bold\">{operation}{words}</text>",
        x + LEFT,
        y + 14.0
    );
    let unit = curves.first().map_or(Unit::Nanoseconds, |curve| curve.unit);
    for power in from as i32..=to as i32 {
        let figure = 10f64.powi(power);
        let (line, label) = (at_y(figure), shown(unit, figure).replace(".0", ""));
        let _ = writeln!(
            svg,
            "<path d=\"M{} {line:.1}h{inner_width:.1}\" stroke=\"#ddd\"/><text x=\"{}\" y=\"{:.1}\" \
             text-anchor=\"end\" fill=\"#555\">{label}</text>",
            x + LEFT,
            x + LEFT - 5.0,
            line + 4.0
        );
    }
    let mut sizes: Vec<f64> = points().map(|(size, _)| *size).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    for size in sizes {
        let label = match size {
            1e6.. => format!("{}M", size / 1e6),
            1e3.. => format!("{}k", size / 1e3),
            _ => format!("{size}"),
        };
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#555\">{label}</text>",
            at_x(size),
            y + HEIGHT - BOTTOM + 14.0
        );
    }
    for curve in curves {
        let colour =
            STORES.iter().find(|(store, _)| *store == curve.store).map_or("#000", |(_, colour)| colour);
        let places: Vec<_> = curve.points.iter().map(|(size, figure)| (at_x(*size), at_y(*figure))).collect();
        let line: Vec<_> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            line.join(" ")
        );
        for (x, y) in places {
            let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.5\" fill=\"{colour}\"/>");
        }
    }
}

const STORES: [(&str, &str); 3] = [("memory", "#1b7837"), ("SQLite", "#2166ac"), ("PostgreSQL", "#b2182b")];
const COLUMNS: usize = 4;
const WIDTH: f64 = 270.0;
const HEIGHT: f64 = 190.0;
const LEGEND: f64 = 30.0;
const LEFT: f64 = 58.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 26.0;
