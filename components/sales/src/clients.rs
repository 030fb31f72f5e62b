//! Whom this service asks: products for what something costs, inventory to be told what left the shelf and what
//! came back to it.

pub mod inventory;
pub mod products;
