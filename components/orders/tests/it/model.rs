//! Sequences of requests against a model of an order: a state, what became of the money, and what came
//! back. The model has rules of its own, written down once more.

use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use sdk::Role;
use sdk::testing::TestResponse;
use serde_json::json;

use crate::support::{COKE, CUSTOMER, JUICE, Made, Shop, TOTAL};

const CASES: u32 = 64;

const STATES: [&str; 6] = ["pending", "confirmed", "processing", "ready", "completed", "cancelled"];

#[derive(Clone, Debug)]
enum Request {
    /// By a till or a manager; with the version that is current, or another.
    Step {
        to: &'static str,
        manager: bool,
        current: bool,
    },
    Cancel,
    Confirm,
    GiveUp,
    /// Units of cokes and juices; all of them.
    Refund(u32, u32),
    RefundAll,
    /// With the right code, or a wrong one.
    PickUp(bool),
    Authorized,
    Captured,
}

#[derive(Clone, Debug)]
struct Model {
    pickup: bool,
    state: &'static str,
    payment: &'static str,
    cokes: u32,
    juices: u32,
    wrong_codes: u32,
}

type Answer = (u16, &'static str);

const OK: Answer = (200, "");
const NOT_ALLOWED: Answer = (409, "transition-not-allowed");

impl Model {
    fn apply(&mut self, request: &Request) -> Answer {
        let sold = ["confirmed", "processing", "ready", "completed"].contains(&self.state);
        match *request {
            Request::Step { current: false, .. } => (412, "precondition-failed"),
            Request::Step { to: "cancelled", .. } | Request::Cancel => self.cancel(),
            Request::Step { to, manager, .. } => self.step(to, manager),
            Request::Confirm if self.state == "cancelled" => {
                self.late_capture();
                (409, "order-cancelled")
            }
            Request::Confirm => {
                if self.state == "pending" {
                    (self.state, self.payment) = ("confirmed", "paid");
                }
                OK
            }
            Request::GiveUp => match (self.state, self.payment) {
                ("cancelled", _) => OK,
                ("pending", "paid") => NOT_ALLOWED,
                ("pending", payment) => {
                    self.state = "cancelled";
                    self.payment = if payment == "authorized" { "voided" } else { payment };
                    OK
                }
                _ => NOT_ALLOWED,
            },
            Request::Refund(..) | Request::RefundAll if !sold => (409, "order-not-refundable"),
            Request::Refund(..) | Request::RefundAll if self.payment == "refunded" => (409, "nothing-left-to-refund"),
            Request::Refund(cokes, juices) if cokes > self.cokes || juices > self.juices => (422, "validation-failed"),
            Request::Refund(cokes, juices) => self.refund(cokes, juices),
            Request::RefundAll => self.refund(self.cokes, self.juices),
            Request::PickUp(right) => self.pick_up(right),
            Request::Authorized => {
                self.payment = match (self.payment, self.state) {
                    // Known, so it is voided at once.
                    ("unpaid", "cancelled") => "voided",
                    ("unpaid", _) => "authorized",
                    (payment, _) => payment,
                };
                OK
            }
            Request::Captured if self.state == "cancelled" => {
                self.late_capture();
                OK
            }
            Request::Captured => {
                if ["unpaid", "authorized"].contains(&self.payment) {
                    self.payment = "paid";
                }
                OK
            }
        }
    }

    fn step(&mut self, to: &'static str, manager: bool) -> Answer {
        let next = match self.state {
            "pending" if self.payment == "paid" => "confirmed",
            "confirmed" => "processing",
            "processing" => "ready",
            "ready" if manager || !self.pickup => "completed",
            _ => return NOT_ALLOWED,
        };
        if to != next || self.payment == "refunded" {
            return NOT_ALLOWED;
        }
        self.state = next;
        OK
    }

    fn cancel(&mut self) -> Answer {
        if ["completed", "cancelled"].contains(&self.state) {
            return NOT_ALLOWED;
        }
        self.state = "cancelled";
        self.payment = match self.payment {
            "unpaid" | "authorized" => "voided",
            _ => "refunded",
        };
        OK
    }

    fn late_capture(&mut self) {
        self.payment = "refunded";
    }

    fn refund(&mut self, cokes: u32, juices: u32) -> Answer {
        self.cokes -= cokes;
        self.juices -= juices;
        self.payment = if self.cokes + self.juices == 0 { "refunded" } else { "partially-refunded" };
        (201, "")
    }

    fn pick_up(&mut self, right: bool) -> Answer {
        if !self.pickup {
            return (409, "order-not-for-pickup");
        }
        let ready = self.state == "ready" && self.payment != "refunded";
        match (self.state, right) {
            ("completed", true) => OK,
            ("completed", false) => self.wrong_code(),
            _ if !ready => NOT_ALLOWED,
            _ if self.wrong_codes == 5 => (409, "pickup-locked"),
            (_, true) => {
                self.state = "completed";
                OK
            }
            (_, false) => self.wrong_code(),
        }
    }

    fn wrong_code(&mut self) -> Answer {
        if self.wrong_codes == 5 {
            return (409, "pickup-locked");
        }
        self.wrong_codes += 1;
        (422, "pickup-code-wrong")
    }
}

fn requests() -> impl Strategy<Value = Vec<Request>> {
    // Mostly forward: else few get beyond the first state.
    let step = (select(&STATES[..]), any::<bool>(), proptest::bool::weighted(0.9));
    let request = prop_oneof![
        10 => step.prop_map(|(to, manager, current)| Request::Step { to, manager, current }),
        1 => proptest::strategy::Just(Request::Cancel),
        3 => proptest::strategy::Just(Request::Confirm),
        1 => proptest::strategy::Just(Request::GiveUp),
        2 => (0..3_u32, 0..2_u32).prop_filter("some units", |(cokes, juices)| cokes + juices > 0)
            .prop_map(|(cokes, juices)| Request::Refund(cokes, juices)),
        1 => proptest::strategy::Just(Request::RefundAll),
        3 => proptest::bool::weighted(0.3).prop_map(Request::PickUp),
        1 => proptest::strategy::Just(Request::Authorized),
        1 => proptest::strategy::Just(Request::Captured),
    ];
    vec(request, 1..25)
}

async fn send(shop: &Shop, made: &Made, request: &Request, code: &str, event: u128) -> TestResponse {
    let captured = || {
        let mut books = shop.peers.books();
        books.payments.entry(made.payment).or_default().state = "captured";
    };
    let lines = |cokes: u32, juices: u32| {
        let lines = [(COKE, cokes), (JUICE, juices)].into_iter().filter(|(_, units)| *units > 0);
        let lines: Vec<_> = lines.map(|(id, units)| json!({"product_id": id, "quantity": units})).collect();
        json!({"lines": lines})
    };
    let request = match *request {
        Request::Step { to, manager, current } => {
            let role = if manager { Role::Manager } else { Role::Pos };
            let tag = if current { shop.etag(made).await } else { "\"0\"".to_owned() };
            shop.step_from(made, role, to, &tag)
        }
        Request::Cancel => shop.cancel(made),
        Request::Confirm => {
            captured();
            shop.confirm(made)
        }
        Request::GiveUp => shop.app.post(format!("{}/cancel", made.internal())).as_role(Role::Service).json(&json!({})),
        Request::Refund(cokes, juices) => shop.refund(made, &lines(cokes, juices)),
        Request::RefundAll => shop.refund(made, &json!({})),
        Request::PickUp(right) => shop.pick_up(made, if right { code } else { "not it" }),
        Request::Authorized => shop.tell(made, "authorized", event, TOTAL),
        Request::Captured => {
            captured();
            shop.tell(made, "captured", event, TOTAL)
        }
    };
    request.send().await
}

async fn check(shop: &Shop, seed: u128, pickup: bool, requests: &[Request]) -> Result<(), TestCaseError> {
    let mut made = shop.two_cokes_and_a_juice(CUSTOMER);
    if pickup {
        made.draft["fulfilment"] = json!({"method": "pickup", "store_id": 2});
    }
    let made = shop.pending_of(made).await;
    let code = if pickup { shop.code(&made).await } else { String::new() };
    let mut model = Model { pickup, state: "pending", payment: "unpaid", cokes: 2, juices: 1, wrong_codes: 0 };
    for (index, request) in (0..).zip(requests) {
        let context = format!("request {index}, {request:?}, of {requests:?}");
        let expected = model.apply(request);
        let response = send(shop, &made, request, &code, seed * 100 + index).await;
        // What a checkout gives up it has undone itself.
        if matches!(request, Request::GiveUp) && response.status == 200 {
            let mut books = shop.peers.books();
            let payment = books.payments.entry(made.payment).or_default();
            payment.state = if payment.state == "captured" { "captured" } else { "voided" };
        }
        let found = match response.status.is_success() {
            true => String::new(),
            false => response.problem()["code"].as_str().unwrap().to_owned(),
        };
        proptest::prop_assert_eq!((response.status.as_u16(), found.as_str()), expected, "{}", context);
        shop.pass(60);
        shop.settle().await;
        let (state, payment) = shop.state(&made).await;
        proptest::prop_assert_eq!((state.as_str(), payment.as_str()), (model.state, model.payment), "{}", context);
    }
    Ok(())
}

#[test]
fn an_order_does_what_the_model_says() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let shop = runtime.block_on(Shop::open());
    let seed = std::cell::Cell::new(0);
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&(any::<bool>(), requests()), |(pickup, requests)| {
        seed.set(seed.get() + 1);
        runtime.block_on(check(&shop, seed.get(), pickup, &requests))
    });
    result.unwrap();
    runtime.block_on(shop.audited());
    let _entered = runtime.enter();
    drop(shop);
}
