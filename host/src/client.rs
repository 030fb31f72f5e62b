//! The commands that talk to a running host's admin port.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::cli::AdminArgs;
use crate::identity::Secret;

/// A swap compiles and drains; a health check must be quick.
const SWAP_TIMEOUT: Duration = Duration::from_secs(300);
const HEALTH_TIMEOUT: Duration = Duration::from_secs(3);

/// Returns what to print.
pub async fn swap(service: &str, component: &Path, admin: &AdminArgs) -> Result<String> {
    let bytes = crate::component::read_file(component)?;
    let answer = change(Method::PUT, &format!("/components/{service}"), bytes.into(), admin).await?;
    Ok(lines(&answer, "swapped", |item| {
        let text = |key: &str| item.get(key).and_then(Value::as_str).unwrap_or_default();
        format!(
            "{}: {} (generation {})",
            text("replica"),
            text("outcome"),
            item.get("generation").unwrap_or(&Value::Null)
        )
    }))
}

/// Returns what to print.
pub async fn rollback(service: &str, admin: &AdminArgs) -> Result<String> {
    let answer = change(Method::POST, &format!("/components/{service}/rollback"), Bytes::new(), admin).await?;
    Ok(lines(&answer, "rolled_back", |item| {
        let replica = item.get("replica").and_then(Value::as_str).unwrap_or_default();
        format!("{replica}: back to generation {}", item.get("generation").unwrap_or(&Value::Null))
    }))
}

/// An error says why the host is not ready.
pub async fn health(admin: SocketAddr) -> Result<()> {
    let request = Request::get(format!("http://{admin}/ready")).body(Full::default())?;
    let (status, body) = send(request, HEALTH_TIMEOUT).await?;
    if status != StatusCode::OK {
        bail!("not ready: {}", String::from_utf8_lossy(&body).trim());
    }
    Ok(())
}

async fn change(method: Method, path: &str, body: Bytes, admin: &AdminArgs) -> Result<Value> {
    let token = Secret::read(&admin.admin_token_file)?;
    let request = Request::builder()
        .method(method)
        .uri(format!("http://{}{path}", admin.admin))
        .header(AUTHORIZATION, format!("Bearer {}", token.reveal()))
        .body(Full::new(body))?;
    let (status, body) = send(request, SWAP_TIMEOUT).await?;
    let answer: Value =
        serde_json::from_slice(&body).context("the host's answer is not JSON: is this its admin port?")?;
    if !status.is_success() {
        let text = |key: &str| answer.get(key).and_then(Value::as_str);
        match text("stage") {
            Some(stage) => bail!(
                "{}: refused at stage `{stage}`: {}\nthe component before goes on serving",
                text("replica").unwrap_or("the host"),
                text("detail").unwrap_or_default()
            ),
            None => bail!("{status}: {}", text("detail").unwrap_or_default()),
        }
    }
    Ok(answer)
}

async fn send(request: Request<Full<Bytes>>, timeout: Duration) -> Result<(StatusCode, Bytes)> {
    let uri = request.uri().clone();
    let call = async {
        let response = Client::builder(TokioExecutor::new()).build_http().request(request).await?;
        let status = response.status();
        Ok::<_, anyhow::Error>((status, response.into_body().collect().await?.to_bytes()))
    };
    tokio::time::timeout(timeout, call)
        .await
        .with_context(|| format!("{uri} did not answer within {timeout:?}"))?
        .with_context(|| format!("cannot reach {uri}: is the host running, and is this its admin port?"))
}

fn lines(answer: &Value, key: &str, line: impl Fn(&Value) -> String) -> String {
    let items = answer.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    items.iter().map(line).collect::<Vec<_>>().join("\n")
}
