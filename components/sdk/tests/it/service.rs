//! The service that the tests ask: notes, with everything that the SDK's conventions are about.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use sdk::audit::Rule;
use sdk::testing::TestApp;
use sdk::{
    Context, Created, Cursor, Db, ETag, Executor, Idempotency, IfMatch, IfNoneMatch, Json, Lines, Migration, Money,
    NoContent, NotModified, OnConstraint, Page, PageParams, Path, Principal, Problem, Query, Reply, Result, Role,
    WithETag, from_row, params, request, typed_id,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

sdk::service! {
    name: "notes",
    router: router,
    migrations: MIGRATIONS,
    tasks: [
        Task { name: "purge-idempotency-keys", every_ms: 3_600_000, run: sdk::idempotency::purge },
    ],
}

pub const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "idempotency keys", sql: sdk::idempotency::MIGRATION_SQL },
    Migration { version: 2, name: "notes", sql: NOTES_SQL },
    Migration { version: 3, name: "outbox", sql: sdk::outbox::MIGRATION_SQL },
];

const NOTES_SQL: &str = "
create table notes (
    id bigint generated always as identity constraint notes_pk primary key,
    title text not null constraint notes_title_key unique,
    price bigint not null constraint notes_price_check check (price >= 0),
    version bigint not null default 1
);
create table counters (name text primary key, value bigint not null);
insert into counters values ('a', 0), ('b', 0);
";

const RULES: &[Rule] =
    &[Rule { invariant: "counters-count-up", offenders: "select name, value from counters where value < 0" }];

typed_id!(NoteId, i64);

#[derive(Debug, Serialize)]
pub struct Note {
    id: NoteId,
    title: String,
    price: Money,
    version: i64,
}

from_row!(Note { id, title, price, version });

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewNote {
    title: String,
    price: Money,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    limit: Option<u32>,
    after: Option<Cursor>,
    q: Option<String>,
}

pub async fn app() -> TestApp {
    TestApp::of(&SERVICE).build().await
}

pub fn router(context: Context) -> Router {
    Router::new()
        .route("/api/v1/notes", get(list).post(create))
        .route("/api/v1/notes/{id}", get(show).put(replace).delete(remove))
        .route("/api/v1/notes/import", post(import))
        .route("/api/v1/staff", get(staff))
        .route("/api/v1/request", get(current_request))
        .route("/api/v1/relay", get(relay))
        .route("/api/v1/broken", get(broken))
        .with_state(context.clone())
        .merge(sdk::outbox::routes(&context))
        .merge(sdk::audit::routes(&context, RULES))
        .merge(sdk::openapi("{\"openapi\":\"3.1.0\"}"))
}

const FIND: &str = "select id, title, price, version from notes where id = $1";

const LIST: &str = "\
select id, title, price, version from notes
where ($1::bigint is null or id > $1) and ($3::text is null or title like '%' || $3 || '%')
order by id limit $2";

const INSERT: &str = "\
insert into notes (title, price) values ($1, $2) returning id, title, price, version";

const REPLACE: &str = "\
update notes set title = $2, price = $3, version = version + 1 where id = $1
returning id, title, price, version";

pub async fn insert(db: &impl Executor, note: &NewNote) -> Result<Note> {
    db.query_one(INSERT, params![note.title.as_str(), note.price])
        .await
        .on_constraint("notes_title_key", || Problem::conflict("title-taken"))
        .on_constraint("notes_price_check", || {
            Problem::unprocessable("validation-failed").field("/price", "negative", "at least 0")
        })
}

async fn find(db: &Db, id: NoteId) -> Result<Note> {
    let note = db.query_opt(FIND, params![id]).await?;
    note.ok_or_else(|| Problem::not_found("note-not-found"))
}

async fn list(State(context): State<Context>, Query(filter): Query<Filter>) -> Result<Page<Note>> {
    let page = PageParams::new(filter.limit, filter.after)?;
    let params = params![page.after::<i64>()?, page.fetch_limit(), filter.q];
    let notes = context.db.query(LIST, params).await?;
    Ok(Page::new(notes, page.limit, |note: &Note| Cursor::encode(&note.id)))
}

async fn create(State(context): State<Context>, idempotency: Idempotency, Json(note): Json<NewNote>) -> Result<Reply> {
    let note = &note;
    let create = |tx| async move {
        let note = insert(&tx, note).await?;
        let location = format!("/api/v1/notes/{}", note.id);
        Ok(Reply::created(location, &note).etag(ETag::strong(note.version)))
    };
    idempotency.run(&context.db, note, create).await
}

async fn show(State(context): State<Context>, Path(id): Path<NoteId>, if_none_match: IfNoneMatch) -> Result<Response> {
    let note = find(&context.db, id).await?;
    let etag = ETag::strong(note.version);
    if if_none_match.matches(&etag) {
        return Ok(NotModified(etag).into_response());
    }
    Ok(WithETag(etag, Json(note)).into_response())
}

async fn replace(
    State(context): State<Context>,
    Path(id): Path<NoteId>,
    if_match: IfMatch,
    Json(new): Json<NewNote>,
) -> Result<WithETag<Json<Note>>> {
    let (if_match, new) = (&if_match, &new);
    let replace = |tx: sdk::Tx| async move {
        let found = tx.query_opt(&format!("{FIND} for update"), params![id]).await?;
        let found: Note = found.ok_or_else(|| Problem::not_found("note-not-found"))?;
        if_match.check(&ETag::strong(found.version))?;
        Ok(tx.query_one(REPLACE, params![id, new.title.as_str(), new.price]).await?)
    };
    let note: Note = context.db.transaction(replace).await.map_err(|problem: Problem| problem)?;
    Ok(WithETag(ETag::strong(note.version), Json(note)))
}

async fn remove(State(context): State<Context>, Path(id): Path<NoteId>) -> Result<NoContent> {
    context.db.execute("delete from notes where id = $1", params![id]).await?;
    Ok(NoContent)
}

async fn import(State(context): State<Context>, mut lines: Lines) -> Result<Created<&'static str, Value>> {
    let mut results = Vec::new();
    while let Some(line) = lines.next_line().await? {
        let result = match line.json::<NewNote>() {
            Ok(note) => insert(&context.db, &note).await.map(|note| note.id),
            Err(problem) => Err(problem),
        };
        results.push(match result {
            Ok(id) => json!({"line": line.number, "id": id}),
            Err(problem) => json!({"line": line.number, "code": problem.get_code()}),
        });
    }
    Ok(Created("/api/v1/notes", json!({"data": results})))
}

async fn staff(principal: Principal) -> Result<Json<Value>> {
    principal.require(&[Role::Manager, Role::Hq])?;
    Ok(Json(json!({"name": principal.name(), "key": principal.key()})))
}

/// Looks at the current request before and after waiting for the database.
async fn current_request(State(context): State<Context>) -> Result<Json<Value>> {
    let seen = || request::current().map(|request| request.request_id().to_owned());
    let before = seen();
    context.db.query_values("select pg_sleep(0.005)::text", params![]).await?;
    let request = request::current();
    Ok(Json(json!({
        "before": before,
        "after": seen(),
        "traceparent": request.as_ref().map(|request| request.traceparent()),
        "route": request.as_ref().and_then(|request| request.route()),
    })))
}

/// Asks the peer for its current request.
async fn relay(State(context): State<Context>) -> Result<Json<Value>> {
    let response = context.http.get("http://peer/api/v1/request").send().await?.success()?;
    Ok(Json(response.json()?))
}

async fn broken(State(context): State<Context>) -> Result<NoContent> {
    context.db.execute("select nothing from nowhere", params![]).await?;
    Ok(NoContent)
}
