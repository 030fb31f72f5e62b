//! `/api/v1/sales/{id}/receipt`: what the customer is given.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sdk::problem::ProblemBody;
use sdk::{Context, NoQuery, Path, Problem, Query, Result};

use super::access::Reader;
use super::negotiation::{Accepts, Speaks};
use super::sale_not_found;
use crate::domain::SaleId;
use crate::printing::{Language, Medium, Print, receipt};
use crate::store::{self, registers};

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/sales/{id}/receipt", get(read))
}

const MEDIA: &[(&str, Medium)] = &[("text/plain", Medium::Text), ("text/html", Medium::Html)];

/// The receipt of a sale
///
/// For a printer of 42 columns, or as a page that needs nothing else. In French, or in English for who asks for it.
#[utoipa::path(
    get, path = "/api/v1/sales/{id}/receipt", operation_id = "getReceipt", tag = "sales",
    params(
        ("id" = SaleId, Path, description = "The sale"),
        ("Accept" = Option<String>, Header, description = "`text/plain` or `text/html`"),
        ("Accept-Language" = Option<String>, Header, description = "`fr` or `en`"),
    ),
    responses(
        (status = 200, description = "The receipt", content((String = "text/plain"), (String = "text/html")),
            headers(("Content-Language" = String, description = "`fr` or `en`"))),
        (status = 406, description = "`not-acceptable`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub(super) async fn read(
    _: Reader,
    State(context): State<Context>,
    Path(id): Path<SaleId>,
    accepts: Accepts,
    Speaks(language): Speaks,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Response> {
    let medium = accepts.prefer(MEDIA)?;
    let dossier = store::get(&context.db, id).await?.ok_or_else(|| sale_not_found(id))?;
    let register = registers::get(&context.db, dossier.sale.register_id).await?;
    let register = register.ok_or_else(|| Problem::internal("a sale of a register that is not there"))?;
    let store = registers::store(&context.db, register.store_id).await?;
    let store = store.ok_or_else(|| Problem::internal("a register of a store that is not there"))?;
    let print = receipt::receipt(&store, &register, &dossier, language)?;
    Ok(printed(&print, medium, language))
}

/// Something printed, as an answer.
pub(super) fn printed(print: &Print, medium: Medium, language: Language) -> Response {
    let text = |value: &'static str| HeaderValue::from_static(value);
    let headers = [
        (header::CONTENT_TYPE, text(medium.content_type())),
        (header::CONTENT_LANGUAGE, text(language.tag())),
        (header::VARY, text("Accept, Accept-Language")),
        (header::CACHE_CONTROL, text("private, no-cache")),
        (header::X_CONTENT_TYPE_OPTIONS, text("nosniff")),
        (header::CONTENT_SECURITY_POLICY, text(medium.policy())),
    ];
    (headers, print.render(medium, language)).into_response()
}
