//! What a host is told in confidence is in no log line, answer, metric or report, whatever goes wrong and
//! however much is logged.

use std::path::Path;

use http::Method;

use crate::support::client::{self, Client, Response};
use crate::support::command::{comptoir, run};
use crate::support::database::Database;
use crate::support::guest;
use crate::support::host::{Host, Serve};
use crate::support::peer::Peer;
use crate::support::proxy::Proxy;

/// Found nowhere else.
const PASSWORD: &str = "password-of-the-walrus";
const GATEWAY: &str = "gateway-of-the-walrus";
const SERVICE: &str = "service-of-the-walrus";
const TOKEN: &str = "token-of-the-walrus";
/// What somebody tries who knows none of them: it may be right elsewhere.
const GUESS: &str = "guess-of-the-walrus";
const SECRET: &str = "of-the-walrus";

/// Everything that came out of a host.
struct Ears {
    host: Host,
    heard: Vec<String>,
}

impl Ears {
    fn hear(&mut self, what: &str, answer: &Response) {
        self.heard.push(format!("{what}: {:?} {}", answer.headers, String::from_utf8_lossy(&answer.body)));
    }

    async fn get(&mut self, path: &str, headers: &[(&str, &str)]) -> Response {
        let answer = self.host.get_with(path, headers).await;
        self.hear(path, &answer);
        answer
    }

    /// Asks the admin port, with whatever token.
    async fn admin(&mut self, method: Method, path: &str, token: &str) -> Response {
        let authorization = format!("Bearer {token}");
        let request = client::request(method, &self.host.admin_url(path), &[("authorization", &authorization)]);
        let answer = Client::fresh().send(request).await;
        self.hear(path, &answer);
        answer
    }

    async fn assert_nothing_was_told(mut self) {
        for path in ["/metrics", "/components", "/ready", "/live"] {
            self.admin(Method::GET, path, GUESS).await;
        }
        let log = self.host.log.lines();
        // All that there is, down to the bytes on the wire.
        assert!(log.iter().any(|line| line.contains("TRACE")), "this log is too short to prove anything");
        let told: Vec<_> = self.heard.iter().chain(&log).filter(|text| text.contains(SECRET)).collect();
        assert!(told.is_empty(), "{told:#?}");
    }
}

async fn start(serve: Serve) -> Ears {
    let serve = serve.secret("--gateway-secret-file", GATEWAY).secret("--service-secret-file", SERVICE);
    let serve = serve.secret("--admin-token-file", TOKEN).arg("--log", "trace");
    Ears { host: serve.start().await, heard: Vec::new() }
}

#[tokio::test]
async fn the_secrets_of_calls_and_operators_are_not_told() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let peer = Peer::start().await;
    let serve = Serve::guest("outbound").peer("products", peer.address).peer("away", nobody);
    let mut ears = start(serve.arg("--outbound-timeout-ms", "200")).await;
    for target in ["http://products/", "http://products/hang", "http://away/", "http://unknown/"] {
        for (gateway, service) in [(GATEWAY, SERVICE), (GUESS, GUESS), (SERVICE, GATEWAY)] {
            let headers = [("x-target", target), ("x-gateway-secret", gateway), ("x-service-secret", service)];
            ears.get("/", &headers).await.expect_status(200);
        }
    }
    // It was used.
    assert_eq!(peer.calls()[0].header("x-service-secret"), Some(SERVICE));
    for (token, status) in [(GUESS, 401), (GATEWAY, 401), (TOKEN, 409)] {
        ears.admin(Method::POST, "/components/outbound/rollback", token).await.expect_status(status);
    }
    ears.admin(Method::PUT, "/components/outbound", GUESS).await.expect_status(401);
    ears.admin(Method::PUT, "/components/outbound", TOKEN).await.expect_status(422);
    ears.assert_nothing_was_told().await;
}

/// A role of its own, whose password is right at first.
async fn role(database: &Database) -> String {
    let role = format!("walrus_{}", uuid::Uuid::now_v7().simple());
    database.execute(&format!("create role {role} login password '{PASSWORD}'")).await;
    database.execute(&format!("grant all on schema public to {role}")).await;
    let name = database.url().rsplit_once('/').expect("a URL").1.split('?').next().expect("a name").to_owned();
    database.execute(&format!("grant all on database {name} to {role}")).await;
    role
}

#[tokio::test]
async fn the_password_of_a_database_is_not_told() {
    let database = Database::new().await;
    let role = role(&database).await;
    let mut proxy = Proxy::new(database.address());
    let name = database.url().rsplit_once('/').expect("a URL").1.to_owned();
    let in_url = format!("postgres://{role}:{PASSWORD}@{}/{name}", proxy.address);
    let in_file = format!("postgres://{role}@{}/{name}", proxy.address);
    let guest = || Serve::guest("database").arg("--database-wait-ms", "300");
    proxy.connect();
    for serve in [
        guest().arg("--database-url", &in_url),
        guest().arg("--database-url", &in_file).secret("--database-password-file", PASSWORD),
    ] {
        let mut ears = start(serve).await;
        ears.get("/values", &[]).await.expect_status(200);
        ears.get("/errors", &[]).await.expect_status(200);
        proxy.cut();
        ears.get("/values", &[]).await.expect_problem(503, "database-unavailable");
        proxy.connect();
        ears.assert_nothing_was_told().await;
    }
    // Refused by Postgres, and by nobody at all.
    let wrong = guest().arg("--database-url", &in_file).secret("--database-password-file", GUESS);
    let ended = wrong.arg("--log", "trace").end().await;
    assert!(ended.stderr.contains("password authentication failed"), "{}", ended.stderr);
    assert!(!ended.stderr.contains(SECRET), "{}", ended.stderr);
    proxy.cut();
    let mut ears = start(guest().arg("--database-url", &in_url)).await;
    ears.get("/values", &[]).await.expect_problem(503, "service-not-ready");
    ears.assert_nothing_was_told().await;
}

/// Mistakes are explained without what was mistaken.
#[tokio::test]
async fn a_command_line_that_is_wrong_is_not_repeated() {
    let folder = tempfile::tempdir().expect("a folder");
    let broken = folder.path().join("secret");
    std::fs::write(&broken, format!("{TOKEN}\nand a second line")).expect("a file");
    let urls = ["postgres://user:PASSWORD@host:port/database", "PASSWORD", "mysql://user:PASSWORD@host/database"];
    for url in urls.map(|url| url.replace("PASSWORD", PASSWORD)) {
        let mut serve = comptoir();
        serve.arg("serve").arg(guest::path("echo")).arg("--database-url").arg(&url);
        serve.arg("--admin-token-file").arg(&broken).arg("--gateway-secret-file").arg(Path::new("/nowhere"));
        let said = run(serve).await;
        assert_eq!(said.code, 64, "{said:#?}");
        assert!(said.stderr.contains("--database-url") && said.stderr.contains("secret file"), "{said:#?}");
        assert!(!format!("{said:?}").contains(SECRET), "{said:#?}");
        // The environment is shown beside the flags.
        let mut help = comptoir();
        help.arg("serve").arg("--help").env("COMPTOIR_DATABASE_URL", &url);
        let said = run(help).await;
        assert!(said.stdout.contains("COMPTOIR_DATABASE_URL"), "{said:#?}");
        assert!(!said.stdout.contains(SECRET), "{said:#?}");
    }
}
