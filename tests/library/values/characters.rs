//! Characters that nobody sees, or that look like another one.

use client_registry::value::Field;

use super::{Kind, check_refusal, kinds};

/// Characters that end a line of a log, a C string or a header, or that draw nothing, or turn the line around.
#[test]
fn control_and_invisible_characters_are_refused_everywhere() {
    let bad = [
        '\0',
        '\u{1}',
        '\t',
        '\n',
        '\r',
        '\u{1b}',
        '\u{7f}',
        '\u{85}',
        '\u{9f}',
        '\u{ad}',
        '\u{34f}',
        '\u{61c}',
        '\u{180e}',
        '\u{200b}',
        '\u{200e}',
        '\u{200f}',
        '\u{2028}',
        '\u{2029}',
        '\u{202a}',
        '\u{202e}',
        '\u{2060}',
        '\u{2064}',
        '\u{2066}',
        '\u{2069}',
        '\u{206f}',
        '\u{2800}',
        '\u{3164}',
        '\u{feff}',
        '\u{ffa0}',
        '\u{fff0}',
        '\u{fff9}',
        '\u{1bca0}',
        '\u{1d173}',
        '\u{1d17a}',
        '\u{e0001}',
        '\u{e0041}',
    ];
    for Kind { field, good, parse, from_json, .. } in kinds() {
        for c in bad {
            for text in at_each_end_and_inside(good, c) {
                let error = parse(&text).map_err(|error| check_refusal(&error, field));
                assert_eq!(error, Err(()), "{field} accepts {c:?}");
                assert!(
                    from_json.is_none_or(|from_json| from_json(&text).is_err()),
                    "{field}: {c:?} in JSON"
                );
            }
        }
    }
}

/// Cyrillic а, full-width a, Greek ο, dotless ı, a combining accent, an ideographic full stop, an emoji.
#[test]
fn look_alikes_are_refused_where_a_machine_compares() {
    for Kind { field, good, parse, from_json, .. } in kinds() {
        if matches!(field, Field::FriendlyName | Field::Label) {
            continue; // These are for people, in any script.
        }
        for c in ['а', '\u{ff41}', 'ο', 'ı', '\u{301}', '\u{3002}', '\u{ff0e}', '\u{ff0f}', '\u{a0}', '🙂']
        {
            for text in at_each_end_and_inside(good, c) {
                let error = parse(&text).map_err(|error| check_refusal(&error, field));
                assert_eq!(error, Err(()), "{field} accepts {c:?}");
                assert!(
                    from_json.is_none_or(|from_json| from_json(&text).is_err()),
                    "{field}: {c:?} in JSON"
                );
            }
        }
    }
}

fn at_each_end_and_inside(good: &str, c: char) -> [String; 3] {
    let (head, tail) = good.split_at(good.len() / 2);
    [format!("{c}{good}"), format!("{head}{c}{tail}"), format!("{good}{c}")]
}
