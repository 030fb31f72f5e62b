//! Sales as a spreadsheet.

use reports::domain::Source;

use crate::business::{Business, Deal, Item, product};
use crate::support::Town;

const HEADER: &str = "key,name,sales,units,gross_cad,discounts_cad,returned_cad,net_cad,gst_cad,qst_cad,deposits_cad,\
    total_cad,refunded_cad";

async fn town() -> Town {
    let (town, mut business) = (Town::open().await, Business::default());
    let item = Item { discount: 100, deposit: 10, ..Item::of(1, 2, 1_000) };
    let mut deal = Deal { cashier: Some("=1+1"), ..Deal::of("2026-11-24T12:00:00Z", 1, vec![item]) };
    let mut made = business.sell(&deal);
    deal.cashier = Some("Zoé, \"caisse\" 2");
    business.sell(&deal);
    business.bring_back(&mut made, &[1], 1, deal.at);
    business.events.push((Source::Products, product(1, 1, "@SUM(A1:A9)\nx")));
    town.tell_all(&business.events);
    town.consume().await;
    town
}

#[tokio::test]
async fn a_spreadsheet_has_a_header_dollars_and_no_formulas() {
    let town = town().await;
    let response = town.csv("sales?group_by=cashier").await;
    assert_eq!(response.header("content-type"), "text/csv; charset=utf-8; header=present");
    assert_eq!(
        response.header("content-disposition"),
        "attachment; filename=\"sales-by-cashier-2026-11-24-2026-11-24.csv\""
    );
    assert_eq!(response.header("x-report-complete"), "true");
    let lines = [
        HEADER,
        "'=1+1,,1,2,20.00,1.00,0.00,19.00,0.95,1.90,0.20,22.05,0.00",
        "Luc,,0,-1,0.00,0.00,9.50,-9.50,-0.47,-0.95,-0.10,-11.02,11.02",
        "\"Zoé, \"\"caisse\"\" 2\",,1,2,20.00,1.00,0.00,19.00,0.95,1.90,0.20,22.05,0.00",
    ];
    assert_eq!(response.text(), lines.map(|line| format!("{line}\r\n")).concat());
    let response = town.csv("sales?group_by=product").await;
    let row = "1,\"'@SUM(A1:A9)\nx\",2,3,40.00,2.00,9.50,28.50,1.43,2.85,0.30,33.08,11.02";
    assert_eq!(response.text(), format!("{HEADER}\r\n{row}\r\n"));
    let response = town.csv("sales?group_by=method").await;
    assert_eq!(response.text(), format!("{HEADER}\r\ncash,,2,,,,,,,,,33.10,11.00\r\n"));
}

#[tokio::test]
async fn a_spreadsheet_of_nothing_is_its_header() {
    let town = Town::open().await;
    let response = town.csv("sales?group_by=day").await;
    assert_eq!((response.text(), response.header("x-report-complete")), (format!("{HEADER}\r\n"), "false"));
}

#[tokio::test]
async fn the_client_chooses_the_format() {
    let town = town().await;
    for (accept, content_type) in [
        ("text/csv", "text/csv; charset=utf-8; header=present"),
        ("application/json", "application/json"),
        ("text/csv;q=0.1, */*", "application/json"),
    ] {
        let response = town.get("sales?group_by=day").header("accept", accept).send().await.expect_status(200);
        assert_eq!(response.header("content-type"), content_type);
    }
    let response = town.get("sales?group_by=day").header("accept", "application/xml").send().await;
    response.expect_problem(406, "not-acceptable");
}
