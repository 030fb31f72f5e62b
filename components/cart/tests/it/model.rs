//! Sequences of requests against a model of a cart: a map of quantities and a version.

use std::collections::BTreeMap;

use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use sdk::testing::TestApp;

use crate::support::{Shop, add, change, consume, int, outcome, remove, set};

const PRODUCTS: i64 = 4;
const CASES: u32 = 64;

#[derive(Clone, Debug)]
enum Step {
    Add(i64, i64),
    Change(i64, i64),
    /// With the version that is current, or the one before.
    Set(i64, i64, bool),
    Remove(i64, bool),
    /// Bought, by a checkout of three; so that some come again.
    Consume(u128, i64, i64),
}

#[derive(Clone, Debug, Default)]
struct Model {
    lines: BTreeMap<i64, i64>,
    version: i64,
    checkouts: BTreeMap<u128, (i64, i64)>,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let product = || 1..=PRODUCTS;
    let quantity = || prop_oneof![4 => 1..=5_i64, 1 => Just(999_i64), 1 => 500..=600_i64];
    let delta = prop_oneof![quantity(), quantity().prop_map(|quantity| -quantity)];
    let step = prop_oneof![
        4 => (product(), quantity()).prop_map(|(product, quantity)| Step::Add(product, quantity)),
        4 => (product(), delta).prop_map(|(product, delta)| Step::Change(product, delta)),
        3 => (product(), 0..=6_i64, any::<bool>()).prop_map(|(p, q, current)| Step::Set(p, q, current)),
        2 => (product(), any::<bool>()).prop_map(|(product, current)| Step::Remove(product, current)),
        2 => (0..3_u128, product(), quantity()).prop_map(|(c, p, q)| Step::Consume(c, p, q)),
    ];
    proptest::collection::vec(step, 1..25)
}

impl Model {
    fn held(&self, product: i64) -> i64 {
        self.lines.get(&product).copied().unwrap_or(0)
    }

    fn put(&mut self, product: i64, quantity: i64) {
        self.version += 1;
        match quantity {
            0 => self.lines.remove(&product),
            quantity => self.lines.insert(product, quantity),
        };
    }

    /// What the service must answer.
    fn apply(&mut self, step: &Step) -> (u16, &'static str) {
        match *step {
            Step::Add(product, delta) | Step::Change(product, delta) => {
                match self.held(product) + delta {
                    ..0 => return (409, "quantity-below-zero"),
                    1_000.. => return (409, "quantity-above-limit"),
                    quantity => self.put(product, quantity),
                }
                (200, "")
            }
            Step::Set(product, quantity, current) => self.absolute(product, quantity, current, 200),
            Step::Remove(product, current) => self.absolute(product, 0, current, 204),
            Step::Consume(checkout, product, quantity) => {
                if let Some(before) = self.checkouts.get(&checkout) {
                    let same = *before == (product, quantity);
                    return if same { (200, "") } else { (409, "checkout-consumed-differently") };
                }
                self.checkouts.insert(checkout, (product, quantity));
                let left = (self.held(product) - quantity).max(0);
                self.put(product, left);
                (200, "")
            }
        }
    }

    fn absolute(&mut self, product: i64, quantity: i64, current: bool, ok: u16) -> (u16, &'static str) {
        let done = self.held(product) == quantity;
        // The version before the first is none that ever was.
        let earlier = !current && self.version > 1;
        match (current, done) {
            (true, true) => (ok, ""),
            (true, false) => {
                self.put(product, quantity);
                (ok, "")
            }
            (false, true) if earlier => (ok, ""),
            (false, _) => (412, "precondition-failed"),
        }
    }
}

async fn send(app: &TestApp, cart: &str, seed: u128, step: &Step, version: i64) -> (u16, String) {
    let tag = |current| format!("\"{}\"", if current { version } else { version - 1 });
    let request = match *step {
        Step::Add(product, quantity) => add(app, cart, product, quantity),
        Step::Change(product, delta) => change(app, cart, product, delta),
        Step::Set(product, quantity, current) => set(app, cart, product, quantity, &tag(current)),
        Step::Remove(product, current) => remove(app, cart, product, &tag(current)),
        Step::Consume(checkout, product, quantity) => consume(app, cart, seed * 10 + checkout, &[(product, quantity)]),
    };
    outcome(&request.send().await)
}

async fn check(shop: &Shop, replica: &TestApp, seed: u128, steps: &[Step]) -> Result<(), TestCaseError> {
    let cart = shop.cart().await;
    let mut model = Model { version: 1, ..Model::default() };
    for (index, step) in steps.iter().enumerate() {
        let before = model.version;
        let expected = model.apply(step);
        let app = if index % 2 == 0 { &shop.app } else { replica };
        let (status, code) = send(app, &cart, seed, step, before).await;
        let context = format!("step {index}, {step:?}, of {steps:?}");
        proptest::prop_assert_eq!((status, code.as_str()), expected, "{}", context);
        let read = shop.read(&cart).await;
        let held: BTreeMap<i64, i64> = crate::support::lines(&read).into_iter().collect();
        proptest::prop_assert_eq!(&held, &model.lines, "{}", context);
        proptest::prop_assert_eq!(int(&read["version"]), model.version, "{}", context);
    }
    Ok(())
}

#[test]
fn a_cart_does_what_the_model_says() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let shop = runtime.block_on(Shop::open());
    let replica = shop.replica();
    let seed = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(Config { cases: CASES, ..Config::default() });
    let result = runner.run(&steps(), |steps| {
        seed.set(seed.get() + 1);
        runtime.block_on(check(&shop, &replica, seed.get(), &steps))
    });
    result.unwrap();
    let _entered = runtime.enter();
    drop(shop);
}
