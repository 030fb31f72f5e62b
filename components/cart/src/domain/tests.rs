//! The rules, one at a time.

use jiff::{SignedDuration, Timestamp};
use pricing::{Money, TaxRate, TaxRates};

use super::estimate::{Payment, amounts, parse_percent};
use super::{
    Availability, Cart, CartId, Change, CustomerId, Expiry, FRESH_FOR, KnownLine, MAX_LINES, Merge, Number, ProductId,
    Refusal, Snapshot, Status, fits, is_stale, why_refused,
};

const NOW: Timestamp = Timestamp::constant(1_794_000_000, 0);

fn cart(id: u128) -> Cart {
    Cart {
        id: CartId(uuid::Uuid::from_u128(id)),
        number: 100_001,
        customer_id: None,
        store_id: None,
        status: Status::Open,
        merged_into: None,
        version: 1,
        created_at: NOW,
        updated_at: NOW,
    }
}

fn of(customer: i64, cart: Cart) -> Cart {
    Cart { customer_id: Some(CustomerId(customer)), ..cart }
}

fn merged(cart: Cart, target: &Cart) -> Cart {
    Cart { status: Status::Merged, merged_into: Some(target.id), ..cart }
}

fn snapshot(price: i32, deposit: i32) -> Snapshot {
    Snapshot {
        product_id: ProductId(1),
        sku: "X".to_owned(),
        name: "x".to_owned(),
        availability: Availability::Active,
        price: Money::from(price),
        deposit: Money::from(deposit),
        tax_category: "standard".to_owned(),
        rates: TaxRates::STANDARD,
        fetched_at: NOW,
    }
}

#[test]
fn only_an_open_cart_is_written_to() {
    let (open, target) = (cart(1), cart(2));
    assert_eq!(open.writable(), Ok(()));
    let refusal = Refusal::Merged(open.id, target.id);
    assert_eq!(merged(open.clone(), &target).writable(), Err(refusal));
    let expired = Cart { status: Status::Expired, ..open };
    assert_eq!(expired.writable(), Err(Refusal::Expired(expired.id)));
}

#[test]
fn a_merge_is_needed_once() {
    let (guest, target) = (cart(1), of(7, cart(2)));
    assert_eq!(target.merge_from(&guest), Ok(Merge::Needed));
    assert_eq!(target.merge_from(&merged(guest, &target)), Ok(Merge::Done));
}

#[test]
fn a_repeated_merge_is_done_even_if_the_target_moved_on() {
    let (guest, target, last) = (cart(1), cart(2), of(7, cart(3)));
    let guest = merged(guest, &target);
    let target = merged(target, &last);
    assert_eq!(target.merge_from(&guest), Ok(Merge::Done));
}

#[test]
fn a_merge_the_other_way_round_finds_its_target_merged() {
    let (a, b) = (cart(1), cart(2));
    let a = merged(a, &b);
    assert_eq!(a.merge_from(&b), Err(Refusal::Merged(a.id, b.id)));
}

#[test]
fn a_merge_into_itself_is_refused() {
    assert_eq!(cart(1).merge_from(&cart(1)), Err(Refusal::MergeIntoItself));
}

#[test]
fn the_lines_of_a_customer_stay_with_that_customer() {
    let theirs = of(7, cart(1));
    let refusal = Err(Refusal::OwnedByAnother(theirs.id));
    assert_eq!(of(8, cart(2)).merge_from(&theirs), refusal);
    assert_eq!(cart(2).merge_from(&theirs), refusal);
    assert_eq!(of(7, cart(2)).merge_from(&theirs), Ok(Merge::Needed));
}

#[test]
fn carts_that_do_not_fit_together_name_the_products() {
    let together = [(ProductId(1), 999), (ProductId(2), 1_000), (ProductId(3), 1_998)];
    let products = vec![2, 3];
    assert_eq!(fits(&together), Err(Refusal::MergeAboveLimit { products }));
    let many: Vec<_> = (1..=MAX_LINES).map(|id| (ProductId(id), 1)).collect();
    assert_eq!(fits(&many), Ok(()));
    let more: Vec<_> = (1..=MAX_LINES + 1).map(|id| (ProductId(id), 1)).collect();
    assert_eq!(fits(&more), Err(Refusal::Full));
}

#[test]
fn a_change_without_effect_is_explained() {
    let cases = [
        (Change::Set(5), Some(5), 1, None),
        (Change::Set(0), None, 0, None),
        (Change::Remove, None, 0, None),
        (Change::Set(5), None, MAX_LINES, Some(Refusal::Full)),
        (Change::Add(1), None, MAX_LINES, Some(Refusal::Full)),
        (Change::Add(1), Some(999), MAX_LINES, Some(Refusal::AboveLimit { quantity: 999 })),
        (Change::Subtract(3), Some(2), 1, Some(Refusal::BelowZero { quantity: 2 })),
        (Change::Subtract(1), None, 0, Some(Refusal::BelowZero { quantity: 0 })),
    ];
    for (change, quantity, lines, refusal) in cases {
        assert_eq!(why_refused(change, quantity, lines), refusal, "{change:?}");
    }
}

#[test]
fn empty_carts_expire_first_and_customers_keep_theirs_longest() {
    let anonymous = Expiry::of(None, NOW);
    let customer = Expiry::of(Some(CustomerId(7)), NOW);
    assert!(anonymous.without < anonymous.with_lines);
    assert!(anonymous.with_lines < customer.with_lines);
    assert_eq!(anonymous.without, customer.without);
    for expiry in [anonymous.without, anonymous.with_lines, customer.with_lines] {
        assert_eq!(expiry.as_second() % 3_600, 0, "a full hour: {expiry}");
    }
    let thirty_days = SignedDuration::from_hours(30 * 24);
    let over = anonymous.with_lines.duration_since(NOW) - thirty_days;
    assert!(over > SignedDuration::ZERO && over <= SignedDuration::from_hours(1));
}

#[test]
fn a_price_is_stale_after_its_time() {
    assert!(!is_stale(NOW, NOW));
    assert!(!is_stale(NOW, NOW + FRESH_FOR - SignedDuration::from_millis(1)));
    assert!(is_stale(NOW, NOW + FRESH_FOR));
}

#[test]
fn the_worked_example_to_the_cent() {
    let line = |product_id, quantity, price| KnownLine {
        product_id: ProductId(product_id),
        quantity,
        product: Some(snapshot(price, 10)),
    };
    let lines = [line(1, 2, 299), line(3, 1, 349)];
    let amounts = amounts(&lines, Some(Payment::Cash)).unwrap();
    assert_eq!(amounts.subtotal, Money::from(947));
    let taxes: Vec<_> = amounts.taxes.iter().map(|tax| (tax.rate.as_str(), tax.amount)).collect();
    assert_eq!(taxes, [("5.000", Money::from(47)), ("9.975", Money::from(94))]);
    assert_eq!(amounts.deposits, Money::from(30));
    assert_eq!(amounts.total, Money::from(1_118));
    assert_eq!(amounts.payable, Money::from(1_120));
}

#[test]
fn a_percentage_is_read_as_it_is_written() {
    let read = |text| parse_percent(text).map(TaxRate::thousandths);
    assert_eq!(read("5.000"), Some(5_000));
    assert_eq!(read("9.975"), Some(9_975));
    assert_eq!(read("5"), Some(5_000));
    assert_eq!(read("9.5"), Some(9_500));
    for wrong in ["", ".", "5.", ".5", "-5", "5.0000", "101", "1e1", "5,0"] {
        assert_eq!(read(wrong), None, "{wrong:?}");
    }
}

#[test]
fn a_number_is_read_out_loud() {
    assert_eq!(Number(100_001).to_string(), "C-100001");
}
