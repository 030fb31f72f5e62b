//! The HTTP interface: a file for each resource, with its routes, its types and its handlers.
//!
//! A customer sees and cancels their own orders; of somebody else's they do not learn that there are
//! any. Staff see all of them; refunds take a manager or the head office. What is under `/internal`
//! takes the role service.

#![expect(unused_qualifications, reason = "in what utoipa's path attribute expands to")]

pub mod audit;
pub mod body;
pub mod cancel;
pub mod document;
pub mod internal;
pub mod orders;
pub mod payments;
pub mod pickup;
pub mod refunds;
pub mod timeline;
pub mod transitions;

use axum::Router;
use sdk::problem::FieldError;
use sdk::{Context, ETag, Principal, Problem, Result, Role, Tx, new_uuid_v7};

use crate::domain::decision::Decision;
use crate::domain::order::Order;
use crate::domain::{CustomerId, Grounds, OrderId, Refusal, Status};
use crate::store;

/// Who works with orders.
const STAFF: [Role; 4] = [Role::Pos, Role::Manager, Role::Logistics, Role::Hq];

/// Who may give money back.
const AUTHORITY: [Role; 2] = [Role::Manager, Role::Hq];

/// The longest note and reason, in characters.
const NOTE_MAX: usize = 500;

/// What browsers load.
static BUNDLE: sdk::web::Bundle = sdk::bundle!();

/// Every route of the service.
pub fn router(context: Context) -> Router {
    Router::new()
        .merge(orders::routes())
        .merge(timeline::routes())
        .merge(transitions::routes())
        .merge(cancel::routes())
        .merge(refunds::routes())
        .merge(pickup::routes())
        .merge(internal::routes())
        .merge(payments::routes())
        .with_state(context.clone())
        .merge(sdk::outbox::routes(&context))
        .merge(sdk::audit::routes(&context, audit::RULES))
        .merge(sdk::openapi(document::CHECKED_IN))
        .merge(sdk::web::routes(&BUNDLE, &[]))
}

/// Whose orders somebody may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    Own(CustomerId),
    All,
}

impl Sight {
    /// # Errors
    /// 401 for nobody and for a customer whose token names none, 403 for other services: their routes
    /// are internal.
    fn of(principal: &Principal) -> Result<Sight> {
        principal.require(&[Role::Customer, Role::Pos, Role::Manager, Role::Logistics, Role::Hq])?;
        if STAFF.iter().any(|role| principal.has(*role)) {
            return Ok(Sight::All);
        }
        let customer = principal.customer_id().map(CustomerId);
        customer.map(Sight::Own).ok_or_else(|| Problem::unauthorized("authentication-required"))
    }

    /// # Errors
    /// 404 for an order of somebody else, as if there were none.
    fn check(self, order: &Order) -> Result<()> {
        match self {
            Sight::All => Ok(()),
            Sight::Own(customer) if customer == order.customer_id => Ok(()),
            Sight::Own(_) => Err(not_found(order.id)),
        }
    }
}

/// On what grounds somebody of the staff asks for a step.
fn grounds(principal: &Principal) -> Grounds {
    match AUTHORITY.iter().any(|role| principal.has(*role)) {
        true => Grounds::Authority,
        false => Grounds::Word,
    }
}

/// Locks the order, to decide about it on behalf of `actor`.
async fn deciding(tx: &Tx, context: &Context, id: OrderId, actor: &str) -> Result<Decision> {
    let dossier = store::lock(tx, id).await?.ok_or_else(|| not_found(id))?;
    let refund_id = new_uuid_v7(&context.clock).into();
    Ok(Decision::on(dossier, actor.to_owned(), context.clock.now(), refund_id))
}

fn tag(order: &Order) -> ETag {
    ETag::strong(order.version)
}

fn not_found(id: OrderId) -> Problem {
    Problem::not_found("order-not-found").detail(format!("order {id} does not exist"))
}

/// 422 for what is wrong with a body, all of it.
fn invalid(errors: Vec<FieldError>) -> Problem {
    errors.into_iter().fold(Problem::unprocessable("validation-failed"), Problem::error)
}

/// 422 for one member of a body.
fn invalid_member(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Problem {
    Problem::unprocessable("validation-failed").field(pointer, code, detail)
}

/// A note or a reason that somebody wrote; nothing is as good as none.
fn note(pointer: &str, text: Option<&str>) -> Result<Option<String>> {
    match text.map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) if text.chars().count() > NOTE_MAX => {
            let detail = format!("must be at most {NOTE_MAX} characters");
            Err(invalid_member(pointer, "length-out-of-range", detail))
        }
        Some(text) => Ok(Some(text.to_owned())),
    }
}

/// 409 for what the state of the order forbids, 422 for what does not fit it.
impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        match refusal {
            Refusal::Step { from, to, allowed } => {
                let (from, to) = (from.as_str(), to.as_str());
                let allowed: Vec<&str> = allowed.into_iter().map(Status::as_str).collect();
                Problem::conflict("transition-not-allowed")
                    .detail(format!("an order that is {from} cannot become {to} now"))
                    .with("state", from)
                    .with("allowed", allowed)
            }
            Refusal::NotRefundable { payment } => Problem::conflict("order-not-refundable")
                .detail("only what was confirmed and paid for, and not cancelled, is refunded")
                .with("payment_status", payment.as_str()),
            Refusal::NothingLeft => {
                Problem::conflict("nothing-left-to-refund").detail("everything has come back already")
            }
            Refusal::MoreThanSold { index, most } => {
                let detail = format!("at most {most} can still come back");
                invalid_member(format!("/lines/{index}/quantity"), "returned-more-than-sold", detail)
            }
            Refusal::NotOrdered { index } => {
                let detail = "there is no such product in the order";
                invalid_member(format!("/lines/{index}/product_id"), "product-not-ordered", detail)
            }
            Refusal::AmountDiffers => {
                invalid_member("/amount", "amount-differs", "must be the total of the order, or that of the refund")
            }
            Refusal::NoSuchRefund => invalid_member("/refund_id", "refund-not-found", "there is no such refund"),
            Refusal::Broken(reason) => Problem::internal(reason),
        }
    }
}
