//! Compact JSON, written by hand: no step of it can fail, and no library decides how it looks.

use crate::value::{ClientDetails, SecretId, Validity};

/// Compact JSON, written member by member.
pub(super) struct Json(pub(super) String);

impl Json {
    pub(super) fn braced(&mut self, members: impl FnOnce(&mut Self)) {
        self.0.push('{');
        members(self);
        self.0.push('}');
    }

    pub(super) fn name(&mut self, name: &str) {
        if !self.0.ends_with('{') {
            self.0.push(',');
        }
        self.quoted(name);
        self.0.push(':');
    }

    pub(super) fn object(&mut self, name: &str, members: impl FnOnce(&mut Self)) {
        self.name(name);
        self.braced(members);
    }

    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        self.quoted(text);
    }

    pub(super) fn texts<'a>(&mut self, name: &str, texts: impl Iterator<Item = &'a str>) {
        self.name(name);
        self.0.push('[');
        for (position, text) in texts.enumerate() {
            if position > 0 {
                self.0.push(',');
            }
            self.quoted(text);
        }
        self.0.push(']');
    }

    pub(super) fn number(&mut self, name: &str, number: u64) {
        self.name(name);
        self.0.push_str(&number.to_string());
    }

    pub(super) fn null(&mut self, name: &str) {
        self.name(name);
        self.0.push_str("null");
    }

    pub(super) fn secret(&mut self, name: &str, secret: SecretId) {
        self.number(name, secret.number().into());
    }

    pub(super) fn secret_or_null(&mut self, name: &str, secret: Option<SecretId>) {
        match secret {
            Some(secret) => self.secret(name, secret),
            None => self.null(name),
        }
    }

    pub(super) fn details(&mut self, name: &str, details: &ClientDetails) {
        self.object(name, |json| {
            json.text("friendly_name", details.friendly_name().as_str());
            json.text("app_domain", details.app_domain().as_str());
            json.text("redirect_url", details.redirect_url().as_str());
        });
    }

    pub(super) fn validity(&mut self, name: &str, validity: &Validity) {
        self.object(name, |json| {
            json.text("from", &validity.from().to_string());
            match validity.until() {
                Some(until) => json.text("until", &until.to_string()),
                None => json.null("until"),
            }
        });
    }

    /// A JSON string in which only the quotation mark, the backslash and control characters are escaped.
    pub(super) fn quoted(&mut self, text: &str) {
        self.0.push('"');
        for character in text.chars() {
            match character {
                '"' => self.0.push_str("\\\""),
                '\\' => self.0.push_str("\\\\"),
                '\u{8}' => self.0.push_str("\\b"),
                '\t' => self.0.push_str("\\t"),
                '\n' => self.0.push_str("\\n"),
                '\u{c}' => self.0.push_str("\\f"),
                '\r' => self.0.push_str("\\r"),
                '\u{0}'..='\u{1f}' => self.0.push_str(&format!("\\u{:04x}", u32::from(character))),
                _ => self.0.push(character),
            }
        }
        self.0.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_as_the_documentation_says() {
        let mut json = Json(String::new());
        json.quoted("\u{0}\u{1f}\u{8}\t\n\u{c}\r\"\\/\u{7f}\u{e9}\u{2028}\u{1f4c5}");
        let expected = "\"\\u0000\\u001f\\b\\t\\n\\f\\r\\\"\\\\/\u{7f}\u{e9}\u{2028}\u{1f4c5}\"";
        assert_eq!(json.0, expected);
        assert_eq!(
            serde_json::to_string("\u{0}\u{1f}\u{8}\t\n\u{c}\r\"\\/\u{7f}\u{e9}\u{2028}\u{1f4c5}").unwrap(),
            expected
        );
    }
}
