//! Enumerations that are a text everywhere but in Rust.

/// Defines an enumeration with a text for each variant: the same in JSON, in a query, in SQL and in the
/// OpenAPI document. The crate that uses it has `serde` and `utoipa`.
///
/// ```
/// sdk::text_enum!(
///     /// Where goods are.
///     Place { Shelf = "shelf", OnTheWay = "on-the-way" }
/// );
/// # fn main() {
/// assert_eq!(Place::OnTheWay.as_str(), "on-the-way");
/// assert_eq!(serde_json::to_value(Place::OnTheWay).unwrap(), "on-the-way");
/// # }
/// ```
// The text is a `tt`: utoipa does not see through what a `literal` is wrapped in.
#[macro_export]
macro_rules! text_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:tt),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize, serde::Serialize,
            utoipa::ToSchema)]
        pub enum $name {
            $($(#[$variant_meta])* #[serde(rename = $text)] $variant),+
        }

        impl $name {
            pub const ALL: &[$name] = &[$($name::$variant),+];

            pub const fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $text),+
                }
            }
        }

        impl $crate::FromValue for $name {
            fn from_value(value: $crate::Value) -> ::std::result::Result<Self, $crate::DbError> {
                let text = <String as $crate::FromValue>::from_value(value)?;
                let found = $name::ALL.iter().find(|known| known.as_str() == text);
                found.copied().ok_or_else(|| $crate::DbError::Conversion(format!("unexpected text {text:?}")))
            }
        }

        impl $crate::ToValue for $name {
            fn to_value(self) -> $crate::Value {
                $crate::ToValue::to_value(self.as_str())
            }
        }
    };
}
