//! Words for people: dates, states, sentences.

use std::fmt;

use askama::filters::HtmlSafe;
use chrono::{DateTime, TimeDelta, Utc};
use client_registry::client::Signing;
use client_registry::{Availability, Lifetime, Purpose, SecretId, Timestamp};

/// An instant in words, with the exact value at hand: it is written as an element `time`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct When {
    at: DateTime<Utc>,
    now: DateTime<Utc>,
    in_full: bool,
}

impl When {
    /// Returns an instant as seen from another.
    pub(crate) fn new(at: Timestamp, now: Timestamp) -> Self {
        Self { at: at.to_datetime(), now: now.to_datetime(), in_full: false }
    }

    /// Returns the same with date and time as words, to be written down.
    pub(crate) fn in_full(self) -> Self {
        Self { in_full: true, ..self }
    }

    /// Says whether the words are a date, and not only a distance.
    pub(crate) fn is_date(&self) -> bool {
        (self.at - self.now).abs() >= TimeDelta::days(1)
    }

    /// Returns the words: the distance if it is small, or the date, with the distance if that is less than two months.
    pub(crate) fn words(&self) -> String {
        if self.in_full {
            return self.at.format("%-d %B %Y, %H:%M UTC").to_string();
        }
        let distance = self.at - self.now;
        let date = self.at.format("%-d %B %Y");
        if distance.abs() < TimeDelta::minutes(1) {
            return "just now".to_owned();
        }
        if distance.abs() < TimeDelta::hours(1) {
            return relative(distance, distance.num_minutes(), "minute");
        }
        if distance.abs() < TimeDelta::days(1) {
            return relative(distance, distance.num_hours(), "hour");
        }
        // To the nearest day, so that 30 days stay 30 days a moment later.
        match (distance.num_hours() + 12 * distance.num_hours().signum()) / 24 {
            days if days.abs() <= 60 => format!("{date}, {}", relative(distance, days, "day")),
            _ => date.to_string(),
        }
    }
}

fn relative(distance: TimeDelta, count: i64, unit: &str) -> String {
    let count = count.abs();
    let plural = if count == 1 { "" } else { "s" };
    match distance < TimeDelta::zero() {
        true => format!("{count} {unit}{plural} ago"),
        false => format!("in {count} {unit}{plural}"),
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (iso, exact) =
            (self.at.format("%Y-%m-%dT%H:%M:%S%.3fZ"), self.at.format("%-d %B %Y, %H:%M:%S UTC"));
        write!(f, r#"<time datetime="{iso}" title="{exact}">{}</time>"#, self.words())
    }
}

/// What is written holds digits, names of months and the words above.
impl HtmlSafe for When {}

/// Returns a text that begins with a capital letter and ends with a full stop. Errors do neither, since they may stand inside another.
pub(crate) fn sentence(text: &str) -> String {
    let mut characters = text.trim().chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", characters.as_str())
}

/// Returns what a secret is for.
pub(crate) fn purpose(purpose: Purpose) -> &'static str {
    if purpose.signs() { "signs, and is a password" } else { "is a password only" }
}

/// Returns where a client ID is available.
pub(crate) fn availability(availability: Availability) -> &'static str {
    match availability {
        Availability::ChinaOnly => "China only",
        _ => "worldwide",
    }
}

/// Returns why a secret signs.
pub(crate) fn why_it_signs(signing: Signing) -> String {
    match signing {
        Signing::Promoted { secret, since } => {
            format!("Secret {secret} signs, because it was promoted: {since}.")
        }
        Signing::ValidLongest { secret, since } => format!(
            "Secret {secret} signs, because none was promoted, and of those that can sign it has been valid longest: since {since}."
        ),
        _ => "No secret signs: none is valid and can sign.".to_owned(),
    }
}

/// Returns IDs of secrets as a list in words.
pub(crate) fn secrets(ids: &[SecretId]) -> String {
    match ids {
        [] => "no secret".to_owned(),
        [one] => format!("secret {one}"),
        [first @ .., last] => {
            let first: Vec<_> = first.iter().map(ToString::to_string).collect();
            format!("secrets {} and {last}", first.join(", "))
        }
    }
}

/// Returns the lifetime that a form has chosen.
pub(crate) fn lifetime(years: &str) -> Option<Lifetime> {
    match years {
        "1" => Some(Lifetime::OneYear),
        "2" => Some(Lifetime::TwoYears),
        "3" => Some(Lifetime::ThreeYears),
        _ => None,
    }
}

/// Reads the instant of a field `datetime-local`, which is in UTC here.
pub(crate) fn instant(text: &str) -> Option<Timestamp> {
    let read = |format| chrono::NaiveDateTime::parse_from_str(text.trim(), format).ok();
    let local = read("%Y-%m-%dT%H:%M").or_else(|| read("%Y-%m-%dT%H:%M:%S"))?;
    Some(Timestamp::from(local.and_utc()))
}

/// Writes an instant as the value of a field `datetime-local`.
pub(crate) fn field_value(at: Timestamp) -> String {
    at.to_datetime().format("%Y-%m-%dT%H:%M").to_string()
}
