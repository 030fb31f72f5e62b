//! `comptoir serve`: one component, until a signal.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use comptoir_postgres::PgConnectOptions;
use http::HeaderValue;
use http::uri::Authority;

use crate::cli::ServeArgs;
use crate::config::{self, AdminConfig, ConfigErrors, Database, HostConfig, Secrets, ServiceConfig};
use crate::engine::MAX_MEMORY_BYTES;
use crate::host::Host;
use crate::identity::{Secret, Trust};
use crate::metrics::Metrics;
use crate::server::Listeners;
use crate::signal::Shutdown;

const DEFAULT_ADMIN_PORT: u16 = 9464;

/// Serves until SIGINT or SIGTERM.
pub async fn run(args: ServeArgs) -> Result<()> {
    let config = config(args)?;
    let metrics = Arc::new(Metrics::new()?);
    let mut shutdown = Shutdown::listen()?;
    let listeners = config.services.iter().map(|service| Listeners::bind(service.listen, config.shards));
    let listeners = listeners.collect::<Result<_>>()?;
    let host = Host::start(config, listeners, metrics).await?;
    let (Some(service), Some(address)) = (host.services().first(), host.addresses().first()) else {
        bail!("a host serves one component");
    };
    tokio::select! {
        attempt = service.first_attempt() => match attempt {
            // Loaded, or waiting for a database that is away: requests are answered either way.
            Ok(_) => announce(*address),
            Err(refusal) if refusal.transient => announce(*address),
            Err(refusal) => {
                host.stop(&shutdown.hurry()).await;
                bail!("refused at stage `{}`: {}", refusal.stage, refusal.message);
            }
        },
        () = shutdown.asked() => {
            host.stop(&shutdown.hurry()).await;
            return Ok(());
        }
    }
    if let Some(admin) = host.admin() {
        tracing::info!(%admin, "admin port");
    }
    shutdown.asked().await;
    tracing::info!("stopping");
    host.stop(&shutdown.hurry()).await;
    Ok(())
}

/// The line that people and programs wait for.
#[expect(clippy::print_stderr, reason = "part of the command's interface, not a log line")]
pub fn announce(address: SocketAddr) {
    eprintln!("Serving HTTP on http://{address}/");
}

fn config(args: ServeArgs) -> Result<HostConfig, ConfigErrors> {
    let mut errors = ConfigErrors::default();
    let name = args.name.clone().or_else(|| Some(name_after(args.component.file_stem()?.to_str()?)));
    let name = errors.take(name.context("the component's file has no name: give one with --name").and_then(check_name));
    if !args.component.is_file() {
        errors.push(format_args!("there is no component at {}", args.component.display()));
    }
    let served_by = args.served_by.clone().or_else(|| name.clone()).unwrap_or_default();
    let served_by = errors.take(HeaderValue::from_str(&served_by).context("--served-by cannot be a header"));
    let database = errors.take(database(&args)).flatten();
    let mut peers = crate::outbound::Peers::new();
    for peer in args.peers.iter().filter(|peer| !peer.is_empty()) {
        if let Some((name, authority)) = errors.take(parse_peer(peer)) {
            peers.insert(name, authority);
        }
    }
    let mut secrets = Secrets::new();
    for secret in args.secrets.iter().filter(|secret| !secret.is_empty()) {
        if let Some((name, secret)) = errors.take(parse_secret(secret)) {
            secrets.insert(name, secret);
        }
    }
    let mut secret = |path: &Option<PathBuf>| path.as_deref().and_then(|path| errors.take(Secret::read(path)));
    let trust = Trust { gateway: secret(&args.gateway_secret_file), service: secret(&args.service_secret_file) };
    let token = secret(&args.admin_token_file);
    if args.limits.max_memory_bytes > MAX_MEMORY_BYTES {
        errors.push(format_args!("--max-memory-bytes is at most {MAX_MEMORY_BYTES}"));
    }
    let cache = errors.take(args.cache.clone().map_or_else(default_cache, Ok));
    let limits = Arc::new(args.limits.clone());
    let config = (|| {
        Some(HostConfig {
            services: vec![ServiceConfig {
                name: name?,
                served_by: served_by?,
                component: args.component,
                watch: !args.no_watch,
                listen: args.listen,
                database,
                peers,
                trust,
                secrets: Arc::new(secrets),
                limits: limits.clone(),
                spans: args.spans.clone(),
            }],
            admin: Some(AdminConfig { listen: admin_address(args.admin, args.listen), token }),
            cache: cache?,
            shards: args.process.shards(),
            grace: args.process.grace(),
            limits,
        })
    })();
    errors.into_result(config)
}

/// Who lets the kernel choose the one port does not want to collide with another host on the other.
fn admin_address(given: Option<SocketAddr>, listen: SocketAddr) -> SocketAddr {
    let port = if listen.port() == 0 { 0 } else { DEFAULT_ADMIN_PORT };
    given.unwrap_or(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port))
}

fn database(args: &ServeArgs) -> Result<Option<Database>> {
    let Some(url) = &args.database_url else { return Ok(None) };
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        bail!("--database-url is not of the form postgres://user@host:port/database");
    }
    let mut options: PgConnectOptions =
        url.parse().map_err(|_| anyhow!("--database-url is not of the form postgres://user@host:port/database"))?;
    if let Some(path) = &args.database_password_file {
        options = options.password(Secret::read(path)?.reveal());
    }
    Ok(Some(Database(options)))
}

fn parse_peer(peer: &str) -> Result<(String, Authority)> {
    let (name, place) = config::parse_place("--peer", peer)?;
    Ok((check_name(name)?, place))
}

fn parse_secret(secret: &str) -> Result<(String, Secret)> {
    let (name, file) = secret.split_once('=').with_context(|| format!("--secret {secret}: expected NAME=FILE"))?;
    Ok((check_name(name.to_owned())?, Secret::read(Path::new(file))?))
}

/// A file may be called `My.Service.wasm`.
fn name_after(stem: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { '-' };
    stem.chars().map(letter).collect()
}

/// Names are labels, identities, hosts of URLs, and what a component asks for.
fn check_name(name: String) -> Result<String> {
    let valid = !name.is_empty()
        && name.len() <= 63
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_');
    if !valid {
        bail!("`{name}` is no service name: 1 to 63 lower-case letters, digits, hyphens or underscores");
    }
    Ok(name)
}

/// `$XDG_CACHE_HOME/comptoir`, else `~/.cache/comptoir/components`.
fn default_cache() -> Result<PathBuf> {
    if let Some(cache) = std::env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()) {
        return Ok(PathBuf::from(cache).join("comptoir/components"));
    }
    let home = std::env::var_os("HOME").filter(|path| !path.is_empty());
    let home = home.context("no --cache is given and HOME is not set")?;
    Ok(PathBuf::from(home).join(".cache/comptoir/components"))
}
