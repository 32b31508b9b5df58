//! Stable codes: each error lists its codes and kinds once, beside its variants, and the table in the docs of
//! [`ErrorKind`](crate::ErrorKind) has to say the same.

/// Gives an error its `code()` and `kind()` from one list. After the semicolon stand the variants that answer with the error
/// they hold.
macro_rules! coded {
    (
        $(#[$doc:meta])*
        $error:ident { $($variant:pat => $kind:ident $code:literal,)* $(; $($outer:pat => $inner:ident,)*)? }
    ) => {
        impl $error {
            /// Returns the stable code of this error, in snake case. [The table](crate::ErrorKind#codes) lists all codes.
            #[must_use]
            pub fn code(&self) -> &'static str {
                match self {
                    $($variant => $code,)*
                    $($($outer => $inner.code(),)*)?
                }
            }

            /// Returns what the caller can do about this error.
            $(#[$doc])*
            #[must_use]
            pub fn kind(&self) -> $crate::value::ErrorKind {
                match self {
                    $($variant => $crate::value::ErrorKind::$kind,)*
                    $($($outer => $inner.kind(),)*)?
                }
            }
        }

        #[cfg(test)]
        impl $crate::value::coded::Coded for $error {
            const CODES: &'static [(&'static str, $crate::value::ErrorKind)] =
                &[$(($code, $crate::value::ErrorKind::$kind)),*];
        }
    };
}

pub(crate) use coded;

/// What an error lists, for the test that compares it with the table.
#[cfg(test)]
pub(crate) trait Coded {
    const CODES: &'static [(&'static str, crate::value::ErrorKind)];
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::Coded;
    use crate::client::{Denial, Refusal};
    use crate::entropy::EntropyError;
    use crate::jwt::{JwtError, SignJwtError};
    use crate::record::KeyringVariableError;
    use crate::registry::upkeep::{ExportError, ImportError, RetireError};
    use crate::registry::{AccessError, Error, OpenError, SignError};
    use crate::ring::{RingConfigError, SignatureMismatch};
    use crate::value::{ErrorKind, InvalidValue};

    /// The confirmation of a plan has a type parameter, so its two codes of its own stand here.
    const CONFIRMATION: &[(&str, ErrorKind)] =
        &[("obstructed", ErrorKind::Conflict), ("plan_changed", ErrorKind::Conflict)];

    #[test]
    fn the_table_lists_every_code_with_its_kind_and_status() {
        let lists = [
            AccessError::CODES,
            CONFIRMATION,
            Denial::CODES,
            EntropyError::CODES,
            Error::CODES,
            ExportError::CODES,
            ImportError::CODES,
            InvalidValue::CODES,
            JwtError::CODES,
            KeyringVariableError::CODES,
            OpenError::CODES,
            Refusal::CODES,
            RetireError::CODES,
            RingConfigError::CODES,
            SignError::CODES,
            SignJwtError::CODES,
            SignatureMismatch::CODES,
            #[cfg(feature = "webhooks")]
            crate::webhooks::SignWebhookError::CODES,
            #[cfg(feature = "webhooks")]
            crate::webhooks::WebhookError::CODES,
        ];
        let mut listed = BTreeMap::new();
        for &(code, kind) in lists.into_iter().flatten() {
            assert!(code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{code} is snake case");
            let known = listed.insert(code, kind);
            assert!(known.is_none_or(|known| known == kind), "{code} has one kind wherever it comes from");
        }
        let expected: BTreeSet<_> = listed
            .iter()
            .map(|(code, kind)| format!("| `{code}` | `{kind:?}` | {} |", kind.http_status()))
            .collect();
        let table = include_str!("codes.md");
        let written: Vec<_> = table
            .lines()
            .filter(|line| line.starts_with("| `"))
            .filter(|line| cfg!(feature = "webhooks") || !line.contains("with the feature `webhooks`"))
            .map(|line| line.split_inclusive('|').take(4).collect::<String>())
            .collect();
        assert_eq!(written.len(), expected.len(), "no code stands twice");
        assert_eq!(written.into_iter().collect::<BTreeSet<_>>(), expected);
    }
}
