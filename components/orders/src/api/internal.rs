//! `/internal/v1/orders`: what a checkout makes, confirms and gives up. For services alone.
//!
//! Each is idempotent by the order's id. What other services have to be told because of it is left to
//! the task: the caller may be the one who is to be told.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use axum::routing::{post, put};
use sdk::problem::ProblemBody;
use sdk::{
    Context, Json, NoContent, NoQuery, OfService, Path, Principal, Problem, Query, Result, Tx, WithETag, new_uuid_v7,
};

use super::body::{OrderBody, Reader};
use super::cancel::Cancellation;
use super::{deciding, invalid, not_found, note, tag};
use crate::domain::OrderId;
use crate::domain::decision::{Confirmation, Decision};
use crate::domain::draft::{Draft, Method};
use crate::domain::order::{Dossier, Line, Totals};
use crate::store;

pub fn routes() -> Router<Context> {
    Router::new()
        .route("/internal/v1/orders/{id}", put(make).get(read))
        .route("/internal/v1/orders/{id}/confirm", post(confirm))
        .route("/internal/v1/orders/{id}/cancel", post(cancel))
}

/// Whether the order was made by this request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Made {
    Now,
    Before,
}

/// Make a pending order
///
/// Once for each id: the same again is answered with the order as it is. The lines are priced here once
/// more, and must come to the total that the customer was told.
#[utoipa::path(
    put, path = "/internal/v1/orders/{id}", operation_id = "makeOrder", tag = "internal", request_body = Draft,
    params(("id" = OrderId, Path, description = "Minted by the checkout")),
    responses(
        (status = 201, description = "Made", body = OrderBody, headers(
            ("Location" = String, description = "The order"),
            ("ETag" = String, description = "Its version"),
        )),
        (status = 200, description = "Made before", body = OrderBody,
            headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "`order-exists`: the checkout, the reservation or the payment has an order; \
            `order-cancelled`: it was called off before it was made",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`order-differs`: the id stands for another order; `validation-failed`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("service" = [])),
)]
pub(super) async fn make(
    _: OfService,
    principal: Principal,
    State(context): State<Context>,
    Path(id): Path<OrderId>,
    Query(NoQuery {}): Query<NoQuery>,
    Json(draft): Json<Draft>,
) -> Result<Response> {
    let quote = draft.priced().map_err(invalid)?;
    let lines = draft.lines.iter().zip(&quote.lines).zip(1..);
    let lines: Vec<Line> = lines.map(|((draft, quoted), number)| Line::of(number, draft, quoted)).collect();
    let (totals, actor) = (Totals::from(&quote), principal.key());
    let code = (draft.fulfilment.method == Method::Pickup).then(|| pickup_code(&context));
    let (context, draft, lines, totals, code, actor) = (&context, &draft, &lines, &totals, code.as_deref(), &actor);
    let (dossier, made) = context
        .db
        .transaction(|tx| async move {
            let at = context.clock.now();
            let Some(order) = store::insert(&tx, id, draft, totals, code, actor, at).await? else {
                return before(&tx, id, draft).await;
            };
            store::insert_lines(&tx, id, lines).await?;
            let dossier = Dossier { order, lines: lines.clone() };
            let mut decision = Decision::on(dossier, actor.clone(), at, new_uuid_v7(&context.clock).into());
            decision.made();
            store::save(&tx, context, &decision).await?;
            Ok((Dossier { order: decision.order, lines: decision.lines }, Made::Now))
        })
        .await?;
    let tag = tag(&dossier.order);
    let body = Json(OrderBody::of(dossier, Reader::Other)?);
    Ok(match made {
        Made::Now => (StatusCode::CREATED, [(LOCATION, format!("/api/v1/orders/{id}"))], tag, body).into_response(),
        Made::Before => (tag, body).into_response(),
    })
}

/// Whoever made it first has committed by now.
async fn before(tx: &Tx, id: OrderId, draft: &Draft) -> Result<(Dossier, Made)> {
    match store::get(tx, id).await? {
        Some(dossier) if dossier.is_of(draft) => Ok((dossier, Made::Before)),
        Some(_) => Err(Problem::unprocessable("order-differs").detail("this id stands for another order")),
        None if store::is_barred(tx, id).await? => {
            Err(Problem::conflict("order-cancelled").detail("it was called off before it was made"))
        }
        None => Err(Problem::conflict("order-exists")
            .detail("another order is of this checkout, of this reservation or of this payment")),
    }
}

/// Six digits, from the random end of a UUID.
fn pickup_code(context: &Context) -> String {
    let random = new_uuid_v7(&context.clock).as_u128() & u128::from(u64::MAX >> 2);
    format!("{:06}", random % 1_000_000)
}

/// An order
#[utoipa::path(
    get, path = "/internal/v1/orders/{id}", operation_id = "readOrder", tag = "internal",
    params(("id" = OrderId, Path, description = "The order")),
    responses((status = 200, description = "The order", body = OrderBody,
        headers(("ETag" = String, description = "Its version")))),
    security(("service" = [])),
)]
pub(super) async fn read(
    _: OfService,
    State(context): State<Context>,
    Path(id): Path<OrderId>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<WithETag<Json<OrderBody>>> {
    let dossier = store::get(&context.db, id).await?.ok_or_else(|| not_found(id))?;
    Ok(WithETag(tag(&dossier.order), Json(OrderBody::of(dossier, Reader::Other)?)))
}

/// The payment is captured: confirmed and paid
///
/// Once: a repetition is answered with the order as it is. An order that was cancelled meanwhile stays
/// cancelled, and what was captured goes back.
#[utoipa::path(
    post, path = "/internal/v1/orders/{id}/confirm", operation_id = "confirmOrder", tag = "internal",
    params(("id" = OrderId, Path, description = "The order")),
    responses(
        (status = 200, description = "Confirmed, now or before", body = OrderBody,
            headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "`order-cancelled`: it was cancelled first, and the money is on its way back",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("service" = [])),
)]
pub(super) async fn confirm(
    _: OfService,
    principal: Principal,
    State(context): State<Context>,
    Path(id): Path<OrderId>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<WithETag<Json<OrderBody>>> {
    let actor = principal.key();
    let (context, actor) = (&context, &actor);
    // What follows from a confirmation that comes too late is written, so it is no error in here.
    let (decision, confirmation) = context
        .db
        .transaction(|tx| async move {
            let mut decision = deciding(&tx, context, id, actor).await?;
            let confirmation = decision.confirm()?;
            store::save(&tx, context, &decision).await?;
            Ok::<_, Problem>((decision, confirmation))
        })
        .await?;
    if confirmation == Confirmation::Cancelled {
        return Err(Problem::conflict("order-cancelled")
            .detail("it was cancelled before it was confirmed; what was captured goes back")
            .with("state", decision.order.status.as_str())
            .with("allowed", Vec::<&str>::new()));
    }
    Ok(WithETag(tag(&decision.order), Json(OrderBody::after(decision, Reader::Other)?)))
}

/// A checkout gives up before its pivot
///
/// It releases and voids what it made itself. Once: a repetition is answered alike. An order that there is not
/// yet will not be made any more: who wanted to make it may be late.
#[utoipa::path(
    post, path = "/internal/v1/orders/{id}/cancel", operation_id = "compensateOrder", tag = "internal",
    request_body = Cancellation,
    params(("id" = OrderId, Path, description = "The order")),
    responses(
        (status = 200, description = "Cancelled, now or before", body = OrderBody,
            headers(("ETag" = String, description = "Its version"))),
        (status = 204, description = "There is no such order, and there will be none"),
        (status = 409, description = "`transition-not-allowed`: it is paid or confirmed",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("service" = [])),
)]
pub(super) async fn cancel(
    _: OfService,
    principal: Principal,
    State(context): State<Context>,
    Path(id): Path<OrderId>,
    Query(NoQuery {}): Query<NoQuery>,
    Json(body): Json<Cancellation>,
) -> Result<Response> {
    let (reason, actor) = (note("/reason", body.reason.as_deref())?, principal.key());
    let (context, reason, actor) = (&context, &reason, &actor);
    let decision = context
        .db
        .transaction(|tx| async move {
            // First of all: whoever is just making it has committed after that.
            store::bar(&tx, id, actor, context.clock.now()).await?;
            let Some(dossier) = store::lock(&tx, id).await? else {
                return Ok(None);
            };
            let refund_id = new_uuid_v7(&context.clock).into();
            let mut decision = Decision::on(dossier, actor.clone(), context.clock.now(), refund_id);
            decision.compensate(reason.clone())?;
            store::save(&tx, context, &decision).await?;
            Ok::<_, Problem>(Some(decision))
        })
        .await?;
    match decision {
        Some(decision) => {
            let tag = tag(&decision.order);
            Ok(WithETag(tag, Json(OrderBody::after(decision, Reader::Other)?)).into_response())
        }
        None => Ok(NoContent.into_response()),
    }
}
