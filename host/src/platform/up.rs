//! `comptoir up`: starts the cluster, the services and the gateway in this order, says when all is
//! ready, and stops them in reverse. What runs a service is the same code as in `comptoir serve`.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use http::HeaderValue;
use http::uri::Authority;
use tokio_util::sync::CancellationToken;

use super::cluster::{Cluster, Durability, Settings};
use super::directory::{Directory, Secrets};
use super::gateway::{Gateway, Running};
use crate::cli::UpArgs;
use crate::config::{self, AdminConfig, Database, HostConfig, ServiceConfig};
use crate::host::Host;
use crate::identity::Trust;
use crate::metrics::Metrics;
use crate::outbound::Peers;
use crate::server::Listeners;
use crate::service::Service;
use crate::signal::Shutdown;

/// Connections of Postgres beyond those of the services' pools: migrations, operators.
const SPARE_CONNECTIONS: usize = 40;
/// Compiling a component that is not in the cache takes seconds.
const LOAD_TIMEOUT: Duration = Duration::from_secs(180);

/// A service of the platform.
struct Definition {
    name: &'static str,
    /// One host each; the first is on the service's own port.
    ports: &'static [u16],
    /// The names that it may call, each with the service behind it.
    peers: &'static [(&'static str, &'static str)],
    /// The platform's secrets that it may ask for.
    secrets: &'static [&'static str],
}

const SERVICES: &[Definition] = &[
    Definition { name: "products", ports: &[8001], peers: &[], secrets: &[] },
    Definition { name: "inventory", ports: &[8002], peers: &[], secrets: &[] },
    Definition {
        name: "reports",
        ports: &[8003],
        peers: &[
            ("products", "products"),
            ("inventory", "inventory"),
            ("sales", "sales"),
            ("customers", "customers"),
            ("orders", "orders"),
            ("cart", "cart"),
            ("checkout", "checkout"),
        ],
        secrets: &[],
    },
    Definition {
        name: "sales",
        ports: &[8004],
        peers: &[("products", "products"), ("inventory", "inventory")],
        secrets: &[],
    },
    Definition { name: "customers", ports: &[8005], peers: &[], secrets: &["token-key"] },
    Definition { name: "cart", ports: &[8007, 8017, 8027], peers: &[("products", "products")], secrets: &[] },
    Definition {
        name: "orders",
        ports: &[8006],
        peers: &[("inventory", "inventory"), ("checkout", "checkout")],
        secrets: &[],
    },
    Definition {
        name: "checkout",
        ports: &[8008],
        peers: &[
            ("products", "products"),
            ("inventory", "inventory"),
            ("customers", "customers"),
            ("cart", "cart"),
            ("orders", "orders"),
            ("sales", "sales"),
            // The payment provider, in production another company's; here its simulator, which checkout brings along.
            ("payments", "checkout"),
        ],
        secrets: &[],
    },
];

/// The host names of the compose file, which `kong.yml` uses.
fn host_name(service: &str, replica: usize) -> String {
    if replica == 0 { format!("{service}-service") } else { format!("{service}-service-{}", replica + 1) }
}

/// Runs the platform until SIGINT or SIGTERM.
pub async fn up(args: UpArgs) -> Result<()> {
    let mut shutdown = Shutdown::listen()?;
    let platform = tokio::select! {
        platform = Platform::start(&args) => platform?,
        () = shutdown.asked() => {
            say("stopped before the platform was ready");
            return Ok(());
        }
    };
    platform.announce();
    shutdown.asked().await;
    say("stopping: requests in flight finish first; Ctrl-C again cuts them off");
    platform.stop(&shutdown.hurry()).await
}

struct Platform {
    directory: Directory,
    cluster: Cluster,
    host: Host,
    gateway: Running,
}

impl Platform {
    async fn start(args: &UpArgs) -> Result<Self> {
        // First: an address that somebody else has is told at once, and a free port is not taken meanwhile.
        let gateway = Listeners::bind(args.gateway, args.process.shards())?;
        let listeners = listen(args)?;
        let directory = Directory::open(&args.directory)?;
        let hosts: usize = SERVICES.iter().map(|service| service.ports.len()).sum();
        say(&format!("postgres: starting a private cluster in {}", directory.postgres().display()));
        let cluster = Cluster::start(Settings {
            directory: directory.postgres(),
            secrets: directory.secrets_directory(),
            port: args.postgres_port,
            durability: Durability::Durable,
            max_connections: u32::try_from(hosts * args.limits.database_connections + SPARE_CONNECTIONS)?,
        })
        .await?;
        say(&format!("postgres: ready on port {} (pid {})", cluster.port(), cluster.pid().unwrap_or_default()));

        let metrics = Arc::new(Metrics::new()?);
        let addresses: Vec<Vec<SocketAddr>> =
            listeners.iter().map(|replicas| replicas.iter().map(Listeners::address).collect()).collect();
        let config = host_config(args, &directory, &cluster, &addresses).await?;
        for service in &config.services {
            if !service.component.is_file() {
                bail!("there is no component at {}: `make components` builds it", service.component.display());
            }
        }
        let host = Host::start(config, listeners.into_iter().flatten().collect(), metrics.clone()).await?;
        if let Err(error) = all_loaded(&host).await {
            host.stop(&CancellationToken::new()).await;
            return Err(error);
        }
        let gateway = start_gateway(args, gateway, directory.secrets(), &host, &metrics)?;
        Ok(Self { directory, cluster, host, gateway })
    }

    fn announce(&self) {
        let keys = self.directory.secrets_directory();
        say(&format!("gateway: http://{}/", self.gateway.address()));
        if let Some(admin) = self.host.admin() {
            let token = keys.join("admin-token");
            say(&format!(
                "admin:   http://{admin}/  (a page; /metrics, /ready, /components; token: {})",
                token.display()
            ));
        }
        if let Some(key) = self.directory.secrets().staff.get("hq") {
            say(&format!("staff key (head office), for `X-API-Key`: {}", key.reveal()));
        }
        say(&format!("more keys: {}/key-*; Ctrl-C stops everything", keys.display()));
        say("ready");
    }

    async fn stop(self, hurry: &CancellationToken) -> Result<()> {
        self.gateway.stop(hurry).await?;
        self.host.stop(hurry).await;
        self.cluster.stop().await?;
        say("stopped");
        Ok(())
    }
}

/// Every replica of every service, in the order of `SERVICES`.
fn listen(args: &UpArgs) -> Result<Vec<Vec<Listeners>>> {
    let bind = |&port: &u16| {
        let port = if args.free_ports { Some(0) } else { port.checked_add(args.port_offset) };
        let port = port.context("--port-offset leads beyond port 65535")?;
        Listeners::bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port), args.process.shards())
    };
    SERVICES.iter().map(|service| service.ports.iter().map(bind).collect()).collect()
}

/// Every replica of every service, with a database and a role per service.
async fn host_config(
    args: &UpArgs,
    directory: &Directory,
    cluster: &Cluster,
    addresses: &[Vec<SocketAddr>],
) -> Result<HostConfig> {
    let secrets = directory.secrets();
    let limits = Arc::new(args.limits.clone());
    let mut services = Vec::new();
    for (definition, replicas) in SERVICES.iter().zip(addresses) {
        let database = cluster.ensure_database(definition.name).await?;
        let granted: config::Secrets = definition
            .secrets
            .iter()
            .map(|&name| Ok((name.to_owned(), secrets.of_services.get(name).context("a secret is there")?.clone())))
            .collect::<Result<_>>()?;
        for (replica, &listen) in replicas.iter().enumerate() {
            let served_by = match definition.ports {
                [_] => definition.name.to_owned(),
                _ => format!("{}-{}", definition.name, replica + 1),
            };
            services.push(ServiceConfig {
                name: definition.name.to_owned(),
                served_by: HeaderValue::try_from(served_by)?,
                component: args.components.join(format!("{}.wasm", definition.name)),
                watch: true,
                listen,
                database: Some(Database(database.options())),
                peers: peers(definition, addresses)?,
                trust: Trust { gateway: Some(secrets.gateway.clone()), service: Some(secrets.service.clone()) },
                secrets: Arc::new(granted.clone()),
                limits: limits.clone(),
                spans: args.spans.clone(),
            });
        }
    }
    Ok(HostConfig {
        services,
        admin: Some(AdminConfig { listen: args.admin, token: Some(secrets.admin_token.clone()) }),
        cache: directory.cache(),
        shards: args.process.shards(),
        grace: args.process.grace(),
        limits,
    })
}

/// The first replica of each service that this one may call, by the name that it calls it by.
fn peers(definition: &Definition, addresses: &[Vec<SocketAddr>]) -> Result<Peers> {
    let mut peers = Peers::new();
    for (name, behind) in definition.peers {
        let index = SERVICES.iter().position(|service| service.name == *behind).context("a peer is a service")?;
        let address = addresses.get(index).and_then(|replicas| replicas.first()).context("a service has a port")?;
        let authority: Authority = address.to_string().parse()?;
        peers.insert((*name).to_owned(), authority);
    }
    Ok(peers)
}

async fn all_loaded(host: &Host) -> Result<()> {
    for service in host.services() {
        loaded(service).await?;
    }
    Ok(())
}

/// Waits until the service has its component, or says why it has not.
async fn loaded(service: &Arc<Service>) -> Result<()> {
    say(&format!("{}: loading {}", service.replica(), file_name(&service.config().component)));
    let attempt = tokio::time::timeout(LOAD_TIMEOUT, service.first_attempt())
        .await
        .with_context(|| format!("{} did not load within {LOAD_TIMEOUT:?}", service.replica()))?;
    match attempt {
        Ok(generation) => {
            let digest = generation.digest().short();
            say(&format!("{}: http://{}/ (digest {digest})", service.replica(), service.config().listen));
            Ok(())
        }
        Err(refusal) => bail!("{}: refused at stage `{}`: {}", service.replica(), refusal.stage, refusal.message),
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn start_gateway(
    args: &UpArgs,
    listeners: Listeners,
    secrets: &Secrets,
    host: &Host,
    metrics: &Metrics,
) -> Result<Running> {
    let mut addresses = HashMap::new();
    let mut replicas = BTreeMap::new();
    for (service, address) in host.services().iter().zip(host.addresses()) {
        let replica = replicas.entry(service.name()).or_insert(0_usize);
        addresses.insert(host_name(service.name(), *replica), Authority::try_from(address.to_string())?);
        *replica += 1;
    }
    // Their ports in the file are those of compose.
    let locate = |host: &str, _| addresses.get(host).cloned();
    let gateway = Gateway::load(&args.kong, &secrets.placeholders(), &locate, metrics.registry())?;
    tracing::debug!(routes = gateway.routes().join(" "), "the gateway's routes");
    Ok(Running::start(&gateway, listeners, &host.platform().shards, args.process.grace()))
}

/// Progress for the person who typed the command.
#[expect(clippy::print_stderr, reason = "part of the command's interface, not a log line")]
fn say(line: &str) {
    eprintln!("{line}");
}
