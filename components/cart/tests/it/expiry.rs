//! Carts that nobody uses.

use cart::tasks;
use sdk::{Executor, Role, params};
use serde_json::{Value, json};

use crate::support::{COKE, JUICE, Shop, add, change, id, lines, remove, set};

const DAY: i64 = 24 * 3_600;
const HOUR: i64 = 3_600;

async fn expire(shop: &Shop) {
    tasks::expire(shop.app.context().clone()).await.unwrap();
}

async fn status(shop: &Shop, cart: &str) -> u16 {
    shop.app.get(cart).send().await.status.as_u16()
}

#[tokio::test]
async fn empty_carts_go_first_and_a_customer_keeps_theirs_longest() {
    let shop = Shop::open().await;
    let empty = shop.cart().await;
    let emptied = shop.cart().await;
    let anonymous = shop.cart().await;
    let customer = shop.cart_of(json!({"customer_id": 7})).await;
    for cart in [&emptied, &anonymous, &customer] {
        shop.add(cart, COKE, 1).await;
    }
    let _ = change(&shop.app, &emptied, COKE, -1).send().await.expect_status(200);
    let mut statuses = Vec::new();
    // Each a minute too early, and after the hour that expiry is rounded up to.
    let waits = [DAY - 60, HOUR + 60, 29 * DAY - HOUR - 60, HOUR + 60, 150 * DAY - HOUR - 60, HOUR + 60];
    for wait in waits {
        shop.pass(wait);
        expire(&shop).await;
        let mut row = Vec::new();
        for cart in [&empty, &emptied, &anonymous, &customer] {
            row.push(status(&shop, cart).await);
        }
        statuses.push(row);
    }
    assert_eq!(
        statuses,
        [
            [200, 200, 200, 200],
            [410, 410, 200, 200],
            [410, 410, 200, 200],
            [410, 410, 410, 200],
            [410, 410, 410, 200],
            [410, 410, 410, 410],
        ]
    );
}

/// Whichever way it was emptied, and only if it was.
#[tokio::test]
async fn a_cart_that_was_emptied_goes_as_if_it_had_always_been() {
    let shop = Shop::open().await;
    let (removed, set_to_zero, bought) = (shop.cart().await, shop.cart().await, shop.cart().await);
    let not_all = [shop.cart().await, shop.cart().await, shop.cart().await];
    for cart in [&removed, &set_to_zero, &bought].into_iter().chain(&not_all) {
        shop.add(cart, COKE, 1).await;
    }
    for cart in &not_all {
        shop.add(cart, JUICE, 1).await;
    }
    for (one, other) in [(&removed, &not_all[0]), (&set_to_zero, &not_all[1]), (&bought, &not_all[2])] {
        for (checkout, cart) in [(1, one), (2, other)] {
            let response = match () {
                () if one == &removed => remove(&shop.app, cart, COKE, "*").send().await.expect_status(204),
                () if one == &set_to_zero => set(&shop.app, cart, COKE, 0, "*").send().await.expect_status(200),
                () => shop.consume(cart, checkout, &[(COKE, 1)]).send().await.expect_status(200),
            };
            assert!(response.status.is_success());
        }
    }
    shop.pass(DAY + HOUR);
    expire(&shop).await;
    for cart in [&removed, &set_to_zero, &bought] {
        assert_eq!(status(&shop, cart).await, 410);
    }
    for cart in &not_all {
        assert_eq!(shop.lines(cart).await, [(JUICE, 1)]);
    }
}

#[tokio::test]
async fn a_change_gives_a_cart_new_life() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    shop.add(&cart, COKE, 1).await;
    shop.pass(29 * DAY);
    shop.add(&cart, COKE, 1).await;
    shop.pass(29 * DAY);
    expire(&shop).await;
    assert_eq!(shop.lines(&cart).await, [(COKE, 2)]);
}

#[tokio::test]
async fn an_expired_cart_is_gone_and_then_forgotten() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    shop.add(&cart, COKE, 1).await;
    shop.pass(31 * DAY);
    expire(&shop).await;
    let other = shop.cart().await;
    let snapshot = format!("/internal/v1/carts/{}/snapshot", id(&cart));
    for response in [
        shop.app.get(&cart).send().await,
        shop.app.get(format!("{cart}/estimate")).send().await,
        add(&shop.app, &cart, COKE, 1).send().await,
        set(&shop.app, &cart, COKE, 1, "*").send().await,
        shop.merge(&cart, &other).send().await,
        shop.app.get(snapshot).as_role(Role::Service).send().await,
    ] {
        response.expect_problem(410, "cart-expired");
    }
    let problem = shop.merge(&other, &cart).send().await.expect_problem(409, "cart-expired");
    assert_eq!(problem["errors"][0]["pointer"], "/from");
    // A checkout that was under way ends all the same: there is nothing left to take.
    let consumed: Value = shop.consume(&cart, 1, &[(COKE, 1)]).send().await.expect_status(200).json();
    assert_eq!(consumed["lines"][0]["taken"], 0);

    tasks::forget(shop.app.context().clone()).await.unwrap();
    assert_eq!(status(&shop, &cart).await, 410);
    shop.pass(91 * DAY);
    tasks::forget(shop.app.context().clone()).await.unwrap();
    shop.app.get(&cart).send().await.expect_problem(404, "cart-not-found");
    let left: Vec<(i64,)> = shop.app.db().query("select count(*) from cart_consumptions", params![]).await.unwrap();
    assert_eq!(left, [(0,)]);
}

#[tokio::test]
async fn a_merged_cart_is_remembered_for_a_while() {
    let shop = Shop::open().await;
    let guest = shop.cart().await;
    let customer = shop.cart_of(json!({"customer_id": 7})).await;
    shop.add(&guest, COKE, 1).await;
    let _ = shop.merge(&customer, &guest).send().await.expect_status(200);
    shop.pass(89 * DAY);
    tasks::forget(shop.app.context().clone()).await.unwrap();
    assert_eq!(shop.read(&guest).await["status"], "merged");
    shop.pass(2 * DAY);
    tasks::forget(shop.app.context().clone()).await.unwrap();
    assert_eq!(status(&shop, &guest).await, 404);
    assert_eq!(lines(&shop.read(&customer).await), [(COKE, 1)]);
}

/// Both workers take what the other one leaves: every cart expires once, in a batch or the next.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_workers_share_the_work() {
    let shop = Shop::open().await;
    let fill = "insert into carts (id, created_at, updated_at, expires_at) \
        select gen_random_uuid(), now(), now(), $1 from generate_series(1, 1700)";
    shop.app.db().execute(fill, params![shop.clock.now()]).await.unwrap();
    let alive = shop.cart().await;
    let workers = [0, 1].map(|_| tokio::spawn(tasks::expire(shop.app.context().clone())));
    for worker in workers {
        worker.await.unwrap().unwrap();
    }
    // What one found taken by the other when it looked is left for the next run.
    expire(&shop).await;
    let count = "select status, version, count(*) from carts group by status, version order by status";
    let counts: Vec<(String, i64, i64)> = shop.app.db().query(count, params![]).await.unwrap();
    let expected = [("expired".to_owned(), 2, 1_700), ("open".to_owned(), 1, 1)];
    assert_eq!(counts, expected, "each has been touched once");
    assert_eq!(status(&shop, &alive).await, 200);
}

/// A cart in use is neither waited for nor expired.
#[tokio::test]
async fn a_cart_that_is_being_changed_is_passed_over() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    shop.pass(2 * DAY);
    let context = shop.app.context().clone();
    let (context, cart_id) = (&context, &uuid::Uuid::parse_str(id(&cart)).unwrap());
    let held: Result<(), sdk::DbError> = context
        .db
        .transaction(|tx| async move {
            tx.execute("select from carts where id = $1 for no key update", params![*cart_id]).await?;
            tasks::expire(context.clone()).await.unwrap();
            Ok(())
        })
        .await;
    held.unwrap();
    assert_eq!(status(&shop, &cart).await, 200);
    expire(&shop).await;
    assert_eq!(status(&shop, &cart).await, 410);
}

#[tokio::test]
async fn the_audit_finds_nothing_and_then_what_is_wrong() {
    let shop = Shop::open().await;
    let cart = shop.cart().await;
    shop.add(&cart, COKE, 1).await;
    let audit = || shop.app.get("/internal/v1/audit").as_role(Role::Service).send();
    assert_eq!(audit().await.expect_status(200).json::<Value>(), json!({"data": []}));
    shop.app.database().administer("update carts set status = 'expired'").await;
    assert_eq!(
        audit().await.expect_status(200).json::<Value>(),
        json!({"data": [{"invariant": "closed-cart-has-no-lines", "offender": {"cart_id": id(&cart)}}]})
    );
}
