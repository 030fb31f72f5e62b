//! Against a real PostgreSQL. Every test has a cluster of its own and waits on conditions. Run as root, they also try
//! the change of user; run as anybody else, the plain case.

use std::ffi::OsStr;
use std::fs::Permissions;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use sqlx::AssertSqlSafe;
use tempfile::TempDir;

use super::*;

/// How long a condition may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder as `.comptoir` is: the cluster's user gets through it.
fn project() -> TempDir {
    folder(0o711)
}

fn folder(mode: u32) -> TempDir {
    tempfile::Builder::new().permissions(Permissions::from_mode(mode)).tempdir().unwrap()
}

fn settings(project: &Path) -> Settings {
    Settings {
        directory: project.join("postgres"),
        secrets: project.join("secrets"),
        port: 0,
        durability: Durability::Fast,
        max_connections: 20,
    }
}

async fn connect(database: &Database) -> sqlx::Result<PgConnection> {
    PgConnection::connect_with(&database.options()).await
}

async fn execute(database: &Database, statement: &str) -> sqlx::Result<()> {
    let mut connection = connect(database).await?;
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await?;
    connection.close().await
}

async fn number(database: &Database, query: &str) -> i32 {
    let mut connection = connect(database).await.unwrap();
    sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_one(&mut connection).await.unwrap()
}

fn sqlstate(error: sqlx::Error) -> String {
    error.as_database_error().and_then(|error| error.code()).unwrap_or_else(|| panic!("{error}")).into_owned()
}

async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition().await {
        assert!(Instant::now() < deadline, "never came true: {what}");
        tokio::time::sleep(POLL).await;
    }
}

fn runs(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.try_into().unwrap()).unwrap(), signal).unwrap();
}

#[tokio::test]
async fn data_and_passwords_survive_a_restart() {
    let project = project();
    let first = Cluster::start(settings(project.path())).await.unwrap();
    let database = first.ensure_database("products").await.unwrap();
    execute(&database, "create table t (n int); insert into t values (7)").await.unwrap();
    let pid = first.pid().unwrap();
    first.stop().await.unwrap();
    assert!(!runs(pid));

    let second = Cluster::start(settings(project.path())).await.unwrap();
    let again = second.ensure_database("products").await.unwrap();
    assert_eq!(again.password.reveal(), database.password.reveal());
    assert_eq!(number(&again, "select n from t").await, 7);
    assert_eq!(second.ensure_database("products").await.unwrap().user, "comptoir_products");
}

#[tokio::test]
async fn a_role_reaches_its_own_database_only() {
    let project = project();
    let cluster = Cluster::start(settings(project.path())).await.unwrap();
    let products = cluster.ensure_database("products").await.unwrap();
    let cart = cluster.ensure_database("cart").await.unwrap();
    let migration = "create table t (n int); create temporary table x (); create extension btree_gist";
    execute(&products, migration).await.unwrap();

    for foreign in ["cart", "postgres", "template1"] {
        let intruder = Database { name: foreign.to_owned(), ..products.clone() };
        assert_eq!(sqlstate(connect(&intruder).await.unwrap_err()), "42501", "{foreign} is open to products");
    }
    let guess = Database { password: cart.password.clone(), ..products.clone() };
    assert_eq!(sqlstate(connect(&guess).await.unwrap_err()), "28P01");
    for forbidden in [
        "create database mine",
        "create role friend",
        "set role comptoir",
        "copy t from program 'id'",
        "select pg_read_file('/etc/passwd')",
    ] {
        assert_eq!(sqlstate(execute(&products, forbidden).await.unwrap_err()), "42501", "{forbidden}");
    }
    assert!(cluster.ensure_database("p; drop").await.is_err());
}

#[tokio::test]
async fn it_listens_on_loopback_with_a_password_only() {
    let project = project();
    let cluster = Cluster::start(settings(project.path())).await.unwrap();
    let keyless = Database { password: Secret::new(""), ..cluster.administrator() };
    assert!(connect(&keyless).await.is_err());
    let mut connection = connect(&cluster.administrator()).await.unwrap();
    let show = |name: &str| AssertSqlSafe(format!("select current_setting('{name}')"));
    for (setting, value) in [("listen_addresses", "127.0.0.1"), ("unix_socket_directories", "")] {
        let actual: String = sqlx::query_scalar(show(setting)).fetch_one(&mut connection).await.unwrap();
        assert_eq!(actual, value, "{setting}");
    }
}

/// Search ignores case in French, too.
#[tokio::test]
async fn letters_beyond_ascii_have_a_case() {
    let project = project();
    let cluster = Cluster::start(settings(project.path())).await.unwrap();
    let mut connection = connect(&cluster.administrator()).await.unwrap();
    let lower: String = sqlx::query_scalar("select lower('CAFÉ')").fetch_one(&mut connection).await.unwrap();
    assert_eq!(lower, "café");
}

#[tokio::test]
async fn a_server_that_dies_is_started_again() {
    let project = project();
    let cluster = Cluster::start(settings(project.path())).await.unwrap();
    let first = cluster.pid().unwrap();
    signal(first, Signal::KILL);
    eventually("another postgres takes connections", async || {
        cluster.pid().is_some_and(|pid| pid != first) && connect(&cluster.administrator()).await.is_ok()
    })
    .await;
    let mut status = cluster.postmaster.status();
    assert!(matches!(*status.borrow_and_update(), Status::Running { pid } if pid != first));
    cluster.stop().await.unwrap();
    assert_eq!(*status.borrow(), Status::Stopped);
}

#[tokio::test]
async fn an_orphan_is_stopped_and_its_data_kept() {
    let project = project();
    let cluster = Cluster::start(settings(project.path())).await.unwrap();
    let (port, administrator) = (cluster.port(), cluster.administrator());
    execute(&administrator, "create table t (n int); insert into t values (7)").await.unwrap();
    cluster.stop().await.unwrap();

    let account = Account::choose(&project.path().join("postgres")).unwrap();
    let home = initialize::inspect(project.path().join("postgres"), account).unwrap();
    let arguments = arguments(&settings(project.path()), port);
    let mut orphan = home.command("postgres").arg("-D").arg(home.data()).args(arguments).spawn().unwrap();
    eventually("the orphan takes connections", async || connect(&administrator).await.is_ok()).await;

    let cluster = Cluster::start(settings(project.path())).await.unwrap();
    assert!(orphan.wait().unwrap().success(), "a fast shutdown, not a kill");
    assert_ne!(cluster.pid(), Some(orphan.id()));
    assert_eq!(number(&cluster.administrator(), "select n from t").await, 7);
}

#[tokio::test]
async fn a_pid_that_went_to_another_process_is_not_taken_for_a_server() {
    let project = project();
    Cluster::start(settings(project.path())).await.unwrap().stop().await.unwrap();
    let directory = project.path().join("postgres");
    let data = directory.join("data");
    // Of the same user, or Postgres itself would know that it is none of its own.
    let account = Account::choose(&directory).unwrap();
    let mut bystander = account::command(Path::new("sleep"), account.as_ref(), Path::new("/"))
        .arg("600")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    std::fs::write(data.join("postmaster.pid"), format!("{}\n{}\n", bystander.id(), data.display())).unwrap();
    let cluster = Cluster::start(settings(project.path())).await.unwrap();
    assert!(runs(bystander.id()));
    cluster.stop().await.unwrap();
    bystander.kill().unwrap();
    bystander.wait().unwrap();
}

#[tokio::test]
async fn an_interrupted_initdb_leaves_no_half_cluster() {
    let project = project();
    let staging = project.path().join("postgres/data.new");
    std::fs::create_dir_all(&staging).unwrap();
    std::fs::write(staging.join("PG_VERSION"), "half").unwrap();
    let cluster = Cluster::start(settings(project.path())).await.unwrap();
    assert!(!staging.exists() && !project.path().join("postgres/data.new.password").exists());
    drop(cluster);
}

#[tokio::test]
async fn a_lost_password_is_replaced() {
    let project = project();
    let cluster = Cluster::start(settings(project.path())).await.unwrap();
    let before = cluster.ensure_database("products").await.unwrap();
    cluster.stop().await.unwrap();
    std::fs::remove_dir_all(project.path().join("secrets")).unwrap();
    let cluster = Cluster::start(settings(project.path())).await.unwrap();
    let after = cluster.ensure_database("products").await.unwrap();
    assert_ne!(before.password.reveal(), after.password.reveal());
    connect(&after).await.unwrap();
}

#[tokio::test]
async fn the_data_of_another_version_is_refused() {
    let project = project();
    let data = project.path().join("postgres/data");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join("PG_VERSION"), "9\n").unwrap();
    let message = format!("{:#}", Cluster::start(settings(project.path())).await.unwrap_err());
    assert!(message.contains("made by PostgreSQL 9, and this machine has"), "{message}");

    std::fs::remove_file(data.join("PG_VERSION")).unwrap();
    let message = format!("{:#}", Cluster::start(settings(project.path())).await.unwrap_err());
    assert!(message.contains("is not a database cluster"), "{message}");
}

#[tokio::test]
async fn one_folder_has_one_owner() {
    let project = project();
    let cluster = Cluster::start(settings(project.path())).await.unwrap();
    let message = format!("{:#}", Cluster::start(settings(project.path())).await.unwrap_err());
    assert!(message.contains("is in use by another process"), "{message}");
    connect(&cluster.administrator()).await.unwrap();
}

#[tokio::test]
async fn a_start_that_fails_quotes_the_log() {
    let project = project();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let message = format!("{:#}", Cluster::start(Settings { port, ..settings(project.path()) }).await.unwrap_err());
    assert!(message.contains("could not bind IPv4 address"), "{message}");
}

/// A process of its own, because it is killed, or because it takes over the signals of the process; see `helper`.
fn start_helper(name: &str, value: &OsStr) -> (Child, BufReader<ChildStdout>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture", "platform::cluster::tests::helper"])
        .env(name, value)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    (child, output)
}

/// Holds a cluster in the project of this name until it is killed.
const HELPER_PROJECT: &str = "COMPTOIR_HELPER_PROJECT";
/// Runs this script with a cluster and prints the exit code.
const HELPER_SCRIPT: &str = "COMPTOIR_HELPER_SCRIPT";

#[tokio::test]
#[ignore = "not a test: the process that other tests start"]
async fn helper() {
    if let Some(script) = std::env::var_os(HELPER_SCRIPT) {
        println!("code={}", run_with_cluster(&["sh".into(), "-c".into(), script]).await.unwrap());
    }
    if let Some(project) = std::env::var_os(HELPER_PROJECT) {
        let cluster = Cluster::start(settings(Path::new(&project))).await.unwrap();
        println!("pid={}", cluster.pid().unwrap());
        std::future::pending::<()>().await;
    }
}

fn read_value(output: &mut BufReader<ChildStdout>, name: &str) -> String {
    loop {
        let mut line = String::new();
        assert_ne!(output.read_line(&mut line).unwrap(), 0, "the helper ended without a {name}");
        if let Some((_, value)) = line.split_once(&format!("{name}=")) {
            return value.trim().to_owned();
        }
    }
}

#[tokio::test]
async fn after_a_kill_of_the_platform_the_next_start_works() {
    let project = project();
    let (mut helper, mut output) = start_helper(HELPER_PROJECT, project.path().as_os_str());
    let pid: u32 = read_value(&mut output, "pid").parse().unwrap();
    helper.kill().unwrap();
    helper.wait().unwrap();
    let cluster = Cluster::start(settings(project.path())).await.unwrap();
    assert!(!runs(pid));
    connect(&cluster.administrator()).await.unwrap();
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_kill_of_the_platform_stops_the_server() {
    let project = project();
    let (mut helper, mut output) = start_helper(HELPER_PROJECT, project.path().as_os_str());
    let pid: u32 = read_value(&mut output, "pid").parse().unwrap();
    helper.kill().unwrap();
    helper.wait().unwrap();
    eventually("postgres has noticed", async || !runs(pid)).await;
}

#[tokio::test]
async fn ctrl_c_in_the_terminal_does_not_reach_the_server() {
    let project = project();
    let cluster = Cluster::start(settings(project.path())).await.unwrap();
    let pid = Pid::from_raw(cluster.pid().unwrap().try_into().unwrap()).unwrap();
    assert_eq!(rustix::process::getpgid(Some(pid)).unwrap(), pid, "it leads a group of its own");
}

#[tokio::test]
async fn a_command_gets_a_cluster_and_gives_its_exit_code() {
    let (mut helper, mut output) = start_helper(HELPER_SCRIPT, "echo url=$COMPTOIR_TEST_POSTGRES; exit 7".as_ref());
    let url = read_value(&mut output, "url");
    assert!(url.starts_with("postgres://comptoir:") && url.ends_with("/postgres"), "{url}");
    assert_eq!(read_value(&mut output, "code"), "7");
    assert!(PgConnection::connect(&url).await.is_err(), "the cluster is gone");
    assert!(helper.wait().unwrap().success());

    let (mut helper, mut output) = start_helper(HELPER_SCRIPT, "kill -9 $$".as_ref());
    assert_eq!(read_value(&mut output, "code"), "137");
    assert!(helper.wait().unwrap().success());
}

#[tokio::test]
async fn a_terminated_command_takes_its_cluster_along() {
    let (mut helper, mut output) =
        start_helper(HELPER_SCRIPT, "echo url=$COMPTOIR_TEST_POSTGRES; exec sleep 600".as_ref());
    let url = read_value(&mut output, "url");
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let folder: String = sqlx::query_scalar("show data_directory").fetch_one(&mut connection).await.unwrap();
    assert!(Path::new(&folder).exists());
    signal(helper.id(), Signal::TERM);
    assert_eq!(read_value(&mut output, "code"), "143");
    assert!(helper.wait().unwrap().success());
    assert!(!Path::new(&folder).exists());
}

/// The project of a root user lies where only root can go.
#[tokio::test]
async fn roots_project_has_its_data_elsewhere() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let project = folder(0o700);
    let cluster = Cluster::start(settings(project.path())).await.unwrap();
    let elsewhere = std::fs::read_link(project.path().join("postgres")).unwrap();
    assert!(elsewhere.starts_with("/var/lib/comptoir"), "{}", elsewhere.display());
    execute(&cluster.administrator(), "create table t (n int); insert into t values (7)").await.unwrap();
    cluster.stop().await.unwrap();
    let cluster = Cluster::start(settings(project.path())).await.unwrap();
    assert_eq!(number(&cluster.administrator(), "select n from t").await, 7);
    cluster.stop().await.unwrap();
    std::fs::remove_dir_all(elsewhere).unwrap();
}

/// First `comptoir up` as oneself, then once with sudo.
#[tokio::test]
async fn root_leaves_a_cluster_to_its_owner() {
    use std::os::unix::fs::MetadataExt as _;
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let project = project();
    Cluster::start(settings(project.path())).await.unwrap().stop().await.unwrap();
    let (owner, folder) = (4_000_001, project.path().join("postgres"));
    let status = Command::new("chown").arg("-R").arg(format!("{owner}:{owner}")).arg(&folder).status().unwrap();
    assert!(status.success());
    let cluster = Cluster::start(settings(project.path())).await.unwrap();
    connect(&cluster.administrator()).await.unwrap();
    assert_eq!(std::fs::metadata(folder.join("data")).unwrap().uid(), owner);
}
