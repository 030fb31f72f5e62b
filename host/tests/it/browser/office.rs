//! A morning at head office: what was sold, what stores ask for, a price that somebody else changes at the same time, and
//! books that do not agree until everything is built again.

use http::Method;
use serde_json::{Value, json};

use crate::support::browser::{Browser, DESKTOP, Look, PHONE};
use crate::support::eventually;
use crate::support::platform::Platform;

/// One platform and one browser for all of it: their start takes longer than they do.
#[tokio::test]
async fn head_office_looks_and_decides() {
    let platform = Platform::start().await;
    let office = Office { platform: &platform, browser: Browser::start(&platform.url(""), DESKTOP).await };
    office.a_day_of_sales().await;
    office.only_staff_comes_in().await;
    office.a_manager_decides_nothing().await;
    office.the_dashboard_has_what_was_sold().await;
    office.sales_are_had_as_a_spreadsheet().await;
    office.requests_are_decided().await;
    office.no_price_is_replaced_unseen().await;
    office.a_promo_has_an_end().await;
    office.books_that_do_not_agree_are_built_again().await;
    office.nothing_is_left_of_whoever_leaves().await;
    drop(office);
    a_phone_and_a_keyboard_are_enough(&platform).await;
    let books = platform.books();
    books.at_rest().await;
    books.audited().await;
    platform.stop().await;
}

struct Office<'p> {
    platform: &'p Platform,
    browser: Browser,
}

impl Office<'_> {
    /// As a group of staff, by the API; the answer has this status.
    async fn api(&self, group: &str, method: Method, path: &str, body: Value, status: u16) -> Value {
        let key = self.platform.key(group);
        // Each is meant once.
        let once = uuid::Uuid::now_v7().to_string();
        let headers = [("x-api-key", key.as_str()), ("idempotency-key", once.as_str())];
        self.platform.send(method, path, &headers, &body).await.expect_status(status).json()
    }

    /// Three times two Coke and an apple juice in Montréal, once in Québec; and an open drawer without a sale in Gatineau.
    async fn a_day_of_sales(&self) {
        for (register, sales) in [(11, 3), (21, 1), (51, 0)] {
            let drawer = json!({"cashier": "Julie", "opening_float": money(10_000)});
            let path = format!("/api/v1/registers/{register}/sessions");
            let session = self.api("pos", Method::POST, &path, drawer, 201).await["id"].clone();
            for _ in 0..sales {
                let sale = json!({
                    "session_id": session, "payments": [{"method": "cash", "amount": money(2_000)}],
                    "lines": [{"product_id": 1, "quantity": 2}, {"product_id": 3, "quantity": 1}],
                });
                let path = format!("/api/v1/sales/{}", uuid::Uuid::now_v7());
                self.api("pos", Method::PUT, &path, sale, 201).await;
            }
        }
    }

    async fn enter(&self, group: &str) {
        self.browser.fill("Staff key", &self.platform.key(group)).await;
        self.browser.press("Come in").await;
    }

    /// Asks for everything until now, until the page says this there.
    async fn refreshed(&self, selector: &str, text: &str) {
        eventually(&format!("{selector} says {text:?}"), async || {
            self.browser.press("Refresh").await;
            self.browser.text(selector).await.contains(text)
        })
        .await;
    }

    async fn is_well(&self, expected: &[&str]) {
        is_well(&self.browser, expected).await;
    }

    async fn only_staff_comes_in(&self) {
        let browser = &self.browser;
        browser.goto("/office/sales?period=week").await;
        browser.arrives("/office/sign-in").await;
        browser.press("Come in").await;
        browser.says(".error", "This field is required.").await;
        browser.fill("Staff key", "not a key").await;
        browser.press("Come in").await;
        browser.says(".notice", "This key is not known.").await;
        self.is_well(&["401"]).await;
        self.enter("pos").await;
        browser.says(".notice", "it takes one of head office or of a manager").await;
        self.is_well(&["403"]).await;
    }

    async fn a_manager_decides_nothing(&self) {
        let browser = &self.browser;
        self.restock(3, "long weekend").await;
        self.enter("manager").await;
        // Where one wanted to go.
        browser.arrives("/office/sales").await;
        self.is_well(&["403"]).await;
        browser.press("Stock").await;
        browser.says(".request blockquote", "long weekend").await;
        browser.says("main", "The warehouse or head office decides about them.").await;
        self.has_no_button(&["Approve", "Refuse"]).await;
        browser.press("Checks").await;
        browser.says("h1", "Checks").await;
        self.has_no_button(&["Rebuild"]).await;
        self.is_well(&[]).await;
        browser.press("Leave").await;
        browser.arrives("/office/sign-in").await;
    }

    async fn has_no_button(&self, names: &[&str]) {
        let script = "return [...document.querySelectorAll('main button')].map((button) => button.innerText)";
        let buttons = self.browser.script(script, &json!([])).await;
        let buttons: Vec<&str> = buttons.as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        assert!(!names.iter().any(|name| buttons.iter().any(|button| button.starts_with(name))), "{buttons:?}");
    }

    /// A store asks for 12 Coke; the request's path.
    async fn restock(&self, store: i64, note: &str) -> String {
        let body = json!({"location_id": store, "note": note, "lines": [{"product_id": 1, "quantity": 12}]});
        let asked = self.api("manager", Method::POST, "/api/v1/restock-requests", body, 201).await;
        format!("/api/v1/restock-requests/{}", asked["id"].as_str().expect("an id"))
    }

    async fn the_dashboard_has_what_was_sold(&self) {
        let browser = &self.browser;
        self.enter("hq").await;
        browser.says(".nav", "Dashboard").await;
        // Past midnight in Toronto, today would be another day.
        browser.goto("/office?period=week").await;
        self.refreshed(".tiles", "Net sales $37.88").await;
        for figure in ["Number of sales 4", "Average basket $9.47", "Refunded $0.00"] {
            browser.says(".tiles", figure).await;
        }
        browser.says(".freshness", "Complete Everything that happened until").await;
        browser.says(".readout", "$37.88").await;
        // The mean of three stores is 12.63, of which Québec has three quarters.
        for store in [
            "Montréal Centre Good $28.41 225% of the mean",
            "Québec Weak $9.47 75% of the mean",
            "Gatineau Weak $0.00 0%",
        ] {
            browser.says(".ranking", store).await;
        }
        browser.says(".ranking", "Coke, 355 ml can 8 $23.92").await;
        browser.says("main", "1 restock request is waiting").await;
        browser.says("main", "All books agree.").await;
        browser.says("main", "Out of stock").await;
        browser.says("main", "Coconut water, 520 ml Sherbrooke 0 on hand").await;
        let columns = "return document.querySelectorAll('.plot .column').length";
        assert_eq!(browser.script(columns, &json!([])).await, 7);
        browser.press("Sources").await;
        browser.says(".freshness", "Tills").await;
        browser.press("Show as a table").await;
        browser.says(".chart table", "$37.88").await;
        self.is_well(&["404"]).await;
    }

    async fn sales_are_had_as_a_spreadsheet(&self) {
        let browser = &self.browser;
        browser.press("Montréal Centre").await;
        browser.arrives("/office/sales").await;
        browser.says(".tiles", "Net sales $28.41").await;
        browser.choose("Group by", "Payment").await;
        browser.press("Show").await;
        browser.says("table", "Cash 3 $33.60").await;
        browser.choose("Group by", "Product").await;
        browser.press("Show").await;
        browser.says("table", "Coke, 355 ml can 3 6 $17.94").await;
        browser.says("main", "GST, 5% $28.41 $1.41 $0.00 $1.41").await;
        let folder = tempfile::tempdir().expect("a folder");
        let accepted = json!({"behavior": "allow", "downloadPath": folder.path()});
        browser.devtools("Browser.setDownloadBehavior", accepted).await;
        browser.press("Download as CSV").await;
        let read = || {
            let mut files = std::fs::read_dir(folder.path()).expect("a folder").map_while(Result::ok);
            let file = files.find(|file| file.path().extension().is_some_and(|name| name == "csv"))?;
            Some((file.file_name().into_string().ok()?, std::fs::read_to_string(file.path()).ok()?))
        };
        eventually("the file is there", async || read().is_some_and(|(_, text)| !text.is_empty())).await;
        let (name, text) = read().expect("a file");
        assert!(name.starts_with("sales-by-product-"), "{name}");
        assert!(text.starts_with("\u{feff}key,name,sales,units,gross_cad,"), "{text}");
        assert!(text.contains("\r\n1,Coke,3,6,17.94,"), "{text}");
        self.is_well(&[]).await;
        browser.press("Taxes").await;
        browser.says("h1", "Taxes").await;
        browser.says("table", "QST, 9.975%").await;
        self.is_well(&[]).await;
    }

    async fn requests_are_decided(&self) {
        let browser = &self.browser;
        let (refused, decided) = (self.restock(1, "the shelf is full").await, self.restock(2, "for the fair").await);
        browser.goto("/office").await;
        browser.press("3 restock requests are waiting").await;
        browser.arrives("/office/stock").await;
        browser.says(".request", "Coke, 355 ml can 12").await;
        self.is_well(&[]).await;
        // Somebody else decides first.
        self.api("logistics", Method::POST, &format!("{decided}/approve"), json!({}), 200).await;
        browser.press("Approve R-100003").await;
        browser.says(".notice", "Somebody else has decided about request R-100003 already.").await;
        self.is_well(&["409"]).await;
        browser.press("Refuse R-100002").await;
        browser.fill("Reason", "there is enough").await;
        self.is_well(&[]).await;
        browser.click("dialog[open] button", "Refuse").await;
        browser.says(".notice", "Request R-100002 is refused.").await;
        let told = self.api("manager", Method::GET, &refused, Value::Null, 200).await;
        assert_eq!((&told["status"], &told["reason"]), (&json!("rejected"), &json!("there is enough")));
        browser.press("Approve R-100001").await;
        browser.says(".notice", "Request R-100001 is approved").await;
        browser.says("main", "No request is waiting.").await;
        let approved = "/api/v1/restock-requests?status=approved";
        let told = self.api("logistics", Method::GET, approved, Value::Null, 200).await;
        let numbers: Vec<&Value> = told["data"].as_array().expect("a list").iter().map(|one| &one["number"]).collect();
        assert_eq!(numbers, ["R-100003", "R-100001"]);
        self.is_well(&[]).await;
    }

    /// What Coke costs in all stores.
    async fn coke(&self) -> Value {
        self.platform.get("/api/v1/products/1").await.expect_status(200).json()["price"]["amount"].clone()
    }

    async fn no_price_is_replaced_unseen(&self) {
        let browser = &self.browser;
        browser.press("Prices").await;
        browser.fill("Find a product", "coke").await;
        browser.press("Find").await;
        browser.says("main table", "Coke, 355 ml can").await;
        self.is_well(&[]).await;
        browser.press("Coke, 355 ml can").await;
        browser.arrives("/office/prices/1").await;
        browser.says("main", "$2.99 Regular price All stores").await;
        browser.fill("Price, All stores", "a lot").await;
        browser.press("Change the price").await;
        browser.says(".error", "An amount in dollars, such as 2.99.").await;
        self.is_well(&[]).await;
        let path = "/api/v1/products/1/prices";
        self.api("manager", Method::POST, path, json!({"kind": "regular", "amount": money(310)}), 201).await;
        browser.fill("Price, All stores", "3,25").await;
        browser.press("Change the price").await;
        browser.says(".notice", "somebody else changed this price in the meantime").await;
        browser.says(".notice", "You had seen $2.99 In force now $3.10 You want $3.25").await;
        assert_eq!(self.coke().await, 310);
        self.is_well(&["412"]).await;
        browser.press("Keep $3.10").await;
        browser.says(".notice", "The price stays at $3.10.").await;
        // Something else than the price.
        let etag = self.platform.get("/api/v1/products/1").await.header("etag").expect("an ETag").to_owned();
        let key = self.platform.key("hq");
        let headers = [("x-api-key", key.as_str()), ("if-match", &etag)];
        let patch = json!({"description": "Boisson gazeuse au cola."});
        self.platform.send(Method::PATCH, "/api/v1/products/1", &headers, &patch).await.expect_status(200);
        browser.fill("Price, All stores", "3.25").await;
        browser.press("Change the price").await;
        browser.says(".notice", "changed this product in the meantime").await;
        assert_eq!(self.coke().await, 310);
        browser.press("Set $3.25 nevertheless").await;
        browser.says(".notice", "The price of $3.25 is in force.").await;
        browser.says("main", "$3.25 Regular price All stores").await;
        assert_eq!(self.coke().await, 325);
        self.is_well(&["412"]).await;
    }

    async fn a_promo_has_an_end(&self) {
        let browser = &self.browser;
        browser.press("Québec").await;
        browser.says("main", "$3.25 Regular price Québec").await;
        browser.press("Promo, from now on").await;
        browser.fill("Price, Québec", "2").await;
        browser.press("Change the price").await;
        browser.says(".error", "This field is required.").await;
        // As the page has it, whatever the form of dates that the browser types.
        let last_day = "const until = document.querySelector('[name=until]'); until.value = until.min;";
        browser.script(last_day, &json!([])).await;
        browser.press("Change the price").await;
        browser.says("main", "$2.00 Promo Québec").await;
        let told = self.platform.get("/api/v1/products/1?store=2").await.expect_status(200).json();
        assert_eq!((&told["price"]["amount"], &told["price_kind"]), (&json!(200), &json!("promo")));
        assert_eq!(self.coke().await, 325);
        browser.fill("Price, Québec", "3").await;
        browser.press("Change the price").await;
        browser.says(".notice", "The price of $3.00 is set; for now another one wins: $2.00.").await;
        self.is_well(&[]).await;
    }

    async fn books_that_do_not_agree_are_built_again(&self) {
        let browser = &self.browser;
        browser.press("Checks").await;
        self.refreshed(".verdict", "All books agree.").await;
        browser.says("table", "Tills Read").await;
        self.is_well(&[]).await;
        // Nothing but reports itself could do this; what it was told is elsewhere.
        let spoilt = "with spoilt as (update sales set total_cents = total_cents + 1
            where sale_id = (select min(sale_id::text)::uuid from sales) returning 1) select count(*) from spoilt";
        assert_eq!(self.platform.books().number("reports", spoilt).await, 1);
        self.refreshed(".verdict", "1 discrepancy in the books").await;
        browser.says(".offences", "Reports: its rule sale-was-told-whole is broken").await;
        self.is_well(&[]).await;
        browser.press("Rebuild the reports").await;
        // The row as it was, and as it is.
        browser.says(".notice", "Rebuilt and in place: 2 rows differ").await;
        self.refreshed(".verdict", "All books agree.").await;
        self.is_well(&[]).await;
    }

    async fn nothing_is_left_of_whoever_leaves(&self) {
        let browser = &self.browser;
        let kept = "return [sessionStorage.length, document.cookie, Object.values(localStorage).join()]";
        let before = browser.script(kept, &json!([])).await;
        assert!(!before.to_string().contains(&self.platform.key("hq")), "{before}");
        browser.press("Leave").await;
        browser.arrives("/office/sign-in").await;
        assert_eq!(browser.script(kept, &json!([])).await[0], 0);
        browser.goto("/office/prices").await;
        browser.arrives("/office/sign-in").await;
        self.is_well(&[]).await;
    }
}

fn money(cents: i64) -> Value {
    json!({"amount": cents, "currency": "CAD"})
}

/// The page is well, and the console has nothing but what was to be expected.
async fn is_well(browser: &Browser, expected: &[&str]) {
    browser.is_accessible().await;
    browser.fits().await;
    assert_eq!(browser.complaints(expected).await, Vec::<String>::new(), "on {}", browser.path().await);
}

/// In French and in the dark, without a pointer.
async fn a_phone_and_a_keyboard_are_enough(platform: &Platform) {
    const LEFT: &str = "\u{e012}";
    const END: &str = "\u{e010}";
    let look = Look { language: "fr-CA", scheme: "dark", ..PHONE };
    let browser = Browser::start(&platform.url(""), look).await;
    browser.goto("/office").await;
    browser.says("h1", "Siège social").await;
    browser.fill("Clé du personnel", &format!("{}\u{e007}", platform.key("hq"))).await;
    browser.says("h1", "Tableau").await;
    browser.goto("/office?period=week").await;
    browser.says(".tiles", "Ventes nettes 37,88 $").await;
    browser.script("document.querySelector('.plot').focus()", &json!([])).await;
    browser.keys(&format!("{END}{LEFT}")).await;
    let value = "return document.activeElement.getAttribute('aria-valuetext')";
    let told = browser.script(value, &json!([])).await;
    let told = told.as_str().expect("a text").replace(['\u{a0}', '\u{202f}'], " ");
    assert!(told.ends_with("ventes") || told.ends_with("vente"), "{told}");
    browser.says(".readout", &told).await;
    is_well(&browser, &["404"]).await;
    for (path, heading) in [
        ("/office/sales", "Ventes"),
        ("/office/taxes", "Taxes"),
        ("/office/stock", "Stocks"),
        ("/office/prices", "Prix"),
        ("/office/prices/1", "Coke, canette 355 ml"),
        ("/office/books", "Contrôles"),
    ] {
        browser.goto(path).await;
        browser.says("h1", heading).await;
        is_well(&browser, &[]).await;
    }
}
