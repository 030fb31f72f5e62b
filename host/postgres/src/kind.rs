//! Which of the known wire formats a type of PostgreSQL has, and what PostgreSQL calls it.

use std::borrow::Cow;

use sqlx::TypeInfo as _;
use sqlx::postgres::{PgTypeInfo, PgTypeKind};

/// A binary format that `encode` and `decode` know. Domains have the one of their base, enumerations that of text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Bool,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric,
    Text,
    Bytea,
    Uuid,
    Timestamptz,
    Date,
    Json,
    Jsonb,
    /// What a function returns that returns nothing.
    Void,
    Array {
        element: Element,
        /// The type of the elements, which travels with them.
        oid: u32,
    },
}

/// What an array may be made of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Element {
    Int2,
    Int4,
    Int8,
    Text,
    Uuid,
}

/// Deeper than this no domain over a domain is followed.
const MAX_DEPTH: usize = 8;

impl Kind {
    /// `None`: there is no `Value` for this type.
    pub(crate) fn of(info: &PgTypeInfo) -> Option<Self> {
        Self::nested(info, MAX_DEPTH)
    }

    fn nested(info: &PgTypeInfo, depth: usize) -> Option<Self> {
        // `pg_type.dat`: the numbers of built-in types never change.
        let kind = match info.oid()?.0 {
            16 => Self::Bool,
            17 => Self::Bytea,
            20 => Self::Int8,
            21 => Self::Int2,
            23 => Self::Int4,
            19 | 25 | 705 | 1042 | 1043 => Self::Text,
            114 => Self::Json,
            700 => Self::Float4,
            701 => Self::Float8,
            1082 => Self::Date,
            1184 => Self::Timestamptz,
            1700 => Self::Numeric,
            2278 => Self::Void,
            2950 => Self::Uuid,
            3802 => Self::Jsonb,
            _ => return Self::composed(info, depth.checked_sub(1)?),
        };
        Some(kind)
    }

    fn composed(info: &PgTypeInfo, depth: usize) -> Option<Self> {
        match info.kind() {
            PgTypeKind::Domain(base) => Self::nested(base, depth),
            PgTypeKind::Enum(_) => Some(Self::Text),
            PgTypeKind::Array(element) => {
                let oid = element.oid()?.0;
                let element = match Self::nested(element, depth)? {
                    Self::Int2 => Element::Int2,
                    Self::Int4 => Element::Int4,
                    Self::Int8 => Element::Int8,
                    Self::Text => Element::Text,
                    Self::Uuid => Element::Uuid,
                    _ => return None,
                };
                Some(Self::Array { element, oid })
            }
            // Of an extension, so without a number of its own; its format is that of text.
            PgTypeKind::Simple if info.name().rsplit('.').next() == Some("citext") => Some(Self::Text),
            _ => None,
        }
    }
}

/// PostgreSQL's name (`pg_type.typname`): `int8`, `bpchar`, `_uuid`. `sqlx` has names for display only.
pub(crate) fn type_name(info: &PgTypeInfo) -> Cow<'static, str> {
    let known = match info.oid().map(|oid| oid.0) {
        Some(16) => "bool",
        Some(17) => "bytea",
        Some(19) => "name",
        Some(20) => "int8",
        Some(21) => "int2",
        Some(23) => "int4",
        Some(25) => "text",
        Some(114) => "json",
        Some(700) => "float4",
        Some(701) => "float8",
        Some(1042) => "bpchar",
        Some(1043) => "varchar",
        Some(1082) => "date",
        Some(1184) => "timestamptz",
        Some(1700) => "numeric",
        Some(2950) => "uuid",
        Some(3802) => "jsonb",
        _ => return other_name(info).into(),
    };
    Cow::Borrowed(known)
}

/// The number under which the types of a database itself begin: `FirstNormalObjectId`.
const FIRST_OWN_OID: u32 = 16_384;

fn other_name(info: &PgTypeInfo) -> String {
    if let PgTypeKind::Array(element) = info.kind() {
        return format!("_{}", type_name(element));
    }
    match info.oid() {
        Some(oid) if oid.0 >= FIRST_OWN_OID => info.name().to_owned(),
        _ => info.name().to_ascii_lowercase(),
    }
}
