//! Three replicas over one database, and a ledger of what they acknowledged.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use sdk::testing::TestApp;

use crate::support::{Shop, add, change};

/// Xorshift: random enough, and the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        i64::try_from(self.0 % sides).unwrap()
    }
}

/// Invariant 20: the acknowledged deltas of a cart sum to its quantity.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn acknowledged_deltas_sum_to_the_quantity() {
    let shop = Shop::open().await;
    shop.app.warm_up().await;
    let replicas: Vec<TestApp> = (0..3).map(|_| shop.replica()).collect();
    let cart = &shop.cart().await;
    let mut dice = Dice(0x2026_1122);
    let changes: Vec<(i64, i64, usize)> = (0..200)
        .map(|index| {
            let delta = if dice.roll(3) == 0 { -1 - dice.roll(4) } else { 1 + dice.roll(5) };
            (1 + dice.roll(4), delta, index % 3)
        })
        .collect();
    let requests = changes.iter().map(|(product, delta, replica)| {
        let replica = &replicas[*replica];
        let request = match *delta > 0 && product % 2 == 0 {
            true => add(replica, cart, *product, *delta),
            false => change(replica, cart, *product, *delta),
        };
        tokio::spawn(request.send())
    });
    let responses = join_all(requests).await;

    let mut ledger = BTreeMap::new();
    let mut refused = 0;
    for ((product, delta, _), response) in changes.iter().zip(responses) {
        let response = response.unwrap();
        match response.status.as_u16() {
            200 => *ledger.entry(*product).or_insert(0) += delta,
            _ => {
                response.expect_problem(409, "quantity-below-zero");
                refused += 1;
            }
        }
    }
    ledger.retain(|_, quantity| *quantity != 0);
    let held: BTreeMap<i64, i64> = shop.lines(cart).await.into_iter().collect();
    assert_eq!(held, ledger);
    // One version for each change that was acknowledged.
    let version = shop.read(cart).await["version"].as_i64().unwrap();
    assert_eq!(version, 1 + 200 - refused);
    assert!(refused < 100, "{refused} refused: the test proves little");
}

/// The same product from every side at once: nothing is lost and nobody waits for a deadlock.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_additions_through_different_replicas_sum() {
    let shop = Shop::open().await;
    shop.app.warm_up().await;
    let replicas = [shop.replica(), shop.replica(), shop.replica()];
    let cart = &shop.cart().await;
    let additions = (0..60).map(|index| tokio::spawn(add(&replicas[index % 3], cart, 1, 3).send()));
    for response in join_all(additions).await {
        let _ = response.unwrap().expect_status(200);
    }
    assert_eq!(shop.lines(cart).await, [(1, 180)]);
}
