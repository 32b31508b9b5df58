//! Deserializing values without repeating the input in errors (rule 8).
//!
//! The errors of `serde` quote the offending text: ``unknown variant `crs_…` ``, `invalid type: string "crs_…"`. Sooner or
//! later that text is a client secret, and the error goes to a log. So every public type is deserialized through [`redacted!`],
//! which keeps what was expected and where, and drops what was found. A new public type with `Deserialize` must use it; a test
//! looks for those that do not.

use serde::de::Error;
use zeroize::Zeroizing;

/// Declares a type that is deserialized with errors that do not repeat the input.
///
/// A struct or an enum with data is read from an [`Object`](crate::value::object::Object) alone.
///
/// The declaration is written as usual, without `Deserialize` among its derives. The macro emits it twice: the second, hidden
/// copy is a remote definition of the first for `serde`, so the two cannot differ.
macro_rules! redacted {
    (@read [$($own:tt)*] [$($read:tt)*] #[serde $args:tt] $($rest:tt)*) => {
        crate::value::redacted::redacted! { @read [$($own)* #[serde $args]] [$($read)* #[serde $args]] $($rest)* }
    };
    (@read [$($own:tt)*] $read:tt #[$($attribute:tt)*] $($rest:tt)*) => {
        crate::value::redacted::redacted! { @read [$($own)* #[$($attribute)*]] $read $($rest)* }
    };
    (
        @read [$($own:tt)*] [$($read:tt)*]
        $vis:vis struct $name:ident $(<$($param:ident),+>)? { $($body:tt)* }
    ) => {
        $($own)* $vis struct $name $(<$($param),+>)? { $($body)* }
        crate::value::redacted::redacted! {
            @impl $name [$($($param)+)?] [$($read)* struct Spelling $(<$($param),+>)? { $($body)* }]
        }
    };
    (@read [$($own:tt)*] [$($read:tt)*] $vis:vis struct $name:ident ( $($body:tt)* );) => {
        $($own)* $vis struct $name ( $($body)* );
        crate::value::redacted::redacted! { @impl $name [] [$($read)* struct Spelling ( $($body)* );] }
    };
    (@read [$($own:tt)*] [$($read:tt)*] $vis:vis enum $name:ident { $($body:tt)* }) => {
        $($own)* $vis enum $name { $($body)* }
        crate::value::redacted::redacted! { @impl $name [] [$($read)* enum Spelling { $($body)* }] }
    };
    (@impl $name:ident [$($param:ident)*] [$($read:tt)*]) => {
        const _: () = {
            use self::$name as Declared;

            #[derive(serde::Deserialize)]
            #[serde(remote = "Declared")]
            #[allow(dead_code, unreachable_pub, missing_docs, reason = "only its reading is used")]
            $($read)*

            impl<'de, $($param: serde::Deserialize<'de>),*> serde::Deserialize<'de> for $name<$($param),*> {
                fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    Spelling::deserialize(crate::value::object::Object(deserializer))
                        .map_err(|error| crate::value::redacted::redact(error, stringify!($name)))
                }
            }
        };
    };
    ($($declaration:tt)*) => {
        crate::value::redacted::redacted! { @read [] [] $($declaration)* }
    };
}
pub(crate) use redacted;

/// Returns the error without the offending input. An error that quotes nothing is returned unchanged, with its position and kind.
/// `name` is the name of the type that was read.
pub(crate) fn redact<E: Error>(error: E, name: &str) -> E {
    let message = Zeroizing::new(error.to_string());
    let redacted = without_quotes(&message).map(|kept| kept.concat().replace(DECLARED, name));
    redacted.filter(|redacted| *redacted != **message).map_or(error, E::custom)
}

/// Returns the parts of a message before and after the offending input. The input may itself hold quotes and any words, so
/// everything is dropped from where it begins to the last place where it could end.
fn without_quotes(message: &str) -> Option<[&str; 2]> {
    let phrase = |(says, quotes, ends): &(&str, &'static [char], &'static [&'static str])| {
        Some((message.find(says)? + says.len(), *quotes, *ends))
    };
    let (said, quotes, ends) =
        PHRASES.iter().filter_map(phrase).min_by_key(|(said, ..)| *said).unwrap_or((0, &['"'], &[]));
    let closes = ends.iter().filter_map(|end| message.rfind(end)).max().unwrap_or(message.len());
    let Some(opens) = message.get(said..closes)?.find(quotes) else {
        return Some([message, ""]);
    };
    Some([message.get(..said + opens)?.trim_end(), message.get(closes..)?])
}

/// The name that the macro gives to the type that is read.
const DECLARED: &str = "Declared";
/// The phrases before which `serde` quotes, the quotation marks, and the phrases that can follow.
const PHRASES: [(&str, &[char], &[&str]); 4] = [
    ("unknown variant ", &['`'], &[", expected ", ", there are no "]),
    ("unknown field ", &['`'], &[", expected ", ", there are no "]),
    ("invalid type: ", &['"', '`'], &[", expected "]),
    ("invalid value: ", &['"', '`'], &[", expected "]),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    redacted! {
        /// A declaration with everything that one may have.
        #[derive(Debug, PartialEq, serde::Serialize)]
        #[serde(deny_unknown_fields)]
        struct Config {
            /// A number.
            days: u32,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            word: Option<Word>,
        }
    }

    redacted! {
        #[derive(Debug, PartialEq, serde::Serialize)]
        #[serde(rename_all = "snake_case")]
        enum Word {
            One,
            Two,
        }
    }

    redacted! {
        #[derive(Debug, PartialEq, serde::Serialize)]
        #[serde(transparent)]
        struct Number(u32);
    }

    redacted! {
        #[derive(Debug, PartialEq, serde::Serialize)]
        #[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
        enum Tagged {
            Nothing {},
            Some { days: u32 },
        }
    }

    redacted! {
        /// What stands within it is read from a tree, and not by the reader of JSON.
        #[derive(Debug, PartialEq, serde::Serialize)]
        #[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
        enum Around {
            One { tagged: Tagged },
        }
    }

    fn error_of<T: for<'de> Deserialize<'de> + std::fmt::Debug>(json: &str) -> String {
        serde_json::from_str::<T>(json).unwrap_err().to_string()
    }

    #[test]
    fn an_error_says_what_was_expected_and_where() {
        let config: Config = serde_json::from_str(r#"{ "days": 3, "word": "two" }"#).unwrap();
        assert_eq!(config, Config { days: 3, word: Some(Word::Two) });
        assert_eq!(serde_json::to_string(&config).unwrap(), r#"{"days":3,"word":"two"}"#);
        for (json, says) in [
            (r#"{"days": "crs_1"}"#, "invalid type: string, expected u32 at line 1 column 16"),
            (r#"{"days": 4294967296}"#, "invalid value: integer, expected u32 at line 1 column 19"),
            (r#"{"crs_1": 3}"#, "unknown field, expected `days` or `word` at line 1 column 8"),
            ("{\n\"word\": \"crs_1\"}", "unknown variant, expected `one` or `two` at line 2 column 15"),
            (r#"{"word": {"one": null}}"#, "invalid type: map, expected enum Word at line 1 column 9"),
            (r#"{"word": 0}"#, "invalid type: integer, expected enum Word at line 1 column 10"),
            (r#""crs_1""#, "invalid type: string, expected struct Config at line 1 column 7"),
            (r#"{"word": "one"}"#, "missing field `days` at line 1 column 15"),
            (r#"{"days": 3"#, "EOF while parsing an object at line 1 column 10"),
            (r#"{"days": 3 "word"}"#, "expected `,` or `}` at line 1 column 12"),
        ] {
            assert_eq!(error_of::<Config>(json), says, "{json}");
        }
        assert_eq!(error_of::<Number>("-1"), "invalid value: integer, expected u32 at line 1 column 2");
        let around: Around =
            serde_json::from_str(r#"{"type":"one","tagged":{"type":"some","days":3}}"#).unwrap();
        assert_eq!(around, Around::One { tagged: Tagged::Some { days: 3 } });
        let wrong = "invalid type: integer, expected variant identifier";
        assert!(error_of::<Tagged>(r#"{"type":0}"#).starts_with(wrong));
        assert!(error_of::<Around>(r#"{"type":"one","tagged":{"type":0}}"#).starts_with(wrong));
        assert!(serde_json::from_str::<Config>("{").unwrap_err().is_eof());
    }

    /// Some deserializers say where the error is before they say what it is.
    #[test]
    fn an_error_that_begins_with_a_place_repeats_nothing_either() {
        use serde::de::Error as _;

        let place = "in the table `days` of \"config.toml\": ";
        for (says, kept) in [
            ("invalid type: string \"crs_1\", expected u32", "invalid type: string, expected u32"),
            ("invalid value: integer `77`, expected u32", "invalid value: integer, expected u32"),
            ("unknown field `crs_1`, expected `days`", "unknown field, expected `days`"),
            ("unknown variant `crs_1`, there are no variants", "unknown variant, there are no variants"),
        ] {
            let error = serde_json::Error::custom(format!("{place}{says}"));
            assert_eq!(super::redact(error, "Config").to_string(), format!("{place}{kept}"));
        }
    }

    proptest! {
        /// Whatever it holds, quotes and the words of errors included.
        #[test]
        fn no_error_repeats_what_was_found(
            parts in prop::collection::vec(prop::sample::select(vec![
                "\"", "`", ", expected ", "`, expected ", "\", expected ", "invalid type: ", "unknown variant `",
                "unknown field `", ", there are no ", "x", " at line 1 column 2",
            ]), 0..6),
        ) {
            let found = format!("{}secret{}", parts.concat(), parts.concat());
            let text = serde_json::to_string(&found).unwrap();
            for json in [
                text.clone(), format!("{{{text}: 3}}"), format!(r#"{{"days": {text}}}"#), format!(r#"{{"word": {text}}}"#),
                format!(r#"{{"days": 1, "word": {{{text}: 1}}}}"#), format!(r#"{{"word": {{"of": {text}}}}}"#),
                format!(r#"{{"word": {{"of": {{"days": {text}}}}}}}"#), format!(r#"{{"word": {{"one": {text}}}}}"#),
            ] {
                let error = serde_json::from_str::<Config>(&json).unwrap_err();
                prop_assert!(!format!("{error} {error:?}").contains("secret"), "{} from {}", error, json);
                let value: serde_json::Value = serde_json::from_str(&json).unwrap();
                let error = serde_json::from_value::<Config>(value).unwrap_err();
                prop_assert!(!format!("{error} {error:?}").contains("secret"), "{} from {}", error, json);
            }
            for json in [
                text.clone(), format!(r#"{{"type": {text}}}"#), format!(r#"{{"type": "nothing", {text}: 1}}"#),
                format!(r#"{{"type": "some", "days": 1, {text}: 1}}"#), format!(r#"{{"type": "some", "days": {text}}}"#),
            ] {
                let error = serde_json::from_str::<Tagged>(&json).unwrap_err();
                prop_assert!(!format!("{error} {error:?}").contains("secret"), "{} from {}", error, json);
            }
        }
    }
}
