//! What is seen of a value: its `Debug`, its `Display`, its JSON and the errors beneath it, under the name of its type.

use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::fmt::Display;

use super::needles::Needles;

/// What was written, and by the `Debug`, `Display` or JSON of which type.
#[derive(Default)]
pub(super) struct Walker {
    pub(super) seen: BTreeSet<String>,
    pub(super) texts: Vec<(String, String)>,
}

impl Walker {
    pub(super) fn keep<T>(&mut self, _: &T, texts: impl IntoIterator<Item = String>) {
        let path = std::any::type_name::<T>();
        let path = path.split('<').next().unwrap_or_default();
        let name = path.rsplit("::").next().unwrap_or_default().to_owned();
        self.seen.insert(name.clone());
        self.texts.extend(texts.into_iter().map(|text| (name.clone(), text)));
    }

    /// The types in whose texts a needle is.
    pub(super) fn leaks(&self, needles: &Needles) -> BTreeSet<&str> {
        let leaky = self.texts.iter().filter(|(_, text)| needles.are_in(text));
        leaky.map(|(name, _)| name.as_str()).collect()
    }
}

/// Looks at every face that a value has; whether it has one, the compiler knows.
macro_rules! see {
    ($walker:expr, $($value:expr),+ $(,)?) => {{$(
        match &$value {
            value => {
                #[allow(unused_imports, reason = "of each two, the compiler picks one")]
                use $crate::secrecy::faces::{
                    Faces, HasDisplay as _, HasJson as _, HasNoDisplay as _, HasNoJson as _, HasNoSources as _,
                    HasSources as _,
                };
                let mut texts = vec![format!("{value:?}"), format!("{value:#?}")];
                texts.extend((&Faces(value)).displayed());
                texts.extend((&Faces(value)).json());
                texts.extend((&Faces(value)).sources());
                $walker.keep(value, texts);
            }
        }
    )+}};
}
pub(super) use see;

/// A method call finds the implementation for `Faces<T>` first, and that for `&Faces<T>` only where there is none.
pub(super) struct Faces<'a, T>(pub(super) &'a T);

pub(super) trait HasDisplay {
    fn displayed(&self) -> Vec<String>;
}
pub(super) trait HasNoDisplay {
    fn displayed(&self) -> Vec<String> {
        vec![]
    }
}
pub(super) trait HasJson {
    fn json(&self) -> Vec<String>;
}
pub(super) trait HasNoJson {
    fn json(&self) -> Vec<String> {
        vec![]
    }
}
pub(super) trait HasSources {
    fn sources(&self) -> Vec<String>;
}
pub(super) trait HasNoSources {
    fn sources(&self) -> Vec<String> {
        vec![]
    }
}

impl<T: Display> HasDisplay for Faces<'_, T> {
    fn displayed(&self) -> Vec<String> {
        vec![format!("{}", self.0), format!("{:#}", self.0)]
    }
}
impl<T> HasNoDisplay for &Faces<'_, T> {}
impl<T: serde::Serialize> HasJson for Faces<'_, T> {
    fn json(&self) -> Vec<String> {
        vec![serde_json::to_string(self.0).unwrap()]
    }
}
impl<T> HasNoJson for &Faces<'_, T> {}
impl<T: StdError> HasSources for Faces<'_, T> {
    fn sources(&self) -> Vec<String> {
        let mut texts = vec![];
        let mut next = self.0.source();
        while let Some(error) = next {
            texts.push(format!("{error} {error:?} {error:#?}"));
            next = error.source();
        }
        texts
    }
}
impl<T> HasNoSources for &Faces<'_, T> {}
