//! Many at once: one sale for an id, one number for a sale, one unit for a return.

use std::collections::BTreeSet;

use proptest::prelude::{Just, Strategy};
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{COKE, FLOAT, MILK, Shop, TILL, basket, cents, offline, two_cokes_and_a_juice};

const UPLOADS: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_uploads_of_one_id_are_one_sale() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let (id, body) = (shop.id(), two_cokes_and_a_juice(session, &[("cash", 2_000)]));
    let answers = shop.at_once(20, |_| shop.put(id, &body)).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 19);
    assert!(answers.iter().all(|answer| answer.text() == answers[0].text()));
    assert_eq!(shop.count("select last_sale from registers where id = 12").await, 1);
    assert_eq!(shop.stock(1, COKE).await, 238);
    shop.audited().await;
}

/// At two tills: the row of one session does not keep the other out.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_id_at_two_tills_is_one_sale() {
    let shop = Shop::open().await;
    let (one, two) = (shop.session(TILL).await, shop.session(TILL + 1).await);
    for _ in 0..10 {
        let id = shop.id();
        let bodies = [one, two].map(|session| two_cokes_and_a_juice(session, &[("card", 1_118)]));
        let answers = shop.at_once(2, |number| shop.put(id, &bodies[number])).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        let lost = answers.iter().find(|answer| answer.status != 201).unwrap();
        lost.expect_problem(409, "sale-differs");
    }
    assert_eq!(shop.count("select sum(last_sale)::bigint from registers").await, 10);
    shop.audited().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_sales_with_one_key_are_one() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let body = two_cokes_and_a_juice(session, &[("cash", 2_000)]);
    let post = || shop.app.post("/api/v1/sales").as_role(sdk::Role::Pos).idempotency_key("s-1").json(&body);
    let answers = shop.at_once(20, |_| post()).await;
    assert!(answers.iter().all(|answer| answer.status == 201 && answer.text() == answers[0].text()));
    assert_eq!(answers.iter().filter(|answer| answer.header("idempotent-replayed") == "true").count(), 19);
    assert_eq!(shop.listed("").await.len(), 1);
    shop.audited().await;
}

/// Invariant 27: some are refused at the last moment, and leave no gap.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn forty_sales_at_one_till_have_forty_numbers_without_a_gap() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let ids: Vec<Uuid> = (0..60).map(|_| shop.id()).collect();
    let sale = |number: usize| {
        let paid = if number.is_multiple_of(3) { 1_000 } else { 2_000 };
        shop.put(ids[number], &two_cokes_and_a_juice(session, &[("cash", paid)]))
    };
    let answers = shop.at_once(ids.len(), sale).await;
    let numbers: BTreeSet<String> = answers
        .iter()
        .filter(|answer| answer.status == 201)
        .map(|answer| answer.json::<Value>()["number"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(numbers, (1..=40).map(|seq| format!("1-2-{seq:06}")).collect());
    assert_eq!(answers.iter().filter(|answer| answer.status == 422).count(), 20);
    assert_eq!(shop.drawer(session).await, FLOAT + 40 * 1_120);
    shop.audited().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_twenty_who_open_one_drawer_one_does() {
    let shop = Shop::open().await;
    let answers = shop.at_once(20, |_| shop.open_drawer(TILL)).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    for lost in answers.iter().filter(|answer| answer.status != 201) {
        lost.expect_problem(409, "session-open");
    }
    shop.audited().await;
}

/// What is sold before the count is in it, and what comes after it is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_count_has_all_that_was_sold_before_it() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let ids: Vec<Uuid> = (0..21).map(|_| shop.id()).collect();
    let request = |number: usize| match number {
        8 => shop.close(session, FLOAT),
        _ => shop.put(ids[number], &basket(session, &[(MILK, 1)], &[("cash", 425)])),
    };
    let answers = shop.at_once(ids.len(), request).await;
    let z: Value = answers[8].clone().expect_status(200).json();
    let sold = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(z["sales"], json!(sold));
    assert_eq!(cents(&z["expected_cash"]), FLOAT + 425 * i64::try_from(sold).unwrap());
    assert_eq!(answers.iter().filter(|answer| answer.status == 409).count(), 20 - sold);
    shop.audited().await;
}

/// Invariant 10, side by side and at two tills: each of ten units comes back once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn thirty_returns_at_once_never_exceed_what_was_sold() {
    let shop = Shop::open().await;
    let (one, two) = (shop.session(TILL).await, shop.session(TILL + 1).await);
    let sale = shop.sell(&basket(one, &[(COKE, 10)], &[("cash", 4_000)])).await;
    let bring_back = |n: usize| shop.bring_back(&sale, [one, two][n % 2], &[(1, 1, "resalable")]);
    let answers = shop.at_once(30, bring_back).await;
    let won: Vec<Value> = answers.iter().filter(|answer| answer.status == 201).map(|answer| answer.json()).collect();
    assert_eq!(won.len(), 10);
    let paid: i64 = won.iter().map(|back| cents(&back["refunds"][0]["amount"])).sum();
    assert_eq!(paid, cents(&sale["payable"]));
    for lost in answers.iter().filter(|answer| answer.status != 201) {
        lost.expect_problem(409, "nothing-left-to-return");
    }
    // What inventory was too busy to be told at once it is told later.
    shop.audited().await;
    assert_eq!(shop.stock(1, COKE).await, 240);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_void_and_a_return_at_once_are_one_of_them() {
    let shop = Shop::open().await;
    let (one, two) = (shop.session(TILL).await, shop.session(TILL + 1).await);
    for round in 0..10 {
        let sale = shop.sold(one).await;
        // Each goes first in every other round.
        let request = |number: usize| match (number + round) % 2 {
            0 => shop.void(&sale),
            _ => shop.bring_back(&sale, two, &[(1, 1, "resalable")]),
        };
        let mut answers = shop.at_once(2, request).await;
        answers.rotate_left(round % 2);
        match (answers[0].status.as_u16(), answers[1].status.as_u16()) {
            (200, 409) => drop(answers[1].expect_problem(409, "sale-voided")),
            (409, 201) => drop(answers[0].expect_problem(409, "sale-returned")),
            other => panic!("{other:?}"),
        }
    }
    shop.audited().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_drawer_is_not_emptied_twice() {
    let shop = Shop::open().await;
    let session = shop.session(TILL).await;
    let answers = shop.at_once(20, |_| shop.move_cash(session, "out", 2_500)).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 4);
    for lost in answers.iter().filter(|answer| answer.status != 201) {
        lost.expect_problem(409, "cash-insufficient");
    }
    assert_eq!(shop.drawer(session).await, 0);
    shop.audited().await;
}

/// A day without a network, at five tills, some of which were counted before it came back: every sale is uploaded
/// twice, in any order, half of them side by side.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_day_offline_is_recorded_once() {
    let shop = Shop::open().await;
    let mut sessions = Vec::new();
    for till in [11, 12, 13, 21, 22] {
        sessions.push(shop.session(till).await);
    }
    let sold: Vec<(Uuid, Value)> = (0..UPLOADS)
        .map(|number| {
            let sold_at = shop.clock.now();
            shop.pass(60);
            let price = if number % 10 == 0 { 289 } else { 299 };
            (shop.id(), offline(sessions[number % 5], sold_at, price, &[("cash", 2_000)]))
        })
        .collect();
    for session in &sessions[..2] {
        let _ = shop.close(*session, FLOAT).send().await.expect_status(200);
    }
    let twice: Vec<usize> = (0..UPLOADS).chain(0..UPLOADS).collect();
    let seed = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let shuffled = Just(twice).prop_shuffle().new_tree(&mut TestRunner::new_with_rng(Config::default(), seed));
    let order = shuffled.unwrap().current();
    let (side_by_side, one_by_one) = order.split_at(UPLOADS);
    let put = |number: &usize| shop.put(sold[*number].0, &sold[*number].1);
    let mut statuses = Vec::new();
    let answers = shop.at_once(UPLOADS, |place| put(&side_by_side[place])).await;
    for (answer, number) in answers.into_iter().zip(side_by_side) {
        statuses.push((*number, answer.status.as_u16()));
    }
    for number in one_by_one {
        statuses.push((*number, put(number).send().await.status.as_u16()));
    }
    for number in 0..UPLOADS {
        let mut of: Vec<u16> = statuses.iter().filter(|(n, _)| *n == number).map(|(_, status)| *status).collect();
        of.sort_unstable();
        assert_eq!(of, [200, 201], "upload {number}");
    }
    assert_eq!(shop.count("select count(*) from sales").await, i64::try_from(UPLOADS).unwrap());
    assert_eq!(shop.listed("?price_differs=true&limit=200").await.len(), UPLOADS / 10);
    let late = "select count(*) from sales s join sessions x on x.id = s.session_id where x.kind = 'late'";
    assert_eq!(shop.count(late).await, i64::try_from(UPLOADS).unwrap() * 2 / 5);
    assert_eq!(shop.count("select count(*) from sessions where kind = 'late'").await, 2);
    let days = "select count(*) from sales where sold_at = (request -> 'offline' ->> 'sold_at')::timestamptz";
    assert_eq!(shop.count(days).await, i64::try_from(UPLOADS).unwrap());
    shop.pass(600);
    for _ in 0..4 {
        shop.settle().await;
    }
    shop.audited().await;
}
