use std::io::Read as _;

use super::*;

const PAGE: &str = r#"<script type="module" src="@assets/shop.js"></script>"#;

fn files(files: &[(&str, &str)]) -> Files {
    files.iter().map(|(name, content)| ((*name).to_owned(), content.as_bytes().to_vec())).collect()
}

fn bundle(sources: &[(&str, &str)]) -> Result<Bundle> {
    Bundle::new("products", &files(sources))
}

#[test]
fn a_page_names_files_under_the_digest_of_all_of_them() {
    let bundle = bundle(&[("shop.html", PAGE), ("shop.js", "import './money.js'"), ("money.js", "")]).unwrap();
    assert_eq!(bundle.digest.len(), DIGEST_DIGITS);
    let page = format!(r#"<script type="module" src="/assets/products/{}/shop.js"></script>"#, bundle.digest);
    assert_eq!(bundle.pages, files(&[("shop.html", &page)]));
    assert_eq!(bundle.assets.keys().collect::<Vec<_>>(), ["money.js", "shop.js"]);
}

#[test]
fn the_digest_is_of_names_and_contents_and_of_nothing_else() {
    let of = |sources: &[(&str, &str)]| bundle(sources).unwrap().digest;
    let digest = of(&[("a.js", "1"), ("b.js", "2")]);
    assert_eq!(digest, of(&[("b.js", "2"), ("a.js", "1"), ("shop.html", "text")]));
    for other in [
        &[("a.js", "1"), ("b.js", "3")][..],
        &[("a.js", "1"), ("c.js", "2")],
        &[("a.js", "1")],
        // The same bytes, cut elsewhere.
        &[("a.js", "1b.js"), ("2", "")],
    ] {
        assert_ne!(digest, of(other), "{other:?}");
    }
}

#[test]
fn a_page_that_names_what_is_not_there_is_refused() {
    let error = bundle(&[("shop.html", PAGE)]).unwrap_err();
    assert_eq!(format!("{error:#}"), "shop.html: @assets/shop.js is named, and there is no such file");
}

#[test]
fn every_coding_is_of_what_was_read() {
    let text = "const sold = 'a sentence, and again: a sentence, and again: a sentence';".repeat(20);
    let compressed = bundle(&[("shop.js", &text)]).unwrap().compressed().unwrap();
    assert_eq!(compressed["shop.js.identity"], text.as_bytes());
    let mut unpacked = String::new();
    flate2::read::GzDecoder::new(&compressed["shop.js.gzip"][..]).read_to_string(&mut unpacked).unwrap();
    assert_eq!(unpacked, text);
    let mut unpacked = Vec::new();
    brotli::BrotliDecompress(&mut &compressed["shop.js.brotli"][..], &mut unpacked).unwrap();
    assert_eq!(unpacked, text.as_bytes());
    assert!(compressed["shop.js.brotli"].len() < text.len() / 5, "{}", compressed["shop.js.brotli"].len());
}

#[test]
fn the_code_embeds_every_file_with_its_type_and_digest() {
    let bundle = bundle(&[("shop.html", PAGE), ("shop.js", "")]).unwrap();
    let code = bundle.code(Path::new("/out")).unwrap();
    for (member, name) in [
        ("identity: Some(include_bytes!(\"/out/shop.js.identity\"))", "shop.js.identity"),
        ("brotli: Some(include_bytes!(\"/out/shop.html.brotli\"))", "shop.html.brotli"),
        ("gzip: include_bytes!(\"/out/shop.js.gzip\")", "shop.js.gzip"),
    ] {
        assert!(code.contains(member), "{member}: {code}");
        assert!(bundle.compressed().unwrap().contains_key(name), "{name}");
    }
    for said in ["service: \"products\"", "\"text/html; charset=utf-8\"", "\"text/javascript; charset=utf-8\""] {
        assert!(code.contains(said), "{said}: {code}");
    }
    assert!(code.contains(&format!("digest: {:?}", digest([&b""[..]]))), "{code}");
}

#[test]
fn what_is_large_is_there_once() {
    let bundle = bundle(&[("large.js", &"x".repeat(LARGE_BYTES)), ("small.js", "")]).unwrap();
    let names: Vec<_> = bundle.compressed().unwrap().into_keys().collect();
    assert_eq!(names, ["large.js.gzip", "small.js.brotli", "small.js.gzip", "small.js.identity"]);
    let code = bundle.code(Path::new("/out")).unwrap();
    assert_eq!((code.matches("identity: None").count(), code.matches("brotli: None").count()), (1, 1), "{code}");
}

#[test]
fn a_licence_is_kept_beside_what_it_is_of() {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/web/swagger-ui");
    assert!(library.join("LICENSE").exists() && library.join("NOTICE").exists());
    let read = read(&[&library]).unwrap();
    assert_eq!(read.keys().collect::<Vec<_>>(), ["swagger-ui-bundle.js", "swagger-ui.css"]);
}

#[test]
fn two_files_of_one_name_are_refused() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/web");
    let read_once = read(&[&shared, &shared.join("absent")]).unwrap();
    assert!(read_once.contains_key("boot.js"), "{:?}", read_once.keys());
    let error = read(&[&shared, &shared]).unwrap_err().to_string();
    assert!(error.ends_with(": a shared file has this name"), "{error}");
}

#[test]
fn a_file_that_browsers_are_not_given_is_refused() {
    let refused = |name: &str| bundle(&[(name, "")]).unwrap().code(Path::new("/out")).unwrap_err().to_string();
    assert_eq!(refused("readme.md"), "readme.md: browsers are given html, css, js, json and svg");
    assert_eq!(refused("Shop.js"), "Shop.js: a name has lower-case letters, digits, - and . only");
}
