//! What happens to a request and its answer on the way: the plugins of Kong that `kong.yml` uses,
//! with Kong's own rules for which of them runs ([`Plugins::over`]) and in which order ([`super::proxy`]).
//! A plugin that is not here is a mistake in the file.

use std::sync::Arc;

use super::config::Ids;
use super::document::Section;

mod authentication;
mod correlation;
mod cors;
mod rate_limit;
mod token;
mod transformer;

pub use self::authentication::{Acl, Consumer, Consumers, KeyAuth, KeyError};
pub use self::correlation::CorrelationId;
pub use self::cors::Cors;
pub use self::rate_limit::{Allowance, RateLimit};
pub use self::token::{Jwt, TokenError};
pub use self::transformer::Transformer;

/// Whatever is not given does not run.
#[derive(Clone, Debug, Default)]
pub struct Plugins {
    pub correlation_id: Option<Arc<CorrelationId>>,
    pub cors: Option<Arc<Cors>>,
    pub key_auth: Option<Arc<KeyAuth>>,
    pub jwt: Option<Jwt>,
    /// Bytes of a request's body at most.
    pub size_limit: Option<u64>,
    pub acl: Option<Arc<Acl>>,
    pub rate_limit: Option<Arc<RateLimit>>,
    pub transformer: Option<Arc<Transformer>>,
    pub prometheus: Option<Prometheus>,
}

/// Which groups of metrics are counted.
#[derive(Clone, Copy, Debug)]
pub struct Prometheus {
    pub status_codes: bool,
    pub latency: bool,
    pub upstream_health: bool,
}

impl Plugins {
    /// The `plugins` of a route, of a service or of everything.
    pub fn read(parent: &mut Section<'_>, ids: &Ids) -> Self {
        let mut plugins = Self::default();
        let mut seen: Vec<String> = Vec::new();
        for mut section in parent.sections("plugins", "name") {
            ids.claim(&mut section);
            section.only("enabled", true);
            section.ignore(&[
                ("tags", "labels for people"),
                ("protocols", "the gateway speaks plain HTTP only"),
                ("instance_name", "a label for people"),
            ]);
            let Some(name) = section.required::<String>("name") else { continue };
            if seen.contains(&name) {
                section.mistake(format!("the plugin {name} is given twice here"));
            }
            if let Some(mut config) = section.section("config") {
                plugins.read_one(&name, &mut config);
                config.finish();
            } else {
                section.mistake("`config` is missing");
            }
            section.finish();
            seen.push(name);
        }
        plugins
    }

    fn read_one(&mut self, name: &str, config: &mut Section<'_>) {
        match name {
            "correlation-id" => self.correlation_id = CorrelationId::read(config).map(Arc::new),
            "cors" => self.cors = Cors::read(config).map(Arc::new),
            "key-auth" => self.key_auth = KeyAuth::read(config).map(Arc::new),
            "jwt" => self.jwt = Some(Jwt::read(config)),
            "request-size-limiting" => self.size_limit = read_size_limit(config),
            "acl" => self.acl = Acl::read(config).map(Arc::new),
            "rate-limiting" => self.rate_limit = RateLimit::read(config).map(Arc::new),
            "request-transformer" => self.transformer = Transformer::read(config).map(Arc::new),
            "prometheus" => self.prometheus = Prometheus::read(config),
            _ => config.mistake(format!("the plugin {name} is not implemented by the gateway of `comptoir up`")),
        }
    }

    /// These where they are given, else the more general ones. As in Kong, a plugin runs once, with the configuration
    /// that is closest to the route; configurations are not merged.
    #[must_use]
    pub fn over(&self, general: &Self) -> Self {
        Self {
            correlation_id: self.correlation_id.clone().or_else(|| general.correlation_id.clone()),
            cors: self.cors.clone().or_else(|| general.cors.clone()),
            key_auth: self.key_auth.clone().or_else(|| general.key_auth.clone()),
            jwt: self.jwt.or(general.jwt),
            size_limit: self.size_limit.or(general.size_limit),
            acl: self.acl.clone().or_else(|| general.acl.clone()),
            rate_limit: self.rate_limit.clone().or_else(|| general.rate_limit.clone()),
            transformer: self.transformer.clone().or_else(|| general.transformer.clone()),
            prometheus: self.prometheus.or(general.prometheus),
        }
    }
}

fn read_size_limit(config: &mut Section<'_>) -> Option<u64> {
    config.only("require_content_length", false);
    let size: u64 = config.required("allowed_payload_size")?;
    let unit: String = config.required("size_unit")?;
    let bytes = match unit.as_str() {
        "bytes" => 1,
        "kilobytes" => 1 << 10,
        "megabytes" => 1 << 20,
        _ => {
            config.mistake(format!("`size_unit` is bytes, kilobytes or megabytes, not {unit}"));
            return None;
        }
    };
    size.checked_mul(bytes)
}

impl Prometheus {
    fn read(config: &mut Section<'_>) -> Option<Self> {
        config.only("per_consumer", false);
        config.ignore(&[("bandwidth_metrics", "the hosts behind count their own bytes")]);
        Some(Self {
            status_codes: config.required("status_code_metrics")?,
            latency: config.required("latency_metrics")?,
            upstream_health: config.required("upstream_health_metrics")?,
        })
    }
}
