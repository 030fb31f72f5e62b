//! The compiled guests.

use std::path::{Path, PathBuf};

/// More than the pool has for one memory.
pub const TOO_MUCH_MEMORY: &str = "(component (core module $m (memory 32768)) (core instance (instantiate $m)))";

/// Where the sources of the guests are.
pub fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../components/fixtures/examples")
}

/// The component that a guest was compiled to.
pub fn path(name: &str) -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_comptoir"));
    let target = program.parent().and_then(Path::parent).expect("target/release/comptoir");
    let folder = target.join("wasm32-wasip2/component/examples");
    // Cargo turns the hyphens of a library's name into underscores, and leaves a program's alone.
    let library = folder.join(format!("{}.wasm", name.replace('-', "_")));
    let program = folder.join(format!("{name}.wasm"));
    let path = [library, program].into_iter().find(|path| path.is_file());
    path.unwrap_or_else(|| {
        panic!(
            "the guest `{name}` is not in {}: run `make fixtures`, or\n  cargo build --profile component \
             --target wasm32-wasip2 -p comptoir-fixtures --examples",
            folder.display()
        )
    })
}

/// The component of a service.
pub fn service(name: &str) -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_comptoir"));
    let target = program.parent().and_then(Path::parent).expect("target/release/comptoir");
    let path = target.join(format!("wasm32-wasip2/component/{name}.wasm"));
    assert!(path.is_file(), "there is no {}: run `make components`", path.display());
    path
}

pub fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).expect("a readable guest")
}

/// A component that is written by hand, because no compiler would make it.
pub fn text(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("a component's text")
}
