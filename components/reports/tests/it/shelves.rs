//! What is left, and what there is too little of, or too much.

use reports::domain::Source;
use serde_json::{Value, json};

use crate::business::{product, stock};
use crate::support::{Town, int};

async fn town() -> Town {
    let town = Town::open().await;
    for number in 1..=4 {
        town.tell(Source::Products, product(number, 1, &format!("Product {number}")));
    }
    let mut archived = product(4, 2, "Old");
    archived["payload"]["status"] = json!("archived");
    town.tell(Source::Products, archived);
    for (place, on_hand, level) in [
        ((1, 1), 0, "out"),
        ((1, 2), 50, "normal"),
        ((2, 2), 900, "over"),
        ((2, 3), 2, "low"),
        ((100, 1), 0, "out"),
        // Nobody misses what is not sold any more; nobody has told of the product 9.
        ((1, 4), 0, "out"),
        ((2, 9), 700, "over"),
    ] {
        town.tell(Source::Inventory, stock(place, 1, on_hand, on_hand, level, "opening/1"));
    }
    let mut promised = stock((1, 2), 2, 0, 50, "normal", "reservation/1");
    promised["payload"]["reserved"] = json!(8);
    promised["payload"]["in_transit"] = json!(5);
    town.tell(Source::Inventory, promised);
    town.consume().await;
    town
}

#[tokio::test]
async fn what_is_left_is_a_sum_over_shelves() {
    let town = town().await;
    let all = json!({
        "on_hand": 1_652, "reserved": 8, "available": 1_644, "in_transit": 5, "out": 3, "low": 1, "over": 2,
    });
    assert_eq!(town.read("consolidated").await["stock"], all);
    let of_one = json!({
        "on_hand": 50, "reserved": 8, "available": 42, "in_transit": 5, "out": 2, "low": 0, "over": 0,
    });
    assert_eq!(town.read("consolidated?store=1").await["stock"], of_one);
    town.audited().await;
}

#[tokio::test]
async fn alerts_are_of_what_is_out_and_of_what_is_too_much() {
    let town = town().await;
    let alerts = town.read("dashboard").await["alerts"].clone();
    let places = |kind: &str| -> Vec<(i64, i64)> {
        let data = alerts[kind]["data"].as_array().unwrap();
        data.iter().map(|alert| (int(&alert["location_id"]), int(&alert["product_id"]))).collect()
    };
    assert_eq!((places("RUPTURE"), &alerts["RUPTURE"]["count"]), (vec![(1, 1), (100, 1)], &json!(2)));
    assert_eq!((places("SURSTOCK"), &alerts["SURSTOCK"]["count"]), (vec![(2, 2), (2, 9)], &json!(2)));
    let alert = &alerts["SURSTOCK"]["data"];
    assert_eq!((&alert[0]["name"], &alert[0]["on_hand"]), (&json!("Product 2"), &json!(900)));
    assert_eq!(alert[1]["name"], Value::Null);
}

#[tokio::test]
async fn a_list_of_alerts_has_an_end_and_says_how_many_there_are() {
    let town = Town::open().await;
    for number in 1..=150 {
        town.tell(Source::Inventory, stock((1, number), 1, 0, 0, "out", "opening/1"));
    }
    let alerts = town.read("dashboard?max_staleness_ms=0").await["alerts"]["RUPTURE"].clone();
    assert_eq!((int(&alerts["count"]), alerts["data"].as_array().unwrap().len()), (150, 100));
}
