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
fn what_is_written_is_what_was_read_however_it_is_compressed() {
    let folder = tempfile::tempdir().unwrap();
    let text = "const sold = 'a sentence, and again: a sentence, and again: a sentence';".repeat(20);
    let code = bundle(&[("shop.js", &text)]).unwrap().write(folder.path()).unwrap();
    let written = |coding: &str| std::fs::read(folder.path().join(format!("shop.js.{coding}"))).unwrap();
    assert_eq!(written("identity"), text.as_bytes());
    let mut unpacked = String::new();
    flate2::read::GzDecoder::new(&written("gzip")[..]).read_to_string(&mut unpacked).unwrap();
    assert_eq!(unpacked, text);
    let mut unpacked = Vec::new();
    brotli::BrotliDecompress(&mut &written("brotli")[..], &mut unpacked).unwrap();
    assert_eq!(unpacked, text.as_bytes());
    assert!(written("brotli").len() < text.len() / 5, "{}", written("brotli").len());
    assert!(code.contains("content_type: \"text/javascript; charset=utf-8\""), "{code}");
}

#[test]
fn two_files_of_one_name_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let [shared, own] = ["shared", "own"].map(|name| folder.path().join(name));
    for folder in [&shared, &own] {
        std::fs::create_dir(folder).unwrap();
        std::fs::write(folder.join("base.css"), "").unwrap();
    }
    let error = read(&[&shared, &own]).unwrap_err().to_string();
    assert!(error.ends_with("own/base.css: a shared file has this name"), "{error}");
    assert_eq!(read(&[&shared, &folder.path().join("absent")]).unwrap().len(), 1);
}

#[test]
fn a_file_that_browsers_are_not_given_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("Read Me.md"), "").unwrap();
    assert!(read(&[folder.path()]).unwrap_err().to_string().contains("lower-case letters"));
    let error = bundle(&[("readme.md", "")]).unwrap().write(folder.path()).unwrap_err();
    assert_eq!(error.to_string(), "readme.md: browsers are given html, css, js, json and svg");
}
