//! What an event becomes: rows. The events of a page become the rows of a page, written by a statement for each
//! table that has any.

use std::collections::BTreeMap;

use pricing::{Money, MoneyError, TaxRates};
use serde::de::DeserializeOwned;

use super::payload::{self, Event, Order, Refund, Return, Sale};
use super::rows::{
    Amounts, CheckoutRow, DocumentRow, EntryRow, Head, Kind, MovementRow, OrderRow, ProductRow, ReservationLineRow,
    ReservationRow, Rows, SaleRow, StockRow, TenderRow, Versioned,
};
use super::{Channel, Source};

/// How orders are paid, and paid back: the same word as in what sales says.
const PROVIDER: &str = "online";

/// What an event means here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Rows, or something that is known and that no report needs.
    Known,
    /// Of a type that nobody has told us about.
    Unknown,
}

/// Why an event cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(pub String);

impl From<MoneyError> for Unreadable {
    fn from(err: MoneyError) -> Self {
        Unreadable(err.to_string())
    }
}

impl Rows {
    /// Takes an event in, or nothing of it.
    ///
    /// # Errors
    /// When its payload is not what events of its type have.
    pub fn take(&mut self, source: Source, event: &Event) -> Result<Meaning, Unreadable> {
        let (family, verb) = event.kind.split_once('.').unwrap_or((&event.kind, ""));
        match (source, family) {
            (Source::Products, "product") => self.product(event)?,
            (Source::Inventory, "stock") => self.stock(event)?,
            (Source::Inventory, "reservation") => self.reservation(event)?,
            (Source::Checkout, "checkout") => self.checkout(event)?,
            (Source::Orders, "order") => self.order(event)?,
            (Source::Sales, "sale") => return self.sale(event, verb),
            (Source::Sales, "session") => {
                let session: payload::Session = read(event)?;
                self.stores.insert(session.store_id);
            }
            (Source::Inventory, "restock" | "transfer" | "discrepancy")
            | (Source::Customers, "customer" | "loyalty")
            | (Source::Cart, "cart") => {}
            _ => return Ok(Meaning::Unknown),
        }
        Ok(Meaning::Known)
    }

    fn product(&mut self, event: &Event) -> Result<(), Unreadable> {
        let payload::Product { product_id, sku, name, category, status } = read(event)?;
        let row = ProductRow { product_id, version: event.subject_version, sku, name, category, status };
        keep_latest(&mut self.products, product_id, row);
        Ok(())
    }

    fn stock(&mut self, event: &Event) -> Result<(), Unreadable> {
        let stock: payload::Stock = read(event)?;
        let (location_id, product_id, version) = (stock.location_id, stock.product_id, event.subject_version);
        if stock.delta != 0 {
            self.movements.push(MovementRow {
                location_id,
                product_id,
                version,
                kind: stock.kind,
                delta: stock.delta,
                reference: stock.reference,
                occurred_at: event.occurred_at,
            });
        }
        let payload::Stock { on_hand, reserved, in_transit, level, .. } = stock;
        let row = StockRow { location_id, product_id, version, on_hand, reserved, in_transit, level };
        keep_latest(&mut self.stock, (location_id, product_id), row);
        Ok(())
    }

    fn reservation(&mut self, event: &Event) -> Result<(), Unreadable> {
        let payload::Reservation { id, status, lines } = read(event)?;
        self.reservation_lines.extend(lines.into_iter().map(|line| ReservationLineRow {
            reservation_id: id,
            line: line.line,
            location_id: line.location_id,
            product_id: line.product_id,
            quantity: line.quantity,
        }));
        let (version, changed_at) = (event.subject_version, event.occurred_at);
        keep_latest(&mut self.reservations, id, ReservationRow { reservation_id: id, version, status, changed_at });
        Ok(())
    }

    fn checkout(&mut self, event: &Event) -> Result<(), Unreadable> {
        let checkout: payload::Checkout = read(event)?;
        let row = CheckoutRow {
            checkout_id: checkout.checkout_id,
            version: event.subject_version,
            state: checkout.state,
            order_id: checkout.order_id,
            reservation_id: checkout.reservation_id,
            expected_cents: checkout.expected.cents(),
            total_cents: checkout.total.map(Money::cents),
            created_at: checkout.created_at,
            ended_at: checkout.ended_at,
        };
        keep_latest(&mut self.checkouts, row.checkout_id, row);
        Ok(())
    }

    fn order(&mut self, event: &Event) -> Result<(), Unreadable> {
        let order: Order = read(event)?;
        if event.kind == "order.refunded" {
            let refund = order.refund.as_ref().ok_or_else(|| Unreadable("there is no refund in it".to_owned()))?;
            self.refund(event, &order, refund)?;
        }
        let row = OrderRow {
            order_id: order.order_id,
            version: event.subject_version,
            number: order.number,
            status: order.status,
            payment_status: order.payment_status,
            checkout_id: order.checkout_id,
            created_at: order.created_at,
            confirmed_at: order.confirmed_at,
            changed_at: event.occurred_at,
            total_cents: order.total.cents(),
            captured_cents: order.captured.cents(),
            refunded_cents: order.refunded.cents(),
        };
        keep_latest(&mut self.orders, row.order_id, row);
        Ok(())
    }

    /// On the day on which it was decided, in the store whose sale it was.
    fn refund(&mut self, event: &Event, order: &Order, refund: &Refund) -> Result<(), Unreadable> {
        let kind = if order.confirmed_at.is_some() { Kind::Refund } else { Kind::Giveback };
        let head = Head {
            kind,
            document: refund.refund_id,
            at: event.occurred_at,
            store_id: order.store_id,
            channel: order.channel,
            cashier: None,
        };
        let mut entries = Vec::with_capacity(refund.lines.len());
        for (line, number) in refund.lines.iter().zip(1..) {
            let sold = order.lines.iter().find(|sold| sold.product_id == line.product_id);
            let sold = sold.ok_or_else(|| Unreadable(format!("no product {} was sold", line.product_id)))?;
            let amounts = Amounts::back([line.net, line.gst, line.qst, line.deposit, line.total]);
            entries.push(entry(&head, number, line.product_id, -i64::from(line.quantity), amounts, sold.rates));
        }
        if kind == Kind::Refund {
            self.entries.append(&mut entries);
            let amount_cents = -refund.total.cents();
            self.tenders.push(TenderRow { head: head.clone(), method: PROVIDER.to_owned(), amount_cents });
        }
        let amounts = Amounts::back([refund.net, refund.gst, refund.qst, refund.deposits, refund.total]);
        let (origin, goods) = (order.order_id, Some(refund.goods.clone()));
        self.documents.push(DocumentRow { head, origin, goods, amounts, rounding_cents: 0 });
        Ok(())
    }

    fn sale(&mut self, event: &Event, verb: &str) -> Result<Meaning, Unreadable> {
        let sale: Sale = match verb {
            "completed" | "returned" | "voided" => read(event)?,
            _ => return Ok(Meaning::Unknown),
        };
        match verb {
            "completed" => self.sold(&sale, Kind::Sale)?,
            "voided" => self.sold(&sale, Kind::Void)?,
            _ => {
                let back = sale.returned.as_ref();
                self.returned(&sale, back.ok_or_else(|| Unreadable("there is no return in it".to_owned()))?)?;
            }
        }
        if sale.channel == Channel::Store {
            self.stores.insert(sale.store_id);
        }
        let row = SaleRow {
            sale_id: sale.sale_id,
            version: event.subject_version,
            number: sale.number,
            channel: sale.channel,
            status: sale.status,
            order_id: sale.order_id,
            recorded_at: sale.recorded_at,
            total_cents: sale.total.cents(),
            refunded_cents: sale.refunded.cents(),
        };
        keep_latest(&mut self.sales, row.sale_id, row);
        Ok(Meaning::Known)
    }

    /// A sale, or what takes it back: the same, below zero.
    fn sold(&mut self, sale: &Sale, kind: Kind) -> Result<(), Unreadable> {
        let signed = |amounts: Amounts| if kind == Kind::Void { amounts.negated() } else { amounts };
        let sign = if kind == Kind::Void { -1 } else { 1 };
        let head = Head {
            kind,
            document: sale.sale_id,
            at: sale.sold_at,
            store_id: sale.store_id,
            channel: sale.channel,
            cashier: sale.cashier.clone(),
        };
        let tenders = kept(&head, &sale.payments, sale.change, sign)?;
        for line in &sale.lines {
            let amounts = signed(Amounts {
                gross_cents: line.gross.cents(),
                discount_cents: line.discount.cents(),
                net_cents: line.net.cents(),
                gst_cents: line.gst.cents(),
                qst_cents: line.qst.cents(),
                deposit_cents: line.deposit.cents(),
                total_cents: line.total.cents(),
            });
            let quantity = sign * i64::from(line.quantity);
            self.entries.push(entry(&head, line.line, line.product_id, quantity, amounts, line.rates));
        }
        self.tenders.extend(tenders);
        let amounts = signed(Amounts {
            gross_cents: sale.gross.cents(),
            discount_cents: sale.discount.cents(),
            net_cents: sale.subtotal.cents(),
            gst_cents: sale.gst.cents(),
            qst_cents: sale.qst.cents(),
            deposit_cents: sale.deposits.cents(),
            total_cents: sale.total.cents(),
        });
        let rounding_cents = sign * sale.cash_rounding.cents();
        self.documents.push(DocumentRow { head, origin: sale.sale_id, goods: None, amounts, rounding_cents });
        Ok(())
    }

    /// On the day and in the store in which it was brought back.
    fn returned(&mut self, sale: &Sale, back: &Return) -> Result<(), Unreadable> {
        let head = Head {
            kind: Kind::Return,
            document: back.return_id,
            at: back.returned_at,
            store_id: back.store_id,
            channel: sale.channel,
            cashier: back.cashier.clone(),
        };
        let tenders = kept(&head, &back.refunds, Money::ZERO, -1)?;
        let mut entries = Vec::with_capacity(back.lines.len());
        for line in &back.lines {
            let sold = sale.lines.iter().find(|sold| sold.line == line.line);
            let sold = sold.ok_or_else(|| Unreadable(format!("no line {} was sold", line.line)))?;
            let amounts = Amounts::back([line.net, line.gst, line.qst, line.deposit, line.total]);
            entries.push(entry(&head, line.line, line.product_id, -i64::from(line.quantity), amounts, sold.rates));
        }
        self.entries.append(&mut entries);
        self.tenders.extend(tenders);
        self.stores.insert(back.store_id);
        let amounts = Amounts::back([back.net, back.gst, back.qst, back.deposits, back.total]);
        let rounding_cents = -back.cash_rounding.cents();
        self.documents.push(DocumentRow { head, origin: sale.sale_id, goods: None, amounts, rounding_cents });
        Ok(())
    }
}

fn read<T: DeserializeOwned>(event: &Event) -> Result<T, Unreadable> {
    serde_json::from_str(event.payload.get()).map_err(|err| Unreadable(err.to_string()))
}

fn keep_latest<K: Ord, R: Versioned>(rows: &mut BTreeMap<K, R>, key: K, row: R) {
    if rows.get(&key).is_none_or(|known| known.version() < row.version()) {
        rows.insert(key, row);
    }
}

fn entry(head: &Head, line: i32, product_id: i64, quantity: i64, amounts: Amounts, rates: TaxRates) -> EntryRow {
    let (gst_rate, qst_rate) = (rates.gst.thousandths(), rates.qst.thousandths());
    EntryRow { head: head.clone(), line, product_id, quantity, amounts, gst_rate, qst_rate }
}

/// What was kept of what was handed over, by method; the change comes out of the cash.
fn kept(head: &Head, payments: &[payload::Payment], change: Money, sign: i64) -> Result<Vec<TenderRow>, Unreadable> {
    let mut sums: BTreeMap<&str, Money> = BTreeMap::new();
    for payment in payments {
        let sum = sums.entry(&payment.method).or_default();
        *sum = sum.try_add(payment.amount)?;
    }
    if !change.is_zero() {
        let cash = sums.entry("cash").or_default();
        *cash = cash.try_sub(change)?;
    }
    let row = |(method, sum): (&str, Money)| TenderRow {
        head: head.clone(),
        method: method.to_owned(),
        amount_cents: sign * sum.cents(),
    };
    Ok(sums.into_iter().map(row).collect())
}
