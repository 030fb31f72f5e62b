//! A component's database is all of Postgres that there is for it. The roles and databases are those
//! that `comptoir up` makes, and the component in the place of `products` runs any statement.

use serde_json::Value;

use crate::support::client::Client;
use crate::support::guest;
use crate::support::platform::Platform;

/// Functions that the host lets through, and Postgres does not.
const REFUSED_BY_POSTGRES: &[(&str, &str)] = &[
    ("select pg_read_file('/etc/passwd')", "42501"),
    ("select pg_read_binary_file('postgresql.conf')", "42501"),
    ("select pg_ls_dir('.')", "42501"),
    ("select (pg_stat_file('postgresql.conf')).size", "42501"),
    ("select lo_import('/etc/passwd')::int8", "42501"),
    ("select lo_export(1, '/tmp/loot')", "42501"),
    ("select pg_reload_conf()", "42501"),
    ("select pg_current_logfile()", "42501"),
    ("select current_setting('data_directory')", "42501"),
    ("table pg_hba_file_rules", "42501"),
    ("select rolpassword from pg_authid", "42501"),
    ("select passwd from pg_shadow", "42501"),
    ("select set_config('role', 'comptoir_cart', false)", "42501"),
    ("select set_config('role', 'comptoir', false)", "42501"),
    ("select set_config('session_authorization', 'comptoir', false)", "42501"),
    // Other databases have no name in a statement.
    ("select * from cart.public.carts", "0A000"),
    ("select dblink('dbname=cart', 'table carts')", "42883"),
    ("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'cart'", "42501"),
    ("select pg_cancel_backend(pid) from pg_stat_activity where datname = 'cart'", "42501"),
];

/// Statements that the host lets nobody begin, and that Postgres refuses the function which begins them.
const REFUSED_BY_BOTH: &[(&str, &str)] = &[
    ("set role comptoir_cart", "42501"),
    ("set session authorization comptoir", "42501"),
    ("create extension dblink", "42501"),
    ("create extension postgres_fdw", "42501"),
    ("create extension file_fdw", "42501"),
    ("create foreign data wrapper wrapper", "42501"),
    ("create server cart foreign data wrapper postgres_fdw", "42704"),
    ("create function system(text) returns int language c as 'libc.so.6', 'system'", "42501"),
    ("create function version() returns text language internal as 'pgsql_version'", "42501"),
    ("create subscription s connection 'dbname=cart' publication p with (connect = false)", "42501"),
    ("load 'dblink'", "42501"),
    ("copy loot from program 'id'", "42501"),
    ("copy loot to program 'cat'", "42501"),
    ("copy loot from '/etc/passwd'", "42501"),
    ("copy loot to '/tmp/loot'", "42501"),
    ("create role friend", "42501"),
    ("drop role comptoir_cart", "42501"),
    ("alter role comptoir_cart password 'known'", "42501"),
    ("alter role comptoir password 'known'", "42501"),
    ("alter role comptoir_products superuser", "42501"),
    ("alter role comptoir_products createdb", "42501"),
    ("alter role comptoir_products createrole", "42501"),
    ("alter role comptoir_products bypassrls", "42501"),
    ("alter role comptoir_products replication", "42501"),
    ("grant comptoir_cart to comptoir_products", "42501"),
    ("grant pg_read_server_files to comptoir_products", "42501"),
    ("grant connect on database cart to comptoir_products", "42501"),
    ("reassign owned by comptoir_cart to comptoir_products", "42501"),
    ("alter database cart owner to comptoir_products", "42501"),
    ("alter database postgres set search_path to loot", "42501"),
    // Not from within a transaction, and there is no way out of one.
    ("create database mine", "25001"),
    ("drop database cart", "25001"),
    ("alter system set log_statement to 'all'", "25001"),
];

#[tokio::test]
pub async fn a_component_reaches_its_own_database_only() {
    let platform = Platform::start_with(&[("products", guest::path("intruder"))]).await;
    // Its connection is there to be ended.
    platform.get("/api/v1/carts/00000000-0000-7000-8000-000000000000").await.expect_status(404);
    let url = format!("http://{}sql", platform.line("products: http://").split(' ').next().expect("an address"));
    let client = Client::keep_alive();
    let sql = async |statement: &str| -> Value {
        client.send(crate::support::client::post(&url, statement.to_owned())).await.expect_status(200).json()
    };
    let attempt = async |statement: &str| {
        let told = sql(&format!("select attempt('{}')", statement.replace('\'', "''"))).await;
        told["rows"].as_str().unwrap_or_else(|| panic!("{statement}: {told}")).to_owned()
    };

    // The attempts would be told from a component that can do nothing.
    assert!(attempt("insert into loot values ('its own')").await.contains("done"));
    assert!(sql("table loot").await.to_string().contains("its own"));

    let mut wrong = Vec::new();
    for (statement, sqlstate) in REFUSED_BY_POSTGRES {
        let told = sql(statement).await;
        if told["sqlstate"] != *sqlstate {
            wrong.push(format!("{statement}: expected {sqlstate}: {told}"));
        }
    }
    for (statement, sqlstate) in REFUSED_BY_BOTH {
        let told = sql(statement).await;
        if !told["error"].as_str().is_some_and(|error| error.contains("is not allowed")) {
            wrong.push(format!("{statement}: the host let it through: {told}"));
        }
        let told = attempt(statement).await;
        if !told.contains(&format!("\"{sqlstate}\"")) {
            wrong.push(format!("{statement}: expected {sqlstate}: {told}"));
        }
    }
    for database in ["cart", "postgres", "template1"] {
        let told = sql(&format!("select has_database_privilege('{database}', 'connect')")).await;
        if !told["rows"].as_str().is_some_and(|rows| rows.contains("Boolean(false)")) {
            wrong.push(format!("{database} is open: {told}"));
        }
    }
    // That others work is no secret; what they do is.
    let told = sql("select query from pg_stat_activity where datname = 'cart' and query is not null").await;
    if !told["rows"].as_str().is_some_and(|rows| rows.contains("insufficient privilege") && !rows.contains("from")) {
        wrong.push(format!("the statements of others can be read: {told}"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    // Nobody was harmed.
    platform.get("/api/v1/carts/00000000-0000-7000-8000-000000000000").await.expect_status(404);
    platform.stop().await;
}
