//! From the bytes of a component to something that can be instantiated, stage by stage. A failure
//! names its stage and what to do about it. Nothing here serves a request or touches a database.

use std::fmt;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, ensure};
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime_wasi_http::handler::ProxyPre;
use wasmtime_wasi_http::{p2, p3};

use crate::bindings;
use crate::component::cache::ArtifactCache;
use crate::limits::MAX_COMPONENT_BYTES;
use crate::state::State;

pub mod cache;
pub mod compile;
mod link;
#[cfg(test)]
mod tests;

pub use link::linker;

/// Where the way of a component into service ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Read,
    Compile,
    Link,
    Migrate,
    Instantiate,
    Probe,
    /// It served, and failed too often.
    Probation,
}

impl Stage {
    pub const ALL: [Self; 7] =
        [Self::Read, Self::Compile, Self::Link, Self::Migrate, Self::Instantiate, Self::Probe, Self::Probation];

    /// A metric label and part of messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Compile => "compile",
            Self::Link => "link",
            Self::Migrate => "migrate",
            Self::Instantiate => "instantiate",
            Self::Probe => "probe",
            Self::Probation => "probation",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A component that was not taken into service, and why. `transient` failures are the host's or the
/// database's, and the same component may be tried again.
#[derive(Debug, thiserror::Error)]
#[error("refused at stage `{stage}`: {cause:#}")]
pub struct Refusal {
    pub stage: Stage,
    pub cause: anyhow::Error,
    pub transient: bool,
}

impl Refusal {
    pub fn new(stage: Stage, cause: impl Into<anyhow::Error>) -> Self {
        Self { stage, cause: cause.into(), transient: false }
    }

    pub fn transient(stage: Stage, cause: impl Into<anyhow::Error>) -> Self {
        Self { stage, cause: cause.into(), transient: true }
    }
}

/// The SHA-256 of a component's bytes, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest(Arc<str>);

impl Digest {
    pub fn of(bytes: &[u8]) -> Self {
        Self(hex(&Sha256::digest(bytes)).into())
    }

    /// Enough of it to tell versions apart: a metric label, log lines.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A component's bytes, and what they are known by. Cheap to clone.
#[derive(Clone)]
pub struct Binary {
    pub bytes: Arc<[u8]>,
    pub digest: Digest,
}

impl Binary {
    /// Takes milliseconds.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { digest: Digest::of(&bytes), bytes: bytes.into() }
    }
}

impl fmt::Debug for Binary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Binary({}, {} bytes)", self.digest.short(), self.bytes.len())
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        _ = write!(text, "{byte:02x}");
        text
    })
}

/// A file that may be a component: its bytes, if they are not too many.
pub fn read_file(path: &Path) -> anyhow::Result<Vec<u8>> {
    let cannot =
        || format!("cannot read {}: it must be a file that this process may read (`chmod a+r`)", path.display());
    let file = std::fs::File::open(path).with_context(cannot)?;
    let mut bytes = Vec::new();
    // One more, to tell; what the file system says of the length may be old.
    file.take(MAX_COMPONENT_BYTES as u64 + 1).read_to_end(&mut bytes).with_context(cannot)?;
    if bytes.len() > MAX_COMPONENT_BYTES {
        return Err(too_large().context(cannot()));
    }
    Ok(bytes)
}

/// Why nobody reads on.
pub fn too_large() -> anyhow::Error {
    anyhow!(
        "it is larger than {MAX_COMPONENT_BYTES} bytes, which no component is: is it another file? \
         Else build it smaller, with `strip = true` and `opt-level = \"s\"`"
    )
}

/// A component that fits: compiled, and every import of it satisfied.
#[derive(Clone)]
pub struct Linked {
    pub digest: Digest,
    instance: InstancePre<State>,
    /// Our own exports; a plain WASI HTTP component has none.
    pub extension: Option<bindings::ExtensionPre<State>>,
}

impl Linked {
    /// Compiles (or takes from the cache) and links.
    pub async fn load(cache: &ArtifactCache, linker: &Linker<State>, binary: &Binary) -> Result<Self, Refusal> {
        check_whole(&binary.bytes).map_err(|cause| Refusal::new(Stage::Read, cause))?;
        let component = cache.component(linker.engine(), binary).await?;
        Self::link(linker, &component, binary.digest.clone())
    }

    fn link(linker: &Linker<State>, component: &Component, digest: Digest) -> Result<Self, Refusal> {
        let refuse = |cause: anyhow::Error| Refusal::new(Stage::Link, cause);
        let instance = linker.instantiate_pre(component).map_err(|error| {
            refuse(anyhow::Error::from(error).context(
                "the component imports something that this host does not grant (`comptoir check --help` \
                 lists what it does; `comptoir:postgres` comes with `--database-url`)",
            ))
        })?;
        let linked =
            Self { digest, extension: extension(linker.engine(), component, &instance).map_err(refuse)?, instance };
        linked.proxy().map_err(refuse)?;
        Ok(linked)
    }

    /// The entry for requests: WASI HTTP 0.3 first, else 0.2.
    pub fn proxy(&self) -> anyhow::Result<ProxyPre<State>> {
        if let Ok(pre) = p3::bindings::ServicePre::new(self.instance.clone()) {
            return Ok(ProxyPre::P3(pre));
        }
        p2::bindings::ProxyPre::new(self.instance.clone()).map(ProxyPre::P2).map_err(|_| {
            anyhow!(
                "the component exports no HTTP handler: it needs `wasi:http/handler@0.3` \
                 (or `wasi:http/incoming-handler@0.2`); a service of ours has it from `sdk::service!`"
            )
        })
    }

    /// The WASI version of the handler, for people.
    pub fn wasi(&self) -> &'static str {
        match self.proxy() {
            Ok(ProxyPre::P3(_)) => "0.3",
            _ => "0.2",
        }
    }
}

impl fmt::Debug for Linked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Linked").field("digest", &self.digest).finish_non_exhaustive()
    }
}

/// Both of our exports, or none: half of them is a mistake of the build.
fn extension(
    engine: &Engine,
    component: &Component,
    instance: &InstancePre<State>,
) -> anyhow::Result<Option<bindings::ExtensionPre<State>>> {
    let exports_ours =
        component.component_type().exports(engine).any(|(name, _)| name.starts_with("comptoir:service/"));
    if !exports_ours {
        return Ok(None);
    }
    bindings::ExtensionPre::new(instance.clone()).map(Some).map_err(|error| {
        anyhow::Error::from(error).context(
            "the component exports only a part of `comptoir:service`, or another version of it: it has to \
                 export both `lifecycle` and `background` (`sdk::service!` does), or neither",
        )
    })
}

/// What to do about a file that others read while it is being written.
pub const RENAME: &str = "copy it under another name and rename it into place";

/// Tells the usual mistakes apart before a compiler is started.
fn check_whole(bytes: &[u8]) -> anyhow::Result<()> {
    match bytes {
        [] => Err(anyhow!("the file is empty: {RENAME}")),
        [b'\0', b'a', b's', b'm', 0x0d, 0, 1, 0, sections @ ..] => {
            ensure!(!is_cut_off(sections), "the file is not a complete component, its end is missing: {RENAME}");
            Ok(())
        }
        [b'\0', b'a', b's', b'm', 1, 0, 0, 0, ..] => {
            Err(anyhow!("this is a core module, not a component: build it with `cargo build --target wasm32-wasip2`"))
        }
        [b'\0', b'a', b's', b'm', ..] if bytes.len() < 8 => {
            Err(anyhow!("the file is not a complete component, it ends in its first 8 bytes: {RENAME}"))
        }
        _ => Err(anyhow!(
            "this is not WebAssembly, a component starts with the bytes 00 61 73 6d 0d 00 01 00: \
             is it another file? `cargo build --target wasm32-wasip2` builds one"
        )),
    }
}

/// Whether a section says that it is longer than what is left. Each is a byte for its kind, its
/// length, and that many bytes.
fn is_cut_off(mut sections: &[u8]) -> bool {
    while let [_, section @ ..] = sections {
        match leb128(section).and_then(|(length, content)| content.get(length..)) {
            Some(next) => sections = next,
            None => return true,
        }
    }
    false
}

/// An unsigned number of at most 32 bits, seven in a byte, and what follows it.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0;
    for (index, byte) in bytes.iter().enumerate().take(5) {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(index + 1..)?));
        }
    }
    None
}
