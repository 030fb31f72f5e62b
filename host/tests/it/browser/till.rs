//! A day at a till, with the keyboard alone: the drawer is opened, products are scanned, the network is cut and comes
//! back, an answer is lost, a price changes meanwhile, something comes back, the drawer is counted.

use http::Method;
use serde_json::{Value, json};

use crate::support::browser::{Browser, DESKTOP, Look, PHONE};
use crate::support::eventually;
use crate::support::gate::{Gate, Moment};
use crate::support::platform::Platform;
use crate::support::proxy::Proxy;

const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
const UP: &str = "\u{e013}";
const DELETE: &str = "\u{e017}";
const SELL: &str = "\u{e032}";
const PAY: &str = "\u{e034}";
const SALES: &str = "\u{e037}";
const DRAWER: &str = "\u{e038}";
const CARD: &str = "\u{e039}";

/// Barcodes of the opening assortment.
const COKE: &str = "628501000376";
const JUICE: &str = "628501001113";
const COFFEE: &str = "628501001854";

/// Writes down what the page says of its connection, from the first moment on.
const CONDITIONS: &str = r"
var conditions = [];
new MutationObserver(() => {
    const text = document.querySelector('.condition')?.textContent;
    if (text && conditions.at(-1) !== text) conditions.push(text);
}).observe(document, { subtree: true, childList: true });
";

/// The platform, the network between it and the till, and the till.
struct Day {
    platform: Platform,
    gate: Gate,
    network: Proxy,
    till: Browser,
}

/// One platform and one browser for all of it: their start takes longer than they do.
#[tokio::test]
async fn a_till_has_a_day() {
    let mut day = Day::begins().await;
    day.the_drawer_is_opened().await;
    day.the_till_reckons_as_the_services_do().await;
    day.a_basket_is_scanned_and_typed().await;
    day.it_is_paid_in_two_ways().await;
    day.a_price_that_changes_is_said_before_it_is_paid().await;
    day.a_sale_whose_answer_is_lost_is_recorded_once().await;
    day.a_window_that_is_closed_meanwhile_loses_nothing().await;
    day.selling_goes_on_without_a_network().await;
    day.what_was_sold_is_uploaded_once().await;
    day.what_is_refused_waits_for_somebody().await;
    day.some_of_it_comes_back().await;
    day.a_sale_is_called_off().await;
    day.the_drawer_is_counted().await;
    day.ends().await;
}

impl Day {
    async fn begins() -> Self {
        let platform = Platform::start().await;
        let gateway = platform.url("").trim_start_matches("http://").parse().expect("an address");
        let gate = Gate::new(gateway).await;
        let mut network = Proxy::new(gate.address.to_string());
        network.connect();
        let till = Browser::start(&format!("http://{}", network.address), DESKTOP).await;
        Self { platform, gate, network, till }
    }

    /// The page is well, and the console has nothing but what was to be expected.
    async fn is_well(&self, expected: &[&str]) {
        self.till.is_accessible().await;
        self.till.fits().await;
        assert_eq!(self.till.complaints(expected).await, Vec::<String>::new(), "on {}", self.till.path().await);
    }

    async fn sales(&self) -> i64 {
        self.platform.books().number("sales", "select count(*) from sales").await
    }

    async fn the_drawer_is_opened(&self) {
        let till = &self.till;
        till.goto("/till").await;
        till.arrives("/till/key").await;
        till.says("h1", "Sign the till in").await;
        till.keys(&format!("nobody{ENTER}")).await;
        till.says(".notice", "This key opens no till.").await;
        self.is_well(&["401"]).await;
        till.fill("Key", &format!("{}{ENTER}", self.platform.key("pos"))).await;
        till.arrives("/till/open").await;
        till.says("h1", "Open the till").await;
        till.script("document.querySelector('[name=register]').value = '12'", &json!([])).await;
        till.keys(&format!("Julie{ENTER}")).await;
        till.says(".error", "This field is required.").await;
        till.press("Count coins and notes").await;
        till.fill("$20.00", "4").await;
        till.fill("$5.00", "4").await;
        let float = "return document.querySelector('[name=float]').value";
        assert_eq!(till.script(float, &json!([])).await, "$100.00");
        self.is_well(&[]).await;
        till.keys(ENTER).await;
        till.arrives("/till").await;
        till.says(".tiles", "Coke, 355 ml can $2.99").await;
        till.says(".condition", "Online").await;
        till.says(".foot", "Montréal Centre – Caisse 2 – Julie").await;
        self.is_well(&[]).await;
    }

    /// What the page reckons while it cannot ask is what it is told while it can.
    async fn the_till_reckons_as_the_services_do(&self) {
        let script = r"
            const url = (name) => document.querySelector(`link[href$='/${name}']`).href;
            const amounts = await import(url('amounts.js'));
            const { quoteHere, quoteThere, some } = await import(url('catalogue.js'));
            const wrong = [];
            const check = (what, got, expected) => {
                const [one, other] = [JSON.stringify(got), JSON.stringify(expected)];
                if (one !== other) wrong.push(`${what}: ${one} and not ${other}`);
            };
            const essence = ({ subtotal, taxes, deposits, total }) =>
                ({ subtotal, taxes: taxes.map(({ code, rate, amount }) => ({ code, rate, amount })), deposits, total });
            const products = some([], 1000);
            check('products', products.length > 200, true);
            // Every product once, in baskets of one to seven, in quantities that leave every remainder.
            for (let first = 0, size = 1; first < products.length; first += size, size = size % 7 + 1) {
                const lines = products.slice(first, first + size).map(({ id }, index) =>
                    ({ id, quantity: (first + index) % 13 + 1 }));
                check(`basket ${first}`, essence(quoteHere(lines)), essence(await quoteThere(1, lines)));
            }
            [0, 0, 0, 5, 5, 5, 5, 5, 10, 10, 10].forEach((cash, cents) => check(`cash ${cents}`, amounts.inCash(cents), cash));
            const settled = (total, payments, expected) => {
                const paid = payments.map(([method, cents]) => ({ method, cents }));
                const { isPaid, due, dueInCash, rounding, payable, change } = amounts.settle(total, paid);
                check(`${total} by ${payments}`, [isPaid, due, dueInCash, rounding, payable, change], expected);
            };
            settled(1118, [], [false, 1118, 1120, 0, 1118, 0]);
            settled(1118, [['cash', 2000]], [true, 0, 0, 2, 1120, 880]);
            settled(1118, [['card', 1118]], [true, 0, 0, 0, 1118, 0]);
            settled(1118, [['card', 500]], [false, 618, 620, 0, 1118, 0]);
            settled(1118, [['card', 500], ['cash', 700]], [true, 0, 0, 2, 1120, 80]);
            settled(1118, [['cash', 500]], [false, 618, 620, 2, 1120, 0]);
            settled(1118, [['cash', 500], ['card', 618]], [true, 0, 0, 0, 1118, 0]);
            settled(1121, [['cash', 1120]], [true, 0, 0, -1, 1120, 0]);
            settled(1123, [['cash', 1120]], [false, 3, 5, 2, 1125, 0]);
            settled(1122, [['card', 1120]], [false, 2, 0, 0, 1122, 0]);
            settled(0, [], [true, 0, 0, 0, 0, 0]);
            return wrong;
        ";
        assert_eq!(self.till.script(&format!("return (async () => {{ {script} }})()"), &json!([])).await, json!([]));
    }

    /// Whatever has the focus.
    async fn a_basket_is_scanned_and_typed(&self) {
        let till = &self.till;
        till.keys(&format!("{COKE}{ENTER}")).await;
        till.says(".basket", "Coke, 355 ml can").await;
        till.says("[aria-live=polite]", "Coke, 355 ml can, $2.99, quantity 1").await;
        till.keys("coke 355").await;
        till.says("[role=listbox]", "Coke Zero Sugar, 355 ml can $2.99").await;
        self.is_well(&[]).await;
        till.keys(ESCAPE).await;
        till.keys(&format!("2*jus pomme 300{ENTER}")).await;
        till.says(".basket", "3 items").await;
        // The line that was touched last has one less; the one above it one more; and so on.
        till.keys(&format!("-{UP}++-")).await;
        till.says(".totals", "Subtotal $9.47").await;
        till.keys(&format!("nothing of ours{ENTER}")).await;
        till.says(".notice", "No product: “nothing of ours”.").await;
        // A reader types wherever the focus is, faster than anybody does, and nothing of it stays there.
        let scan = "document.querySelector('.pay').focus();
            for (const key of [...arguments[0], 'Enter'])
                document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));";
        till.script(scan, &json!([COFFEE])).await;
        till.says(".basket", "Ground filter coffee").await;
        till.keys(DELETE).await;
        // The worked example of the taxes.
        let lines = ["Subtotal $9.47", "GST (5%) $0.47", "QST (9.975%) $0.94", "Deposits $0.30", "Total $11.18"];
        for line in lines {
            till.says(".totals", line).await;
        }
        till.says(".basket", "Prices are confirmed.").await;
        self.is_well(&[]).await;
    }

    async fn it_is_paid_in_two_ways(&self) {
        let till = &self.till;
        till.keys(PAY).await;
        till.arrives("/till/payment").await;
        till.says("h1", "To pay: $11.18").await;
        till.says("main", "In cash: $11.20").await;
        self.is_well(&[]).await;
        till.keys(&format!("11,18{ENTER}")).await;
        till.says(".error", "There is no coin smaller than 5¢.").await;
        till.fill("Amount received", "5").await;
        till.keys(CARD).await;
        till.says("h1", "To pay: $6.18").await;
        till.keys(ESCAPE).await;
        till.says("h1", "To pay: $11.18").await;
        till.keys(&format!("5{CARD}")).await;
        till.says("h1", "To pay: $6.18").await;
        till.says("main", "In cash: $6.20").await;
        self.is_well(&[]).await;
        till.keys(&format!("20{ENTER}")).await;
        till.says("h1", "Change: $13.80").await;
        for line in ["Receipt 1-2-000001", "Card $5.00", "Cash $20.00", "Rounding $0.02", "Change $13.80"] {
            till.says(".paper", line).await;
        }
        till.click(".languages-of-receipt button", "Français").await;
        till.says(".paper", "Monnaie rendue 13,80 $").await;
        self.is_well(&[]).await;
        till.keys(SELL).await;
        till.arrives("/till").await;
        till.says(".basket", "The basket is empty.").await;
        assert_eq!(self.sales().await, 1);
    }

    async fn a_price_that_changes_is_said_before_it_is_paid(&self) {
        let till = &self.till;
        till.keys(&format!("{JUICE}{ENTER}")).await;
        till.says(".totals", "Total $4.11").await;
        till.says(".basket", "Prices are confirmed.").await;
        till.keys(PAY).await;
        till.says("h1", "To pay: $4.11").await;
        eventually("the price was asked for", async || self.is_quiet().await).await;
        self.put_price(3, 399).await;
        till.keys(CARD).await;
        till.says(".notice", "The price has changed: $4.69 instead of $4.11.").await;
        self.is_well(&["409"]).await;
        till.keys(CARD).await;
        till.says("h1", "Paid").await;
        till.says(".paper", "Receipt 1-2-000002").await;
        till.keys(ENTER).await;
        till.arrives("/till").await;
        assert_eq!(self.sales().await, 2);
    }

    /// No request of the page is under way, and none has begun for a while.
    async fn is_quiet(&self) -> bool {
        let script = "const before = performance.getEntriesByType('resource').length;
            return new Promise((resolve) => setTimeout(resolve, 500))
                .then(() => performance.getEntriesByType('resource').length === before)";
        self.till.script(script, &json!([])).await == json!(true)
    }

    /// A regular price for all stores, from now on.
    async fn put_price(&self, product: i64, cents: i64) {
        let (key, intent) = (self.platform.key("hq"), format!("price-{product}-{cents}"));
        let headers = [("x-api-key", key.as_str()), ("idempotency-key", &intent)];
        let price = json!({"kind": "regular", "amount": {"amount": cents, "currency": "CAD"}});
        let path = format!("/api/v1/products/{product}/prices");
        self.platform.send(Method::POST, &path, &headers, &price).await.expect_status(201);
    }

    /// The services have recorded it when the network goes, and the till does not know.
    async fn a_sale_whose_answer_is_lost_is_recorded_once(&mut self) {
        self.till.keys(&format!("{COKE}{ENTER}")).await;
        self.till.says(".basket", "Prices are confirmed.").await;
        self.till.keys(PAY).await;
        self.till.says("h1", "To pay: $3.54").await;
        eventually("the price was asked for", async || self.is_quiet().await).await;
        let mut held = self.gate.hold("/api/v1/sales/", Moment::After);
        self.till.keys(&format!("5{ENTER}")).await;
        held.reached().await;
        self.network.cut();
        self.till.says("h1", "Change: $1.45").await;
        self.till.says(".condition", "Offline: 1 sale to upload").await;
        self.till.says(".paper", "Provisional receipt").await;
        self.is_well(&["ERR_"]).await;
        assert_eq!(self.sales().await, 3);
        drop(held);
        self.network.connect();
        self.till.says(".messages", "1 sale was uploaded afterwards ($3.54): 1-2-000003").await;
        self.till.says(".condition", "Online").await;
        self.is_well(&["ERR_", "409"]).await;
        assert_eq!(self.sales().await, 3);
    }

    /// The page is gone before it knows, and what comes after it sends the sale again while the first one is under way.
    async fn a_window_that_is_closed_meanwhile_loses_nothing(&self) {
        let till = &self.till;
        till.keys(SELL).await;
        till.arrives("/till").await;
        till.keys(&format!("{COKE}{ENTER}")).await;
        till.says(".basket", "Prices are confirmed.").await;
        till.keys(PAY).await;
        till.says("h1", "To pay: $3.54").await;
        eventually("the price was asked for", async || self.is_quiet().await).await;
        let mut held = self.gate.hold("/api/v1/sales/", Moment::After);
        till.keys(CARD).await;
        held.reached().await;
        till.goto("/till").await;
        drop(held);
        till.says(".messages", "1 sale was uploaded afterwards ($3.54): 1-2-000004").await;
        self.is_well(&["ERR_", "409"]).await;
        assert_eq!(self.sales().await, 4);
    }

    /// Two sales, one of them after the page was loaded again.
    async fn selling_goes_on_without_a_network(&mut self) {
        let till = &self.till;
        // It is kept after all of its files.
        let is_kept = "return caches.match('/till').then((page) => page !== undefined
            && navigator.serviceWorker.controller !== null)";
        eventually("the page is kept", async || till.script(is_kept, &json!([])).await == json!(true)).await;
        till.goto("/till").await;
        till.says(".tiles", "Coke").await;
        eventually("nothing is under way", async || self.is_quiet().await).await;
        self.network.cut();
        self.put_price(5, 649).await;
        till.keys(&format!("2*{COFFEE}{ENTER}")).await;
        till.says(".basket", "Ground filter coffee").await;
        till.says(".condition", "Offline: selling goes on").await;
        till.says(".basket", "Prices as the catalogue last had them.").await;
        self.is_well(&["ERR_"]).await;
        till.keys(PAY).await;
        till.says("h1", "To pay: $11.98").await;
        till.says("main", "the sale stays on this device").await;
        self.is_well(&["ERR_"]).await;
        till.keys(ENTER).await;
        till.says("h1", "Paid").await;
        till.says(".paper", "Cash $12.00").await;
        self.is_well(&["ERR_"]).await;
        till.devtools("Page.addScriptToEvaluateOnNewDocument", json!({"source": CONDITIONS})).await;
        till.goto("/till").await;
        till.says(".condition", "Offline: 1 sale to upload").await;
        // A page that was kept does not say that somebody is there.
        let conditions = till.script("return conditions", &json!([])).await;
        let conditions: Vec<&str> = conditions.as_array().expect("texts").iter().filter_map(Value::as_str).collect();
        let fits = |text: &&str| *text == "Connecting…" || text.starts_with("Offline");
        assert!(!conditions.is_empty() && conditions.iter().all(fits), "{conditions:?}");
        till.keys(&format!("{COKE}{ENTER}")).await;
        till.keys(PAY).await;
        till.says("h1", "To pay: $3.54").await;
        till.keys(CARD).await;
        till.says("h1", "Paid").await;
        till.says(".condition", "Offline: 2 sales to upload").await;
        till.keys(SALES).await;
        till.says("main", "Offline: only the sales that were made on this device.").await;
        till.says(".sales", "Sale without a number to upload $11.98").await;
        self.is_well(&["ERR_"]).await;
        assert_eq!(self.sales().await, 4);
    }

    /// What has changed meanwhile is said; and nothing is there twice when everything is sent again.
    async fn what_was_sold_is_uploaded_once(&mut self) {
        self.count(5, 1).await;
        self.till.goto("/till/uploads").await;
        self.till.says("main", "2 sales to upload").await;
        self.is_well(&["ERR_"]).await;
        self.network.connect();
        self.till.says(".messages", "2 sales were uploaded afterwards ($15.52)").await;
        self.till.says(".messages", "The price had changed meanwhile in 1 sale: 1-2-000005").await;
        self.till.says(".messages", "Inventory had less than was sold of Ground filter coffee").await;
        self.till.says(".condition", "Online").await;
        self.is_well(&["ERR_"]).await;
        assert_eq!(self.sales().await, 6);
        self.change_entries("entry.state = 'waiting'").await;
        self.till.says(".messages", "6 sales were uploaded afterwards").await;
        self.is_well(&["ERR_", "409"]).await;
        assert_eq!(self.sales().await, 6);
        self.till.press("1-2-000005").await;
        self.till.says("main", "Ground filter coffee, medium roast 300 g: $5.99 instead of $6.49").await;
        self.till.says("main", "Sold without stock, as inventory has it: 1 × Ground filter coffee").await;
        self.is_well(&[]).await;
    }

    /// Of every sale that the till has on its disk: what `change` does to `entry`. The page is loaded again.
    async fn change_entries(&self, change: &str) {
        let script = format!(
            "return new Promise((resolve, reject) => {{
                const opening = indexedDB.open('comptoir.till');
                opening.onerror = () => reject(opening.error);
                opening.onsuccess = () => {{
                    const work = opening.result.transaction('sales', 'readwrite');
                    const sales = work.objectStore('sales');
                    const cursor = sales.openCursor();
                    cursor.onsuccess = () => {{
                        const {{ result }} = cursor;
                        if (!result) return;
                        const entry = result.value;
                        {change};
                        result.update(entry);
                        result.continue();
                    }};
                    work.oncomplete = () => {{ opening.result.close(); resolve(null); }};
                    work.onabort = () => reject(work.error);
                }};
            }})"
        );
        self.till.script(&script, &json!([])).await;
        self.till.goto("/till/uploads").await;
    }

    /// A till that was in a cupboard for longer than sales may be uploaded.
    async fn what_is_refused_waits_for_somebody(&mut self) {
        self.till.keys(SELL).await;
        self.till.arrives("/till").await;
        eventually("nothing is under way", async || self.is_quiet().await).await;
        self.network.cut();
        self.till.keys(&format!("{COKE}{ENTER}{PAY}")).await;
        self.till.says("h1", "To pay: $3.54").await;
        self.till.keys(CARD).await;
        self.till.says(".condition", "Offline: 1 sale to upload").await;
        self.change_entries("if (entry.state === 'waiting') entry.body.offline.sold_at = '2020-01-01T12:00:00Z'").await;
        self.till.says("main", "1 sale to upload").await;
        self.network.connect();
        self.till.says(".condition", "1 sale was refused: look at it").await;
        self.till.says("main", "It was sold more than thirty days ago.").await;
        self.is_well(&["ERR_", "422"]).await;
        self.till.press("It is settled").await;
        self.till.says(".condition", "Online").await;
        assert_eq!(self.sales().await, 6);
    }

    /// The worked example of refunds: 3.55 of 11.20 for a Coke, of which 5.00 were paid by card.
    async fn some_of_it_comes_back(&self) {
        let till = &self.till;
        till.keys(SALES).await;
        till.says(".find-sale", "Receipt number").await;
        till.keys(&format!("1-2-999999{ENTER}")).await;
        till.says(".error", "There is no receipt of this number.").await;
        till.fill("Receipt number", &format!("1-2-000001{ENTER}")).await;
        till.says("h1", "Receipt 1-2-000001").await;
        till.press("Take products back").await;
        till.says("h1", "Return on receipt 1-2-000001").await;
        till.fill("In good condition: Coke", "3").await;
        till.press("Refund").await;
        till.says(".error", "At most 2.").await;
        self.is_well(&[]).await;
        till.fill("In good condition: Coke", "1").await;
        till.press("Refund").await;
        till.says("h1", "To refund: Card $3.54").await;
        self.is_well(&[]).await;
        till.press("Receipt").await;
        till.says("main", "1-2-R000001").await;
        till.press("Take products back").await;
        till.fill("In good condition: Coke", "1").await;
        till.fill("Damaged: Apple juice", "1").await;
        till.press("Refund").await;
        // What is left of the card, and the rest of what was paid out of the drawer, to the cent.
        till.says("h1", "To refund: Card $1.46, Cash $6.20").await;
        till.press("Receipt").await;
        till.says(".totals", "Refunded $11.18").await;
        self.is_well(&[]).await;
    }

    async fn a_sale_is_called_off(&self) {
        let till = &self.till;
        till.keys(SALES).await;
        till.fill("Receipt number", &format!("1-2-000002{ENTER}")).await;
        till.press("Void the sale").await;
        till.says("h1", "Void the sale 1-2-000002").await;
        till.keys(ENTER).await;
        till.says(".error", "This field is required.").await;
        self.is_well(&[]).await;
        till.keys(&format!("rung up twice{ENTER}")).await;
        till.says("main", "rung up twice").await;
        till.says(".paper", "SALE VOIDED").await;
        self.is_well(&[]).await;
    }

    async fn the_drawer_is_counted(&self) {
        let till = &self.till;
        till.keys(DRAWER).await;
        till.arrives("/till/drawer").await;
        till.says("h1", "Drawer").await;
        // Float 100.00, cash 6.20, 3.55 and 12.00; back 6.20.
        till.says(".totals", "Expected $115.55").await;
        self.is_well(&[]).await;
        till.fill("Amount", "20").await;
        till.fill("Reason", &format!("to the safe{ENTER}")).await;
        till.says(".brief", "to the safe -$20.00").await;
        till.says(".totals", "Expected $95.55").await;
        till.press("Close the till").await;
        till.arrives("/till/close").await;
        self.is_well(&[]).await;
        till.fill("Counted", &format!("95.55{ENTER}")).await;
        till.says("h1", "The drawer balances.").await;
        till.says(".paper", "Z report 1-2-Z000001").await;
        till.says(".paper", "Difference $0.00").await;
        self.is_well(&[]).await;
        till.press("Open the till").await;
        till.arrives("/till/open").await;
        till.says("h1", "Open the till").await;
        self.is_well(&[]).await;
    }

    /// In French and in the dark, on a phone; and the books of all services agree.
    async fn ends(self) {
        let look = Look { language: "fr-CA", scheme: "dark", ..PHONE };
        let phone = Browser::start(&self.platform.url(""), look).await;
        phone.goto("/till").await;
        phone.says("h1", "Identifier la caisse").await;
        phone.keys(&format!("{}{ENTER}", self.platform.key("pos"))).await;
        phone.says("h1", "Ouvrir la caisse").await;
        phone.fill("Nom", "Léa").await;
        phone.fill("Fonds de caisse", &format!("100{ENTER}")).await;
        phone.click(".tile", "Coke, canette 355 ml").await;
        phone.says(".totals", "Total 3,54 $").await;
        phone.press("Payer 3,54 $").await;
        phone.says("h1", "À payer : 3,54 $").await;
        phone.is_accessible().await;
        phone.fits().await;
        phone.click(".notes button", "5,00 $").await;
        phone.says("h1", "Monnaie à rendre : 1,45 $").await;
        phone.says(".paper", "Reçu 1-1-000001").await;
        phone.is_accessible().await;
        phone.fits().await;
        assert_eq!(phone.complaints(&[]).await, Vec::<String>::new());
        let books = self.platform.books();
        books.at_rest().await;
        books.audited().await;
        drop((phone, self.till));
        self.platform.stop().await;
    }

    /// A new count of what there is in the store.
    async fn count(&self, product: i64, units: i64) {
        let key = self.platform.key("logistics");
        let path = format!("/api/v1/stock/1/{product}");
        let seen = self.platform.send(Method::GET, &path, &[("x-api-key", key.as_str())], &Value::Null).await;
        let tag = seen.expect_status(200).header("etag").expect("an ETag").to_owned();
        let headers = [("x-api-key", key.as_str()), ("if-match", &tag), ("idempotency-key", &tag)];
        self.platform.send(Method::PUT, &path, &headers, &json!({"on_hand": units})).await.expect_status(200);
    }
}
