//! Thousands of made-up events, and every report of them against sums over what was noted down beside.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use reports::domain::Source;
use serde_json::Value;

use crate::business::{Business, Deal, Item, Made, Noted, Taken, product, session};
use crate::support::{Town, at, cents, int};

/// The same on every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: i64) -> i64 {
        // Knuth's; the high bits are the good ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 33).unwrap() % sides
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        let place = self.roll(i64::try_from(all.len()).unwrap());
        all[usize::try_from(place).unwrap()]
    }
}

const RATES: [(i64, i64); 4] = [(5_000, 9_975), (5_000, 0), (0, 0), (6_000, 9_975)];

/// From four days before the clocks change to four days after, at all hours.
fn instant(dice: &mut Dice) -> Timestamp {
    at("2026-10-28T04:00:00Z") + SignedDuration::from_secs(dice.roll(9 * 86_400))
}

fn deal(dice: &mut Dice) -> Deal {
    let mut products: BTreeSet<i64> = BTreeSet::new();
    for _ in 0..=dice.roll(3) {
        products.insert(1 + dice.roll(12));
    }
    let item = |product: i64, dice: &mut Dice| {
        let (quantity, price) = (1 + dice.roll(4), dice.roll(2_000));
        let discount = if dice.roll(3) == 0 { dice.roll(quantity * price + 1) } else { 0 };
        Item { product, quantity, price, discount, deposit: dice.of(&[0, 10, 25]), rates: dice.of(&RATES) }
    };
    let items = products.into_iter().map(|product| item(product, dice)).collect();
    let online = dice.roll(4) == 0;
    Deal {
        at: instant(dice),
        store: if online { dice.of(&[1, 2, 100]) } else { 1 + dice.roll(5) },
        channel: if online { "online" } else { "store" },
        cashier: if online { None } else { Some(dice.of(&["Ana", "Bob", "=Zoé"])) },
        items,
        card: if dice.roll(2) == 0 { dice.roll(3_000) } else { 0 },
        cash: !online && dice.roll(3) > 0,
    }
}

/// So many sales, of which some are called off and some come back, some of them in pieces.
fn months(seed: u64, sales: usize) -> Business {
    let (mut business, mut dice) = (Business::default(), Dice(seed));
    for number in 1..=12 {
        business.events.push((Source::Products, product(number, 1, &format!("Product {number}"))));
    }
    for store in 1..=6 {
        business.events.push((Source::Sales, session(store, at("2026-10-01T12:00:00Z"))));
    }
    let mut made: Vec<Made> = Vec::new();
    for _ in 0..sales {
        let deal = deal(&mut dice);
        let sale = business.sell(&deal);
        match dice.roll(8) {
            0 if deal.channel == "store" => business.void(sale, deal.at),
            _ => made.push(sale),
        }
        if dice.roll(3) == 0 && !made.is_empty() {
            let place = usize::try_from(dice.roll(i64::try_from(made.len()).unwrap())).unwrap();
            let units: Vec<i64> = (0..4).map(|_| dice.roll(3)).collect();
            let (store, when) = (1 + dice.roll(5), instant(&mut dice));
            business.bring_back(&mut made[place], &units, store, when);
        }
    }
    business
}

async fn told(business: &Business) -> Town {
    let town = Town::open_at("2026-11-10T17:00:00Z").await;
    town.tell_all(&business.events);
    town.consume().await;
    town.audited().await;
    town
}

/// What a report is asked for.
#[derive(Clone, Copy, Debug)]
struct Asked {
    from: &'static str,
    to: &'static str,
    store: Option<i64>,
    channel: Option<&'static str>,
}

impl Asked {
    fn query(&self) -> String {
        let store = self.store.map(|store| format!("&store={store}")).unwrap_or_default();
        let channel = self.channel.map(|channel| format!("&channel={channel}")).unwrap_or_default();
        format!("from={}&to={}{store}{channel}", self.from, self.to)
    }

    fn keeps(&self, day: &str, store: i64, channel: &str) -> bool {
        (self.from..=self.to).contains(&day)
            && self.store.is_none_or(|wanted| wanted == store)
            && self.channel.is_none_or(|wanted| wanted == channel)
    }

    fn lines<'a>(&self, business: &'a Business) -> Vec<&'a Noted> {
        business.noted.iter().filter(|line| self.keeps(&line.day, line.store, line.channel)).collect()
    }
}

const ASKED: [Asked; 5] = [
    Asked { from: "2026-10-01", to: "2026-11-30", store: None, channel: None },
    Asked { from: "2026-11-01", to: "2026-11-01", store: None, channel: None },
    Asked { from: "2026-10-30", to: "2026-11-02", store: Some(2), channel: None },
    Asked { from: "2026-10-28", to: "2026-11-05", store: Some(1), channel: Some("online") },
    Asked { from: "2025-01-01", to: "2025-01-31", store: None, channel: None },
];

fn sum(lines: &[&Noted], of: impl Fn(&Noted) -> i64) -> i64 {
    lines.iter().map(|line| of(line)).sum()
}

fn documents(lines: &[&Noted], kinds: &[&str]) -> i64 {
    let ids: BTreeSet<_> = lines.iter().filter(|line| kinds.contains(&line.kind)).map(|line| line.document).collect();
    i64::try_from(ids.len()).unwrap()
}

/// The members of a report's figures, by pencil.
fn figures(lines: &[&Noted]) -> BTreeMap<&'static str, i64> {
    let back: Vec<&Noted> = lines.iter().copied().filter(|line| line.is_back()).collect();
    let voids: Vec<&Noted> = lines.iter().copied().filter(|line| line.kind == "void").collect();
    let sales = documents(lines, &["sale"]) - documents(lines, &["void"]);
    let (gross, discounts) = (sum(lines, |line| line.gross), sum(lines, |line| line.discount));
    let average = if sales == 0 { 0 } else { (2 * (gross - discounts) + sales).div_euclid(2 * sales) };
    BTreeMap::from([
        ("sales", sales),
        ("returns", documents(lines, &["return", "refund"])),
        ("voids", documents(lines, &["void"])),
        ("gross", gross),
        ("discounts", discounts),
        ("returned", -sum(&back, |line| line.net)),
        ("net", sum(lines, |line| line.net)),
        ("gst", sum(lines, |line| line.gst)),
        ("qst", sum(lines, |line| line.qst)),
        ("deposits", sum(lines, |line| line.deposit)),
        ("total", sum(lines, Noted::total)),
        ("refunded", -sum(&back, Noted::total)),
        ("voided", -sum(&voids, Noted::total)),
        ("average_basket", average),
    ])
}

#[track_caller]
fn assert_figures(body: &Value, lines: &[&Noted], context: &str) {
    for (member, expected) in figures(lines) {
        let found = body[member].as_i64().unwrap_or_else(|| cents(&body[member]));
        assert_eq!(found, expected, "{member} of {context}");
    }
}

fn by<K: Ord>(lines: &[&Noted], key: impl Fn(&Noted) -> K) -> BTreeMap<K, Vec<Noted>> {
    let mut groups: BTreeMap<K, Vec<Noted>> = BTreeMap::new();
    for line in lines {
        groups.entry(key(line)).or_default().push((*line).clone());
    }
    groups
}

async fn assert_consolidated(town: &Town, business: &Business, asked: Asked) {
    let body = town.read(&format!("consolidated?{}", asked.query())).await;
    let lines = asked.lines(business);
    assert_figures(&body["totals"], &lines, "all");
    let stores = by(&lines, |line| line.store);
    assert_eq!(body["by_store"].as_array().unwrap().len(), stores.len());
    for (row, (store, lines)) in body["by_store"].as_array().unwrap().iter().zip(&stores) {
        assert_eq!(int(&row["store_id"]), *store);
        assert_figures(row, &lines.iter().collect::<Vec<_>>(), "a store");
    }
    let channels = by(&lines, |line| line.channel);
    assert_eq!(body["by_channel"].as_array().unwrap().len(), channels.len());
    for (row, (channel, lines)) in body["by_channel"].as_array().unwrap().iter().zip(&channels) {
        assert_eq!(row["channel"], *channel);
        assert_figures(row, &lines.iter().collect::<Vec<_>>(), "a channel");
    }
    assert_taxes(&body["taxes"], &lines);
}

fn assert_taxes(found: &Value, lines: &[&Noted]) {
    let mut expected: BTreeMap<(&str, i64), [i64; 4]> = BTreeMap::new();
    for line in lines {
        for (tax, rate, amount) in [("gst", line.rates.0, line.gst), ("qst", line.rates.1, line.qst)] {
            if rate > 0 {
                let place = if line.is_back() { 2 } else { 0 };
                let sums = expected.entry((tax, rate)).or_default();
                let sign = if line.is_back() { -1 } else { 1 };
                sums[place] += sign * line.net;
                sums[place + 1] += sign * amount;
            }
        }
    }
    let rows = found.as_array().unwrap();
    assert_eq!(rows.len(), expected.len());
    for (row, ((tax, rate), [base_sold, sold, base_back, back])) in rows.iter().zip(expected) {
        assert_eq!((row["tax"].as_str().unwrap(), int(&row["rate"])), (tax, rate));
        let of = |part: &str| (cents(&row[part]["base"]), cents(&row[part]["tax"]));
        assert_eq!([of("sold"), of("returned")], [(base_sold, sold), (base_back, back)], "{tax} {rate}");
        assert_eq!(of("net"), (base_sold - base_back, sold - back));
    }
}

async fn assert_sales(town: &Town, business: &Business, asked: Asked, group_by: &str) {
    let body = town.read(&format!("sales?group_by={group_by}&{}", asked.query())).await;
    let lines = asked.lines(business);
    // Numbers in the order of numbers: padded.
    let padded = |number: i64| format!("{number:06}");
    let groups = by(&lines, |line| match group_by {
        "hour" => line.hour.clone(),
        "day" => line.day.clone(),
        "store" => padded(line.store),
        "product" => padded(line.product),
        "cashier" => line.cashier.clone().unwrap_or("~".to_owned()),
        _ => line.channel.to_owned(),
    });
    let mut rows: BTreeMap<String, &Value> = BTreeMap::new();
    for row in body["data"].as_array().unwrap() {
        let key = row["key"].as_str().unwrap_or("~").to_owned();
        let key = if ["store", "product"].contains(&group_by) { padded(key.parse().unwrap()) } else { key };
        assert!(rows.insert(key, row).is_none(), "twice: {row}");
    }
    assert_eq!(rows.keys().collect::<Vec<_>>(), groups.keys().collect::<Vec<_>>(), "{group_by} {asked:?}");
    for (key, lines) in &groups {
        let (row, lines) = (rows[key], lines.iter().collect::<Vec<_>>());
        let expected = figures(&lines);
        for member in ["gross", "discounts", "returned", "net", "gst", "qst", "deposits", "total", "refunded"] {
            assert_eq!(cents(&row[member]), expected[member], "{member} of {key}");
        }
        assert_eq!((int(&row["sales"]), int(&row["units"])), (expected["sales"], sum(&lines, |line| line.units)));
        let name = (group_by == "product").then(|| format!("Product {}", key.trim_start_matches('0')));
        assert_eq!(row["name"].as_str().map(str::to_owned), name);
    }
}

async fn assert_methods(town: &Town, business: &Business, asked: Asked) {
    let body = town.read(&format!("sales?group_by=method&{}", asked.query())).await;
    let mut expected: BTreeMap<&str, [i64; 2]> = BTreeMap::new();
    let taken = business.taken.iter().filter(|taken| asked.keeps(&taken.day, taken.store, taken.channel));
    for Taken { kind, method, amount, .. } in taken {
        let sums = expected.entry(method).or_default();
        sums[0] += amount;
        sums[1] -= if ["return", "refund"].contains(kind) { *amount } else { 0 };
    }
    let rows = body["data"].as_array().unwrap();
    let found: BTreeMap<&str, [i64; 2]> = rows
        .iter()
        .map(|row| (row["key"].as_str().unwrap(), [cents(&row["total"]), cents(&row["refunded"])]))
        .collect();
    assert_eq!(found, expected, "{asked:?}");
    assert!(rows.iter().all(|row| row["net"].is_null() && row["units"].is_null()));
}

async fn assert_top(town: &Town, business: &Business, asked: Asked, measure: &str) {
    let body = town.read(&format!("top-products?by={measure}&limit=5&{}", asked.query())).await;
    let lines = asked.lines(business);
    let products = by(&lines, |line| line.product).into_iter().map(|(product, lines)| {
        let lines: Vec<&Noted> = lines.iter().collect();
        (product, sum(&lines, |line| line.units), sum(&lines, |line| line.net))
    });
    let mut expected: Vec<(i64, i64, i64)> = products.filter(|(_, units, net)| (*units, *net) != (0, 0)).collect();
    expected.sort_by_key(|(product, units, net)| (if measure == "units" { -units } else { -net }, *product));
    expected.truncate(5);
    let row = |row: &Value| (int(&row["product_id"]), int(&row["units"]), cents(&row["net"]));
    let found: Vec<(i64, i64, i64)> = body["data"].as_array().unwrap().iter().map(row).collect();
    assert_eq!(found, expected, "{measure} {asked:?}");
}

/// Invariant 23, to the cent.
#[tokio::test]
async fn every_report_is_the_sum_of_what_happened() {
    for seed in [1, 2] {
        let business = months(seed, 900);
        assert!(business.events.len() > 1_400, "{}", business.events.len());
        let town = told(&business).await;
        for asked in ASKED {
            assert_consolidated(&town, &business, asked).await;
            for group_by in ["hour", "day", "store", "product", "cashier", "channel"] {
                assert_sales(&town, &business, asked, group_by).await;
            }
            assert_methods(&town, &business, asked).await;
            for measure in ["units", "net"] {
                assert_top(&town, &business, asked, measure).await;
            }
        }
        let month = Asked { from: "2026-11-01", to: "2026-11-30", store: None, channel: None };
        assert_taxes(&town.read("taxes?period=2026-11").await["data"], &month.lines(&business));
        let month = Asked { channel: Some("store"), store: Some(3), ..month };
        let body = town.read("taxes?period=2026-11&store=3&channel=store").await;
        assert_taxes(&body["data"], &month.lines(&business));
        assert_dashboard(&town, &business).await;
    }
}

async fn assert_dashboard(town: &Town, business: &Business) {
    let all = ASKED[0];
    let body = town.read(&format!("dashboard?{}", all.query())).await;
    assert_figures(&body["network"], &all.lines(business), "the network");
    let net_of = |store: Option<i64>, from: &'static str, to: &'static str| {
        let asked = Asked { from, to, store, channel: None };
        sum(&asked.lines(business), |line| line.net)
    };
    // Six have a till, and the sixth sells nothing; what the warehouse sells online is in the network alone.
    let nets: Vec<i64> = (1..=6).map(|store| net_of(Some(store), all.from, all.to)).collect();
    let sum_of_stores: i64 = nets.iter().sum();
    assert_eq!(body["stores"].as_array().unwrap().len(), 6);
    for ((row, store), net) in body["stores"].as_array().unwrap().iter().zip(1..).zip(&nets) {
        assert_eq!((int(&row["store_id"]), cents(&row["net"])), (store, *net));
        let rating = match net * 60 {
            tenths if tenths >= sum_of_stores * 10 => "BONNE",
            tenths if tenths >= sum_of_stores * 8 => "MOYENNE",
            _ => "FAIBLE",
        };
        assert_eq!((row["rating"].as_str().unwrap(), int(&row["ratio_bp"])), (rating, net * 60_000 / sum_of_stores));
        // Today is the tenth.
        let weeks = [("2026-11-03", "2026-11-09"), ("2026-10-27", "2026-11-02")];
        let [recent, before] = weeks.map(|(from, to)| net_of(Some(store), from, to));
        let trend = match (recent - before) * 100 {
            change if change > before.max(0) * 5 => "HAUSSE",
            change if change < -before.max(0) * 5 => "BAISSE",
            _ => "STABLE",
        };
        let found = &row["trend"];
        assert_eq!((cents(&found["recent"]), cents(&found["before"])), (recent, before));
        assert_eq!(found["trend"], trend);
    }
}
