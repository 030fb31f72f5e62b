//! Categories: a tree that only grows, so that it has no cycle.

use jiff::Timestamp;
use sdk::{DbError, Executor, OnConstraint, Problem, Result, from_row, params};

/// Where products are found.
#[derive(Clone, Debug)]
pub struct Category {
    pub code: String,
    pub parent: Option<String>,
    pub name_en: String,
    pub name_fr: String,
    pub created_at: Timestamp,
}

from_row!(Category { code, parent, name_en, name_fr, created_at });

const GET: &str = "
    select code, parent_code as parent, name_en, name_fr, created_at
    from categories
    where code = $1";

const LIST: &str = "
    select code, parent_code as parent, name_en, name_fr, created_at
    from categories
    where ($1::text is null or parent_code = $1)
      and ($2::text is null or code collate \"C\" > $2)
    order by code collate \"C\"
    limit $3";

const INSERT: &str = "
    insert into categories (code, parent_code, name_en, name_fr, created_at)
    values ($1, $2, $3, $4, $5)";

pub async fn get(db: &impl Executor, code: &str) -> Result<Option<Category>, DbError> {
    db.query_opt(GET, params![code]).await
}

/// At most `rows` categories by code: all, or those right below a parent.
pub async fn list(
    db: &impl Executor,
    parent: Option<&str>,
    after: Option<&str>,
    rows: i64,
) -> Result<Vec<Category>, DbError> {
    db.query(LIST, params![parent, after, rows]).await
}

pub async fn insert(tx: &impl Executor, category: &Category) -> Result<()> {
    let values = params![
        category.code.as_str(),
        category.parent.clone(),
        category.name_en.as_str(),
        category.name_fr.as_str(),
        category.created_at,
    ];
    tx.execute(INSERT, values)
        .await
        .on_constraint("categories_pkey", || {
            let detail = "another category has this code";
            Problem::conflict("category-exists").detail(detail).field("/code", "category-exists", detail)
        })
        .on_constraint("categories_parent", no_parent)
        .on_constraint("categories_parent_is_another", no_parent)?;
    Ok(())
}

fn no_parent() -> Problem {
    let detail = "there is no such category";
    Problem::unprocessable("validation-failed").field("/parent", "category-not-found", detail)
}
