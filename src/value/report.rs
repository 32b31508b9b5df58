//! Reports for people: enums whose JSON has the words beside the data.

/// Declares an enum that is a report. Its JSON is an object: `type`, the members of the variant, what the methods named behind
/// `with` return, and `message`, which is its `Display`.
///
/// The macro emits the declaration twice: the second, hidden copy is a remote definition of the first for `serde`, so the two
/// cannot differ.
macro_rules! report {
    (
        $(#[$attribute:meta])* $vis:vis enum $name:ident { $($body:tt)* }
        with $($member:ident: $type:ty),+;
    ) => {
        $(#[$attribute])* $vis enum $name { $($body)* }

        const _: () = {
            use self::$name as Declared;

            #[derive(serde::Serialize)]
            #[serde(remote = "Declared", tag = "type", rename_all = "snake_case")]
            #[allow(dead_code, unreachable_pub, missing_docs, reason = "only its writing is used")]
            enum Spelling { $($body)* }

            struct Data<'a>(&'a Declared);

            impl serde::Serialize for Data<'_> {
                fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    Spelling::serialize(self.0, serializer)
                }
            }

            #[derive(serde::Serialize)]
            struct Report<'a> {
                #[serde(flatten)]
                data: Data<'a>,
                $($member: $type,)+
                message: String,
            }

            impl serde::Serialize for $name {
                fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    let message = self.to_string();
                    let report = Report { data: Data(self), $($member: self.$member(),)+ message };
                    serde::Serialize::serialize(&report, serializer)
                }
            }
        };
    };
}

pub(crate) use report;
