//! `q`: words without accents and case, French and English, best match first.

use serde_json::json;

use crate::support::{created, ids, lemonade, listed, shop};

/// What is searched for, and the ids of the first that are found; all of them where it ends in `!`.
const TABLE: &[(&str, &[i64])] = &[
    ("cafe", &[5]),
    ("CAFÉ", &[5]),
    ("café", &[5]),
    ("CaFe", &[5]),
    // Decomposed: e and a combining accent.
    ("cafe\u{301}", &[5]),
    ("coke", &[1]),
    ("COKE-355", &[1]),
    ("coke 355", &[1]),
    ("choco lait", &[4, 128]),
    ("lait choco", &[4, 128]),
    ("chocolate milk", &[4]),
    ("lait au chocolat", &[4]),
    ("pomme jus", &[3]),
    ("apple juice", &[3]),
    ("628501000376", &[1]),
    // A part of a word.
    ("okes", &[]),
    ("prit", &[2]),
    // Punctuation parts words.
    ("coke, canette", &[1]),
    ("% coke %", &[1]),
    // Signs with a meaning in LIKE and in regular expressions have none here.
    ("(coke", &[1]),
    ("coke\\", &[1]),
    ("nothing-of-this-name", &[]),
    ("coke spritz", &[]),
];

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn words_find_what_is_meant() {
    let shop = shop().await;
    for (q, expected) in TABLE {
        let found = ids(&listed(&shop, &format!("?q={}", encoded(q))).await);
        if expected.is_empty() {
            assert_eq!(found, [0; 0], "{q:?}");
        } else {
            assert_eq!(found.get(..expected.len()), Some(*expected), "{q:?} found {found:?}");
        }
    }
}

#[tokio::test]
async fn ligatures_are_spelled_out() {
    let shop = shop().await;
    let (oeufs, oe) = (listed(&shop, "?q=oeufs").await, listed(&shop, "?q=%C5%92UFS").await);
    assert!(oeufs.len() >= 3);
    assert_eq!(ids(&oeufs), ids(&oe));
}

#[tokio::test]
async fn a_name_comes_before_its_start_before_a_word_before_a_part() {
    let shop = shop().await;
    for (sku, name) in
        [("Z-4", "Prézester"), ("Z-3", "Grand zeste"), ("Z-2", "Zeste confit"), ("Z-1", "Zeste"), ("Z-0", "Zeste amer")]
    {
        let mut product = lemonade(sku);
        product["name"] = json!(name);
        product["name_en"] = json!(null);
        product["name_fr"] = json!(null);
        created(&shop, &product).await;
    }
    let found = listed(&shop, "?q=zeste").await;
    let names: Vec<&str> = found.iter().map(|product| product["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Zeste", "Zeste amer", "Zeste confit", "Grand zeste", "Prézester"]);
}

#[tokio::test]
async fn an_empty_search_box_finds_everything() {
    let shop = shop().await;
    let all = listed(&shop, "").await;
    for q in ["", "%20", "...", "%00", "-"] {
        assert_eq!(ids(&listed(&shop, &format!("?q={q}")).await), ids(&all), "{q:?}");
    }
}

#[tokio::test]
async fn a_search_goes_with_filters_and_another_order() {
    let shop = shop().await;
    let dear = listed(&shop, "?q=lait&category=candy").await;
    assert_eq!(ids(&dear), [128]);
    let by_price = listed(&shop, "?q=lait&sort=-price").await;
    let prices: Vec<i64> = by_price.iter().map(|product| product["price"]["amount"].as_i64().unwrap()).collect();
    assert!(prices.len() > 3 && prices.is_sorted_by(|a, b| a >= b), "{prices:?}");
}
