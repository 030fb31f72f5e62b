//! `/api/v1/carts/{id}/merge`: what a guest put into a cart goes into the customer's.
//!
//! A merge is done once however often it is asked for: the guest's cart is closed by it and names its
//! target. Changes of a merged cart are refused with the target's id, so that a tab that still has
//! the old cart finds the new one.

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use sdk::problem::ProblemBody;
use sdk::{Idempotency, Json, Path, Problem, Query, Reply, Result, Tx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::carts::NoParameters;
use super::{App, Contents, invalid, not_found, version_tag};
use crate::domain::{CartId, Merge, Refusal, fits};
use crate::store;

pub fn routes() -> Router<App> {
    Router::new().route("/api/v1/carts/{id}/merge", post(merge))
}

/// The cart to be merged into the one of the path.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeRequest {
    /// An anonymous cart, or another one of the same customer.
    from: CartId,
}

/// Merge another cart into this one
///
/// Quantities of the same product add up. All or nothing: carts that together go over a limit are not
/// merged. Merging the same cart again changes nothing.
#[utoipa::path(
    post, path = "/api/v1/carts/{id}/merge", operation_id = "mergeCarts", tag = "carts", request_body = MergeRequest,
    params(
        ("id" = CartId, Path, description = "The cart that goes on"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    responses(
        (status = 200, description = "The cart as it is now", body = Contents,
            headers(("ETag" = String, description = "The cart's version"))),
        (status = 409, description = "`cart-merged` or `cart-expired` (which one, `errors` says), \
            `cart-owned-by-another`, `quantity-above-limit`, `cart-full`, `idempotency-in-progress`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn merge(
    State(app): State<App>,
    Path(id): Path<CartId>,
    Query(NoParameters {}): Query<NoParameters>,
    idempotency: Idempotency,
    Json(body): Json<MergeRequest>,
) -> Result<Reply> {
    let (app, from) = (&app, body.from);
    idempotency.run(&app.context.db, &body, |tx| async move { attempt(app, &tx, id, from).await }).await
}

async fn attempt(app: &App, tx: &Tx, id: CartId, from: CartId) -> Result<Reply> {
    let (target, source) = store::lock_both(tx, id, from).await?;
    let mut target = target.ok_or_else(|| not_found(id))?;
    let source = source.ok_or_else(|| invalid("/from", "cart-not-found", "there is no such cart"))?;
    let verdict = target.merge_from(&source).map_err(|refusal| about(from, refusal))?;
    if verdict == Merge::Needed {
        fits(&store::together(tx, id, from).await?)?;
        target.version = store::merge(tx, &target, &source, app.now()).await?;
    }
    let lines = store::lines(tx, id).await?;
    let tag = version_tag(target.version);
    Ok(Reply::ok(&Contents::of(target, lines)).etag(tag))
}

/// What is wrong with the cart in the body is no 404 or 410 of the path's.
fn about(from: CartId, refusal: Refusal) -> Problem {
    let field = |problem: Problem, code| problem.field("/from", code, refusal.to_string());
    match &refusal {
        Refusal::Merged(id, target) if *id == from => {
            field(Problem::conflict("cart-merged").with("merged_into", target.to_string()), "cart-merged")
        }
        Refusal::Expired(id) if *id == from => field(Problem::conflict("cart-expired"), "cart-expired"),
        Refusal::OwnedByAnother(_) => field(Problem::conflict("cart-owned-by-another"), "cart-owned-by-another"),
        _ => refusal.into(),
    }
}
