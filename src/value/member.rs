//! Names for the single value of a variant. In JSON an enum with data is an object: `type`, then the members of the variant. So
//! a variant that holds one value without a name gets one here, with `#[serde(with = "…")]`.

macro_rules! member {
    ($name:ident) => {
        pub(crate) mod $name {
            use serde::{Deserialize, Deserializer, Serialize, Serializer};

            #[derive(Serialize, Deserialize)]
            #[serde(deny_unknown_fields)]
            struct Member<T> {
                $name: T,
            }

            pub(crate) fn serialize<T: Serialize, S: Serializer>(
                value: &T,
                to: S,
            ) -> Result<S::Ok, S::Error> {
                Member { $name: value }.serialize(to)
            }

            #[allow(dead_code, reason = "some enums are read otherwise")]
            pub(crate) fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
            where
                T: Deserialize<'de>,
                D: Deserializer<'de>,
            {
                Member::deserialize(from).map(|Member { $name }| $name)
            }
        }
    };
}

member!(days);
member!(id);
