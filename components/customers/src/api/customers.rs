//! `/api/v1/customers`: registration, and what is known about a customer.
//!
//! The ETag is the customer's version, which grows with every change, those of addresses included.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use sdk::problem::ProblemBody;
use sdk::{
    Context, ETag, Idempotency, IfMatch, IfNoneMatch, Json, NoContent, NoQuery, NotModified, OnConstraint, Problem,
    Query, Reply, Result, WithETag,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::target::{Caller, Target};
use super::{CustomerEvent, NoStore, invalid, invalid_field, not_found, present, tell, vanished};
use crate::domain::password::Password;
use crate::domain::profile::Profile;
use crate::domain::{CustomerId, Language, Status, session};
use crate::hashing::Turn;
use crate::store::sessions::Reason;
use crate::store::{self, sessions};
use crate::tokens::Signer;

pub fn routes() -> Router<Context> {
    Router::new()
        .route("/api/v1/customers", post(register))
        .route("/api/v1/customers/{id}", get(read).patch(change).delete(erase))
}

/// Somebody who wants an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCustomer {
    /// Unique, whatever the case of its letters.
    #[schema(example = "marie@example.com", max_length = 254)]
    email: String,
    /// Neither what everybody tries first, nor a part of the e-mail address.
    #[schema(value_type = String, format = Password, example = "quatre chats gris jouent", min_length = 12, max_length = 128)]
    password: Password,
    #[schema(example = "Marie Tremblay", min_length = 1, max_length = 200)]
    name: String,
    #[serde(default)]
    #[schema(example = "+1 514 555 0123")]
    phone: Option<String>,
    /// `fr` if left out.
    #[serde(default)]
    language: Language,
}

/// A customer. Once erased, nothing personal is left.
#[derive(Debug, Serialize, ToSchema)]
pub struct Customer {
    #[schema(example = 1)]
    pub id: CustomerId,
    pub status: Status,
    #[schema(example = "marie@example.com")]
    pub email: Option<String>,
    #[schema(example = "Marie Tremblay")]
    pub name: Option<String>,
    #[schema(example = "+1 514 555 0123")]
    pub phone: Option<String>,
    pub language: Option<Language>,
    /// Grows by one with every change, those of addresses included.
    #[schema(example = 1)]
    pub version: i64,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub erased_at: Option<Timestamp>,
}

/// Changes to a customer (JSON merge patch, RFC 7396): a member that is left out stays, null removes.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerPatch {
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false)]
    email: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false)]
    name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    phone: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Language, required = false)]
    language: Option<Language>,
    /// `active` or `suspended`, by staff alone. A suspension ends every session.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Status, required = false)]
    status: Option<Status>,
}

/// Register
///
/// Signs nobody in: that is another request.
#[utoipa::path(
    post, path = "/api/v1/customers", operation_id = "registerCustomer", tag = "customers", request_body = NewCustomer,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless")),
    responses(
        (status = 201, description = "Registered", body = Customer, headers(
            ("Location" = String, description = "The customer"),
            ("ETag" = String, description = "Its version"),
        )),
        (status = 409, description = "`email-taken`, `idempotency-in-progress`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn register(
    State(context): State<Context>,
    Query(NoQuery {}): Query<NoQuery>,
    idempotency: Idempotency,
    Json(body): Json<NewCustomer>,
) -> Result<NoStore<Reply>> {
    let profile = &body.check()?;
    let fingerprint = match idempotency.key() {
        Some(_) => body.fingerprint(&Signer::new(&context)?)?,
        None => serde_json::Value::Null,
    };
    // Before the transaction, which would hold a connection for as long.
    let turn = Turn::take().await;
    let hash = &turn.hash(&body.password).map_err(Problem::internal)?;
    let (context, now) = (&context, context.clock.now());
    let reply = idempotency.run(&context.db, &fingerprint, |tx| async move {
        let customer = store::customers::insert(&tx, profile, hash, now)
            .await
            .on_constraint("customers_email_unique", email_taken)?;
        let event = CustomerEvent { customer_id: customer.id, status: customer.status, changed: &[] };
        tell(&tx, context, "customer.registered", customer.version, event).await?;
        let etag = ETag::strong(customer.version);
        Ok(Reply::created(format!("/api/v1/customers/{}", customer.id), &Customer::from(customer)).etag(etag))
    });
    Ok(NoStore(reply.await?))
}

/// One customer: oneself, or for staff any
#[utoipa::path(
    get, path = "/api/v1/customers/{id}", operation_id = "getCustomer", tag = "customers",
    params(
        ("id" = String, Path, description = "`me`, or the customer's number"),
        ("If-None-Match" = Option<String>, Header, description = "What the client has"),
    ),
    responses(
        (status = 200, description = "The customer", body = Customer,
            headers(("ETag" = String, description = "Its version"))),
        (status = 304, description = "The client has it"),
    ),
    security(("token" = []), ("key" = [])),
)]
pub(super) async fn read(
    target: Target,
    State(context): State<Context>,
    Query(NoQuery {}): Query<NoQuery>,
    if_none_match: IfNoneMatch,
) -> Result<Response> {
    let customer = store::customers::get(&context.db, target.id).await?.ok_or_else(not_found)?;
    target.readable(&customer)?;
    let etag = ETag::strong(customer.version);
    if if_none_match.matches(&etag) {
        return Ok(NoStore(NotModified(etag)).into_response());
    }
    Ok(shown(customer).into_response())
}

/// Change some members of a customer
#[utoipa::path(
    patch, path = "/api/v1/customers/{id}", operation_id = "changeCustomer", tag = "customers",
    request_body(content(
        (CustomerPatch = "application/merge-patch+json"), (CustomerPatch = "application/json"),
    )),
    params(
        ("id" = String, Path, description = "`me`, or the customer's number"),
        ("If-Match" = String, Header, description = "The version that is changed"),
    ),
    responses(
        (status = 200, description = "The customer as it is now", body = Customer,
            headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "`email-taken`, `customer-erased`",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("token" = []), ("key" = [])),
)]
pub(super) async fn change(
    target: Target,
    State(context): State<Context>,
    Query(NoQuery {}): Query<NoQuery>,
    if_match: IfMatch,
    Json(patch): Json<CustomerPatch>,
) -> Result<NoStore<WithETag<Json<Customer>>>> {
    patch.check(target.caller)?;
    let (context, target, patch, if_match) = (&context, &target, &patch, &if_match);
    let now = context.clock.now();
    let change = context.db.transaction(|tx| async move {
        let current = store::customers::lock(&tx, target.id).await?.ok_or_else(not_found)?;
        target.writable(&current)?;
        if_match.check(&ETag::strong(current.version))?;
        let before = current.profile().ok_or_else(vanished)?;
        let profile = patch.apply(before.clone()).check().map_err(invalid)?;
        let status = patch.status.unwrap_or(current.status);
        let customer = store::customers::update(&tx, target.id, &profile, status, now)
            .await
            .on_constraint("customers_email_unique", email_taken)?;
        if status == Status::Suspended {
            sessions::revoke_all(&tx, target.id, Reason::Suspended, now).await?;
        }
        let mut changed = before.changed(&profile);
        changed.extend((status != current.status).then_some("status"));
        let event = CustomerEvent { customer_id: target.id, status, changed: &changed };
        tell(&tx, context, "customer.changed", customer.version, event).await?;
        Ok::<_, Problem>(customer)
    });
    Ok(shown(change.await?))
}

/// Erase a customer
///
/// Name, e-mail address, telephone, addresses, password and sessions are gone, and so is every stored
/// answer that shows them. The number stays, for orders, sales and loyalty points refer to it. One that
/// is erased already stays so, whatever `If-Match` says.
#[utoipa::path(
    delete, path = "/api/v1/customers/{id}", operation_id = "eraseCustomer", tag = "customers",
    params(
        ("id" = String, Path, description = "`me`, or the customer's number"),
        ("If-Match" = String, Header, description = "The version that is erased"),
    ),
    responses((status = 204, description = "Erased")),
    security(("token" = []), ("key" = [])),
)]
pub(super) async fn erase(
    target: Target,
    State(context): State<Context>,
    Query(NoQuery {}): Query<NoQuery>,
    if_match: IfMatch,
) -> Result<NoContent> {
    let (context, target, if_match) = (&context, &target, &if_match);
    let now = context.clock.now();
    let erase = context.db.transaction(|tx| async move {
        let current = store::customers::lock(&tx, target.id).await?.ok_or_else(not_found)?;
        if current.status == Status::Erased {
            return Ok(NoContent);
        }
        target.readable(&current)?;
        if_match.check(&ETag::strong(current.version))?;
        let account = current.email.as_deref().map(session::account);
        let version = store::customers::erase(&tx, &current, account.as_deref(), now).await?;
        let event = CustomerEvent { customer_id: target.id, status: Status::Erased, changed: &[] };
        tell(&tx, context, "customer.erased", version, event).await?;
        Ok::<_, Problem>(NoContent)
    });
    erase.await
}

impl NewCustomer {
    /// The profile, or everything that is wrong with it and with the password.
    fn check(&self) -> Result<Profile> {
        let profile = Profile {
            email: self.email.clone(),
            name: self.name.clone(),
            phone: self.phone.clone(),
            language: self.language,
        };
        match (profile.check(), self.password.check("/password", &self.email)) {
            (Ok(profile), Ok(())) => Ok(profile),
            (profile, password) => {
                let errors = profile.err().into_iter().chain(password.err());
                Err(invalid(errors.flatten().collect()))
            }
        }
    }

    /// What tells this request from another with the same key. It is stored, so the password is not in it.
    fn fingerprint(&self, signer: &Signer) -> Result<serde_json::Value> {
        Ok(serde_json::json!({
            "email": self.email,
            "name": self.name,
            "phone": self.phone,
            "language": self.language,
            "password": signer.fingerprint(self.password.as_bytes())?,
        }))
    }
}

impl CustomerPatch {
    fn check(&self, caller: Caller) -> Result<()> {
        match (self.status, caller) {
            (None, _) => Ok(()),
            (Some(_), Caller::Customer(_)) => {
                Err(Problem::forbidden("forbidden").detail("only staff may change the status of an account"))
            }
            (Some(Status::Erased), Caller::Staff) => {
                Err(invalid_field("/status", "status-not-allowed", "must be active or suspended; DELETE erases"))
            }
            (Some(_), Caller::Staff) => Ok(()),
        }
    }

    /// What the profile shall be.
    fn apply(&self, to: Profile) -> Profile {
        Profile {
            email: self.email.clone().unwrap_or(to.email),
            name: self.name.clone().unwrap_or(to.name),
            phone: self.phone.clone().unwrap_or(to.phone),
            language: self.language.unwrap_or(to.language),
        }
    }
}

impl From<store::customers::Customer> for Customer {
    fn from(customer: store::customers::Customer) -> Customer {
        Customer {
            id: customer.id,
            status: customer.status,
            email: customer.email,
            name: customer.name,
            phone: customer.phone,
            language: customer.language,
            version: customer.version,
            created_at: customer.created_at,
            updated_at: customer.updated_at,
            erased_at: customer.erased_at,
        }
    }
}

fn shown(customer: store::customers::Customer) -> NoStore<WithETag<Json<Customer>>> {
    NoStore(WithETag(ETag::strong(customer.version), Json(customer.into())))
}

fn email_taken() -> Problem {
    Problem::conflict("email-taken").detail("another account has this e-mail address").field(
        "/email",
        "email-taken",
        "sign in with it, or use another",
    )
}
