//! Registers: those that every store opens with, and those that are set up.

use sdk::Role;
use serde_json::{Value, json};

use crate::support::{Shop, int};

#[tokio::test]
async fn every_store_has_three_tills_and_one_register_for_what_is_bought_online() {
    let shop = Shop::open().await;
    let list: Value =
        shop.app.get("/api/v1/registers?limit=200").as_role(Role::Pos).send().await.expect_status(200).json();
    let list = list["data"].as_array().unwrap();
    let of = |store: i64, kind: &str| {
        let of = list.iter().filter(|register| register["store_id"] == store && register["kind"] == kind);
        of.map(|register| (int(&register["id"]), register["code"].as_str().unwrap())).collect::<Vec<_>>()
    };
    for store in 1..=5 {
        let till = |number| (store * 10 + number, ["1", "2", "3"][usize::try_from(number).unwrap() - 1]);
        assert_eq!(of(store, "till"), [till(1), till(2), till(3)]);
        assert_eq!(of(store, "online"), [(store * 10 + 9, "W")]);
    }
    assert_eq!((of(100, "till").len(), of(100, "online")), (0, vec![(1_009, "W")]));
    assert_eq!(list.len(), 21);
    let filtered = shop.app.get("/api/v1/registers?store=2&kind=till").as_role(Role::Pos).send().await;
    assert_eq!(filtered.expect_status(200).json::<Value>()["data"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn pages_neither_repeat_nor_skip() {
    let shop = Shop::open().await;
    let (mut ids, mut path) = (Vec::new(), "/api/v1/registers?limit=8".to_owned());
    loop {
        let list: Value = shop.app.get(&path).as_role(Role::Hq).send().await.expect_status(200).json();
        ids.extend(list["data"].as_array().unwrap().iter().map(|register| int(&register["id"])));
        let Some(cursor) = list["next_cursor"].as_str() else { break };
        path = format!("/api/v1/registers?limit=8&after={cursor}");
    }
    assert_eq!(ids.len(), 21);
    assert!(ids.is_sorted());
}

#[tokio::test]
async fn a_till_is_set_up_once_for_a_key_and_a_code() {
    let shop = Shop::open().await;
    let set_up = |code: &str, key: &str| {
        let body = json!({"store_id": 1, "code": code, "name": " Caisse 4 "});
        shop.app.post("/api/v1/registers").as_role(Role::Manager).idempotency_key(key).json(&body).send()
    };
    let first = set_up("4", "k-1").await.expect_status(201);
    let again = set_up("4", "k-1").await.expect_status(201);
    assert_eq!((first.text(), again.header("idempotent-replayed")), (again.text(), "true"));
    let register: Value = first.json();
    assert_eq!(register["name"], "Caisse 4");
    assert_eq!(first.header("location"), format!("/api/v1/registers/{}", register["id"]));
    let read = shop.app.get(first.header("location")).as_role(Role::Pos).send().await.expect_status(200);
    assert_eq!(read.json::<Value>(), register);
    set_up("4", "k-2").await.expect_problem(409, "register-code-taken");
    // Its receipts begin with it.
    let session = shop.session(int(&register["id"])).await;
    assert_eq!(shop.sold(session).await["number"], "1-4-000001");
    shop.audited().await;
}

#[tokio::test]
async fn what_is_no_till_is_refused_with_its_place() {
    let shop = Shop::open().await;
    for (body, pointer, code) in [
        (json!({"store_id": 9, "code": "4", "name": "x"}), "/store_id", "store-not-found"),
        (json!({"store_id": 1, "code": "4a", "name": "x"}), "/code", "code-invalid"),
        (json!({"store_id": 1, "code": "", "name": "x"}), "/code", "code-invalid"),
        (json!({"store_id": 1, "code": "4", "name": " "}), "/name", "text-invalid"),
        (json!({"store_id": 1, "code": "4", "name": "a\nb"}), "/name", "text-invalid"),
        (json!({"store_id": 1, "code": "4", "name": "x", "kind": "online"}), "/kind", "unknown-field"),
    ] {
        let post = shop.app.post("/api/v1/registers").as_role(Role::Hq).json(&body);
        let problem = post.send().await.expect_problem(422, "validation-failed");
        assert_eq!((&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]), (&json!(pointer), &json!(code)));
    }
    shop.app.get("/api/v1/registers/7").as_role(Role::Pos).send().await.expect_problem(404, "register-not-found");
}
