//! The texts of the events of one commit in one column: a JSON array, for people who look at it with SQL.
//!
//! Nothing is parsed. Joined again with brackets and commas, the pieces of a column are the bytes that stand there: an edit
//! between two events is a part of one of them, and a reader of that event notices.

use crate::event::EventText;

/// `[`, the texts with `,` between them, `]`.
pub(super) fn join(events: &[EventText]) -> Vec<u8> {
    let len = events.iter().map(|event| event.as_bytes().len() + 1).sum::<usize>() + 1;
    let mut bytes = Vec::with_capacity(len);
    bytes.push(b'[');
    for (position, event) in events.iter().enumerate() {
        if position > 0 {
            bytes.push(b',');
        }
        bytes.extend_from_slice(event.as_bytes());
    }
    bytes.push(b']');
    bytes
}

/// The pieces between the brackets, cut at commas that stand outside of texts and of inner brackets. What is not in brackets
/// at all is one piece.
pub(super) fn split(bytes: &[u8]) -> Vec<EventText> {
    let inner = bytes.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
    let Some(inner) = inner else {
        return vec![EventText::from_bytes(bytes)];
    };
    let (mut depth, mut is_quoted, mut is_escaped) = (0_usize, false, false);
    let is_between = |byte: &u8| {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => return depth == 0,
            _ => {}
        }
        false
    };
    inner.split(is_between).map(EventText::from_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<EventText> {
        texts.iter().map(|text| EventText::from_bytes(text.as_bytes())).collect()
    }

    #[test]
    fn what_was_joined_is_split_at_the_same_places() {
        for all in [
            &["{}"][..],
            &["{}", "{}"],
            &[r#"{"a":"},{"}"#, r#"{"b":"\"},{\\"}"#, r#"{"c":["}","\\",{"d":[1,2]}]}"#],
            &["{\"\u{e9},\u{1f4c5}\": 1 ,\"b\":2}", " {}\n"],
        ] {
            assert_eq!(split(&join(&texts(all))), texts(all));
        }
    }

    #[test]
    fn every_byte_of_what_was_edited_comes_back() {
        for edited in [
            "[{} ,{}]", "[ {},{}]", "[{},{},]", "[{}", "{}]", "", "[]", "[", "]", "[,]", "[\"]", "{\\\"",
            "[{}]\n",
        ] {
            let pieces = split(edited.as_bytes());
            assert!(!pieces.is_empty());
            let is_whole = pieces.len() == 1 && pieces[0].as_bytes() == edited.as_bytes();
            assert!(is_whole || join(&pieces) == edited.as_bytes(), "{edited}: {pieces:?}");
        }
    }
}
