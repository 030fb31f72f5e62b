//! `/api/v1/registers`: where something is sold.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use jiff::Timestamp;
use sdk::problem::ProblemBody;
use sdk::{
    Context, Cursor, Idempotency, Json, NoQuery, OnConstraint, Page, PageParams, Path, Problem, Query, Reply, Result,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::access::{Builder, Reader};
use super::{invalid, invalid_member, register_not_found};
use crate::domain::session::{Register, RegisterKind};
use crate::domain::{LocationId, NAME_MAX, RegisterId, text_mistake};
use crate::store::registers::{self, Filter};

/// The longest code of a register, in characters.
const CODE_MAX: usize = 4;

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/registers", get(list).post(create)).route("/api/v1/registers/{id}", get(read))
}

/// Which registers.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    store: Option<LocationId>,
    kind: Option<RegisterKind>,
    #[param(minimum = 1, maximum = 200, default = 20)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor>,
}

/// A till to be set up.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRegister {
    #[schema(example = 1)]
    store_id: LocationId,
    /// Printed on every receipt, and its own in the store: 1 to 4 capital letters and digits.
    #[schema(example = "4")]
    code: String,
    #[schema(example = "Caisse 4", max_length = 100)]
    name: String,
}

/// A register.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Register)]
pub struct RegisterBody {
    #[schema(example = 12)]
    pub id: RegisterId,
    #[schema(example = 1)]
    pub store_id: LocationId,
    #[schema(example = "2")]
    pub code: String,
    #[schema(example = "Caisse 2")]
    pub name: String,
    pub kind: RegisterKind,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

impl From<Register> for RegisterBody {
    fn from(register: Register) -> RegisterBody {
        let Register { id, store_id, code, name, kind, created_at } = register;
        RegisterBody { id, store_id, code, name, kind, created_at }
    }
}

/// Registers, by id
#[utoipa::path(
    get, path = "/api/v1/registers", operation_id = "listRegisters", tag = "registers", params(ListQuery),
    responses((status = 200, description = "A page of them", body = Page<RegisterBody>,
        headers(("Link" = String, description = "The next page")))),
    security(("key" = [])),
)]
pub(super) async fn list(
    _: Reader,
    State(context): State<Context>,
    Query(query): Query<ListQuery>,
) -> Result<Page<RegisterBody>> {
    let page = PageParams::new(query.limit, query.after)?;
    let after: Option<RegisterId> = page.after()?;
    let filter = Filter { store: query.store, kind: query.kind };
    let found = registers::list(&context.db, filter, after.unwrap_or(RegisterId(i64::MIN)), page.fetch_limit()).await?;
    Ok(Page::new(found, page.limit, |last| Cursor::encode(&last.id)).map(RegisterBody::from))
}

/// Set up a till
#[utoipa::path(
    post, path = "/api/v1/registers", operation_id = "createRegister", tag = "registers", request_body = NewRegister,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless")),
    responses(
        (status = 201, description = "Set up", body = RegisterBody,
            headers(("Location" = String, description = "The register"))),
        (status = 409, description = "`register-code-taken`, `idempotency-in-progress`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("key" = [])),
)]
pub(super) async fn create(
    _: Builder,
    State(context): State<Context>,
    Query(NoQuery {}): Query<NoQuery>,
    idempotency: Idempotency,
    Json(body): Json<NewRegister>,
) -> Result<Reply> {
    body.check()?;
    let (context, new) = (&context, &body);
    idempotency
        .run(&context.db, &body, |tx| async move {
            let made = registers::insert(&tx, new.store_id, &new.code, new.name.trim(), context.clock.now()).await;
            let made = made
                .on_constraint("registers_code_key", || {
                    Problem::conflict("register-code-taken").detail("another register of the store has this code")
                })
                .on_constraint("registers_store_id_fkey", || {
                    invalid_member("/store_id", "store-not-found", format!("there is no store {}", new.store_id))
                })?;
            Ok(Reply::created(format!("/api/v1/registers/{}", made.id), &RegisterBody::from(made)))
        })
        .await
}

/// A register
#[utoipa::path(
    get, path = "/api/v1/registers/{id}", operation_id = "getRegister", tag = "registers",
    params(("id" = RegisterId, Path, description = "The register")),
    responses((status = 200, description = "The register", body = RegisterBody)),
    security(("key" = [])),
)]
pub(super) async fn read(
    _: Reader,
    State(context): State<Context>,
    Path(id): Path<RegisterId>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Json<RegisterBody>> {
    let register = registers::get(&context.db, id).await?.ok_or_else(|| register_not_found(id))?;
    Ok(Json(register.into()))
}

impl NewRegister {
    fn check(&self) -> Result<()> {
        let mut errors = Vec::new();
        let is_code = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        if !(1..=CODE_MAX).contains(&self.code.len()) || !self.code.bytes().all(is_code) {
            let detail = format!("must be 1 to {CODE_MAX} capital letters and digits");
            errors.push(sdk::problem::FieldError::at_pointer("/code", "code-invalid", detail));
        }
        errors.extend(text_mistake("/name", &self.name, NAME_MAX));
        if errors.is_empty() { Ok(()) } else { Err(invalid(errors)) }
    }
}
