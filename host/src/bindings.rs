//! The only `bindgen!` of the host: what our own components import and export beside WASI.

#![allow(missing_debug_implementations, unused_qualifications, reason = "generated code")]

wasmtime::component::bindgen!({
    path: "../wit",
    world: "comptoir:service/extension",
    imports: { default: trappable },
    exports: { default: async },
    with: {
        // The capability's own types: nothing is copied between the two.
        "comptoir:postgres/types": crate::bindings::postgres_types,
        "comptoir:postgres/client.transaction": crate::postgres::Transaction,
        "comptoir:postgres/client.statement": crate::postgres::Statement,
    },
});

/// What the generated code wants from the module of an interface that has types and no function.
#[allow(dead_code, reason = "named by generated code that is never reached")]
pub mod postgres_types {
    pub use comptoir_postgres::types::{Column, Error, Isolation, Rows, ShapedRows, Value};

    pub trait Host {}

    impl<T: ?Sized> Host for T {}

    pub trait HostWithStore<T> {}

    impl<T, D: ?Sized> HostWithStore<T> for D {}

    pub fn add_to_linker<T, D>(
        _: &mut wasmtime::component::Linker<T>,
        _: fn(&mut T) -> D::Data<'_>,
    ) -> wasmtime::Result<()>
    where
        D: wasmtime::component::HasData,
    {
        Ok(())
    }
}
