//! `/api/v1/tax-categories`: how products are taxed, at rates that change on a day.
//!
//! GST and QST change apart. A day is a business day (America/Toronto), and the past is closed: what
//! was charged stays explicable.

use std::collections::HashMap;

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use jiff::Timestamp;
use jiff::civil::Date;
use pricing::{Tax, TaxRate};
use sdk::problem::ProblemBody;
use sdk::{
    Context, Cursor, Executor, Idempotency, Json, NoQuery, Page, PageParams, Path, Problem, Query, Reply, Result,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::categories::code_after;
use super::products::vanished;
use super::{Editor, code_in_path, invalid, not_found};
use crate::domain::Check;
use crate::domain::tax::{parse_percent, percent};
use crate::store::tax_categories::{self, DatedRate};

pub fn routes() -> Router<Context> {
    Router::new()
        .route("/api/v1/tax-categories", get(list).post(create))
        .route("/api/v1/tax-categories/{code}", get(read))
        .route("/api/v1/tax-categories/{code}/rates", post(change_rate))
}

/// How products are taxed.
#[derive(Debug, Serialize, ToSchema)]
pub struct TaxCategory {
    #[schema(example = "standard")]
    pub code: String,
    pub name_en: String,
    pub name_fr: String,
    /// The rate of GST in force, in percent.
    #[schema(example = "5.000")]
    pub gst: String,
    /// The rate of QST in force, in percent.
    #[schema(example = "9.975")]
    pub qst: String,
    /// Past, present and to come: each tax has one on any day.
    pub rates: Vec<Rate>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// The rate of one tax in a period of days.
#[derive(Debug, Serialize, ToSchema)]
pub struct Rate {
    pub tax: Tax,
    /// In percent.
    #[schema(example = "9.975")]
    pub rate: String,
    /// Inclusive; ever since if null.
    #[schema(value_type = Option<String>, format = Date)]
    pub from: Option<Date>,
    /// Exclusive; until further notice if null.
    #[schema(value_type = Option<String>, format = Date)]
    pub until: Option<Date>,
}

/// A tax category to be created, with rates that hold for all time until they are changed.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTaxCategory {
    /// Lower-case letters and digits in groups joined by single hyphens.
    #[schema(example = "books", max_length = 50)]
    code: String,
    #[schema(example = "Printed books", min_length = 1, max_length = 200)]
    name_en: String,
    #[schema(example = "Livres imprimés", min_length = 1, max_length = 200)]
    name_fr: String,
    /// In percent, with at most three decimals.
    #[schema(example = "5")]
    gst: String,
    /// In percent, with at most three decimals.
    #[schema(example = "0")]
    qst: String,
}

/// A rate from a day on. It ends the one before it.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRate {
    tax: Tax,
    /// In percent, with at most three decimals.
    #[schema(example = "9.975")]
    rate: String,
    /// The first business day (America/Toronto), today or later.
    #[schema(value_type = String, format = Date, example = "2027-01-01")]
    from: Date,
}

/// Which tax categories.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    #[param(minimum = 1, maximum = 200, default = 20)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor>,
}

/// Tax categories with their rates, by code
#[utoipa::path(
    get, path = "/api/v1/tax-categories", operation_id = "listTaxCategories", tag = "tax categories", params(ListQuery),
    responses((status = 200, description = "A page", body = Page<TaxCategory>)),
)]
pub(super) async fn list(State(context): State<Context>, Query(query): Query<ListQuery>) -> Result<Page<TaxCategory>> {
    let page = PageParams::new(query.limit, query.after)?;
    let after = code_after(&page)?;
    let rows = tax_categories::list(&context.db, after.as_deref(), page.fetch_limit()).await?;
    let Page { data, next_cursor } = Page::new(rows, page.limit, |last| Cursor::encode(&last.code));
    let data = with_rates(&context.db, data, context.clock.now()).await?;
    Ok(Page { data, next_cursor })
}

/// Create a tax category
#[utoipa::path(
    post, path = "/api/v1/tax-categories", operation_id = "createTaxCategory", tag = "tax categories",
    request_body = NewTaxCategory,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless")),
    responses(
        (status = 201, description = "Created", body = TaxCategory,
            headers(("Location" = String, description = "The tax category"))),
        (status = 409, description = "`tax-category-exists`, `idempotency-in-progress`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub(super) async fn create(
    _: Editor,
    State(context): State<Context>,
    idempotency: Idempotency,
    Json(body): Json<NewTaxCategory>,
) -> Result<Reply> {
    let now = context.clock.now();
    let mut check = Check::default();
    let category = &tax_categories::TaxCategory {
        code: check.code("/code", &body.code),
        name_en: check.name("/name_en", &body.name_en),
        name_fr: check.name("/name_fr", &body.name_fr),
        created_at: now,
    };
    let gst = rate(&mut check, "/gst", &body.gst);
    let qst = rate(&mut check, "/qst", &body.qst);
    check.finish(()).map_err(invalid)?;
    idempotency
        .run(&context.db, &body, |tx| async move {
            tax_categories::insert(&tx, category, gst, qst).await?;
            let shown = one(&tx, &category.code, now).await?.ok_or_else(vanished)?;
            let location = format!("/api/v1/tax-categories/{}", category.code);
            Ok(Reply::created(location, &shown))
        })
        .await
}

/// One tax category with its rates
#[utoipa::path(
    get, path = "/api/v1/tax-categories/{code}", operation_id = "getTaxCategory", tag = "tax categories",
    params(("code" = String, Path, description = "The tax category")),
    responses((status = 200, description = "The tax category", body = TaxCategory)),
)]
pub(super) async fn read(
    State(context): State<Context>,
    Path(code): Path<String>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Json<TaxCategory>> {
    code_in_path(&code, "tax-category-not-found")?;
    let category = one(&context.db, &code, context.clock.now()).await?;
    Ok(Json(category.ok_or_else(absent)?))
}

/// Change a rate from a day on
#[utoipa::path(
    post, path = "/api/v1/tax-categories/{code}/rates", operation_id = "changeTaxRate", tag = "tax categories",
    request_body = NewRate,
    params(
        ("code" = String, Path, description = "The tax category"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    responses(
        (status = 201, description = "Changed", body = TaxCategory,
            headers(("Location" = String, description = "The tax category"))),
        (status = 409, description = "`rate-overlap`, `idempotency-in-progress`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub(super) async fn change_rate(
    _: Editor,
    State(context): State<Context>,
    Path(code): Path<String>,
    idempotency: Idempotency,
    Json(body): Json<NewRate>,
) -> Result<Reply> {
    code_in_path(&code, "tax-category-not-found")?;
    let now = context.clock.now();
    let mut check = Check::default();
    let percent = rate(&mut check, "/rate", &body.rate);
    check.finish(()).map_err(invalid)?;
    let (code, body) = (&code, &body);
    idempotency
        .run(&context.db, body, |tx| async move {
            let mut check = Check::default();
            check.that(
                body.from >= tax_categories::business_day(&tx, now).await?,
                "/from",
                "rate-starts-in-past",
                "must be today or later",
            );
            check.finish(()).map_err(invalid)?;
            if !tax_categories::change_rate(&tx, code, body.tax, percent, body.from, now).await? {
                return Err(absent());
            }
            let shown = one(&tx, code, now).await?.ok_or_else(vanished)?;
            Ok(Reply::created(format!("/api/v1/tax-categories/{code}"), &shown))
        })
        .await
}

fn rate(check: &mut Check, pointer: &str, text: &str) -> TaxRate {
    let rate = parse_percent(text);
    check.that(
        rate.is_some(),
        pointer,
        "rate-invalid",
        "must be a percentage from 0 to 100 with at most three decimals, such as \"9.975\"",
    );
    rate.unwrap_or(TaxRate::ZERO)
}

async fn one(db: &impl Executor, code: &str, now: Timestamp) -> Result<Option<TaxCategory>> {
    match tax_categories::get(db, code).await? {
        Some(category) => Ok(with_rates(db, vec![category], now).await?.pop()),
        None => Ok(None),
    }
}

async fn with_rates(
    db: &impl Executor,
    categories: Vec<tax_categories::TaxCategory>,
    now: Timestamp,
) -> Result<Vec<TaxCategory>> {
    let codes = categories.iter().map(|category| category.code.as_str()).collect();
    let mut rates: HashMap<String, Vec<DatedRate>> = HashMap::new();
    for rate in tax_categories::rates(db, codes, now).await? {
        rates.entry(rate.tax_category.clone()).or_default().push(rate);
    }
    categories
        .into_iter()
        .map(|category| {
            let rates = rates.remove(&category.code).unwrap_or_default();
            shown(category, rates)
        })
        .collect()
}

fn shown(category: tax_categories::TaxCategory, rates: Vec<DatedRate>) -> Result<TaxCategory> {
    let in_force = |tax| {
        let rate = rates.iter().find(|rate| rate.tax == tax && rate.in_force);
        rate.map(|rate| percent(rate.rate))
            .ok_or_else(|| Problem::internal(format!("tax category {} has no {tax:?} today", category.code)))
    };
    let (gst, qst) = (in_force(Tax::Gst)?, in_force(Tax::Qst)?);
    let rates = rates
        .into_iter()
        .map(|dated| Rate { tax: dated.tax, rate: percent(dated.rate), from: dated.from, until: dated.until })
        .collect();
    Ok(TaxCategory {
        code: category.code,
        name_en: category.name_en,
        name_fr: category.name_fr,
        gst,
        qst,
        rates,
        created_at: category.created_at,
    })
}

fn absent() -> Problem {
    not_found("tax-category-not-found").detail("there is no such tax category")
}
