//! The JSON form of money, `{"amount":299,"currency":"CAD"}`, and its schema.

use serde::{Deserialize, Deserializer, Serialize};

use super::MoneyError;

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(description = "An amount of money in integer cents."))]
#[serde(deny_unknown_fields)]
pub(super) struct Money {
    #[cfg_attr(
        feature = "openapi",
        schema(minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64, example = 299)
    )]
    #[serde(deserialize_with = "cents")]
    amount: i64,
    #[cfg_attr(feature = "openapi", schema(inline))]
    currency: Currency,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
enum Currency {
    #[serde(rename = "CAD")]
    Cad,
}

impl From<super::Money> for Money {
    fn from(money: super::Money) -> Money {
        Money { amount: money.cents(), currency: Currency::Cad }
    }
}

impl TryFrom<Money> for super::Money {
    type Error = MoneyError;

    fn try_from(wire: Money) -> Result<super::Money, MoneyError> {
        super::Money::from_cents(wire.amount)
    }
}

fn cents<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    crate::wire::integer(deserializer, "an integer number of cents")
}

#[cfg(feature = "openapi")]
mod openapi {
    use std::borrow::Cow;

    use utoipa::openapi::{RefOr, Schema};
    use utoipa::{PartialSchema, ToSchema};

    use crate::Money;

    impl PartialSchema for Money {
        fn schema() -> RefOr<Schema> {
            super::Money::schema()
        }
    }

    impl ToSchema for Money {
        fn name() -> Cow<'static, str> {
            Cow::Borrowed("Money")
        }
    }
}
