//! `/api/v1/sessions/{id}/x-report` and `z-report`: what a session comes to, and what it came to.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;
use pricing::Money;
use sdk::problem::ProblemBody;
use sdk::{Context, Isolation, Json, NoQuery, Path, Problem, Query, Result};
use serde::Serialize;
use utoipa::ToSchema;

use super::access::Reader;
use super::negotiation::{Accepts, Speaks};
use super::receipts::printed;
use super::session_not_found;
use crate::domain::report::Report;
use crate::domain::session::{Closed, Denomination, Register, Session};
use crate::domain::{LocationId, Number, Paper, RegisterId, SessionId};
use crate::printing::{Language, Medium, report as layout};
use crate::selling::open;
use crate::store::{registers, reports, sessions};

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/sessions/{id}/x-report", get(x)).route("/api/v1/sessions/{id}/z-report", get(z))
}

/// What a session comes to (X), or came to (Z).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SessionReport)]
pub struct ReportBody {
    /// Of a Z report alone: the register's own, without a gap.
    #[schema(example = "1-2-Z000003")]
    pub number: Option<String>,
    pub session_id: SessionId,
    #[schema(example = 12)]
    pub register_id: RegisterId,
    #[schema(example = 1)]
    pub store_id: LocationId,
    #[schema(example = "Julie")]
    pub cashier: String,
    #[schema(value_type = String, format = DateTime)]
    pub opened_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<Timestamp>,
    /// What was in the drawer at the end.
    pub counted_cash: Option<Money>,
    /// `counted_cash - expected_cash`.
    pub difference: Option<Money>,
    pub denominations: Option<Vec<Denomination>>,
    #[serde(flatten)]
    pub report: Report,
}

impl ReportBody {
    fn x(session: &Session, report: Report) -> ReportBody {
        ReportBody {
            number: None,
            session_id: session.id,
            register_id: session.register_id,
            store_id: session.store_id,
            cashier: session.cashier.clone(),
            opened_at: session.opened_at,
            closed_at: None,
            counted_cash: None,
            difference: None,
            denominations: None,
            report,
        }
    }

    /// # Errors
    /// When the difference is beyond the bound of money, which is a bug.
    pub fn z(session: &Session, closed: &Closed, number: String) -> Result<ReportBody> {
        Ok(ReportBody {
            number: Some(number),
            closed_at: Some(closed.at),
            counted_cash: Some(closed.counted),
            difference: Some(closed.counted.try_sub(closed.expected)?),
            denominations: closed.denominations.clone(),
            ..ReportBody::x(session, closed.report.clone())
        })
    }
}

/// How a report is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Text,
}

const FORMS: &[(&str, Form)] = &[("application/json", Form::Json), ("text/plain", Form::Text)];

/// What an open session comes to
#[utoipa::path(
    get, path = "/api/v1/sessions/{id}/x-report", operation_id = "getXReport", tag = "sessions",
    params(
        ("id" = SessionId, Path, description = "The session"),
        ("Accept" = Option<String>, Header, description = "`application/json` or `text/plain`"),
        ("Accept-Language" = Option<String>, Header, description = "Of the text: `fr` or `en`"),
    ),
    responses(
        (status = 200, description = "The report", content((ReportBody = "application/json"), (String = "text/plain"))),
        (status = 406, description = "`not-acceptable`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`session-closed`: it has a Z report",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub(super) async fn x(
    _: Reader,
    State(context): State<Context>,
    Path(id): Path<SessionId>,
    accepts: Accepts,
    Speaks(language): Speaks,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Response> {
    let form = accepts.prefer(FORMS)?;
    // One state of the database, and no lock: nobody waits for somebody who looks.
    let (session, report) = context
        .db
        .transaction_with(Isolation::RepeatableRead, |tx| async move {
            let session = sessions::get(&tx, id).await?.ok_or_else(|| session_not_found(id))?;
            open(&session)?;
            let report = reports::report(&tx, id).await?;
            Ok::<_, Problem>((session, report))
        })
        .await?;
    answer(&context, ReportBody::x(&session, report), form, language).await
}

/// What a closed session came to
#[utoipa::path(
    get, path = "/api/v1/sessions/{id}/z-report", operation_id = "getZReport", tag = "sessions",
    params(
        ("id" = SessionId, Path, description = "The session"),
        ("Accept" = Option<String>, Header, description = "`application/json` or `text/plain`"),
        ("Accept-Language" = Option<String>, Header, description = "Of the text: `fr` or `en`"),
    ),
    responses(
        (status = 200, description = "The report", content((ReportBody = "application/json"), (String = "text/plain"))),
        (status = 406, description = "`not-acceptable`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`session-open`: it has an X report",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub(super) async fn z(
    _: Reader,
    State(context): State<Context>,
    Path(id): Path<SessionId>,
    accepts: Accepts,
    Speaks(language): Speaks,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Response> {
    let form = accepts.prefer(FORMS)?;
    let session = sessions::get(&context.db, id).await?.ok_or_else(|| session_not_found(id))?;
    let Some(closed) = &session.closed else {
        return Err(Problem::conflict("session-open")
            .detail("the drawer was not counted yet")
            .with("session_id", id.to_string()));
    };
    let register = register_of(&context, &session).await?;
    let number = Number { store: register.store_id, code: &register.code, paper: Paper::Z, seq: closed.z_seq };
    answer(&context, ReportBody::z(&session, closed, number.to_string())?, form, language).await
}

async fn answer(context: &Context, body: ReportBody, form: Form, language: Language) -> Result<Response> {
    if form == Form::Json {
        return Ok(Json(body).into_response());
    }
    let store = registers::store(&context.db, body.store_id).await?;
    let store = store.ok_or_else(|| Problem::internal("a session of a store that is not there"))?;
    Ok(printed(&layout::report(&store, &body, language), Medium::Text, language))
}

async fn register_of(context: &Context, session: &Session) -> Result<Register> {
    let register = registers::get(&context.db, session.register_id).await?;
    register.ok_or_else(|| Problem::internal("a session of a register that is not there"))
}
