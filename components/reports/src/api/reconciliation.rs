//! `/api/v1/reports/reconciliation`: whether the books of all services agree.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use sdk::{Context, Json, Query, Result};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::access::Reader;
use crate::domain::Source;
use crate::freshness::{Freshness, Question};
use crate::reconciling::{self, Broken};

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/reports/reconciliation", get(read))
}

/// What is to be read first.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReconciliationQuery {
    /// How old the view of a feed may be; what is older is read first, for up to five seconds.
    #[param(minimum = 0, maximum = 86_400_000)]
    max_staleness_ms: Option<i64>,
}

/// What does not agree: all is well when the three lists are empty and the view is complete.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reconciliation {
    /// Of each rule the first hundred.
    data: Vec<Broken>,
    /// Services that did not say whether their data is right.
    unavailable: Vec<Source>,
    /// Rules about what a service has never told, and those that it takes too long to look at.
    unchecked: Vec<String>,
    freshness: Freshness,
}

/// Whether the books of all services agree
///
/// What each service says is wrong with its own data, and what breaks the rules that join them: of what was over a
/// minute before the end of what all of them have told.
#[utoipa::path(
    get, path = "/api/v1/reports/reconciliation", operation_id = "reconciliation", tag = "reports",
    params(ReconciliationQuery),
    responses((status = 200, description = "What does not agree: nothing, if all is well", body = Reconciliation)),
    security(("key" = [])),
)]
pub(super) async fn read(
    _: Reader,
    State(context): State<Context>,
    Query(query): Query<ReconciliationQuery>,
) -> Result<Json<Reconciliation>> {
    let question = Question::ask(&context, Source::ALL, query.max_staleness_ms).await?;
    let findings = reconciling::reconcile(&context).await?;
    let freshness = question.freshness(&findings.views, context.clock.now());
    let reconciling::Findings { broken, unavailable, unchecked, .. } = findings;
    Ok(Json(Reconciliation { data: broken, unavailable, unchecked, freshness }))
}
