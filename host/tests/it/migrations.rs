//! The steps of a component's schema are applied once, before it takes traffic, or not at all.

use serde_json::Value;

use crate::support::database::Database;
use crate::support::guest;
use crate::support::host::{Host, Serve};

async fn migrated(database: &Database) -> Host {
    Serve::guest("migrated").admin_token().database(database).start().await
}

/// What a swap with this guest is refused with, while the one before goes on serving.
async fn refused(host: &Host, guest: &str) -> Value {
    let problem = host.put(&guest::bytes(guest)).await.expect_status(422).json();
    assert_eq!(problem["stage"], "migrate", "{problem:#}");
    let refusal = host.component().await["last_refusal"].clone();
    assert_eq!(refusal["stage"], "migrate");
    assert_eq!(refusal["message"], problem["detail"]);
    assert_eq!(host.get("/hello").await.expect_status(200).json()["version"], 1);
    assert_eq!(host.generation().await, 1);
    refusal["message"].clone()
}

async fn applied(database: &Database) -> i64 {
    database.number("select count(*) from comptoir_migrations").await
}

async fn exists(database: &Database, table: &str) -> bool {
    database.number(&format!("select count(*) from pg_class where relname = '{table}'")).await == 1
}

#[tokio::test]
pub async fn hosts_that_start_together_apply_them_once() {
    let database = Database::new().await;
    let (one, two, three) = tokio::join!(migrated(&database), migrated(&database), migrated(&database));
    for host in [one, two, three] {
        assert_eq!(host.get("/hello").await.expect_status(200).json()["version"], 1);
        assert!(host.component().await["last_refusal"].is_null(), "{:#}", host.component().await);
    }
    assert_eq!(database.number("select count(*) from notes").await, 1);
    assert_eq!(applied(&database).await, 2);
}

#[tokio::test]
pub async fn a_new_version_brings_its_steps_and_the_old_one_works_on_them() {
    let database = Database::new().await;
    let host = migrated(&database).await;
    host.put(&guest::bytes("migrated-more")).await.expect_status(200);
    assert_eq!(host.get("/hello").await.json()["version"], 2);
    assert_eq!(applied(&database).await, 3);
    host.put(&guest::bytes("migrated")).await.expect_status(200);
    assert_eq!(host.get("/hello").await.json()["version"], 1);
    assert_eq!(applied(&database).await, 3);
}

/// They are in processes of their own, as in containers, and share nothing but the database.
#[tokio::test]
pub async fn replicas_of_one_database_switch_one_after_another() {
    let database = Database::new().await;
    let (one, other) = tokio::join!(migrated(&database), migrated(&database));
    let slow = guest::bytes("migrated-slow");
    let (mut probed, mut overlapped) = (0, 0);
    let watched = async {
        loop {
            // One that is probed before and after the other one was seen was probed all the time.
            let (before, beside, after) = (stage(&one).await, stage(&other).await, stage(&one).await);
            let is_probed = [&before, &beside, &after].map(|stage| stage == "probe");
            probed += usize::from(is_probed.contains(&true));
            overlapped += usize::from(is_probed == [true; 3]);
            let generations = (one.generation().await, other.generation().await);
            if generations == (2, 2) {
                return;
            }
        }
    };
    let (first, second, ()) = tokio::join!(one.put(&slow), other.put(&slow), watched);
    for answer in [first, second] {
        answer.expect_status(200);
    }
    assert!(probed > 1, "nothing was seen");
    assert_eq!(overlapped, 0, "of {probed}");
}

/// Where the version that is being loaded has come to.
async fn stage(host: &Host) -> Value {
    host.component().await["loading"]["stage"].clone()
}

#[tokio::test]
pub async fn a_step_that_fails_is_rolled_back_and_refused() {
    let database = Database::new().await;
    let host = migrated(&database).await;
    let reason = refused(&host, "migrated-failing").await;
    let reason = reason.as_str().expect("a text");
    assert!(reason.contains("migration 3 (`half`)") && reason.contains("division by zero"), "{reason}");
    assert!(!exists(&database, "half").await);
    assert_eq!(applied(&database).await, 2);
    // The same again: nothing is left behind that is in the way.
    refused(&host, "migrated-failing").await;
    host.put(&guest::bytes("migrated-more")).await.expect_status(200);
}

#[tokio::test]
pub async fn a_step_that_was_changed_is_refused_with_advice() {
    let database = Database::new().await;
    let host = migrated(&database).await;
    let reason = refused(&host, "migrated-changed").await;
    let reason = reason.as_str().expect("a text");
    assert!(reason.contains("migration 1 (`notes`) was changed") && reason.contains("add a new one"), "{reason}");
}

#[tokio::test]
pub async fn a_gap_between_steps_is_refused() {
    let database = Database::new().await;
    let host = migrated(&database).await;
    let reason = refused(&host, "migrated-gap").await;
    let reason = reason.as_str().expect("a text");
    assert!(reason.contains("expected version 3, found 4"), "{reason}");
    assert!(!exists(&database, "after_a_gap").await);
    assert_eq!(applied(&database).await, 2);
}

#[tokio::test]
async fn a_host_whose_first_component_fails_to_migrate_ends() {
    let database = Database::new().await;
    let ended = Serve::guest("migrated-failing").database(&database).end().await;
    assert_eq!(ended.status.code(), Some(1), "{ended:#?}");
    assert!(ended.stderr.contains("refused at stage `migrate`"), "{}", ended.stderr);
    assert!(ended.stderr.contains("division by zero"), "{}", ended.stderr);
    assert_eq!(applied(&database).await, 2);
}

#[tokio::test]
async fn a_service_without_a_database_is_refused_by_name() {
    let ended = Serve::guest("sdk-hello").end().await;
    assert_eq!(ended.status.code(), Some(1), "{ended:#?}");
    assert!(ended.stderr.contains("comptoir:postgres"), "{}", ended.stderr);
}
