//! The command line. Every flag of `serve` and `up` is an environment variable as well; secrets come
//! from files, never from arguments.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::OsStringValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Args, CommandFactory as _, Parser, Subcommand};

use crate::limits::{CompileLimits, Limits};
use crate::spans::SpanArgs;
use crate::telemetry::LogFormat;

/// Runs WASI HTTP components, gives each a Postgres database as a capability, and swaps them
/// without dropping a request.
#[derive(Debug, Parser)]
#[command(name = "comptoir", version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    /// What is logged: a level, or levels by target (`info,guest=debug`)
    #[arg(long, env = "COMPTOIR_LOG", default_value = "info", global = true)]
    pub log: String,

    /// How it is logged, to standard error
    #[arg(long, env = "COMPTOIR_LOG_FORMAT", value_enum, default_value_t = LogFormat::Auto, global = true)]
    pub log_format: LogFormat,

    #[command(subcommand)]
    pub command: Command,
}

/// The command line and the environment. All values that are wrong are told, not the first alone: who
/// mends a container's environment does not want to start it once a mistake.
pub fn parse() -> Result<Cli, clap::Error> {
    Cli::try_parse().map_err(|first| {
        let (kind, mistakes) = (first.kind(), mistakes(&first));
        if mistakes.len() < 2 {
            return first;
        }
        Cli::command().error(kind, format!("{} mistakes:\n  - {}", mistakes.len(), mistakes.join("\n  - ")))
    })
}

/// Asks again, and each time takes the value that was wrong for good.
fn mistakes(first: &clap::Error) -> Vec<String> {
    let mut mistakes = vec![sentence(first)];
    let mut command = Cli::command();
    let mut flag = flag_with_wrong_value(first);
    while let Some(wrong) = flag.take() {
        let tolerant = |arg: Arg| {
            if arg.get_long() == Some(wrong.as_str()) { arg.value_parser(OsStringValueParser::new()) } else { arg }
        };
        command = command.mut_args(tolerant).mut_subcommands(|subcommand| subcommand.mut_args(tolerant));
        let Err(next) = command.clone().try_get_matches() else { break };
        flag = flag_with_wrong_value(&next).filter(|next| *next != wrong);
        mistakes.push(sentence(&next));
    }
    mistakes
}

/// Without its hyphens.
fn flag_with_wrong_value(error: &clap::Error) -> Option<String> {
    match (error.kind(), error.get(ContextKind::InvalidArg)) {
        // `--max-rows <MAX_ROWS>`
        (ErrorKind::ValueValidation | ErrorKind::InvalidValue, Some(ContextValue::String(flag))) => {
            Some(flag.split(' ').next()?.strip_prefix("--")?.to_owned())
        }
        _ => None,
    }
}

/// What is wrong, without how to get help.
fn sentence(error: &clap::Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    text.split("\n\n").next().unwrap_or(text).to_owned()
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serves one component
    Serve(Box<ServeArgs>),
    /// Runs the whole platform in this process: Postgres, every service, the gateway
    Up(Box<UpArgs>),
    /// Runs the gateway alone, in front of hosts that run elsewhere
    Gateway(GatewayArgs),
    /// Replaces a running component: compiled, linked, migrated and probed first; refused if it does not fit
    Swap(SwapArgs),
    /// Puts the previous generation of a component back into service
    Rollback(RollbackArgs),
    /// Tells whether a component would be accepted, without running it
    Check(CheckArgs),
    /// Compiles a component to an artifact; the host runs this itself, in a child process
    Compile(CompileArgs),
    /// Exits 0 when a host is ready to serve; for containers
    Healthcheck {
        /// The host's admin port
        #[arg(long, env = "COMPTOIR_ADMIN", default_value = "127.0.0.1:9464")]
        admin: SocketAddr,
    },
    /// Runs a command with a throw-away Postgres in COMPTOIR_TEST_POSTGRES
    Postgres {
        /// The command and its arguments, after `--`
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
}

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The component, a `.wasm` file; replacing the file replaces the running component
    #[arg(env = "COMPTOIR_COMPONENT")]
    pub component: PathBuf,

    /// The service's name, for metrics, logs and calls to its peers; default: the file's name
    #[arg(long, env = "COMPTOIR_NAME")]
    pub name: Option<String>,

    /// The value of `X-Served-By`, to tell replicas apart; default: the service's name
    #[arg(long, env = "COMPTOIR_SERVED_BY")]
    pub served_by: Option<String>,

    /// Where to listen for requests
    #[arg(long, env = "COMPTOIR_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// Where to listen for operators: a page, /metrics, /live, /ready, /components; default: 127.0.0.1:9464, or
    /// a free port where `--listen` takes one
    #[arg(long, env = "COMPTOIR_ADMIN")]
    pub admin: Option<SocketAddr>,

    /// The component's own database, without a password: postgres://user@host:port/database
    // Whoever gives it with one should not find that in the help.
    #[arg(long, env = "COMPTOIR_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,

    /// A file with the password of the database's user
    #[arg(long, env = "COMPTOIR_DATABASE_PASSWORD_FILE", requires = "database_url")]
    pub database_password_file: Option<PathBuf>,

    /// A service that the component may call, and where it is: products=products-service:8001 (repeatable)
    #[arg(long = "peer", env = "COMPTOIR_PEERS", value_delimiter = ',', value_name = "NAME=HOST:PORT")]
    pub peers: Vec<String>,

    /// A secret that the component may ask for by its name, and the file that it is in:
    /// token-key=/run/secrets/token-key (repeatable)
    #[arg(long = "secret", env = "COMPTOIR_SECRETS", value_delimiter = ',', value_name = "NAME=FILE")]
    pub secrets: Vec<String>,

    /// Leave the running component alone when the file changes
    #[arg(long, env = "COMPTOIR_NO_WATCH")]
    pub no_watch: bool,

    /// The gateway's secret; identity headers count only together with it
    #[arg(long, env = "COMPTOIR_GATEWAY_SECRET_FILE")]
    pub gateway_secret_file: Option<PathBuf>,

    /// The secret that hosts share; proves which service a call comes from
    #[arg(long, env = "COMPTOIR_SERVICE_SECRET_FILE")]
    pub service_secret_file: Option<PathBuf>,

    /// The token that `swap` and `rollback` need; without it the admin port changes nothing
    #[arg(long, env = "COMPTOIR_ADMIN_TOKEN_FILE")]
    pub admin_token_file: Option<PathBuf>,

    /// Where compiled components are kept; default: a folder of this user's in the cache directory
    #[arg(long, env = "COMPTOIR_CACHE")]
    pub cache: Option<PathBuf>,

    #[command(flatten)]
    pub process: ProcessArgs,

    #[command(flatten)]
    pub spans: SpanArgs,

    #[command(flatten)]
    pub limits: Limits,
}

#[derive(Debug, Args)]
pub struct UpArgs {
    /// The folder with the components (products.wasm, cart.wasm, ..)
    #[arg(long, env = "COMPTOIR_COMPONENTS")]
    pub components: PathBuf,

    /// The gateway's configuration
    #[arg(long, env = "COMPTOIR_KONG", default_value = "kong/kong.yml")]
    pub kong: PathBuf,

    /// Where the platform keeps its databases, secrets and compiled components
    #[arg(long, env = "COMPTOIR_DIRECTORY", default_value = ".comptoir")]
    pub directory: PathBuf,

    /// Where the gateway listens
    #[arg(long, env = "COMPTOIR_GATEWAY", default_value = "127.0.0.1:8000")]
    pub gateway: SocketAddr,

    /// Where to listen for operators: a page, /metrics, /live, /ready, /components
    #[arg(long, env = "COMPTOIR_ADMIN", default_value = "127.0.0.1:9464")]
    pub admin: SocketAddr,

    /// Added to the ports of the services (8001 to 8008, 8017, 8027), so that two platforms fit on one
    /// machine; `--gateway` and `--admin` move separately
    #[arg(long, env = "COMPTOIR_PORT_OFFSET", default_value_t = 0)]
    pub port_offset: u16,

    /// Give every listener a free port instead, and print where it is
    #[arg(long, conflicts_with = "port_offset")]
    pub free_ports: bool,

    /// The port of the private Postgres; 0 picks a free one
    #[arg(long, env = "COMPTOIR_POSTGRES_PORT", default_value_t = 0)]
    pub postgres_port: u16,

    #[command(flatten)]
    pub process: ProcessArgs,

    #[command(flatten)]
    pub spans: SpanArgs,

    #[command(flatten)]
    pub limits: Limits,
}

/// Does what Kong would do from the same file, as far as the file goes; a file that says more is refused. Hosts are where
/// their names lead, at the ports of the file.
#[derive(Debug, Args)]
pub struct GatewayArgs {
    /// The configuration, Kong's declarative one, with the secrets in it: `compose/prepare` renders it
    #[arg(env = "COMPTOIR_KONG")]
    pub config: PathBuf,

    /// Where to listen for requests
    #[arg(long, env = "COMPTOIR_LISTEN", default_value = "127.0.0.1:8000")]
    pub listen: SocketAddr,

    /// Where to listen for operators: /metrics, /live, /ready
    #[arg(long, env = "COMPTOIR_ADMIN", default_value = "127.0.0.1:9464")]
    pub admin: SocketAddr,

    /// A host of the configuration that is elsewhere: cart-service-2=127.0.0.1:8017 (repeatable)
    #[arg(long = "target", env = "COMPTOIR_TARGETS", value_delimiter = ',', value_name = "NAME=HOST:PORT")]
    pub targets: Vec<String>,

    #[command(flatten)]
    pub process: ProcessArgs,
}

#[derive(Debug, Args)]
pub struct ProcessArgs {
    /// Threads that serve requests; default: one per core
    #[arg(long, env = "COMPTOIR_SHARDS")]
    pub shards: Option<usize>,

    /// How long a shutdown waits for requests in flight
    #[arg(long, env = "COMPTOIR_GRACE_MS", default_value_t = 20_000)]
    pub grace_ms: u64,
}

impl ProcessArgs {
    pub fn shards(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.shards.unwrap_or_else(cores).max(1)
    }

    pub fn grace(&self) -> Duration {
        Duration::from_millis(self.grace_ms)
    }
}

#[derive(Debug, Args)]
pub struct AdminArgs {
    /// The host's admin port
    #[arg(long, env = "COMPTOIR_ADMIN", default_value = "127.0.0.1:9464")]
    pub admin: SocketAddr,

    /// The host's admin token; the default is where `up` keeps it
    #[arg(long, env = "COMPTOIR_ADMIN_TOKEN_FILE", default_value = ".comptoir/secrets/admin-token")]
    pub admin_token_file: PathBuf,
}

#[derive(Debug, Args)]
pub struct SwapArgs {
    /// The service, all its replicas one after another; or one replica
    pub service: String,
    /// The new component, a `.wasm` file
    pub component: PathBuf,
    #[command(flatten)]
    pub admin: AdminArgs,
}

#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// The service, all its replicas one after another; or one replica
    pub service: String,
    #[command(flatten)]
    pub admin: AdminArgs,
}

#[derive(Debug, Args)]
pub struct CompileArgs {
    /// The component, a `.wasm` file
    pub input: PathBuf,
    /// The artifact
    pub output: PathBuf,
    #[command(flatten)]
    pub limits: CompileLimits,
}

/// A component may import: WASI 0.2 and 0.3 clocks, random numbers, standard output and error, an
/// environment without variables, a file system without directories, `wasi:http` (outbound calls
/// reach the service's peers only); `comptoir:service/{metrics,logging}`; with a database,
/// `comptoir:postgres/client`. Not sockets.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct CheckArgs {
    /// The component, a `.wasm` file
    pub component: PathBuf,
    /// As if it were given no database
    #[arg(long)]
    pub no_database: bool,
    #[command(flatten)]
    pub limits: Limits,
}
