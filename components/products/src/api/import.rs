//! `POST /api/v1/products/import`: many products, one a line (NDJSON), a result for each.
//!
//! A line is a product as it shall be, found by its SKU: created, replaced, or left alone when it is
//! so already. Each line is a transaction of its own, so one that is refused does not stop the others,
//! and an import can be repeated: after a failure of the service (5xx, which ends it), or at will.
//! That is why it takes no Idempotency-Key.
//!
//! The answer is written when all lines are: a client that sends first and reads afterwards, as most
//! do, would fill both ends' buffers and wait for ever on a longer answer that came meanwhile.

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use pricing::Money;
use sdk::extract::Line;
use sdk::problem::FieldError;
use sdk::{Context, Lines, Problem, Result};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::events::{self, CHANGED, CREATED};
use super::products::product_body;
use super::{Editor, invalid};
use crate::domain::price::{PriceDraft, check_amount};
use crate::domain::product::{Draft, Status};
use crate::domain::{Check, ProductId};
use crate::store::{prices, products};

/// Lines of one import; a longer file is imported in parts.
const LINES_MAX: usize = 2_000;

/// How often a line is tried that another request gets ahead of: it created the same SKU.
const ATTEMPTS_MAX: u32 = 3;

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/products/import", post(import))
}

product_body! {
    /// A line of an import: a product as it shall be.
    ImportLine {
        /// The regular price for all stores from now on. Required for a product that is new; for
        /// another it stays as it is if left out.
        #[serde(default)]
        pub price: Option<Money>,
    }
}

/// What became of a line.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportResult {
    /// From 1, blank lines counted.
    #[schema(example = 1)]
    pub line: u64,
    pub outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<ProductId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "COKE-355")]
    pub sku: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// What is wrong with it, by pointers into the line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Created,
    Updated,
    /// It was as the line wants it.
    Unchanged,
    Failed,
}

/// Import products
///
/// At most 2000 lines of at most 64 KiB; what comes after is not read, and the last result says so.
#[utoipa::path(
    post, path = "/api/v1/products/import", operation_id = "importProducts", tag = "products",
    request_body(content = ImportLine, content_type = "application/x-ndjson",
        description = "One product a line"),
    responses((status = 200, description = "One result a line, in the same order",
        body = ImportResult, content_type = "application/x-ndjson")),
    security(("key" = [])),
)]
pub(super) async fn import(_: Editor, State(context): State<Context>, mut lines: Lines) -> Result<Response> {
    let mut answer = Vec::new();
    let mut count = 0;
    while let Some(line) = lines.next_line().await? {
        count += 1;
        if count > LINES_MAX {
            let problem = Problem::unprocessable("too-many-lines");
            write(&mut answer, &failed(line.number, None, &problem))?;
            break;
        }
        write(&mut answer, &import_line(&context, &line).await?)?;
    }
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], answer).into_response())
}

fn write(answer: &mut Vec<u8>, result: &ImportResult) -> Result<()> {
    serde_json::to_writer(&mut *answer, result).map_err(Problem::internal)?;
    answer.push(b'\n');
    Ok(())
}

/// The result of a line; an error when it is the service that failed.
async fn import_line(context: &Context, line: &Line) -> Result<ImportResult> {
    let input = match line.json::<ImportLine>() {
        Ok(input) => input,
        Err(problem) => return Ok(failed(line.number, None, &problem)),
    };
    let sku = Some(input.sku.clone());
    match upsert(context, &input).await {
        Ok((outcome, id)) => {
            Ok(ImportResult { line: line.number, outcome, id: Some(id), sku, code: None, errors: Vec::new() })
        }
        Err(problem) if problem.status().is_server_error() => Err(problem),
        Err(problem) => Ok(failed(line.number, sku, &problem)),
    }
}

fn failed(line: u64, sku: Option<String>, problem: &Problem) -> ImportResult {
    ImportResult {
        line,
        outcome: Outcome::Failed,
        id: None,
        sku,
        code: Some(problem.get_code()),
        errors: problem.errors().to_vec(),
    }
}

async fn upsert(context: &Context, input: &ImportLine) -> Result<(Outcome, ProductId)> {
    let draft = input.draft().check().map_err(invalid)?;
    let mut check = Check::default();
    if let Some(price) = input.price {
        check_amount(&mut check, "/price/amount", price);
    }
    check.finish(()).map_err(invalid)?;
    let mut attempt = 1;
    loop {
        match upsert_once(context, &draft, input.price).await {
            Err(problem) if problem.get_code() == "sku-taken" && attempt < ATTEMPTS_MAX => {}
            result => return result,
        }
        attempt += 1;
    }
}

async fn upsert_once(context: &Context, draft: &Draft, price: Option<Money>) -> Result<(Outcome, ProductId)> {
    let now = context.clock.now();
    context
        .db
        .transaction(|tx| async move {
            let Some(current) = products::lock_by_sku(&tx, &draft.sku, now).await? else {
                let amount = price.ok_or_else(price_missing)?;
                let id = products::insert(&tx, draft, now).await?;
                prices::insert(&tx, id, &PriceDraft::regular(amount, now), now).await?;
                events::tell(&tx, context, CREATED, id).await?;
                return Ok((Outcome::Created, id));
            };
            let id = current.id;
            let repriced = match price {
                Some(amount) => amount != prices::regular(&tx, id, now).await?,
                None => false,
            };
            if current.draft() != *draft {
                products::update(&tx, id, draft, now).await?;
            } else if repriced {
                products::touch(&tx, id, now).await?;
            } else {
                return Ok((Outcome::Unchanged, id));
            }
            if let Some(amount) = price.filter(|_| repriced) {
                prices::insert(&tx, id, &PriceDraft::regular(amount, now), now).await?;
            }
            events::tell(&tx, context, CHANGED, id).await?;
            Ok((Outcome::Updated, id))
        })
        .await
}

fn price_missing() -> Problem {
    let detail = "a product that is new needs its first price";
    invalid(vec![FieldError::at_pointer("/price", "missing-field", detail)])
}
