//! The products service, and the cache that stands in for it.
//!
//! What products says is kept in the cart's own database, so every replica can show a cart, add a
//! product that was seen before and estimate a total while products is down. In memory are only the
//! rates of the tax categories, for a minute, and since when products is left alone.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use pricing::{Money, TaxRates};
use sdk::problem::FieldError;
use sdk::{ClientError, Context, DbError, Problem, client, log, metrics};
use serde::{Deserialize, Serialize};

use crate::domain::estimate::{Amounts, Payment, parse_percent};
use crate::domain::{Availability, COOL_OFF, KnownLine, ProductId, RATES_FRESH_FOR, Snapshot, StoreId, is_stale};
use crate::store;

/// How long products may take: whoever looks at a cart rather sees prices of a minute ago.
const DEADLINE: Duration = Duration::from_secs(1);
/// How many products one call asks for, as products allows.
const IDS_MAX: usize = 100;
/// When to try again what only products could answer.
const RETRY_AFTER_S: u32 = 1;

/// The products service. Cheap to clone; clones share what they remember.
#[derive(Clone, Debug)]
pub struct Products {
    context: Context,
    memory: Arc<Mutex<Memory>>,
}

#[derive(Debug, Default)]
struct Memory {
    /// After a failure, until then, the cache answers alone.
    quiet_until: Option<Timestamp>,
    rates: BTreeMap<String, TaxRates>,
    rates_fetched_at: Option<Timestamp>,
}

/// What products says about one product.
#[derive(Clone, Debug)]
pub enum Answer {
    Found(Box<Snapshot>),
    /// There is no such product.
    Missing,
    /// Products did not answer: the cache has to do.
    Silent,
}

/// What products says about a basket.
#[derive(Clone, Debug)]
pub enum Quoted {
    Amounts(Box<Amounts>, Timestamp),
    /// Some of it cannot be sold; at most one error a line.
    Refused(Vec<FieldError>),
    /// Products did not answer: the cache has to do.
    Silent,
}

impl Products {
    pub fn new(context: Context) -> Products {
        Products { context, memory: Arc::default() }
    }

    /// Asks for one product and keeps the answer.
    pub async fn ask(&self, store: Option<StoreId>, product: ProductId) -> Result<Answer, DbError> {
        let Some(found) = self.fetch(store, &[product]).await else {
            return Ok(Answer::Silent);
        };
        store::save_snapshots(&self.context.db, store, &found).await?;
        Ok(match found.into_iter().find(|p| p.product_id == product) {
            Some(snapshot) => Answer::Found(Box::new(snapshot)),
            None => Answer::Missing,
        })
    }

    /// The lines with product data that is not stale `now`, or as they were when products does not
    /// answer.
    pub async fn refresh(&self, store: Option<StoreId>, lines: Vec<KnownLine>, now: Timestamp) -> Vec<KnownLine> {
        let due: Vec<ProductId> = lines
            .iter()
            .filter(|line| line.product.as_ref().is_none_or(|p| is_stale(p.fetched_at, now)))
            .map(|line| line.product_id)
            .collect();
        let mut fetched = BTreeMap::new();
        for ids in due.chunks(IDS_MAX) {
            let Some(found) = self.fetch(store, ids).await else {
                break;
            };
            // Whoever reads gets the answer, also if the next one has to ask again.
            if let Err(error) = store::save_snapshots(&self.context.db, store, &found).await {
                log::warn!("product data was not kept", error = error);
            }
            fetched.extend(found.into_iter().map(|product| (product.product_id, product)));
        }
        lines
            .into_iter()
            .map(|line| KnownLine { product: fetched.remove(&line.product_id).or(line.product), ..line })
            .collect()
    }

    /// The amounts of these lines, as an order would have them at this moment.
    pub async fn quote(&self, store: Option<StoreId>, lines: &[KnownLine], payment: Option<Payment>) -> Quoted {
        if self.is_quiet() {
            return Quoted::Silent;
        }
        let request = QuoteRequest { store_id: store, payment, lines: lines.iter().map(QuoteLine::of).collect() };
        let call = self.context.http.post("http://products/api/v1/price-quotes");
        match call.deadline(DEADLINE).json(&request).send().await {
            Ok(response) => self.quoted(&response),
            Err(error) => {
                self.silent(&error);
                Quoted::Silent
            }
        }
    }

    fn quoted(&self, response: &client::Response) -> Quoted {
        let status = response.status.as_u16();
        let answer = match status {
            200 => response.json::<Quote>().map(|quote| Quoted::Amounts(Box::new(quote.amounts), quote.quoted_at)),
            422 => response
                .json::<Refusal>()
                .map(|refusal| Quoted::Refused(refusal.errors.into_iter().map(FieldError::from).collect())),
            _ => Err(ClientError::Unavailable(format!("status {status}"))),
        };
        match answer {
            Ok(answer) => {
                self.memory().quiet_until = None;
                answer
            }
            Err(error) => {
                self.silent(&error);
                Quoted::Silent
            }
        }
    }

    /// The products of these ids that exist; `None` when products does not answer.
    async fn fetch(&self, store: Option<StoreId>, ids: &[ProductId]) -> Option<Vec<Snapshot>> {
        if self.is_quiet() {
            return None;
        }
        match self.try_fetch(store, ids).await {
            Ok(found) => {
                self.memory().quiet_until = None;
                Some(found)
            }
            Err(error) => {
                self.silent(&error);
                None
            }
        }
    }

    async fn try_fetch(&self, store: Option<StoreId>, ids: &[ProductId]) -> Result<Vec<Snapshot>, ClientError> {
        // Before the question: an answer is never younger than it says.
        let fetched_at = self.context.clock.now();
        let mut url = "http://products/api/v1/products?ids=".to_owned();
        for (index, id) in ids.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let _ = write!(url, "{comma}{id}");
        }
        if let Some(store) = store {
            let _ = write!(url, "&store={store}");
        }
        let response = self.context.http.get(url).deadline(DEADLINE).send().await?;
        let listed: List<Product> = response.success()?.json()?;
        let rates = self.rates(&listed.data, fetched_at).await?;
        listed.data.into_iter().map(|product| product.snapshot(&rates, fetched_at)).collect()
    }

    /// The rates in force of all tax categories, those of these products among them.
    async fn rates(&self, products: &[Product], now: Timestamp) -> Result<BTreeMap<String, TaxRates>, ClientError> {
        {
            let memory = self.memory();
            let fetched_at = memory.rates_fetched_at;
            let fresh = fetched_at.is_some_and(|at| now.duration_since(at) < RATES_FRESH_FOR);
            let known = |product: &Product| memory.rates.contains_key(&product.tax_category);
            if fresh && products.iter().all(known) {
                return Ok(memory.rates.clone());
            }
        }
        let url = "http://products/api/v1/tax-categories?limit=200";
        let response = self.context.http.get(url).deadline(DEADLINE).send().await?;
        let listed: List<TaxCategory> = response.success()?.json()?;
        let rates: BTreeMap<String, TaxRates> =
            listed.data.into_iter().map(TaxCategory::rates).collect::<Result<_, _>>()?;
        let mut memory = self.memory();
        memory.rates.clone_from(&rates);
        memory.rates_fetched_at = Some(now);
        Ok(rates)
    }

    fn is_quiet(&self) -> bool {
        let now = self.context.clock.now();
        self.memory().quiet_until.is_some_and(|until| now < until)
    }

    fn silent(&self, error: &ClientError) {
        let now = self.context.clock.now();
        self.memory().quiet_until = now.saturating_add(COOL_OFF).ok();
        log::warn!("products did not answer", error = error);
        metrics::counter("products_silent_total", &[], 1.0);
    }

    /// Never held across a call.
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// 503 for what neither products nor the cache can answer.
pub fn unavailable() -> Problem {
    Problem::unavailable(RETRY_AFTER_S)
        .code("dependency-unavailable")
        .detail("products does not answer, and this product was never seen before")
}

#[derive(Deserialize)]
struct List<T> {
    data: Vec<T>,
}

#[derive(Deserialize)]
struct Product {
    id: ProductId,
    sku: String,
    name: String,
    status: Availability,
    price: Money,
    deposit: Money,
    tax_category: String,
}

impl Product {
    fn snapshot(self, rates: &BTreeMap<String, TaxRates>, fetched_at: Timestamp) -> Result<Snapshot, ClientError> {
        let rates = rates
            .get(&self.tax_category)
            .copied()
            .ok_or_else(|| ClientError::Protocol(format!("no tax category {:?}", self.tax_category)))?;
        Ok(Snapshot {
            product_id: self.id,
            sku: self.sku,
            name: self.name,
            availability: self.status,
            price: self.price,
            deposit: self.deposit,
            tax_category: self.tax_category,
            rates,
            fetched_at,
        })
    }
}

#[derive(Deserialize)]
struct TaxCategory {
    code: String,
    gst: String,
    qst: String,
}

impl TaxCategory {
    fn rates(self) -> Result<(String, TaxRates), ClientError> {
        let rate = |text: &str| parse_percent(text).ok_or_else(|| ClientError::Protocol(format!("no rate: {text:?}")));
        let rates = TaxRates { gst: rate(&self.gst)?, qst: rate(&self.qst)? };
        Ok((self.code, rates))
    }
}

#[derive(Serialize)]
struct QuoteRequest {
    #[serde(skip_serializing_if = "Option::is_none")]
    store_id: Option<StoreId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<Payment>,
    lines: Vec<QuoteLine>,
}

#[derive(Serialize)]
struct QuoteLine {
    product_id: ProductId,
    quantity: i32,
}

impl QuoteLine {
    fn of(line: &KnownLine) -> QuoteLine {
        QuoteLine { product_id: line.product_id, quantity: line.quantity }
    }
}

#[derive(Deserialize)]
struct Quote {
    #[serde(flatten)]
    amounts: Amounts,
    quoted_at: Timestamp,
}

#[derive(Deserialize)]
struct Refusal {
    errors: Vec<RefusedMember>,
}

#[derive(Deserialize)]
struct RefusedMember {
    pointer: String,
    code: String,
    detail: String,
}

impl From<RefusedMember> for FieldError {
    fn from(member: RefusedMember) -> FieldError {
        FieldError { pointer: Some(member.pointer), parameter: None, code: member.code.into(), detail: member.detail }
    }
}
