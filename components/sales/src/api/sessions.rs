//! `/api/v1/registers/{id}/sessions` and `/api/v1/sessions`: drawers are opened, shown and counted.

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use jiff::Timestamp;
use pricing::Money;
use sdk::problem::ProblemBody;
use sdk::{
    Context, Cursor, Idempotency, Json, NoQuery, Page, PageParams, Path, Problem, Query, Reply, Result, Tx,
    new_uuid_v7, outbox,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::access::{Reader, Teller};
use super::reports::ReportBody;
use super::{invalid, no_cursor, register_not_found, session_not_found};
use crate::domain::session::{Closed, Count, RegisterKind, Session, SessionKind, SessionStatus};
use crate::domain::{LocationId, NAME_MAX, Paper, RegisterId, SessionId, amount_mistake, is_storable, text_mistake};
use crate::events;
use crate::selling::open as is_open;
use crate::store::sessions::{self, NewSession};
use crate::store::{registers, reports};

pub fn routes() -> Router<Context> {
    Router::new()
        .route("/api/v1/registers/{id}/sessions", get(list).post(open))
        .route("/api/v1/sessions/{id}", get(read))
        .route("/api/v1/sessions/{id}/close", post(close))
}

/// A drawer to be opened.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenSession {
    /// Who stands at the till.
    #[schema(example = "Julie", max_length = 100)]
    cashier: String,
    /// What is in the drawer.
    opening_float: Money,
}

/// Which sessions of the register.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    status: Option<SessionStatus>,
    #[param(minimum = 1, maximum = 200, default = 20)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor>,
}

/// A session at a register.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionBody {
    pub id: SessionId,
    #[schema(example = 12)]
    pub register_id: RegisterId,
    #[schema(example = 1)]
    pub store_id: LocationId,
    pub kind: SessionKind,
    pub status: SessionStatus,
    #[schema(example = "Julie")]
    pub cashier: String,
    pub opening_float: Money,
    #[schema(example = "consumer:pos")]
    pub opened_by: String,
    #[schema(value_type = String, format = DateTime)]
    pub opened_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<Timestamp>,
    /// What was in the drawer at the end.
    pub counted_cash: Option<Money>,
    /// What should have been.
    pub expected_cash: Option<Money>,
    /// Grows with every change.
    #[schema(example = 1)]
    pub version: i64,
}

impl From<Session> for SessionBody {
    fn from(session: Session) -> SessionBody {
        let closed = session.closed.as_ref();
        SessionBody {
            id: session.id,
            register_id: session.register_id,
            store_id: session.store_id,
            kind: session.kind,
            status: session.status,
            closed_at: closed.map(|closed| closed.at),
            counted_cash: closed.map(|closed| closed.counted),
            expected_cash: closed.map(|closed| closed.expected),
            cashier: session.cashier,
            opening_float: session.opening_float,
            opened_by: session.opened_by,
            opened_at: session.opened_at,
            version: session.version,
        }
    }
}

/// Open a drawer
///
/// One at a time at each till.
#[utoipa::path(
    post, path = "/api/v1/registers/{id}/sessions", operation_id = "openSession", tag = "sessions",
    request_body = OpenSession,
    params(
        ("id" = RegisterId, Path, description = "The register"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    responses(
        (status = 201, description = "Open", body = SessionBody,
            headers(("Location" = String, description = "The session"))),
        (status = 409, description = "`session-open`: `session_id` says which one is; `register-online`: nobody \
            stands there; `idempotency-in-progress`", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub(super) async fn open(
    teller: Teller,
    State(context): State<Context>,
    Path(id): Path<RegisterId>,
    Query(NoQuery {}): Query<NoQuery>,
    idempotency: Idempotency,
    Json(body): Json<OpenSession>,
) -> Result<Reply> {
    let mistakes: Vec<_> = [
        text_mistake("/cashier", &body.cashier, NAME_MAX),
        amount_mistake("/opening_float", body.opening_float, Money::ZERO),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !mistakes.is_empty() {
        return Err(invalid(mistakes));
    }
    let register = registers::get(&context.db, id).await?.ok_or_else(|| register_not_found(id))?;
    if register.kind != RegisterKind::Till {
        return Err(
            Problem::conflict("register-online").detail("nobody stands there: it numbers what is bought online")
        );
    }
    let (context, actor, new) = (&context, &teller.actor(), &body);
    idempotency
        .run(&context.db, &body, |tx| async move {
            let new = NewSession {
                id: new_uuid_v7(&context.clock).into(),
                register_id: id,
                kind: SessionKind::Till,
                cashier: new.cashier.trim(),
                opening_float: new.opening_float,
                by: actor,
                at: context.clock.now(),
            };
            let Some(session) = sessions::open(&tx, new).await? else {
                return Err(open_already(&tx, id).await?);
            };
            outbox::publish(&tx, context, vec![events::opened(&session)?]).await?;
            Ok(Reply::created(format!("/api/v1/sessions/{}", session.id), &SessionBody::from(session)))
        })
        .await
}

async fn open_already(tx: &Tx, register: RegisterId) -> Result<Problem> {
    let problem = Problem::conflict("session-open").detail("a drawer is open at this register: close it first");
    Ok(match sessions::lock_open(tx, register, SessionKind::Till).await? {
        Some(session) => problem.with("session_id", session.id.to_string()),
        // Closed at this very moment.
        None => problem.retry_after(1),
    })
}

/// The sessions of a register, the latest first
#[utoipa::path(
    get, path = "/api/v1/registers/{id}/sessions", operation_id = "listSessions", tag = "sessions",
    params(("id" = RegisterId, Path, description = "The register"), ListQuery),
    responses((status = 200, description = "A page of them", body = Page<SessionBody>,
        headers(("Link" = String, description = "The next page")))),
    security(("key" = [])),
)]
pub(super) async fn list(
    _: Reader,
    State(context): State<Context>,
    Path(id): Path<RegisterId>,
    Query(query): Query<ListQuery>,
) -> Result<Page<SessionBody>> {
    let page = PageParams::new(query.limit, query.after)?;
    let after: Option<(Timestamp, SessionId)> = page.after()?;
    if after.is_some_and(|(at, _)| !is_storable(at)) {
        return Err(no_cursor());
    }
    let register = registers::get(&context.db, id).await?.ok_or_else(|| register_not_found(id))?;
    let found = sessions::list(&context.db, register.id, query.status, after, page.fetch_limit()).await?;
    let place = |last: &Session| Cursor::encode(&(last.opened_at, last.id));
    Ok(Page::new(found, page.limit, place).map(SessionBody::from))
}

/// A session
#[utoipa::path(
    get, path = "/api/v1/sessions/{id}", operation_id = "getSession", tag = "sessions",
    params(("id" = SessionId, Path, description = "The session")),
    responses((status = 200, description = "The session", body = SessionBody)),
    security(("key" = [])),
)]
pub(super) async fn read(
    _: Reader,
    State(context): State<Context>,
    Path(id): Path<SessionId>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Json<SessionBody>> {
    let session = sessions::get(&context.db, id).await?.ok_or_else(|| session_not_found(id))?;
    Ok(Json(session.into()))
}

/// Count a drawer and close the session
///
/// Nothing happens in it any more. The answer is its Z report; what is counted is an amount, or coins and notes.
#[utoipa::path(
    post, path = "/api/v1/sessions/{id}/close", operation_id = "closeSession", tag = "sessions", request_body = Count,
    params(
        ("id" = SessionId, Path, description = "The session"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    responses(
        (status = 200, description = "The Z report", body = ReportBody),
        (status = 409, description = "`session-closed`: it was counted before; `idempotency-in-progress`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub(super) async fn close(
    teller: Teller,
    State(context): State<Context>,
    Path(id): Path<SessionId>,
    Query(NoQuery {}): Query<NoQuery>,
    idempotency: Idempotency,
    Json(body): Json<Count>,
) -> Result<Reply> {
    let counted = body.total().map_err(invalid)?;
    let (context, teller, count) = (&context, &teller, &body);
    idempotency
        .run(&context.db, &body, |tx| async move {
            let mut session = sessions::lock(&tx, id).await?.ok_or_else(|| session_not_found(id))?;
            teller.works_in(&session)?;
            is_open(&session)?;
            let report = reports::report(&tx, id).await?;
            let numbered = registers::number(&tx, session.register_id, Paper::Z).await?;
            let closed = Closed {
                at: context.clock.now(),
                by: teller.actor(),
                z_seq: numbered.seq,
                counted,
                expected: report.expected_cash,
                denominations: count.denominations.clone(),
                report,
            };
            session.version += 1;
            sessions::close(&tx, &session, &closed).await?;
            session.status = SessionStatus::Closed;
            session.closed = Some(Box::new(closed.clone()));
            let number = numbered.text(Paper::Z);
            outbox::publish(&tx, context, vec![events::closed(&session, &closed, &number)?]).await?;
            Ok(Reply::ok(&ReportBody::z(&session, &closed, number)?))
        })
        .await
}
