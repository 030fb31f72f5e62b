//! The first request of a version. Nobody knows yet what it does with one, so that both the time
//! that the answer takes and its length are bounded.

use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use wasmtime_wasi_http::WasiBody;

use crate::component::{Refusal, Stage};
use crate::generation::{Generation, RequestFate, StartFailed};
use crate::lifecycle::{FAILED_ON_START, did_not_start};
use crate::limits::MAX_PROBE_BODY_BYTES;

/// Sends the probe and reads its answer to the end, both within the timeout.
pub async fn first_request(generation: &Generation, shard: usize, timeout: Duration) -> Result<StatusCode, Refusal> {
    let _in_flight = generation.enter();
    let fate = Arc::new(RequestFate::default());
    match tokio::time::timeout(timeout, exchange(generation, shard, &fate)).await {
        Ok(status) => status,
        Err(_) if !fate.is_taken() => Err(Refusal::new(Stage::Instantiate, did_not_start(timeout))),
        Err(_) => Err(refuse(anyhow!(
            "`GET /health` was not answered to its end within {timeout:?}: answer it without waiting for others, or \
             raise `--request-timeout-ms`"
        ))),
    }
}

async fn exchange(generation: &Generation, shard: usize, fate: &Arc<RequestFate>) -> Result<StatusCode, Refusal> {
    let request = request().map_err(refuse)?;
    let response = generation.handle(shard, fate.clone(), request).await.map_err(|error| {
        if let Some(failed) = error.downcast_ref::<StartFailed>() {
            let cause = anyhow!("{}", failed.reason).context(FAILED_ON_START);
            return Refusal { stage: Stage::Instantiate, cause, transient: failed.no_room };
        }
        let reason = fate.fault().map_or_else(|| format!("{error:#}"), ToOwned::to_owned);
        refuse(anyhow!(reason).context("the component failed its first request, `GET /health`"))
    })?;
    let status = response.status();
    let body = Limited::new(response.into_body(), MAX_PROBE_BODY_BYTES).collect().await;
    match (fate.fault(), body) {
        (None, Ok(_)) => Ok(status),
        (None, Err(error)) if error.is::<LengthLimitError>() => Err(refuse(anyhow!(
            "the answer to `GET /health` is longer than {MAX_PROBE_BODY_BYTES} bytes: answer it with a short text"
        ))),
        (Some(fault), _) => Err(broke_off(fault)),
        (None, Err(error)) => Err(broke_off(&error.to_string())),
    }
}

fn refuse(cause: anyhow::Error) -> Refusal {
    Refusal::new(Stage::Probe, cause)
}

fn broke_off(reason: &str) -> Refusal {
    refuse(anyhow!("{reason}").context("the answer to `GET /health` broke off"))
}

/// Why a version that answered is not taken.
pub fn unhealthy(status: StatusCode) -> anyhow::Error {
    anyhow!("`GET /health` was answered with {status}: see the component's log lines for what it misses")
}

fn request() -> anyhow::Result<Request<WasiBody>> {
    let body = Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync();
    Ok(Request::get("http://probe.invalid/health").header(http::header::HOST, "probe.invalid").body(body)?)
}
