//! The JSON of a product: as it is shown, created, replaced and changed.

use jiff::Timestamp;
use pricing::Money;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::domain::ProductId;
use crate::domain::price::PriceKind;
use crate::domain::product::{Draft, Status};
use crate::store::products;

/// A product, at the price in force.
#[derive(Debug, Serialize, ToSchema)]
pub struct Product {
    #[schema(example = 1)]
    pub id: ProductId,
    #[schema(example = "COKE-355")]
    pub sku: String,
    /// As it is shown where no language is chosen.
    #[schema(example = "Coke")]
    pub name: String,
    #[schema(example = "Coke, 355 ml can")]
    pub name_en: Option<String>,
    #[schema(example = "Coke, canette 355 ml")]
    pub name_fr: Option<String>,
    pub description: Option<String>,
    /// A GTIN of 8, 12, 13 or 14 digits.
    #[schema(example = "628501000376")]
    pub barcode: Option<String>,
    #[schema(example = "soft-drinks")]
    pub category: String,
    #[schema(example = "standard")]
    pub tax_category: String,
    /// What a unit costs, before tax and deposit.
    pub price: Money,
    pub price_kind: PriceKind,
    /// On the container of a unit, untaxed.
    pub deposit: Money,
    pub status: Status,
    /// Grows by one with every write, those of prices included.
    #[schema(example = 1)]
    pub version: i64,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// The last write. A price that comes into force later by itself does not change it.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl From<products::Product> for Product {
    fn from(product: products::Product) -> Self {
        Self {
            id: product.id,
            sku: product.sku,
            name: product.name,
            name_en: product.name_en,
            name_fr: product.name_fr,
            description: product.description,
            barcode: product.barcode,
            category: product.category,
            tax_category: product.tax_category,
            price: product.price,
            price_kind: product.price_kind,
            deposit: product.deposit,
            status: product.status,
            version: product.version,
            created_at: product.created_at,
            updated_at: product.updated_at,
        }
    }
}

/// The bodies that describe a product in full: the members that all have, and those of one.
macro_rules! product_body {
    ($(#[$meta:meta])* $name:ident { $($extra:tt)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// Unique. Upper-case letters and digits in groups joined by `-`, `.` or `_`.
            #[schema(example = "LIM-355", max_length = 40)]
            pub sku: String,
            #[schema(example = "Limonade", min_length = 1, max_length = 200)]
            pub name: String,
            #[serde(default)]
            #[schema(example = "Lemonade, 355 ml can", min_length = 1, max_length = 200)]
            pub name_en: Option<String>,
            #[serde(default)]
            #[schema(example = "Limonade, canette 355 ml", min_length = 1, max_length = 200)]
            pub name_fr: Option<String>,
            #[serde(default)]
            #[schema(max_length = 2000)]
            pub description: Option<String>,
            /// Unique. A GTIN of 8, 12, 13 or 14 digits, the last of which checks the others.
            #[serde(default)]
            #[schema(example = "628501999991")]
            pub barcode: Option<String>,
            /// The code of a category.
            #[schema(example = "soft-drinks")]
            pub category: String,
            /// The code of a tax category.
            #[schema(example = "standard")]
            pub tax_category: String,
            /// On the container of a unit; none if left out.
            #[serde(default)]
            pub deposit: Money,
            /// `active` if left out.
            #[serde(default)]
            pub status: Status,
            $($extra)*
        }

        impl $name {
            /// What it asks for, not yet checked.
            pub(in crate::api) fn draft(&self) -> Draft {
                Draft {
                    sku: self.sku.clone(),
                    name: self.name.clone(),
                    name_en: self.name_en.clone(),
                    name_fr: self.name_fr.clone(),
                    description: self.description.clone(),
                    barcode: self.barcode.clone(),
                    category: self.category.clone(),
                    tax_category: self.tax_category.clone(),
                    deposit: self.deposit,
                    status: self.status,
                }
            }
        }
    };
}
pub(in crate::api) use product_body;

product_body! {
    /// A product to be created, with its first price: the regular one for all stores, from now on.
    NewProduct {
        pub price: Money,
    }
}

product_body! {
    /// A product as it shall be. Prices are not a part of it: they are added at `/prices`.
    ProductInput {}
}

/// Changes to a product (JSON merge patch, RFC 7396): a member that is left out stays, null removes.
/// An amount of money is given as a whole.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductPatch {
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false)]
    sku: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false)]
    name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    name_en: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    name_fr: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    barcode: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false)]
    category: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false)]
    tax_category: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Money, required = false)]
    deposit: Option<Money>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Status, required = false)]
    status: Option<Status>,
}

impl ProductPatch {
    /// What the product shall be.
    pub(super) fn apply(self, to: Draft) -> Draft {
        Draft {
            sku: self.sku.unwrap_or(to.sku),
            name: self.name.unwrap_or(to.name),
            name_en: self.name_en.unwrap_or(to.name_en),
            name_fr: self.name_fr.unwrap_or(to.name_fr),
            description: self.description.unwrap_or(to.description),
            barcode: self.barcode.unwrap_or(to.barcode),
            category: self.category.unwrap_or(to.category),
            tax_category: self.tax_category.unwrap_or(to.tax_category),
            deposit: self.deposit.unwrap_or(to.deposit),
            status: self.status.unwrap_or(to.status),
        }
    }
}

/// For a member that may be left out but not be null, unless `T` itself is an option: then absent,
/// null and a value are three things.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
