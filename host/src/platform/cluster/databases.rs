//! One database and one role for each service. A role owns its database and cannot even connect to another.

use std::path::Path;

use anyhow::{Context as _, Result};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::{Database, check_name};
use crate::platform::secrets;

/// By default everybody may connect to every database, and make temporary tables in it.
const CLOSE_COMMON_DATABASES: &str = "revoke all on database postgres, template1 from public";

pub async fn ensure(administrator: &Database, secrets_folder: &Path, service: &str) -> Result<Database> {
    check_name(service)?;
    let role = format!("comptoir_{service}");
    let password = secrets::load_or_create(&secrets_folder.join(format!("postgres-{role}")))?;
    let mut connection = PgConnection::connect_with(&administrator.options()).await.context("cannot connect")?;
    run(&mut connection, CLOSE_COMMON_DATABASES.to_owned()).await?;
    if !exists(&mut connection, "select exists (select from pg_roles where rolname = $1)", &role).await? {
        run(&mut connection, format!("create role {role}")).await?;
    }
    // The file is right, whatever was there before. It has letters and digits only.
    let rights = "login nosuperuser nocreatedb nocreaterole noreplication nobypassrls";
    run(&mut connection, format!("alter role {role} with {rights} password '{}'", password.reveal())).await?;
    if !exists(&mut connection, "select exists (select from pg_database where datname = $1)", service).await? {
        run(&mut connection, format!("create database {service} owner {role}")).await?;
    }
    run(&mut connection, format!("revoke all on database {service} from public")).await?;
    // Temporary tables are for migrations.
    run(&mut connection, format!("grant connect, create, temporary on database {service} to {role}")).await?;
    connection.close().await.context("cannot close the connection")?;
    Ok(Database { name: service.to_owned(), user: role, password, ..administrator.clone() })
}

async fn exists(connection: &mut PgConnection, query: &'static str, name: &str) -> Result<bool> {
    sqlx::query_scalar(query).bind(name).fetch_one(connection).await.with_context(|| format!("cannot look for {name}"))
}

/// Names cannot be parameters of these statements; [`check_name`] has let only safe ones through. The error does not
/// repeat the statement, which may carry a password.
async fn run(connection: &mut PgConnection, statement: String) -> Result<()> {
    let verb = statement.split(' ').take(3).collect::<Vec<_>>().join(" ");
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await.with_context(|| format!("cannot {verb}"))?;
    Ok(())
}
