//! `GET /internal/v1/audit`: a service looks at its own data and tells which rules are broken, and by
//! what. Constraints keep most rules; an audit is for those that take more than a row to see.

use crate::identity::OfService;
use crate::{Context, Db, Executor, Json, Result, params};
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A rule, as a statement that selects what breaks it: no row if all is well.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// `stock-is-sum-of-movements`
    pub invariant: &'static str,
    pub offenders: &'static str,
}

/// Offenders of one rule that are listed: enough to see what is wrong.
pub const OFFENDERS_MAX: i64 = 100;

/// What is wrong with a service's data; an empty list is good.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Audit {
    pub data: Vec<Violation>,
}

/// Something that breaks a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Violation {
    #[schema(example = "stock-is-sum-of-movements")]
    pub invariant: String,
    /// The row that breaks it.
    #[schema(value_type = Object)]
    pub offender: serde_json::Value,
}

/// What the route needs.
#[derive(Clone, Debug)]
pub struct Auditor {
    db: Db,
    rules: &'static [Rule],
}

/// The route, for other services.
pub fn routes(context: &Context, rules: &'static [Rule]) -> Router {
    let auditor = Auditor { db: context.db.clone(), rules };
    Router::new().route("/internal/v1/audit", get(audit)).with_state(auditor)
}

/// Whether this service keeps its rules
#[utoipa::path(
    get, path = "/internal/v1/audit", operation_id = "audit", tag = "internal",
    responses((status = 200, description = "What is wrong: nothing, if all is well", body = Audit)),
    security(("service" = [])),
)]
pub async fn audit(_: OfService, State(auditor): State<Auditor>) -> Result<Json<Audit>> {
    let mut data = Vec::new();
    for rule in auditor.rules {
        let sql = format!("select to_jsonb(o) from ({}) o limit $1", rule.offenders);
        let offenders: Vec<(serde_json::Value,)> = auditor.db.query(&sql, params![OFFENDERS_MAX]).await?;
        let violation = |(offender,)| Violation { invariant: rule.invariant.to_owned(), offender };
        data.extend(offenders.into_iter().map(violation));
    }
    Ok(Json(Audit { data }))
}
