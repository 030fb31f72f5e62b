//! Generated from `wit/`, the only place that is. The types of the database are ours: see
//! [`crate::db::wire`].

#![allow(
    unsafe_code,
    unused_qualifications,
    missing_debug_implementations,
    clippy::all,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "wit-bindgen's code crosses into the host by raw pointers, in its own style"
)]

wit_bindgen::generate!({
    path: "../../wit",
    world: "extension",
    with: { "comptoir:postgres/types@0.1.0": crate::db::wire },
    generate_all,
    pub_export_macro: true,
    default_bindings_module: "sdk::guest::bindings",
});

pub use exports::comptoir::service::{background, lifecycle};
