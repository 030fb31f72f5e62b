//! `/api/v1/auth`: signing in and out, and going on without the password.
//!
//! No Idempotency-Key is taken here: an answer that is stored would be a token that is stored. A
//! repeated login is another session, a repeated logout is none, and what a repeated refresh is stands
//! at [`refresh`].

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use sdk::problem::ProblemBody;
use sdk::{Clock, Context, Json, NoContent, NoQuery, Problem, Query, Result, Tx, log, metrics, new_uuid_v7};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{NoStore, suspended, unauthenticated};
use crate::domain::password::Password;
use crate::domain::session::{ACCESS_LIVES, GRACE, Verdict, family_expires_at, token_expires_at};
use crate::domain::{CustomerId, FamilyId, Status};
use crate::guard::{Decision, Guard, locked};
use crate::hashing::Turn;
use crate::store::customers::{self, Credentials};
use crate::store::sessions::{self, Reason};
use crate::tokens::{RefreshHash, RefreshToken, Signer};

pub fn routes() -> Router<Context> {
    Router::new()
        .route("/api/v1/auth/login", post(login))
        .route("/api/v1/auth/refresh", post(refresh))
        .route("/api/v1/auth/logout", post(logout))
}

/// Who one is, and the proof.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    #[schema(example = "marie@example.com")]
    email: String,
    #[schema(value_type = String, format = Password, example = "quatre chats gris jouent")]
    password: Password,
}

/// A refresh token, as it was given out.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    refresh_token: String,
}

/// Two tokens, as in RFC 6749, 5.1.
#[derive(Serialize, ToSchema)]
pub struct Tokens {
    /// A JWT for `Authorization: Bearer`, whose `sub` is the customer's number.
    access_token: String,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds.
    #[schema(example = 600)]
    expires_in: i64,
    /// Good for one refresh, which gives another.
    refresh_token: String,
    /// Seconds.
    #[schema(example = 2_592_000)]
    refresh_expires_in: i64,
    #[schema(example = 1)]
    customer_id: CustomerId,
}

/// Sign in
///
/// Whether there is an account with that e-mail address does not show, neither in the answer nor in
/// the time it takes. After ten wrong passwords within 15 minutes the account is locked: 429 until the
/// first of them is 15 minutes old. Sessions that were begun go on.
#[utoipa::path(
    post, path = "/api/v1/auth/login", operation_id = "login", tag = "sign-in", request_body = Login,
    responses(
        (status = 200, description = "Signed in", body = Tokens),
        (status = 401, description = "`credentials-invalid`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`account-suspended`: the password is right, and staff has closed the account",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`account-locked`; `Retry-After` says for how long",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn login(
    State(context): State<Context>,
    Query(NoQuery {}): Query<NoQuery>,
    Json(body): Json<Login>,
) -> Result<NoStore<Json<Tokens>>> {
    let signer = Signer::new(&context)?;
    let guard = &Guard::of(&body.email);
    guard.admit(&context.db, context.clock.now()).await?;
    let found = customers::credentials(&context.db, &body.email).await?;
    let stored = found.as_ref().and_then(|found| found.password_hash.as_deref());
    let turn = Turn::take().await;
    let right = body.password.is_possible() && turn.verify(&body.password, stored).map_err(Problem::internal)?;

    let (context, shown) = (&context, &found.filter(|_| right));
    let (decision, session) = context.db.transaction(|tx| sign_in(tx, context, guard, shown)).await?;
    drop(turn);
    let outcome = match (decision, &session) {
        (Decision::Locked(seconds), _) => return Err(locked(seconds)),
        (Decision::Wrong, _) => "wrong",
        (Decision::Right, None) => "suspended",
        (Decision::Right, Some(_)) => "signed-in",
    };
    metrics::counter("customers_sign_ins_total", &[("outcome", outcome)], 1.0);
    match (decision, session) {
        (Decision::Right, Some(session)) => session.tokens(&signer, &context.clock),
        (Decision::Right, None) => Err(suspended()),
        _ => Err(unauthenticated("credentials-invalid", "the e-mail address or the password is wrong")),
    }
}

/// `shown` is whose password it was when it was hashed; a change since then counts.
async fn sign_in(
    tx: Tx,
    context: &Context,
    guard: &Guard,
    shown: &Option<Credentials>,
) -> Result<(Decision, Option<Session>)> {
    guard.take_turn(&tx).await?;
    let now = context.clock.now();
    let current = match shown {
        Some(shown) => customers::share(&tx, shown.id).await?.filter(|now| now.password_hash == shown.password_hash),
        None => None,
    };
    let decision = guard.decide(&tx, current.is_some(), now).await?;
    let Some(customer) = current.filter(|now| decision == Decision::Right && now.status == Status::Active) else {
        return Ok((decision, None));
    };
    let family = FamilyId(new_uuid_v7(&context.clock));
    let expires_at = family_expires_at(now);
    sessions::begin(&tx, family, customer.id, now, expires_at).await?;
    let session = Session::go_on(&tx, customer.id, family, now, expires_at).await?;
    Ok((decision, Some(session)))
}

/// Go on without the password
///
/// The refresh token is replaced: the one that was sent is good for nothing any more. To send it again
/// within ten seconds is a race of two tabs or a lost answer: 409, and the newer token stays good. To
/// send it later means that two have it, of whom one has stolen it: every token that descends from the
/// same sign-in is revoked, and the password is asked for.
#[utoipa::path(
    post, path = "/api/v1/auth/refresh", operation_id = "refresh", tag = "sign-in", request_body = Refresh,
    responses(
        (status = 200, description = "Two new tokens", body = Tokens),
        (status = 401, description = "`token-invalid`: sign in again",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`token-rotated`: it was replaced a moment ago; use the newer one",
            body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn refresh(
    State(context): State<Context>,
    Query(NoQuery {}): Query<NoQuery>,
    Json(body): Json<Refresh>,
) -> Result<NoStore<Json<Tokens>>> {
    let signer = Signer::new(&context)?;
    let hash = &RefreshHash::of(&body.refresh_token).ok_or_else(token_invalid)?;
    let context = &context;
    match context.db.transaction(|tx| rotate(tx, context, hash)).await? {
        (Verdict::Rotate, Some(session)) => session.tokens(&signer, &context.clock),
        (Verdict::Raced, _) => Err(Problem::conflict("token-rotated").detail(format!(
            "this refresh token was replaced less than {} seconds ago: use the one that took its place",
            GRACE.as_secs()
        ))),
        _ => Err(token_invalid()),
    }
}

/// What is revoked has to be committed, and so a refusal is no error.
async fn rotate(tx: Tx, context: &Context, hash: &RefreshHash) -> Result<(Verdict, Option<Session>)> {
    let now = context.clock.now();
    let Some(owner) = sessions::owner(&tx, hash).await? else {
        return Ok((Verdict::Refuse, None));
    };
    let owner = customers::share(&tx, owner).await?.ok_or_else(token_invalid)?;
    // Erased meanwhile, and the token with its owner.
    let token = sessions::lock_token(&tx, hash).await?.ok_or_else(token_invalid)?;
    let verdict = token.shown_by(owner.status).verdict(now);
    match verdict {
        Verdict::Rotate => {
            sessions::use_token(&tx, hash, now).await?;
            let session = Session::go_on(&tx, owner.id, token.family, now, token.family_expires_at).await?;
            return Ok((verdict, Some(session)));
        }
        Verdict::Reused => {
            log::warn!("a refresh token was used again, and its family is revoked", customer = owner.id);
            metrics::counter("customers_refresh_tokens_reused_total", &[], 1.0);
            sessions::revoke(&tx, token.family, Reason::Reuse, now).await?;
        }
        Verdict::Raced | Verdict::Refuse => {}
    }
    Ok((verdict, None))
}

/// Sign out
///
/// Ends what the sign-in began: its refresh tokens are good for nothing. Access tokens end by
/// themselves, ten minutes after they were given out. A token that is unknown is answered alike.
#[utoipa::path(
    post, path = "/api/v1/auth/logout", operation_id = "logout", tag = "sign-in", request_body = Refresh,
    responses((status = 204, description = "Signed out")),
)]
pub(super) async fn logout(
    State(context): State<Context>,
    Query(NoQuery {}): Query<NoQuery>,
    Json(body): Json<Refresh>,
) -> Result<NoContent> {
    if let Some(hash) = RefreshHash::of(&body.refresh_token) {
        sessions::revoke_by_token(&context.db, &hash, context.clock.now()).await?;
    }
    Ok(NoContent)
}

/// What tokens are given out for, once it is committed.
struct Session {
    customer: CustomerId,
    token: RefreshToken,
    lives_s: i64,
}

impl Session {
    /// Gives the family another token; it has none that may be used.
    async fn go_on(
        tx: &Tx,
        customer: CustomerId,
        family: FamilyId,
        now: jiff::Timestamp,
        family_expires_at: jiff::Timestamp,
    ) -> Result<Session> {
        let token = RefreshToken::draw();
        let expires_at = token_expires_at(now, family_expires_at);
        sessions::add_token(tx, token.hash(), family, now, expires_at).await?;
        Ok(Session { customer, token, lives_s: expires_at.duration_since(now).as_secs() })
    }

    fn tokens(self, signer: &Signer, clock: &Clock) -> Result<NoStore<Json<Tokens>>> {
        Ok(NoStore(Json(Tokens {
            access_token: signer.access_token(self.customer, clock)?,
            token_type: "Bearer",
            expires_in: ACCESS_LIVES.as_secs(),
            refresh_token: self.token.into_text(),
            refresh_expires_in: self.lives_s,
            customer_id: self.customer,
        })))
    }
}

fn token_invalid() -> Problem {
    unauthenticated("token-invalid", "the refresh token is unknown, used up, expired or revoked: sign in again")
}

// `Debug` shows no token.
impl std::fmt::Debug for Refresh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Refresh").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("customer_id", &self.customer_id).finish_non_exhaustive()
    }
}
