//! Friendly names, labels, and the key that tells whether two friendly names are the same (rule 15).

use client_registry::value::{Field, FriendlyName, Label, Problem};
use proptest::prelude::*;

use super::refused;

fn key(name: &str) -> String {
    FriendlyName::parse(name).unwrap().key().as_str().to_owned()
}

fn refused_title(text: &str) -> Problem {
    let problem = refused::<FriendlyName>(text, Field::FriendlyName);
    assert_eq!(refused::<Label>(text, Field::Label), problem, "a label has the rules of a name");
    problem
}

#[test]
fn lengths_are_counted_in_characters() {
    for c in ["x", "é", "字", "🙂", "\u{1f469}"] {
        let longest = c.repeat(100);
        assert_eq!(FriendlyName::parse(&longest).unwrap().as_str(), longest);
        assert_eq!(Label::parse(&longest).unwrap().as_str(), longest);
        assert_eq!(refused_title(&c.repeat(101)), Problem::TooLong { max: 100 });
        assert_eq!(FriendlyName::parse(c).unwrap().as_str(), c);
    }
}

#[test]
fn every_control_character_is_refused_and_its_place_is_named() {
    for c in (0..=0x1f).chain(0x7f..=0x9f).map(|c| char::from_u32(c).unwrap()) {
        assert_eq!(refused_title(&format!("é{c}x")), Problem::Character { at: 2 }, "{c:?}");
        assert_eq!(refused_title(&format!("{c}")), Problem::Character { at: 0 }, "{c:?}");
    }
}

#[test]
fn white_space_stays_inside() {
    for space in
        [' ', '\u{a0}', '\u{1680}', '\u{2000}', '\u{2003}', '\u{200a}', '\u{202f}', '\u{205f}', '\u{3000}']
    {
        for text in
            [format!("{space}name"), format!("name{space}"), format!("{space}"), format!("{space}{space}")]
        {
            let problem = refused_title(&text);
            assert_eq!(problem, Problem::SpaceAtEnds, "{text:?}");
        }
        assert!(FriendlyName::parse(&format!("a{space}name")).is_ok(), "{space:?}");
    }
}

/// Joiners and variation selectors are needed inside words and emoji; alone they draw nothing.
#[test]
fn joiners_alone_are_no_name() {
    for good in ["می\u{200c}خواهم", "👩\u{200d}💻", "❤\u{fe0f}", "ᠠ\u{180b}"] {
        assert_eq!(FriendlyName::parse(good).unwrap().as_str(), good);
    }
    for bad in ["\u{200d}", "\u{200c}", "\u{fe0f}", "\u{180b}", "\u{200d}\u{200c}\u{fe00}"] {
        assert!(matches!(refused_title(bad), Problem::Form(_)), "{bad:?}");
    }
    for bad in ["\u{200d} name", "name \u{200c}", "\u{fe0f}\u{a0}name", "\u{200d} \u{200d}"] {
        assert_eq!(refused_title(bad), Problem::SpaceAtEnds, "{bad:?}");
    }
}

#[test]
fn spellings_of_one_name_have_one_key() {
    let same: &[(&str, &str)] = &[
        ("Calendar App", "calendar app"),
        ("ＣＡＬＥＮＤＡＲ　ａｐｐ", "calendar app"), // full width
        ("ﬁle oﬃce", "file office"),                  // ligatures
        ("caf\u{e9}", "cafe\u{301}"),                 // composed, decomposed
        ("CAF\u{c9}", "cafe\u{301}"),
        ("\u{1e69}", "s\u{307}\u{323}"), // marks in another order
        ("한글", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}"),
        ("\u{130}stanbul", "i\u{307}stanbul"), // İ
        ("\u{130}\u{327}", "i\u{327}\u{307}"), // its dot, after a cedilla
        ("STRA\u{1e9e}E", "straße"),           // capital ẞ
        ("ΟΔΟΣ", "οδος"),                      // final sigma
        ("ΟΔΟΣ", "οδοσ"),
        ("ΟΔΟσ", "ΟΔΟΣ"),
        ("№ ½ ²", "no 1⁄2 2"),
        ("\u{212b}ngström", "ångström"), // the sign
        ("\u{2126}", "ω"),
        ("Ⅻ", "xii"),
        ("a\u{a0}b", "a b"), // a space that does not break
        ("ǅ", "dž"),
        ("calendar\u{200d}", "calendar"), // what draws nothing
        ("cal\u{200c}endar", "calendar"),
        ("calendar\u{fe0f}", "calendar"),
        ("e\u{200d}\u{301}", "é"),
    ];
    for (one, other) in same {
        assert_eq!(key(one), key(other), "{one} and {other}");
        assert_ne!(one, other, "two spellings");
    }
}

#[test]
fn other_names_have_other_keys() {
    let different = [
        ("calendar", "calendars"),
        ("calendar app", "calendarapp"),
        ("cafe", "café"),
        ("strasse", "straße"),
        ("istanbul", "ıstanbul"),
        ("istanbul", "İstanbul"),
        ("a", "а"), // Cyrillic: another script is another name
        ("o", "0"),
    ];
    for (one, other) in different {
        assert_ne!(key(one), key(other), "{one} and {other}");
    }
}

/// All characters that Unicode has assigned, at the end of a word and inside: a name and its lower case are the same name, and so
/// are a name and its key.
#[test]
fn no_character_escapes_the_key() {
    let mut tried = 0;
    for c in ('\0'..='\u{3ffff}').chain('\u{e0000}'..='\u{e0fff}') {
        for (before, after) in [("x", "y"), ("x", ""), ("", "y")] {
            let Ok(name) = FriendlyName::parse(&format!("{before}{c}{after}")) else {
                continue;
            };
            let folded = name.key();
            let again = |text: &str| FriendlyName::parse(text).map(|name| name.key());
            if let Ok(twice) = again(folded.as_str()) {
                assert_eq!(twice, folded, "the key of the key: {name}");
                tried += 1;
            }
            let lower: String = c.to_lowercase().collect();
            assert_eq!(
                again(&format!("{before}{lower}{after}")).as_ref(),
                Ok(&folded),
                "{name} in lower case"
            );
        }
    }
    assert!(tried > 700_000, "{tried}");
}

proptest! {
    #[test]
    fn a_name_keeps_its_text_and_has_one_key(words in "[a-zA-Zäßéλσñя字ﬁＡ]{1,20}( [a-zA-ZΣİ9!]{1,20}){0,3}") {
        let name = FriendlyName::parse(&words).unwrap();
        prop_assert_eq!(name.as_str(), &words);
        prop_assert_eq!(Label::parse(&words).unwrap().to_string(), &*words);
        prop_assert_eq!(key(&words.to_lowercase()), key(&words));
    }

    /// The key is the same in whatever case and composition, and is its own key.
    #[test]
    fn marks_and_cases_do_not_change_the_key(name in "[a-zA-ZİΣσςẞßéÅΩϓ\u{300}-\u{304}\u{307}\u{323}\u{327}\u{345}]{1,12}") {
        let key = FriendlyName::parse(&name).unwrap().key();
        for text in [name.to_lowercase(), key.as_str().to_owned()] {
            let same = FriendlyName::parse(&text).unwrap().key();
            prop_assert_eq!(&same, &key, "{:?} and {:?}", text, name);
        }
    }

    /// What is accepted keeps every rule, whatever was tried.
    #[test]
    fn nothing_else_is_a_name(text in "(\\PC|\\s|.){0,110}") {
        if let Ok(name) = FriendlyName::parse(&text) {
            prop_assert_eq!(name.as_str(), &text);
            prop_assert!((1..=100).contains(&text.chars().count()));
            prop_assert!(!text.chars().any(char::is_control));
            prop_assert_eq!(text.trim(), &text);
            prop_assert!(!name.key().as_str().is_empty());
            prop_assert!(Label::parse(&text).is_ok());
        } else {
            prop_assert!(Label::parse(&text).is_err());
        }
    }
}
