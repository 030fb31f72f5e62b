//! `/api/v1/customers/{id}/addresses`: where things are delivered. As long as there are any, one of
//! them is the default: the first one, until another is made it.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;
use sdk::problem::ProblemBody;
use sdk::{
    Context, ETag, Executor, Idempotency, IfMatch, IfNoneMatch, Json, NoContent, NoQuery, NotModified, Page, Path,
    Problem, Query, Reply, Result, Tx, WithETag,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::target::Target;
use super::{CustomerEvent, NoStore, invalid, invalid_field, not_found, tell};
use crate::domain::AddressId;
use crate::domain::address::{ADDRESSES_MAX, Draft, Province};
use crate::store::customers::Customer;
use crate::store::{addresses, customers};

pub fn routes() -> Router<Context> {
    Router::new()
        .route("/api/v1/customers/{id}/addresses", get(list).post(create))
        .route("/api/v1/customers/{id}/addresses/{address_id}", get(read).put(replace).delete(remove))
}

/// An address in Canada, as it shall be.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddressInput {
    #[schema(example = "Marie Tremblay", min_length = 1, max_length = 200)]
    recipient: String,
    #[schema(example = "1234, rue Saint-Denis", min_length = 1, max_length = 100)]
    line1: String,
    #[serde(default)]
    #[schema(example = "app. 5", min_length = 1, max_length = 100)]
    line2: Option<String>,
    #[schema(example = "Montréal", min_length = 1, max_length = 100)]
    city: String,
    province: Province,
    /// With or without the space, in capitals or not.
    #[schema(example = "H2X 1Y4")]
    postal_code: String,
    /// Whether it takes the place of the present default. Left out, it stays what it is; the first
    /// address is the default in any case.
    #[serde(default)]
    is_default: Option<bool>,
}

/// An address of a customer.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Address {
    #[schema(example = 1)]
    pub id: AddressId,
    #[schema(example = "Marie Tremblay")]
    pub recipient: String,
    #[schema(example = "1234, rue Saint-Denis")]
    pub line1: String,
    #[schema(example = "app. 5")]
    pub line2: Option<String>,
    #[schema(example = "Montréal")]
    pub city: String,
    pub province: Province,
    #[schema(example = "H2X 1Y4")]
    pub postal_code: String,
    #[schema(example = "CA")]
    pub country: &'static str,
    pub is_default: bool,
    /// Grows by one with every change of this address.
    #[schema(example = 1)]
    pub version: i64,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub struct AddressPath {
    address_id: AddressId,
}

/// Every address, in the order in which they were added
///
/// There are at most twenty, so there is one page.
#[utoipa::path(
    get, path = "/api/v1/customers/{id}/addresses", operation_id = "listAddresses", tag = "addresses",
    params(("id" = String, Path, description = "`me`, or the customer's number")),
    responses((status = 200, description = "The addresses", body = Page<Address>)),
    security(("token" = []), ("key" = [])),
)]
pub(super) async fn list(
    target: Target,
    State(context): State<Context>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<NoStore<Page<Address>>> {
    readable(&target, &context.db).await?;
    let addresses = addresses::list(&context.db, target.id).await?;
    Ok(NoStore(Page::only(addresses.into_iter().map(Address::from).collect())))
}

/// Add an address
#[utoipa::path(
    post, path = "/api/v1/customers/{id}/addresses", operation_id = "addAddress", tag = "addresses",
    request_body = AddressInput,
    params(
        ("id" = String, Path, description = "`me`, or the customer's number"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    responses(
        (status = 201, description = "Added", body = Address, headers(
            ("Location" = String, description = "The address"),
            ("ETag" = String, description = "Its version"),
        )),
        (status = 409, description = "`addresses-full`, `customer-erased`, `idempotency-in-progress`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("token" = []), ("key" = [])),
)]
pub(super) async fn create(
    target: Target,
    State(context): State<Context>,
    Query(NoQuery {}): Query<NoQuery>,
    idempotency: Idempotency,
    Json(body): Json<AddressInput>,
) -> Result<NoStore<Reply>> {
    let draft = &body.draft().check().map_err(invalid)?;
    let (context, target, wanted) = (&context, &target, body.is_default);
    let now = context.clock.now();
    let reply = idempotency.run(&context.db, &body, |tx| async move {
        let customer = locked(target, &tx).await?;
        let count = addresses::count(&tx, target.id).await?;
        if count >= ADDRESSES_MAX {
            return Err(full());
        }
        let is_default = count == 0 || wanted == Some(true);
        if is_default {
            addresses::unset_default(&tx, target.id, now).await?;
        }
        let address = addresses::insert(&tx, target.id, draft, is_default, now).await?;
        changed(&customer, context, &tx).await?;
        let etag = ETag::strong(address.version);
        let location = format!("/api/v1/customers/{}/addresses/{}", target.id, address.id);
        Ok(Reply::created(location, &Address::from(address)).etag(etag))
    });
    Ok(NoStore(reply.await?))
}

/// One address
#[utoipa::path(
    get, path = "/api/v1/customers/{id}/addresses/{address_id}", operation_id = "getAddress", tag = "addresses",
    params(
        ("id" = String, Path, description = "`me`, or the customer's number"),
        ("address_id" = AddressId, Path, description = "The address"),
        ("If-None-Match" = Option<String>, Header, description = "What the client has"),
    ),
    responses(
        (status = 200, description = "The address", body = Address,
            headers(("ETag" = String, description = "Its version"))),
        (status = 304, description = "The client has it"),
    ),
    security(("token" = []), ("key" = [])),
)]
pub(super) async fn read(
    target: Target,
    State(context): State<Context>,
    Path(path): Path<AddressPath>,
    Query(NoQuery {}): Query<NoQuery>,
    if_none_match: IfNoneMatch,
) -> Result<Response> {
    readable(&target, &context.db).await?;
    let address = addresses::get(&context.db, target.id, path.address_id).await?.ok_or_else(absent)?;
    let etag = ETag::strong(address.version);
    if if_none_match.matches(&etag) {
        return Ok(NoStore(NotModified(etag)).into_response());
    }
    Ok(shown(address).into_response())
}

/// Replace an address
///
/// May be repeated with the same `If-Match` when the answer was lost: if the address is what the body
/// asks for, and the tag is the one just before, the answer is 200 and nothing is written.
#[utoipa::path(
    put, path = "/api/v1/customers/{id}/addresses/{address_id}", operation_id = "replaceAddress", tag = "addresses",
    request_body = AddressInput,
    params(
        ("id" = String, Path, description = "`me`, or the customer's number"),
        ("address_id" = AddressId, Path, description = "The address"),
        ("If-Match" = String, Header, description = "The version that is replaced"),
    ),
    responses(
        (status = 200, description = "The address as it is now", body = Address,
            headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "`customer-erased`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("token" = []), ("key" = [])),
)]
pub(super) async fn replace(
    target: Target,
    State(context): State<Context>,
    Path(path): Path<AddressPath>,
    Query(NoQuery {}): Query<NoQuery>,
    if_match: IfMatch,
    Json(body): Json<AddressInput>,
) -> Result<NoStore<WithETag<Json<Address>>>> {
    let draft = &body.draft().check().map_err(invalid)?;
    let (context, target, if_match, id, wanted) = (&context, &target, &if_match, path.address_id, body.is_default);
    let now = context.clock.now();
    let replace = context.db.transaction(|tx| async move {
        let customer = locked(target, &tx).await?;
        let current = addresses::get(&tx, target.id, id).await?.ok_or_else(absent)?;
        let is_default = wanted.unwrap_or(current.is_default);
        if let Err(stale) = if_match.check(&ETag::strong(current.version)) {
            let before = ETag::strong(current.version - 1);
            let repeated =
                if_match.check(&before).is_ok() && current.draft() == *draft && current.is_default == is_default;
            return if repeated { Ok(current) } else { Err(stale) };
        }
        if current.is_default && !is_default {
            let detail = "one address is the default: make another one it instead";
            return Err(invalid_field("/is_default", "default-needed", detail));
        }
        if is_default && !current.is_default {
            addresses::unset_default(&tx, target.id, now).await?;
        }
        let address = addresses::update(&tx, target.id, id, draft, is_default, now).await?;
        changed(&customer, context, &tx).await?;
        Ok::<_, Problem>(address)
    });
    Ok(shown(replace.await?))
}

/// Remove an address
///
/// If it was the default, the oldest of the others is from now on. One that is not there is what was
/// asked for.
#[utoipa::path(
    delete, path = "/api/v1/customers/{id}/addresses/{address_id}", operation_id = "removeAddress", tag = "addresses",
    params(
        ("id" = String, Path, description = "`me`, or the customer's number"),
        ("address_id" = AddressId, Path, description = "The address"),
        ("If-Match" = String, Header, description = "The version that is removed"),
    ),
    responses((status = 204, description = "Removed")),
    security(("token" = []), ("key" = [])),
)]
pub(super) async fn remove(
    target: Target,
    State(context): State<Context>,
    Path(path): Path<AddressPath>,
    Query(NoQuery {}): Query<NoQuery>,
    if_match: IfMatch,
) -> Result<NoContent> {
    let (context, target, if_match, id) = (&context, &target, &if_match, path.address_id);
    let now = context.clock.now();
    let remove = context.db.transaction(|tx| async move {
        let customer = locked(target, &tx).await?;
        let Some(current) = addresses::get(&tx, target.id, id).await? else {
            return Ok(NoContent);
        };
        if_match.check(&ETag::strong(current.version))?;
        addresses::delete(&tx, target.id, id, now).await?;
        changed(&customer, context, &tx).await?;
        Ok::<_, Problem>(NoContent)
    });
    remove.await
}

async fn readable(target: &Target, db: &impl Executor) -> Result<()> {
    let customer = customers::get(db, target.id).await?.ok_or_else(not_found)?;
    target.readable(&customer)
}

/// The customer, so that changes of addresses take turns.
async fn locked(target: &Target, tx: &Tx) -> Result<Customer> {
    let customer = customers::lock(tx, target.id).await?.ok_or_else(not_found)?;
    target.writable(&customer)?;
    Ok(customer)
}

/// A new version of the customer, who is locked, and an event of it.
async fn changed(customer: &Customer, context: &Context, tx: &Tx) -> Result<()> {
    let version = customers::touch(tx, customer.id, context.clock.now()).await?;
    let event = CustomerEvent { customer_id: customer.id, status: customer.status, changed: &["addresses"] };
    tell(tx, context, "customer.changed", version, event).await
}

impl AddressInput {
    /// What it asks for, not yet checked.
    fn draft(&self) -> Draft {
        Draft {
            recipient: self.recipient.clone(),
            line1: self.line1.clone(),
            line2: self.line2.clone(),
            city: self.city.clone(),
            province: self.province,
            postal_code: self.postal_code.clone(),
        }
    }
}

impl From<addresses::Address> for Address {
    fn from(address: addresses::Address) -> Address {
        Address {
            id: address.id,
            recipient: address.recipient,
            line1: address.line1,
            line2: address.line2,
            city: address.city,
            province: address.province,
            postal_code: address.postal_code,
            country: "CA",
            is_default: address.is_default,
            version: address.version,
            created_at: address.created_at,
            updated_at: address.updated_at,
        }
    }
}

fn shown(address: addresses::Address) -> NoStore<WithETag<Json<Address>>> {
    NoStore(WithETag(ETag::strong(address.version), Json(address.into())))
}

fn absent() -> Problem {
    Problem::not_found("address-not-found").detail("the customer has no such address")
}

fn full() -> Problem {
    Problem::conflict("addresses-full")
        .detail(format!("a customer may have at most {ADDRESSES_MAX} addresses: remove one first"))
        .with("addresses_max", ADDRESSES_MAX)
}
