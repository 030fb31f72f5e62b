//! The part of `kong.yml` about replicas and when one of them counts as lost.

use std::time::Duration;

use super::{Ids, LABELS};
use crate::platform::gateway::document::Section;

#[derive(Debug)]
pub struct Upstream {
    pub name: String,
    /// Host names and ports, in turn.
    pub targets: Vec<(String, u16)>,
    pub checks: Option<Checks>,
}

#[derive(Clone, Debug)]
pub struct Checks {
    pub probe: Option<Probe>,
    /// For the answers to probes.
    pub active: Rules,
    /// For the answers to real traffic.
    pub passive: Rules,
}

/// A request that the gateway makes by itself, at these intervals.
#[derive(Clone, Debug)]
pub struct Probe {
    pub path: String,
    pub timeout: Duration,
    pub while_healthy: Duration,
    pub while_unhealthy: Duration,
}

/// How many in a row change what a target counts as. 0: this does not count.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    pub successes: u32,
    pub http_failures: u32,
    pub tcp_failures: u32,
    pub timeouts: u32,
    pub good_statuses: Vec<u16>,
    pub bad_statuses: Vec<u16>,
}

impl Upstream {
    pub fn read_all(root: &mut Section<'_>, ids: &Ids) -> Vec<Self> {
        root.sections("upstreams", "name").into_iter().filter_map(|section| Self::read(section, ids)).collect()
    }

    fn read(mut section: Section<'_>, ids: &Ids) -> Option<Self> {
        ids.claim(&mut section);
        section.only("algorithm", "round-robin".to_owned());
        section.ignore(&[LABELS, ("slots", "there is no ring: targets of equal weight take turns")]);
        let name = section.required("name");
        let checks = section.section("healthchecks").and_then(read_checks);
        let targets = section.sections("targets", "target");
        let targets: Vec<_> = targets.into_iter().filter_map(|target| read_target(target, ids)).collect();
        if targets.is_empty() {
            section.mistake("an upstream needs a target");
        }
        section.finish();
        Some(Self { name: name?, targets, checks })
    }
}

fn read_target(mut section: Section<'_>, ids: &Ids) -> Option<(String, u16)> {
    ids.claim(&mut section);
    section.ignore(&[LABELS]);
    section.only("weight", 100_u32);
    let target = section.required::<String>("target").and_then(|target| {
        let parsed = target.rsplit_once(':').and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)));
        if parsed.is_none() {
            section.mistake(format!("`target` is host:port, not {target}"));
        }
        parsed
    });
    section.finish();
    target
}

fn read_checks(mut section: Section<'_>) -> Option<Checks> {
    section.only("threshold", 0_u32);
    let active = section.section("active").and_then(read_active);
    let passive = section.section("passive").and_then(read_passive);
    section.finish();
    let (probe, active) = active?;
    Some(Checks { probe, active, passive: passive? })
}

fn read_active(mut section: Section<'_>) -> Option<(Option<Probe>, Rules)> {
    section.only("type", "http".to_owned());
    section.ignore(&[("concurrency", "each target is probed by itself")]);
    let path: Option<String> = section.required("http_path");
    let timeout: Option<f64> = section.required("timeout");
    let mut healthy = section.section("healthy")?;
    let while_healthy: Option<f64> = healthy.required("interval");
    let mut unhealthy = section.section("unhealthy")?;
    let while_unhealthy: Option<f64> = unhealthy.required("interval");
    let rules = read_rules(healthy, unhealthy);
    let intervals = (while_healthy?, while_unhealthy?);
    let probe = match intervals {
        (healthy, unhealthy) if healthy > 0.0 && unhealthy > 0.0 => Some(Probe {
            path: path?,
            timeout: Duration::from_secs_f64(timeout?),
            while_healthy: Duration::from_secs_f64(healthy),
            while_unhealthy: Duration::from_secs_f64(unhealthy),
        }),
        (0.0, 0.0) => None,
        _ => {
            section.mistake("both intervals are 0 or none: a target that is out has to be able to come back");
            None
        }
    };
    section.finish();
    Some((probe, rules?))
}

fn read_passive(mut section: Section<'_>) -> Option<Rules> {
    section.only("type", "http".to_owned());
    let (healthy, unhealthy) = (section.section("healthy")?, section.section("unhealthy")?);
    section.finish();
    read_rules(healthy, unhealthy)
}

fn read_rules(mut healthy: Section<'_>, mut unhealthy: Section<'_>) -> Option<Rules> {
    let good_statuses = healthy.required("http_statuses");
    let successes = healthy.required("successes");
    let bad_statuses = unhealthy.required("http_statuses");
    let tcp_failures = unhealthy.required("tcp_failures");
    let timeouts = unhealthy.required("timeouts");
    let http_failures = unhealthy.required("http_failures");
    healthy.finish();
    unhealthy.finish();
    Some(Rules {
        successes: successes?,
        http_failures: http_failures?,
        tcp_failures: tcp_failures?,
        timeouts: timeouts?,
        good_statuses: good_statuses?,
        bad_statuses: bad_statuses?,
    })
}
