//! The timeline of a client ID as a picture, and in words. The picture can be read without colours: a bar that signs is filled and says
//! so, one that is a password alone is an outline.

use client_registry::client::{Client, Span};
use client_registry::{SecretId, Timestamp};

use crate::words::{self, When};

/// What the template `timeline.html` draws, in units of the picture.
pub(crate) struct Picture {
    pub(crate) height: u32,
    pub(crate) rows: Vec<Row>,
    pub(crate) ticks: Vec<Tick>,
    pub(crate) steps: Vec<Step>,
}

/// A secret.
pub(crate) struct Row {
    pub(crate) secret: SecretId,
    pub(crate) y: u32,
    pub(crate) bars: Vec<Bar>,
}

/// A time in which a secret signs, or is a password alone.
pub(crate) struct Bar {
    pub(crate) x: u32,
    pub(crate) width: u32,
    pub(crate) signs: bool,
}

/// An instant at which something changes.
pub(crate) struct Tick {
    pub(crate) x: u32,
    pub(crate) label: Option<String>,
    pub(crate) now: bool,
}

/// The same in words.
pub(crate) struct Step {
    pub(crate) from: When,
    pub(crate) now: bool,
    pub(crate) signs: String,
    pub(crate) passwords: String,
}

impl Picture {
    /// Draws what is and what comes, from an instant on.
    pub(crate) fn of(client: &Client, now: Timestamp) -> Self {
        let timeline = client.timeline();
        let spans: Vec<_> =
            timeline.spans().iter().filter(|span| span.until().is_none_or(|until| until > now)).collect();
        let scale = Scale { turns: spans.iter().map(|span| span.from()).collect() };
        let ids = client.secrets().map(|secret| secret.id());
        let ids: Vec<_> = ids.filter(|id| spans.iter().any(|span| span.passwords().contains(id))).collect();
        let rows: Vec<_> =
            ids.into_iter().zip(0..).map(|(id, i)| row(id, TOP + i * ROW, &spans, &scale)).collect();
        let height = TOP + u32::try_from(rows.len()).unwrap_or_default() * ROW + BOTTOM;
        Self {
            height,
            rows,
            ticks: ticks(&spans, &scale),
            steps: spans.iter().map(|span| step(span, now)).collect(),
        }
    }
}

/// All steps are as wide as each other, so that a day next to three years can be seen.
struct Scale {
    turns: Vec<Timestamp>,
}

impl Scale {
    fn x(&self, at: Timestamp) -> u32 {
        let before = self.turns.iter().skip(1).filter(|turn| **turn <= at).count();
        let step = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        LEFT + step(before) * WIDTH / step(self.turns.len()).max(1)
    }
}

fn row(secret: SecretId, y: u32, spans: &[&Span], scale: &Scale) -> Row {
    let mut bars: Vec<Bar> = Vec::new();
    for span in spans.iter().filter(|span| span.passwords().contains(&secret)) {
        let x = scale.x(span.from());
        let end = span.until().map_or(RIGHT, |until| scale.x(until));
        let signs = span.signing().secret() == Some(secret);
        match bars.last_mut() {
            Some(bar) if bar.signs == signs && bar.x + bar.width == x => bar.width = end - bar.x,
            _ => bars.push(Bar { x, width: end.saturating_sub(x).max(3), signs }),
        }
    }
    Row { secret, y, bars }
}

/// A label is left out where it would stand on the one before.
fn ticks(spans: &[&Span], scale: &Scale) -> Vec<Tick> {
    let mut free_from = 0;
    let mut ticks = Vec::new();
    for (i, span) in spans.iter().enumerate() {
        let x = scale.x(span.from());
        let label = (x >= free_from).then(|| match i {
            0 => "now".to_owned(),
            _ => span.from().to_datetime().format("%-d %b %Y").to_string(),
        });
        if label.is_some() {
            free_from = x + LABEL;
        }
        ticks.push(Tick { x, label, now: i == 0 });
    }
    ticks
}

fn step(span: &Span, now: Timestamp) -> Step {
    let signs = match span.signing().secret() {
        Some(secret) => format!("secret {secret} signs"),
        None => "nothing signs".to_owned(),
    };
    let passwords = match span.passwords() {
        [] => "nothing is a password".to_owned(),
        [one] => format!("secret {one} is a password"),
        several => format!("{} are passwords", words::secrets(several)),
    };
    Step { from: When::new(span.from().max(now), now), now: span.from() <= now, signs, passwords }
}

const LEFT: u32 = 90;
const WIDTH: u32 = 700;
/// The right edge of bars that go on.
const RIGHT: u32 = LEFT + WIDTH;
const TOP: u32 = 12;
const ROW: u32 = 34;
const BOTTOM: u32 = 30;
/// How wide a label is.
const LABEL: u32 = 100;
