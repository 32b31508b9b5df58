//! `Prose`: a text of the registry for people. The instants in it are shown in words, like all others.

use std::fmt;

use askama::filters::HtmlSafe;
use client_registry::Timestamp;

use crate::words::When;

/// A text whose instants are written as elements `time`. All else is escaped.
#[derive(Debug, Clone)]
pub(crate) struct Prose {
    text: String,
    now: Timestamp,
}

impl Prose {
    /// Returns a text as seen at an instant.
    pub(crate) fn new(text: impl Into<String>, now: Timestamp) -> Self {
        Self { text: text.into(), now }
    }
}

impl fmt::Display for Prose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, word) in self.text.split(' ').enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            let instant = word.trim_end_matches([',', ':', ';', '.', ')']);
            let instant = instant.trim_start_matches('(');
            match (instant.len() >= LEN, Timestamp::parse(instant)) {
                (true, Ok(at)) => {
                    let (before, after) = word.split_once(instant).unwrap_or_default();
                    write!(f, "{before}{}{after}", When::new(at, self.now))?;
                }
                _ => escape(word, f)?,
            }
        }
        Ok(())
    }
}

/// All but the instants is escaped above.
impl HtmlSafe for Prose {}

fn escape(word: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for character in word.chars() {
        match character {
            '<' => f.write_str("&lt;")?,
            '>' => f.write_str("&gt;")?,
            '&' => f.write_str("&amp;")?,
            '"' => f.write_str("&quot;")?,
            '\'' => f.write_str("&#39;")?,
            other => write!(f, "{other}")?,
        }
    }
    Ok(())
}

/// As long as an instant is: `2026-03-01T09:00:00Z`, or more.
const LEN: usize = 20;

#[cfg(test)]
mod tests {
    use client_registry::Timestamp;

    use super::Prose;

    #[test]
    fn instants_become_elements_and_all_else_is_escaped() {
        let now = Timestamp::parse("2026-03-01T09:00:00Z").unwrap();
        let prose = Prose::new("<b> ends at 2026-03-11T09:00:00.000Z: act", now).to_string();
        let time = r#"<time datetime="2026-03-11T09:00:00.000Z" title="11 March 2026, 09:00:00 UTC">11 March 2026, in 10 days</time>"#;
        assert_eq!(prose, format!("&lt;b&gt; ends at {time}: act"));
    }
}
