//! Identifiers that the compiler tells apart: a cart's is no product's.

use crate::{Clock, backend};
use uuid::{Builder, Uuid};

/// A UUID of version 7 (RFC 9562, 5.7): ordered by the clock's millisecond, random within it.
#[must_use]
pub fn new_uuid_v7(clock: &Clock) -> Uuid {
    let millis = u64::try_from(clock.now().as_millisecond()).unwrap_or(0);
    let high = backend::random_u64().to_le_bytes();
    let low = backend::random_u64().to_le_bytes();
    let [a, b, c, d, e, f, g, h] = high;
    let [i, j, ..] = low;
    Builder::from_unix_timestamp_millis(millis, &[a, b, c, d, e, f, g, h, i, j]).into_uuid()
}

/// Defines an identifier: `typed_id!(ProductId, i64)` or `typed_id!(CartId, Uuid)`. In JSON, in a
/// path and in SQL it is the bare number or UUID.
#[macro_export]
macro_rules! typed_id {
    ($(#[$meta:meta])* $name:ident, i64) => {
        $crate::typed_id!(@define $(#[$meta])* $name, i64, i64, {
            $crate::private::utoipa::openapi::ObjectBuilder::new()
                .schema_type($crate::private::utoipa::openapi::schema::Type::Integer)
                .format(::std::option::Option::Some(
                    $crate::private::utoipa::openapi::SchemaFormat::KnownFormat(
                        $crate::private::utoipa::openapi::KnownFormat::Int64,
                    ),
                ))
                .build()
                .into()
        });
    };
    ($(#[$meta:meta])* $name:ident, Uuid) => {
        $crate::typed_id!(@define $(#[$meta])* $name, $crate::private::uuid::Uuid, uuid, {
            $crate::private::utoipa::openapi::ObjectBuilder::new()
                .schema_type($crate::private::utoipa::openapi::schema::Type::String)
                .format(::std::option::Option::Some(
                    $crate::private::utoipa::openapi::SchemaFormat::Custom("uuid".to_owned()),
                ))
                .build()
                .into()
        });
    };
    (@define $(#[$meta:meta])* $name:ident, $inner:ty, $kind:ident, $schema:block) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(&self.0, f)
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = <$inner as ::std::str::FromStr>::Err;

            fn from_str(text: &str) -> ::std::result::Result<Self, Self::Err> {
                text.parse().map($name)
            }
        }

        impl ::std::convert::From<$inner> for $name {
            fn from(id: $inner) -> Self {
                $name(id)
            }
        }

        impl $crate::private::serde::Serialize for $name {
            fn serialize<S: $crate::private::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                $crate::private::serde::Serialize::serialize(&self.0, serializer)
            }
        }

        impl<'de> $crate::private::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::private::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                $crate::private::serde::Deserialize::deserialize(deserializer).map($name)
            }
        }

        impl $crate::ToValue for $name {
            fn to_value(self) -> $crate::Value {
                $crate::ToValue::to_value(self.0)
            }
        }

        impl $crate::FromValue for $name {
            fn from_value(
                value: $crate::Value,
            ) -> ::std::result::Result<Self, $crate::DbError> {
                $crate::FromValue::from_value(value).map($name)
            }
        }

        impl $crate::private::utoipa::PartialSchema for $name {
            fn schema() -> $crate::private::utoipa::openapi::RefOr<
                $crate::private::utoipa::openapi::schema::Schema,
            > $schema
        }

        impl $crate::private::utoipa::ToSchema for $name {}
    };
}
