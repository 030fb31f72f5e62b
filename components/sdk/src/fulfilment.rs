//! How what was bought gets to the customer. A checkout asks for it, and an order keeps it: both refuse the
//! same, so that what was accepted can be ordered.

mod address;

pub use address::Address;

use crate::problem::FieldError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

crate::typed_id!(
    /// A store or warehouse of the inventory service.
    LocationId,
    i64
);

crate::text_enum!(
    /// How an order gets to the customer.
    Method {
        /// To an address.
        Delivery = "delivery",
        /// At a store, for a code.
        Pickup = "pickup",
    }
);

/// How an order gets to the customer: to an address, or at a store.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Fulfilment {
    pub method: Method,
    /// With `delivery`, and only with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// With `pickup`, and only with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 1)]
    pub store_id: Option<LocationId>,
}

impl Fulfilment {
    /// Everything that is wrong with it; `at` is the pointer to it.
    #[must_use]
    pub fn mistakes(&self, at: &str) -> Vec<FieldError> {
        let error = |member: &str, code, detail| vec![FieldError::at_pointer(format!("{at}/{member}"), code, detail)];
        let missing = |member| error(member, "missing-field", "this method needs it");
        let surplus = |member| error(member, "surplus-field", "this method has no use for it");
        match (self.method, &self.address, self.store_id) {
            (Method::Delivery, None, _) => missing("address"),
            (Method::Delivery, Some(_), Some(_)) => surplus("store_id"),
            (Method::Delivery, Some(address), None) => address.mistakes(&format!("{at}/address")),
            (Method::Pickup, _, None) => missing("store_id"),
            (Method::Pickup, Some(_), Some(_)) => surplus("address"),
            (Method::Pickup, None, Some(_)) => Vec::new(),
        }
    }
}
