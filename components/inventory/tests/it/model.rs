//! Sequences of requests against a model: what is on hand, what is promised, and the sum of the ledger.

use std::collections::BTreeMap;

use inventory::domain::reservation::Status;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::support::{Depot, MONTREAL, Units, adjust, count, issue, outcome, receipt, reserve, turn};

const PRODUCTS: i64 = 3;
const CASES: u32 = 48;

#[derive(Clone, Debug)]
enum Step {
    Adjust(i64, i64),
    Count(i64, i64),
    /// Of one of four reservations: units of two products.
    Reserve(u128, (i64, i64), (i64, i64)),
    Turn(u128, &'static str),
    /// Of one of three sales, that has happened or not.
    Sell(u8, i64, i64, bool),
    TakeBack(u8, i64, i64),
    /// A minute, after which reservations that nobody pinned are over.
    Pass,
}

#[derive(Debug)]
struct Promise {
    status: Status,
    lines: Vec<(i64, i64)>,
}

#[derive(Debug, Default)]
struct Model {
    /// On hand and reserved, of what has a row.
    rows: BTreeMap<i64, (i64, i64)>,
    promises: BTreeMap<u128, Promise>,
    sales: BTreeMap<u8, (i64, i64, bool)>,
    returns: BTreeMap<u8, (i64, i64)>,
    missing: i64,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let product = || 0..PRODUCTS;
    let units = || 1..=6_i64;
    let verb = prop_oneof![Just("pin"), Just("commit"), Just("release")];
    let step = prop_oneof![
        4 => (product(), -6..=12_i64).prop_map(|(p, delta)| Step::Adjust(p, if delta == 0 { 1 } else { delta })),
        2 => (product(), 0..=12_i64).prop_map(|(p, n)| Step::Count(p, n)),
        5 => (0..4_u128, (product(), units()), (product(), units())).prop_map(|(id, a, b)| Step::Reserve(id, a, b)),
        6 => (0..4_u128, verb).prop_map(|(id, verb)| Step::Turn(id, verb)),
        3 => (0..3_u8, product(), units(), any::<bool>()).prop_map(|(id, p, n, done)| Step::Sell(id, p, n, done)),
        2 => (0..3_u8, product(), units()).prop_map(|(id, p, n)| Step::TakeBack(id, p, n)),
        1 => Just(Step::Pass),
    ];
    proptest::collection::vec(step, 1..30)
}

const OK: (u16, &str) = (200, "");
const MADE: (u16, &str) = (201, "");

/// One line for each product.
fn lines_of(first: (i64, i64), second: (i64, i64)) -> Vec<(i64, i64)> {
    let mut lines = if first.0 == second.0 { vec![first] } else { vec![first, second] };
    lines.sort_unstable();
    lines
}

impl Model {
    fn available(&self, product: i64) -> i64 {
        self.rows.get(&product).map_or(0, |(on_hand, reserved)| on_hand - reserved)
    }

    fn add(&mut self, product: i64, on_hand: i64, reserved: i64) {
        let row = self.rows.entry(product).or_insert((0, 0));
        *row = (row.0 + on_hand, row.1 + reserved);
    }

    /// What the service must answer.
    fn apply(&mut self, step: &Step) -> (u16, &'static str) {
        match *step {
            Step::Adjust(product, delta) => match self.available(product) + delta {
                ..0 => (409, "insufficient-stock"),
                0.. => {
                    self.add(product, delta, 0);
                    MADE
                }
            },
            Step::Count(product, counted) => match self.rows.get_mut(&product) {
                None => (404, "stock-not-found"),
                Some((_, reserved)) if counted < *reserved => (409, "count-below-reserved"),
                Some((on_hand, _)) => {
                    *on_hand = counted;
                    OK
                }
            },
            Step::Reserve(id, first, second) => self.reserve(id, lines_of(first, second)),
            Step::Turn(id, verb) => self.turn(id, verb),
            Step::Sell(id, product, units, done) => self.sell(id, product, units, done),
            Step::TakeBack(id, product, units) => match self.returns.get(&id) {
                Some(before) if *before == (product, units) => OK,
                Some(_) => (409, "voucher-differs"),
                None => {
                    self.returns.insert(id, (product, units));
                    self.add(product, units, 0);
                    MADE
                }
            },
            Step::Pass => {
                let over: Vec<u128> =
                    self.promises.iter().filter(|(_, p)| p.status == Status::Active).map(|(id, _)| *id).collect();
                over.into_iter().for_each(|id| self.end(id, Status::Expired));
                OK
            }
        }
    }

    fn reserve(&mut self, id: u128, lines: Vec<(i64, i64)>) -> (u16, &'static str) {
        match self.promises.get(&id) {
            // Released before it was made.
            Some(before) if before.lines.is_empty() => (409, "reservation-ended"),
            Some(before) if before.lines != lines => (409, "reservation-differs"),
            Some(Promise { status: Status::Released | Status::Expired, .. }) => (409, "reservation-ended"),
            Some(_) => OK,
            None if lines.iter().any(|(product, units)| self.available(*product) < *units) => {
                (409, "insufficient-stock")
            }
            None => {
                lines.iter().for_each(|(product, units)| self.add(*product, 0, *units));
                self.promises.insert(id, Promise { status: Status::Active, lines });
                MADE
            }
        }
    }

    fn turn(&mut self, id: u128, verb: &str) -> (u16, &'static str) {
        let Some(promise) = self.promises.get(&id) else {
            if verb != "release" {
                return (404, "reservation-not-found");
            }
            self.promises.insert(id, Promise { status: Status::Released, lines: Vec::new() });
            return OK;
        };
        let next = match (promise.status, verb) {
            (Status::Active, "pin") => Status::Pinned,
            (Status::Pinned, "commit") => Status::Committed,
            (Status::Active | Status::Pinned, "release") => Status::Released,
            (Status::Pinned, "pin") | (Status::Committed, "commit") => return OK,
            (Status::Released | Status::Expired, "release") => return OK,
            _ => return (409, "reservation-state"),
        };
        self.end(id, next);
        OK
    }

    fn end(&mut self, id: u128, status: Status) {
        let promise = self.promises.get_mut(&id).unwrap();
        promise.status = status;
        for (product, units) in promise.lines.clone() {
            match status {
                Status::Active | Status::Pinned => {}
                Status::Committed => self.add(product, -units, -units),
                Status::Released | Status::Expired => self.add(product, 0, -units),
            }
        }
    }

    fn sell(&mut self, id: u8, product: i64, units: i64, done: bool) -> (u16, &'static str) {
        if let Some(before) = self.sales.get(&id) {
            return if *before == (product, units, done) { OK } else { (409, "voucher-differs") };
        }
        let moved = units.min(self.available(product));
        if moved < units && !done {
            return (409, "insufficient-stock");
        }
        if moved > 0 {
            self.add(product, -moved, 0);
        }
        self.missing += units - moved;
        self.sales.insert(id, (product, units, done));
        MADE
    }
}

async fn send(depot: &Depot, case: i64, step: &Step) -> (u16, String) {
    let app = &depot.app;
    // Each case has products and references of its own.
    let product = |p: i64| case * PRODUCTS + p;
    let id = |id: u128| u128::try_from(case).unwrap() * 4 + id;
    let units = |p: i64, n: i64| -> Units { (MONTREAL, product(p), n) };
    let request = match *step {
        Step::Adjust(p, delta) => adjust(app, &[units(p, delta)]),
        Step::Count(p, n) => count(app, MONTREAL, product(p), n, "*"),
        Step::Reserve(slot, first, second) => {
            let lines: Vec<Units> = lines_of(first, second).into_iter().rev().map(|(p, n)| units(p, n)).collect();
            reserve(app, id(slot), &lines, 60)
        }
        Step::Turn(slot, verb) => turn(app, id(slot), verb),
        Step::Sell(slot, p, n, done) => {
            issue(app, &format!("{case}-{slot}"), &[units(p, n)], if done { "record" } else { "refuse" })
        }
        Step::TakeBack(slot, p, n) => receipt(app, &format!("{case}-{slot}"), &[units(p, n)]),
        Step::Pass => {
            depot.pass(60);
            depot.expire().await;
            return (200, String::new());
        }
    };
    outcome(&request.send().await)
}

async fn check(depot: &Depot, case: i64, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut model = Model::default();
    for (index, step) in steps.iter().enumerate() {
        let expected = model.apply(step);
        let (status, code) = send(depot, case, step).await;
        let context = format!("step {index}, {step:?}, of {steps:?}");
        proptest::prop_assert_eq!((status, code.as_str()), expected, "{}", context);
        let (from, to) = (case * PRODUCTS, case * PRODUCTS + PRODUCTS - 1);
        let rows: Vec<(i64, i64, i64, i64)> = depot
            .ask(&format!(
                "select s.product_id - {from}, s.on_hand, s.reserved,
                    (select coalesce(sum(m.delta), 0)::bigint from movements m
                     where m.location_id = s.location_id and m.product_id = s.product_id)
                from stock s where s.product_id between {from} and {to}"
            ))
            .await;
        let found: BTreeMap<i64, (i64, i64)> =
            rows.iter().map(|(p, on_hand, reserved, _)| (*p, (*on_hand, *reserved))).collect();
        proptest::prop_assert_eq!(&found, &model.rows, "{}", context);
        proptest::prop_assert!(rows.iter().all(|(_, on_hand, _, ledger)| on_hand == ledger), "{}", context);
    }
    let missing: Vec<(i64,)> = depot
        .ask(&format!(
            "select coalesce(sum(quantity), 0)::bigint from discrepancies where reference like 'issue/{case}-%'"
        ))
        .await;
    proptest::prop_assert_eq!(missing, [(model.missing,)]);
    Ok(())
}

#[test]
fn the_stock_does_what_the_model_says() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let depot = runtime.block_on(Depot::open());
    let case = std::cell::Cell::new(10_000);
    let mut runner = TestRunner::new(Config { cases: CASES, ..Config::default() });
    let result = runner.run(&steps(), |steps| {
        case.set(case.get() + 1);
        runtime.block_on(check(&depot, case.get(), &steps))
    });
    result.unwrap();
    runtime.block_on(depot.audited());
    let _entered = runtime.enter();
    drop(depot);
}
