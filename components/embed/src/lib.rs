//! For build scripts: makes the files that browsers load part of a component. `sdk::web` serves them.
//!
//! A component's files are those of `components/sdk/web/`, which all share, those of the library in
//! there that draws their OpenAPI documents, and those of its own folder `web/`. They are one *bundle*,
//! under one path that has a digest of all of them in it: modules name each other by `./name.js`, a page
//! that was loaded never meets a file of another version, and everything but the pages may be cached for
//! ever.
//!
//! Compressed here, once, as well as it can be: no request is compressed, and an instance has no
//! state for it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use sha2::{Digest as _, Sha256};

pub use anyhow::Result;

/// In a page it stands for the path of the bundle: `<script src="@assets/shop.js">`.
const PLACE: &str = "@assets/";

/// What others wrote comes with this beside it, which browsers are not given.
const KEPT_BESIDE: [&str; 3] = ["LICENSE", "LICENSE-3RD-PARTY.txt", "NOTICE"];

/// A file as large as this is part of the component in one coding alone, which every browser takes: a
/// library in all three would be larger than the rest of the component.
const LARGE_BYTES: usize = 64 << 10;

/// Half of a SHA-256, as hexadecimal digits: nobody looks for collisions among their own files.
const DIGEST_DIGITS: usize = 32;

/// The whole of a component's `build.rs`: writes `bundle.rs` into `OUT_DIR`, for `sdk::bundle!`.
pub fn bundle() -> Result<()> {
    let variable = |name: &str| std::env::var(name).with_context(|| format!("{name}: is this a build script?"));
    let package = variable("CARGO_PKG_NAME")?;
    let service = package.strip_prefix("comptoir-").unwrap_or(&package);
    let own = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let (shared, own) = (own.join("../sdk/web"), own.join("web"));
    // One that is not there may come; it is not named itself, for then cargo would run this every time.
    let watched = if own.exists() { own.as_path() } else { Path::new(".") };
    for folder in [&shared, watched] {
        say(&format!("cargo::rerun-if-changed={}", folder.display()))?;
    }
    let out = PathBuf::from(variable("OUT_DIR")?);
    let bundle = Bundle::new(service, &read(&[&shared, &shared.join("swagger-ui"), &own])?)?;
    let code = bundle.code(&out)?.into_bytes();
    for (name, content) in bundle.compressed()?.into_iter().chain([("bundle.rs".to_owned(), code)]) {
        let path = out.join(name);
        std::fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn say(line: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{line}").context("cargo does not listen")
}

/// Files by name, whatever folder they are in.
type Files = BTreeMap<String, Vec<u8>>;

fn read(folders: &[&Path]) -> Result<Files> {
    let mut files = Files::new();
    for folder in folders.iter().filter(|folder| folder.exists()) {
        for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry.with_context(|| format!("cannot read {}", folder.display()))?.path();
            let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default().to_owned();
            if path.is_dir() || KEPT_BESIDE.contains(&name.as_str()) {
                continue;
            }
            let content = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            ensure!(files.insert(name, content).is_none(), "{}: a shared file has this name", path.display());
        }
    }
    Ok(files)
}

/// What `bundle.rs` is written from.
#[derive(Debug)]
struct Bundle {
    service: String,
    digest: String,
    assets: Files,
    pages: Files,
}

impl Bundle {
    fn new(service: &str, sources: &Files) -> Result<Self> {
        let (pages, assets): (Files, Files) =
            sources.clone().into_iter().partition(|(name, _)| Path::new(name).extension() == Some(OsStr::new("html")));
        let digest = digest(assets.iter().flat_map(|(name, content)| [name.as_bytes(), content]));
        let place = format!("/assets/{service}/{digest}/");
        let pages = pages.into_iter().map(|(name, page)| {
            let page = render(&page, &place, &assets).with_context(|| name.clone())?;
            Ok((name, page))
        });
        Ok(Self { service: service.to_owned(), digest, pages: pages.collect::<Result<_>>()?, assets })
    }

    /// An expression, which embeds what [`Bundle::compressed`] has become in `folder`.
    fn code(&self, folder: &Path) -> Result<String> {
        let mut code = String::from("::sdk::web::Bundle {\n");
        writeln!(code, "    service: {:?},", self.service)?;
        writeln!(code, "    digest: {:?},", self.digest)?;
        for (kind, files) in [("assets", &self.assets), ("pages", &self.pages)] {
            writeln!(code, "    {kind}: &[")?;
            for (name, content) in files {
                writeln!(code, "        ::sdk::web::File {{")?;
                writeln!(code, "            name: {name:?},")?;
                writeln!(code, "            content_type: {:?},", content_type(name)?)?;
                writeln!(code, "            digest: {:?},", digest([&content[..]]))?;
                for coding in OPTIONAL_CODINGS {
                    let path = folder.join(file_name(name, coding));
                    let member =
                        if is_large(content) { "None".into() } else { format!("Some(include_bytes!({path:?}))") };
                    writeln!(code, "            {coding}: {member},")?;
                }
                writeln!(code, "            gzip: include_bytes!({:?}),", folder.join(file_name(name, "gzip")))?;
                code.push_str("        },\n");
            }
            code.push_str("    ],\n");
        }
        code.push_str("}\n");
        Ok(code)
    }

    /// Every file in every coding that it has.
    fn compressed(&self) -> Result<Files> {
        let mut files = Files::new();
        for (name, content) in self.assets.iter().chain(&self.pages) {
            files.insert(file_name(name, "gzip"), gzip(content)?);
            if !is_large(content) {
                for (coding, content) in OPTIONAL_CODINGS.into_iter().zip([content.clone(), brotli(content)?]) {
                    files.insert(file_name(name, coding), content);
                }
            }
        }
        Ok(files)
    }
}

/// The members of `sdk::web::File` besides `gzip`.
const OPTIONAL_CODINGS: [&str; 2] = ["identity", "brotli"];

fn is_large(content: &[u8]) -> bool {
    content.len() >= LARGE_BYTES
}

fn file_name(name: &str, coding: &str) -> String {
    format!("{name}.{coding}")
}

/// The page with the bundle's path in the place of [`PLACE`]; every file that it names is there.
fn render(page: &[u8], place: &str, assets: &Files) -> Result<Vec<u8>> {
    let page = std::str::from_utf8(page).context("is not UTF-8")?;
    for named in page.split(PLACE).skip(1) {
        let name = named.split('"').next().unwrap_or_default();
        if !assets.contains_key(name) {
            bail!("{PLACE}{name} is named, and there is no such file");
        }
    }
    Ok(page.replace(PLACE, place).into_bytes())
}

/// As `kong/kong.yml` lets them through.
fn content_type(name: &str) -> Result<&'static str> {
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    ensure!(name.chars().all(is_name), "{name}: a name has lower-case letters, digits, - and . only");
    Ok(match Path::new(name).extension().and_then(OsStr::to_str) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        _ => bail!("{name}: browsers are given html, css, js, json and svg"),
    })
}

/// Of all parts, each with its length before it.
fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut digits = hash.finalize().iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"));
    digits.truncate(DIGEST_DIGITS);
    digits
}

fn brotli(content: &[u8]) -> Result<Vec<u8>> {
    let params = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &content[..], &mut compressed, &params).context("cannot compress")?;
    Ok(compressed)
}

fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).context("cannot compress")?;
    encoder.finish().context("cannot compress")
}

#[cfg(test)]
mod tests;
