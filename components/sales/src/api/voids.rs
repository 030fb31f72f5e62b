//! `/api/v1/sales/{id}/void`: a sale is called off in the session that made it.

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use sdk::outbox;
use sdk::problem::ProblemBody;
use sdk::{Context, Idempotency, Json, NoQuery, Path, Problem, Query, Reply, Result, Tx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::Teller;
use super::body::{SaleBody, tag};
use super::{cash_insufficient, reason, sale_not_found, session_not_found};
use crate::domain::effect::Effect;
use crate::domain::returning::Refusal;
use crate::domain::sale::Dossier;
use crate::domain::{SaleId, Status};
use crate::selling::open;
use crate::store::{self, effects, reports, sessions};
use crate::{events, settling};

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/sales/{id}/void", post(void))
}

/// Why.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Void)]
pub struct NewVoid {
    #[schema(example = "rung up twice", max_length = 500)]
    reason: String,
}

/// Call a sale off
///
/// While its session is open and nothing of it has come back: all of the money goes back to where it came from, and
/// the goods to the shelf. Its number stays its own.
#[utoipa::path(
    post, path = "/api/v1/sales/{id}/void", operation_id = "voidSale", tag = "sales", request_body = NewVoid,
    params(
        ("id" = SaleId, Path, description = "The sale"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    responses(
        (status = 200, description = "The sale, called off", body = SaleBody,
            headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "`session-closed`, `sale-voided`, `sale-returned`; `online-sale`: orders cancels \
            it; `cash-insufficient`; `idempotency-in-progress`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub(super) async fn void(
    teller: Teller,
    State(context): State<Context>,
    Path(id): Path<SaleId>,
    Query(NoQuery {}): Query<NoQuery>,
    idempotency: Idempotency,
    Json(body): Json<NewVoid>,
) -> Result<Reply> {
    let reason = reason(&body.reason)?;
    let (context, teller, reason) = (&context, &teller, &reason);
    let reply = idempotency
        .run(&context.db, &body, |tx| async move {
            let dossier = call_off(&tx, context, teller, id, reason).await?;
            let tag = tag(&dossier.sale);
            Ok(Reply::ok(&SaleBody::of(dossier)?).etag(tag))
        })
        .await?;
    settling::settle_now(context, id).await;
    Ok(reply)
}

async fn call_off(tx: &Tx, context: &Context, teller: &Teller, id: SaleId, reason: &str) -> Result<Dossier> {
    let sale = store::get_sale(tx, id).await?.ok_or_else(|| sale_not_found(id))?;
    let session = sale.session_id.ok_or(Refusal::Online)?;
    let session = sessions::lock(tx, session).await?.ok_or_else(|| session_not_found(session))?;
    teller.works_in(&session)?;
    let mut dossier = store::lock(tx, id).await?.ok_or_else(|| sale_not_found(id))?;
    if dossier.sale.status == Status::Voided {
        return Err(Refusal::Voided.into());
    }
    if dossier.lines.iter().any(|line| line.returned > 0) {
        return Err(Problem::conflict("sale-returned").detail("some of it has come back: return the rest"));
    }
    open(&session)?;
    let (there, back) = (reports::drawer(tx, session.id).await?.expected()?, dossier.cash_kept()?);
    if back > there {
        return Err(cash_insufficient(back, there));
    }
    let now = context.clock.now();
    let sale = &mut dossier.sale;
    sale.status = Status::Voided;
    sale.version += 1;
    (sale.voided_at, sale.voided_by, sale.void_reason) = (Some(now), Some(teller.actor()), Some(reason.to_owned()));
    store::update(tx, &dossier.sale).await?;
    let back = Effect::voided(id, dossier.sale.store_id, dossier.units());
    effects::insert(tx, id, &[back], now).await?;
    outbox::publish(tx, context, vec![events::voided(&dossier)?]).await?;
    Ok(dossier)
}
