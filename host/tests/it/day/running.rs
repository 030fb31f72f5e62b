//! A platform that goes away for a while, and people who send again what was not answered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};
use tokio::sync::RwLock;

use crate::support::client::{Client, Response};
use crate::support::platform::Platform;

/// A start, and whatever it is busy with.
const PATIENCE: Duration = Duration::from_secs(240);
/// Between two attempts.
pub const PAUSE: Duration = Duration::from_millis(50);

#[derive(Clone)]
pub struct Running {
    platform: Arc<RwLock<Option<Arc<Platform>>>>,
    /// Its own, because those of a platform end with it.
    client: Client,
    keys: Arc<BTreeMap<&'static str, String>>,
}

impl Running {
    pub async fn start() -> Self {
        let platform = Arc::new(Platform::start().await);
        let keys = ["hq", "pos", "logistics"].map(|group| (group, platform.key(group)));
        Self {
            platform: Arc::new(RwLock::new(Some(platform))),
            client: Client::keep_alive(),
            keys: Arc::new(keys.into()),
        }
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    pub async fn platform(&self) -> Arc<Platform> {
        self.platform.read().await.clone().expect("it is running")
    }

    /// Everything at once, and the next start over what is left.
    pub async fn power_fails_and_comes_back(&self) {
        let mut platform = self.platform.write().await.take().expect("it is running");
        let folder = platform.power_fails();
        // Those who were asking it find out, and then it has ended: until then the folder is its own.
        while let Err(still_asked) = Arc::try_unwrap(platform) {
            platform = still_asked;
            tokio::time::sleep(PAUSE).await;
        }
        let again = Platform::start_in(folder).await;
        *self.platform.write().await = Some(Arc::new(again));
    }

    pub async fn stop(self) {
        let platform = self.platform.write().await.take().expect("it is running");
        Arc::into_inner(platform).expect("nobody asks it any more").stop().await;
    }

    /// Sent again until it is answered: whoever is asked twice has to notice.
    pub async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &Value) -> Response {
        let began = Instant::now();
        loop {
            assert!(began.elapsed() < PATIENCE, "not answered: {method} {path}");
            if let Some(platform) = self.platform.read().await.clone() {
                let request = platform.request(method.clone(), path, headers, body);
                if let Ok(answer) = self.client.try_send(request).await
                    && answer.status.as_u16() < 502
                    && answer.header("retry-after").is_none()
                {
                    return answer;
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The same by somebody with a key of that group.
    pub async fn staff(&self, group: &str, method: Method, path: &str, key: &str, body: &Value) -> Response {
        let mut headers = vec![("x-api-key", self.keys[group].as_str())];
        headers.extend((!key.is_empty()).then_some(("idempotency-key", key)));
        self.ask(method, path, &headers, body).await
    }

    pub async fn hq(&self, method: Method, path: &str, key: &str, body: &Value) -> Response {
        self.staff("hq", method, path, key, body).await
    }

    /// A new count of what there is on a shelf.
    pub async fn count(&self, shelf: &str, units: i64) {
        let stock = self.staff("logistics", Method::GET, shelf, "", &Value::Null).await.expect_status(200);
        let tag = stock.header("etag").expect("an ETag");
        let headers = [("x-api-key", self.keys["logistics"].as_str()), ("if-match", tag), ("idempotency-key", tag)];
        self.ask(Method::PUT, shelf, &headers, &json!({"on_hand": units})).await.expect_status(200);
    }

    pub async fn report(&self, query: &str) -> Value {
        let path = format!("/api/v1/reports/{query}");
        self.hq(Method::GET, &path, "", &Value::Null).await.expect_status(200).json()
    }

    /// All pages of a list.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let page = self.hq(Method::GET, &format!("{path}&limit=200{after}"), "", &Value::Null).await;
            let page = page.expect_status(200).json();
            all.extend(page["data"].as_array().expect("a list").iter().cloned());
            let Some(cursor) = page["next_cursor"].as_str() else { return all };
            after = format!("&after={cursor}");
        }
    }

    pub async fn wait(&self, what: &str, mut condition: impl AsyncFnMut() -> bool) {
        let began = Instant::now();
        while !condition().await {
            assert!(began.elapsed() < PATIENCE, "never happened: {what}");
            tokio::time::sleep(PAUSE).await;
        }
    }
}
