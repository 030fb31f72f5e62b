//! What sales and orders tell, made up: the events, and beside them what a reader with pencil and paper would note
//! down of each.

use jiff::{SignedDuration, Timestamp};
use reports::domain::Source;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{event, money};

/// What was noted down of a line, signed.
#[derive(Clone, Debug)]
pub struct Noted {
    pub kind: &'static str,
    pub document: Uuid,
    pub day: String,
    pub hour: String,
    pub store: i64,
    pub channel: &'static str,
    pub cashier: Option<String>,
    pub product: i64,
    pub units: i64,
    pub gross: i64,
    pub discount: i64,
    pub net: i64,
    pub gst: i64,
    pub qst: i64,
    pub deposit: i64,
    pub rates: (i64, i64),
}

impl Noted {
    pub fn total(&self) -> i64 {
        self.net + self.gst + self.qst + self.deposit
    }

    pub fn is_back(&self) -> bool {
        self.kind == "return" || self.kind == "refund"
    }
}

/// What was noted down of a payment, signed.
#[derive(Clone, Debug)]
pub struct Taken {
    pub kind: &'static str,
    pub document: Uuid,
    pub day: String,
    pub store: i64,
    pub channel: &'static str,
    pub method: String,
    pub amount: i64,
}

/// A line to be sold.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    pub product: i64,
    pub quantity: i64,
    pub price: i64,
    pub discount: i64,
    pub deposit: i64,
    pub rates: (i64, i64),
}

impl Item {
    pub const fn of(product: i64, quantity: i64, price: i64) -> Item {
        Item { product, quantity, price, discount: 0, deposit: 0, rates: (5_000, 9_975) }
    }
}

/// Where and when something was sold, and how it was paid.
#[derive(Clone, Debug)]
pub struct Deal {
    pub at: Timestamp,
    pub store: i64,
    pub channel: &'static str,
    pub cashier: Option<&'static str>,
    pub items: Vec<Item>,
    /// All but cash; the rest is paid in cash, and with a card beyond what there is.
    pub card: i64,
    pub cash: bool,
}

impl Deal {
    pub fn of(at: &str, store: i64, items: Vec<Item>) -> Deal {
        let at = at.parse().unwrap();
        Deal { at, store, channel: "store", cashier: Some("Ana"), items, card: 0, cash: true }
    }
}

/// A sale that was told.
#[derive(Clone, Debug)]
pub struct Made {
    pub id: Uuid,
    pub order: Option<Uuid>,
    version: i64,
    order_version: i64,
    payload: Value,
    lines: Vec<Noted>,
    returned: Vec<i64>,
    refunded: i64,
}

/// Everything that happened.
#[derive(Default)]
pub struct Business {
    pub events: Vec<(Source, Value)>,
    pub noted: Vec<Noted>,
    pub taken: Vec<Taken>,
    numbers: i64,
}

/// Half up, as everywhere.
fn tax(net: i64, rate: i64) -> i64 {
    (net * rate + 50_000) / 100_000
}

/// Day and hour in Toronto, by hand: the clocks of 2026 change on 8 March and on 1 November.
pub fn toronto(at: Timestamp) -> (String, String) {
    let summer: Timestamp = "2026-03-08T07:00:00Z".parse().unwrap();
    let winter: Timestamp = "2026-11-01T06:00:00Z".parse().unwrap();
    let hours = if summer <= at && at < winter { 4 } else { 5 };
    let local = (at - SignedDuration::from_hours(hours)).to_string();
    let (day, time) = local.split_once('T').unwrap();
    (day.to_owned(), format!("{day}T{}:00:00-{hours:02}:00", &time[..2]))
}

fn sums(lines: &[Noted]) -> [i64; 7] {
    lines.iter().fold([0; 7], |sum, line| {
        let of = [line.gross, line.discount, line.net, line.gst, line.qst, line.deposit, line.total()];
        std::array::from_fn(|place| sum[place] + of[place])
    })
}

fn line_body(number: usize, line: &Noted, returned: i64) -> Value {
    json!({
        "line": number + 1, "product_id": line.product, "sku": format!("P-{}", line.product),
        "name": format!("Product {}", line.product), "quantity": line.units, "returned": returned,
        "unit_price": money(line.gross / line.units), "list_unit_price": money(line.gross / line.units),
        "gross": money(line.gross), "discount": money(line.discount), "net": money(line.net),
        "tax_category": "standard", "rates": {"gst": line.rates.0, "qst": line.rates.1}, "gst": money(line.gst),
        "qst": money(line.qst), "unit_deposit": money(line.deposit / line.units), "deposit": money(line.deposit),
        "total": money(line.total()),
    })
}

impl Business {
    fn tell(&mut self, source: Source, event: Value) {
        self.events.push((source, event));
    }

    /// Sells, at a till; or online, with the order that it is of.
    pub fn sell(&mut self, deal: &Deal) -> Made {
        let id = Uuid::now_v7();
        let (day, hour) = toronto(deal.at);
        let note = |item: &Item| {
            let net = item.price * item.quantity - item.discount;
            Noted {
                kind: "sale",
                document: id,
                day: day.clone(),
                hour: hour.clone(),
                store: deal.store,
                channel: deal.channel,
                cashier: deal.cashier.map(str::to_owned),
                product: item.product,
                units: item.quantity,
                gross: item.price * item.quantity,
                discount: item.discount,
                net,
                gst: tax(net, item.rates.0),
                qst: tax(net, item.rates.1),
                deposit: item.deposit * item.quantity,
                rates: item.rates,
            }
        };
        let lines: Vec<Noted> = deal.items.iter().map(note).collect();
        let order = (deal.channel == "online").then(Uuid::now_v7);
        let returned = vec![0; lines.len()];
        let payload = self.sale_body(deal, id, order, &lines);
        let mut made = Made { id, order, version: 0, order_version: 0, payload, lines, returned, refunded: 0 };
        if order.is_some() {
            self.tell_order(&mut made, "order.confirmed", deal.at, None);
        }
        self.tell_sale(&mut made, "sale.completed", deal.at, "completed", None);
        self.noted.extend(made.lines.clone());
        made
    }

    fn sale_body(&mut self, deal: &Deal, id: Uuid, order: Option<Uuid>, lines: &[Noted]) -> Value {
        self.numbers += 1;
        let [gross, discount, net, gst, qst, deposits, total] = sums(lines);
        let card = if deal.cash { deal.card.min(total) } else { total };
        let rest = total - card;
        let in_cash = if deal.cash { (rest + 2) / 5 * 5 } else { 0 };
        let handed_over = (in_cash + 1_999) / 2_000 * 2_000;
        let other = if order.is_some() { "online" } else { "card" };
        let mut payments = Vec::new();
        for (method, amount) in [(other, card), ("cash", handed_over)] {
            if amount > 0 {
                payments.push(json!({"method": method, "amount": money(amount)}));
            }
        }
        for (method, amount) in [(other, card), ("cash", in_cash)] {
            if amount > 0 {
                self.take("sale", id, deal, method, amount);
            }
        }
        json!({
            "sale_id": id, "number": format!("{}-1-{:06}", deal.store, self.numbers), "channel": deal.channel,
            "status": "completed", "store_id": deal.store, "register_id": order.is_none().then_some(1),
            "session_id": order.is_none().then(Uuid::now_v7), "cashier": deal.cashier, "order_id": order,
            "customer_id": null, "offline": false, "sold_at": deal.at, "recorded_at": deal.at,
            "lines": lines.iter().enumerate().map(|(n, line)| line_body(n, line, 0)).collect::<Vec<_>>(),
            "gross": money(gross), "discount": money(discount), "subtotal": money(net), "gst": money(gst),
            "qst": money(qst), "taxes": [], "deposits": money(deposits), "total": money(total),
            "cash_rounding": money(if deal.cash { in_cash - rest } else { 0 }),
            "payable": money(card + if deal.cash { in_cash } else { 0 }), "payments": payments,
            "change": money(if deal.cash { handed_over - in_cash } else { 0 }), "refunded": money(0),
        })
    }

    fn take(&mut self, kind: &'static str, document: Uuid, deal: &Deal, method: &str, amount: i64) {
        let (day, method) = (toronto(deal.at).0, method.to_owned());
        let (store, channel) = (deal.store, deal.channel);
        self.taken.push(Taken { kind, document, day, store, channel, method, amount });
    }

    fn tell_sale(&mut self, made: &mut Made, kind: &str, at: Timestamp, status: &str, back: Option<Value>) {
        made.version += 1;
        let mut payload = made.payload.clone();
        payload["status"] = json!(status);
        payload["refunded"] = money(made.refunded);
        if let Some(back) = back {
            payload["return"] = back;
        }
        self.tell(Source::Sales, event(kind, &format!("sale/{}", made.id), made.version, at, payload));
    }

    /// Calls a sale off.
    pub fn void(&mut self, mut made: Made, at: Timestamp) {
        self.tell_sale(&mut made, "sale.voided", at, "voided", None);
        let back = made.lines.iter().map(|line| Noted {
            kind: "void",
            units: -line.units,
            gross: -line.gross,
            discount: -line.discount,
            net: -line.net,
            gst: -line.gst,
            qst: -line.qst,
            deposit: -line.deposit,
            ..line.clone()
        });
        self.noted.extend(back);
        let taken: Vec<Taken> = self.taken.iter().filter(|taken| taken.document == made.id).cloned().collect();
        self.taken.extend(taken.into_iter().map(|taken| Taken { kind: "void", amount: -taken.amount, ..taken }));
    }

    /// So many units of each line come back: to a till of that store, or of an order. False: there are not as many.
    pub fn bring_back(&mut self, made: &mut Made, units: &[i64], store: i64, at: Timestamp) -> bool {
        let (day, hour) = toronto(at);
        let (document, online) = (Uuid::now_v7(), made.order.is_some());
        let mut back = Vec::new();
        for (place, (line, units)) in made.lines.iter().zip(units).enumerate() {
            let (before, after) = (made.returned[place], made.returned[place] + units);
            if after > line.units {
                return false;
            }
            // What telescopes to all that was paid.
            let part = |amount: i64| amount * after / line.units - amount * before / line.units;
            let noted = Noted {
                kind: if online { "refund" } else { "return" },
                document,
                day: day.clone(),
                hour: hour.clone(),
                store: if online { line.store } else { store },
                cashier: if online { None } else { Some("Luc".to_owned()) },
                units: -units,
                gross: 0,
                discount: 0,
                net: -part(line.net),
                gst: -part(line.gst),
                qst: -part(line.qst),
                deposit: -part(line.deposit),
                ..line.clone()
            };
            back.push((place, noted));
        }
        back.retain(|(_, line)| line.units != 0);
        if back.is_empty() {
            return false;
        }
        for (place, line) in &back {
            made.returned[*place] -= line.units;
            made.refunded -= line.total();
        }
        self.tell_back(made, document, store, at, &back);
        self.noted.extend(back.into_iter().map(|(_, line)| line));
        true
    }

    fn tell_back(&mut self, made: &mut Made, document: Uuid, store: i64, at: Timestamp, back: &[(usize, Noted)]) {
        let lines: Vec<Noted> = back.iter().map(|(_, line)| line.clone()).collect();
        let [_, _, net, gst, qst, deposits, total] = sums(&lines).map(|sum| -sum);
        let body = |(place, line): &(usize, Noted)| {
            json!({
                "line": place + 1, "product_id": line.product, "quantity": -line.units, "disposition": "resalable",
                "net": money(-line.net), "gst": money(-line.gst), "qst": money(-line.qst),
                "deposit": money(-line.deposit), "total": money(-line.total()),
            })
        };
        let (online, first) = (made.order.is_some(), &lines[0]);
        let (kind, method) = if online { ("refund", "online") } else { ("return", "cash") };
        let paid = if online { total } else { (total + 2) / 5 * 5 };
        if online || paid > 0 {
            let (day, channel, store) = (first.day.clone(), first.channel, first.store);
            let method = method.to_owned();
            self.taken.push(Taken { kind, document, day, store, channel, method, amount: -paid });
        }
        let amounts = json!({
            "net": money(net), "gst": money(gst), "qst": money(qst), "deposits": money(deposits),
            "total": money(total), "lines": back.iter().map(body).collect::<Vec<_>>(),
        });
        let mut body = amounts;
        if online {
            body["refund_id"] = json!(document);
            body["goods"] = json!("restock");
            body["reason"] = Value::Null;
            self.tell_order(made, "order.refunded", at, Some(body));
        } else {
            for (member, value) in [
                ("return_id", json!(document)),
                ("number", json!(format!("{store}-1-R{}", self.numbers))),
                ("store_id", json!(store)),
                ("register_id", json!(1)),
                ("session_id", json!(Uuid::now_v7())),
                ("cashier", json!("Luc")),
                ("returned_at", json!(at)),
                ("reason", json!("too sweet")),
                ("cash_rounding", money(paid - total)),
                ("refunds", if paid > 0 { json!([{"method": "cash", "amount": money(paid)}]) } else { json!([]) }),
            ] {
                body[member] = value;
            }
            self.tell_sale(made, "sale.returned", at, "completed", Some(body));
        }
    }

    fn tell_order(&mut self, made: &mut Made, kind: &str, at: Timestamp, refund: Option<Value>) {
        made.order_version += 1;
        let (order, sale) = (made.order.unwrap(), &made.payload);
        let mut payload = json!({
            "order_id": order, "number": "O-100001", "channel": "online", "status": "confirmed",
            "payment_status": "paid", "customer_id": 7, "checkout_id": Uuid::now_v7(), "payment_id": Uuid::now_v7(),
            "store_id": sale["store_id"], "location_id": 100, "method": "delivery", "created_at": sale["sold_at"],
            "confirmed_at": sale["sold_at"], "lines": sale["lines"], "gross": sale["gross"],
            "discount": sale["discount"], "subtotal": sale["subtotal"], "gst": sale["gst"], "qst": sale["qst"],
            "taxes": [], "deposits": sale["deposits"], "total": sale["total"], "captured": sale["total"],
            "refunded": money(made.refunded),
        });
        if let Some(refund) = refund {
            payload["refund"] = refund;
        }
        self.tell(Source::Orders, event(kind, &format!("order/{order}"), made.order_version, at, payload));
    }
}

/// A session of a till.
pub fn session(store: i64, at: Timestamp) -> Value {
    let id = Uuid::now_v7();
    let payload = json!({
        "session_id": id, "register_id": 1, "store_id": store, "cashier": "Ana", "status": "open", "opened_at": at,
        "closed_at": null, "opening_float": money(10_000),
    });
    event("session.opened", &format!("session/{id}"), 1, at, payload)
}

/// A product of the catalogue.
pub fn product(id: i64, version: i64, name: &str) -> Value {
    let payload = json!({
        "product_id": id, "sku": format!("P-{id}"), "name": name, "category": "drinks", "tax_category": "standard",
        "status": "active", "deposit": money(10), "price": money(299),
    });
    event("product.changed", &format!("product/{id}"), version, "2026-01-01T00:00:00Z".parse().unwrap(), payload)
}

/// A change of stock.
pub fn stock(place: (i64, i64), version: i64, delta: i64, on_hand: i64, level: &str, reference: &str) -> Value {
    stock_at("2026-01-01T00:00:00Z".parse().unwrap(), place, version, delta, on_hand, level, reference)
}

pub fn stock_at(
    at: Timestamp,
    (location, product): (i64, i64),
    version: i64,
    delta: i64,
    on_hand: i64,
    level: &str,
    reference: &str,
) -> Value {
    let payload = json!({
        "location_id": location, "product_id": product, "kind": "order", "delta": delta, "on_hand": on_hand,
        "reserved": 0, "in_transit": 0, "level": level, "reference": reference,
    });
    event("stock.changed", &format!("stock/{location}/{product}"), version, at, payload)
}
