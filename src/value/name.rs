//! Names for people: the friendly name of a client ID, the label of a secret.
//!
//! Names stand side by side in lists, dialogs and logs. So characters that are invisible or that reorder a line are refused,
//! and two names that look the same have the same key (rule 15). Keys are stored: changing how they are made needs a migration.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::value::redacted::redacted;
use crate::value::text::text_value;
use crate::value::{Field, InvalidValue, Problem};

/// The name by which a seller recognises a client ID.
///
/// It has 1 to 100 characters, without control characters, invisible characters, or white space at the ends. Two names of one
/// seller are the same if their [keys](Self::key) are equal (rule 15).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct FriendlyName(Box<str>);

text_value!(FriendlyName);

impl FriendlyName {
    /// Parses a name.
    ///
    /// # Errors
    /// [`InvalidValue`] if it is empty, too long, or has a character that is not allowed.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        check_title(Field::FriendlyName, text)?;
        Ok(Self(Box::from(text)))
    }

    /// Returns the key of the name, which all its spellings share: lower case, normalised by Unicode's NFKC, without invisible
    /// characters.
    #[must_use]
    pub fn key(&self) -> NameKey {
        let nfkc = icu_normalizer::ComposingNormalizer::new_nfkc();
        let drawn: String = self.0.chars().filter(|&c| !is_joiner(c)).collect();
        // A sigma has two lower-case forms, depending on its place in the word.
        let folded = nfkc.normalize(&drawn).to_lowercase().replace('ς', "σ");
        // Lower-casing can undo the composition ("İ" becomes two characters), so normalise once more.
        NameKey(Box::from(&*nfkc.normalize(&folded)))
    }
}

redacted! {
    /// The key that stores compare friendly names by, as bytes (rule 15). See [`FriendlyName::key`].
    #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
    #[serde(transparent)]
    pub struct NameKey(Box<str>);
}

impl NameKey {
    /// Returns the text of the key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The label of a secret, such as "deploy of March".
///
/// It has 1 to 100 characters, without control characters, invisible characters, or white space at the ends.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Label(Box<str>);

text_value!(Label);

impl Label {
    /// Parses a label.
    ///
    /// # Errors
    /// [`InvalidValue`] if it is empty, too long, or has a character that is not allowed.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        check_title(Field::Label, text)?;
        Ok(Self(Box::from(text)))
    }
}

fn check_title(field: Field, text: &str) -> Result<(), InvalidValue> {
    const MAX: usize = 100;
    let invalid = |problem| Err(InvalidValue::new(field, problem));
    if text.is_empty() {
        return invalid(Problem::Empty);
    }
    // A character has at most four bytes, so a megabyte is refused without being read.
    if text.len() > 4 * MAX || text.chars().count() > MAX {
        return invalid(Problem::TooLong { max: MAX });
    }
    if let Some((at, _)) = text.char_indices().find(|&(_, c)| c.is_control() || is_invisible(c)) {
        return invalid(Problem::Character { at });
    }
    let drawn = text.trim_matches(is_joiner);
    if drawn.is_empty() {
        return invalid(Problem::Form("has no visible character"));
    }
    if drawn.trim().len() != drawn.len() {
        return invalid(Problem::SpaceAtEnds);
    }
    Ok(())
}

/// Returns whether a character is invisible or reorders its neighbours, which would make two names look alike or a log line read
/// differently. [Joiners](is_joiner) are allowed and are left out of keys.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
        | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Returns whether a character is a joiner or a variation selector: invisible itself, but needed by Persian, Mongolian and emoji.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}
