//! `/api/v1/reports/rebuilds`: everything is built again from the beginning of the feeds.

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use jiff::Timestamp;
use sdk::{Context, Idempotency, Json, NoQuery, OnConstraint, Path, Problem, Query, Reply, Result, Tx, new_uuid_v7};
use serde::Serialize;
use utoipa::ToSchema;

use super::access::HeadOffice;
use crate::domain::{RebuildId, Source};
use crate::store::compare::Difference;
use crate::store::rebuilds::{self, Progress, Rebuild, Status};
use crate::store::{self, feeds};

pub fn routes() -> Router<Context> {
    Router::new().route("/api/v1/reports/rebuilds", post(begin)).route("/api/v1/reports/rebuilds/{id}", get(read))
}

/// A rebuild.
#[derive(Debug, Serialize, ToSchema)]
pub struct RebuildBody {
    id: RebuildId,
    status: Status,
    requested_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// How far it is; nothing once it is through.
    progress: Vec<ProgressBody>,
    /// Null until both are at one place of every feed.
    comparison: Option<ComparisonBody>,
    #[schema(value_type = Option<String>, format = DateTime)]
    switched_at: Option<Timestamp>,
}

/// How far it is with a feed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProgressBody {
    source: Source,
    /// Events that were read again.
    #[schema(example = 500)]
    consumed: i64,
    /// Events that what reports are made from has consumed.
    #[schema(example = 1_234)]
    of: i64,
}

/// What was found when it was compared, row for row, with what reports were made from.
#[derive(Debug, Serialize, ToSchema)]
pub struct ComparisonBody {
    #[schema(value_type = String, format = DateTime)]
    compared_at: Timestamp,
    /// Whether there was time to compare everything.
    complete: bool,
    /// Rows.
    #[schema(example = 12_345)]
    compared: i64,
    /// Rows that only one has: one that has changed is two.
    differing: i64,
    /// The first hundred of them.
    differences: Vec<Difference>,
}

impl RebuildBody {
    fn of(rebuild: Rebuild, progress: Vec<Progress>) -> Result<RebuildBody> {
        let Rebuild { complete, compared, differing, differences, .. } = rebuild;
        let comparison = match (rebuild.compared_at, complete, compared, differing, differences) {
            (Some(compared_at), Some(complete), Some(compared), Some(differing), Some(differences)) => {
                let differences = serde_json::from_value(differences).map_err(Problem::internal)?;
                Some(ComparisonBody { compared_at, complete, compared, differing, differences })
            }
            _ => None,
        };
        let progress =
            progress.into_iter().map(|Progress { source, consumed, of, .. }| ProgressBody { source, consumed, of });
        Ok(RebuildBody {
            id: rebuild.id,
            status: rebuild.status,
            requested_by: rebuild.requested_by,
            created_at: rebuild.created_at,
            progress: progress.collect(),
            comparison,
            switched_at: rebuild.switched_at,
        })
    }
}

/// Build everything again
///
/// From the beginning of the feeds, beside what reports are made from; when it is where that is, the two are compared
/// and it takes its place. Reports are answered all the while.
#[utoipa::path(
    post, path = "/api/v1/reports/rebuilds", operation_id = "beginRebuild", tag = "rebuilds",
    params(("Idempotency-Key" = Option<String>, Header, description = "So that sending it again begins no other")),
    responses(
        (status = 202, description = "It is under way", body = RebuildBody,
            headers(("Location" = String, description = "Where to look at it"))),
        (status = 409, response = super::document::Conflict),
    ),
    security(("key" = [])),
)]
pub(super) async fn begin(
    office: HeadOffice,
    State(context): State<Context>,
    idempotency: Idempotency,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Reply> {
    let (context, actor) = (&context, &office.actor());
    idempotency.run(&context.db, &(), |tx: Tx| async move { begun(&tx, context, actor).await }).await
}

async fn begun(tx: &Tx, context: &Context, actor: &str) -> Result<Reply> {
    let (id, now) = (RebuildId(new_uuid_v7(&context.clock)), context.clock.now());
    if let Some(other) = rebuilds::unfinished(tx).await? {
        return Err(in_progress().with("rebuild_id", other.id.to_string()));
    }
    let live = store::live(tx).await?;
    let epoch = rebuilds::new_epoch(tx, now).await.on_constraint("epochs_one_building", in_progress)?;
    feeds::begin(tx, epoch, live).await?;
    rebuilds::insert(tx, id, epoch, actor, now).await.on_constraint("rebuilds_one_at_a_time", in_progress)?;
    let rebuild = rebuilds::get(tx, id).await?.ok_or_else(|| not_found(id))?;
    let progress = rebuilds::progress(tx, live, epoch).await?;
    Ok(Reply::accepted(format!("/api/v1/reports/rebuilds/{id}"), &RebuildBody::of(rebuild, progress)?))
}

/// A rebuild
#[utoipa::path(
    get, path = "/api/v1/reports/rebuilds/{id}", operation_id = "getRebuild", tag = "rebuilds",
    params(("id" = RebuildId, Path, description = "The rebuild")),
    responses((status = 200, description = "How far it is, or what it has come to", body = RebuildBody)),
    security(("key" = [])),
)]
pub(super) async fn read(
    _: HeadOffice,
    State(context): State<Context>,
    Path(id): Path<RebuildId>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Json<RebuildBody>> {
    let rebuild = rebuilds::get(&context.db, id).await?.ok_or_else(|| not_found(id))?;
    let progress = match rebuild.status {
        Status::Switched => Vec::new(),
        Status::Building | Status::Compared => {
            let live = store::live(&context.db).await?;
            rebuilds::progress(&context.db, live, rebuild.epoch).await?
        }
    };
    RebuildBody::of(rebuild, progress).map(Json)
}

fn in_progress() -> Problem {
    Problem::conflict("rebuild-in-progress").detail("everything is being built again already")
}

fn not_found(id: RebuildId) -> Problem {
    Problem::not_found("rebuild-not-found").detail(format!("there is no rebuild {id}"))
}
