//! `/api/v1/customers/{id}/password`: changed by its owner, who has to show the present one.

use axum::Router;
use axum::extract::State;
use axum::routing::put;
use sdk::{Context, Json, NoContent, NoQuery, Problem, Query, Result, log};
use serde::Deserialize;
use utoipa::ToSchema;

use super::target::{Caller, Target};
use super::{invalid, invalid_field, not_found, suspended};
use crate::domain::Status;
use crate::domain::password::Password;
use crate::guard::{Decision, Guard, locked};
use crate::hashing::Turn;
use crate::store::sessions::Reason;
use crate::store::{customers, sessions};

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/customers/{id}/password", put(change))
}

/// The present password, and the one that shall take its place.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    #[schema(value_type = String, format = Password, example = "quatre chats gris jouent")]
    current_password: Password,
    #[schema(value_type = String, format = Password, example = "cinq chiens noirs aboient", min_length = 12, max_length = 128)]
    new_password: Password,
}

/// Change one's password
///
/// Ends every session, this one as well once its access token has expired. Wrong passwords count as
/// when signing in. A repetition, when the answer was lost, is answered alike and changes nothing.
#[utoipa::path(
    put, path = "/api/v1/customers/{id}/password", operation_id = "changePassword", tag = "customers",
    request_body = PasswordChange,
    params(("id" = String, Path, description = "`me`, or one's own number")),
    responses((status = 204, description = "Changed")),
    security(("token" = [])),
)]
pub(super) async fn change(
    target: Target,
    State(context): State<Context>,
    Query(NoQuery {}): Query<NoQuery>,
    Json(body): Json<PasswordChange>,
) -> Result<NoContent> {
    if target.caller == Caller::Staff {
        return Err(Problem::forbidden("forbidden").detail("nobody but its owner changes a password"));
    }
    let found = customers::credentials_of(&context.db, target.id).await?;
    let (id, status, email, stored) = found.ok_or_else(not_found)?;
    if status == Status::Suspended {
        return Err(suspended());
    }
    body.new_password.check("/new_password", &email).map_err(invalid)?;
    let guard = &Guard::of(&email);
    guard.admit(&context.db, context.clock.now()).await?;
    let turn = Turn::take().await;
    let right = is(&turn, &body.current_password, &stored)?;
    let repeated = !right && is(&turn, &body.new_password, &stored)?;
    let hash = match right {
        true => Some(turn.hash(&body.new_password).map_err(Problem::internal)?),
        false => None,
    };

    let (now, stored, hash) = (context.clock.now(), &stored, hash.as_deref());
    let change = context.db.transaction(|tx| async move {
        guard.take_turn(&tx).await?;
        let current = customers::lock(&tx, id).await?.ok_or_else(not_found)?;
        target.writable(&current)?;
        let unchanged = customers::credentials_of(&tx, id).await?.is_some_and(|(.., hash)| hash == *stored);
        let decision = guard.decide(&tx, (right || repeated) && unchanged, now).await?;
        if let (Decision::Right, Some(hash)) = (decision, hash) {
            customers::set_password(&tx, id, hash, now).await?;
            sessions::revoke_all(&tx, id, Reason::PasswordChanged, now).await?;
        }
        Ok::<_, Problem>(decision)
    });
    match change.await? {
        Decision::Right => {
            log::info!("a password was changed", customer = id);
            Ok(NoContent)
        }
        Decision::Wrong => Err(invalid_field("/current_password", "password-wrong", "is not the present password")),
        Decision::Locked(seconds) => Err(locked(seconds)),
    }
}

fn is(turn: &Turn, password: &Password, stored: &str) -> Result<bool> {
    Ok(password.is_possible() && turn.verify(password, Some(stored)).map_err(Problem::internal)?)
}
