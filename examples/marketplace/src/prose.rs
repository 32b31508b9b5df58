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
        let mut words = self.text.split(' ').peekable();
        while let Some(word) = words.next() {
            match (self.instant(word), words.peek().and_then(|next| self.instant(next))) {
                (Some((before, when, after)), _) => write!(f, "{before}{when}{after}")?,
                // "at 2026-03-11T09:00:00Z" is "on 11 March 2026" or "in 3 hours".
                (None, Some((_, when, _))) if word == "at" => match when.is_date() {
                    true => f.write_str("on")?,
                    false => continue,
                },
                _ => escape(word, f)?,
            }
            if words.peek().is_some() {
                f.write_str(" ")?;
            }
        }
        Ok(())
    }
}

impl Prose {
    /// Returns the instant in a word, and what stands around it.
    fn instant<'a>(&self, word: &'a str) -> Option<(&'a str, When, &'a str)> {
        let instant = word.trim_end_matches([',', ':', ';', '.', ')']).trim_start_matches('(');
        let at = (instant.len() >= LEN).then(|| Timestamp::parse(instant).ok()).flatten()?;
        let (before, after) = word.split_once(instant)?;
        Some((before, When::new(at, self.now), after))
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
        assert_eq!(prose, format!("&lt;b&gt; ends on {time}: act"));
        let soon = Prose::new("it ends at 2026-03-01T12:00:00Z", now).to_string();
        assert!(soon.starts_with("it ends <time") && soon.ends_with(">in 3 hours</time>"), "{soon}");
    }
}
