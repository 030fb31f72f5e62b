//! Whether the books of all services agree: what is wrong with the data of each, by its own word; what breaks the rules
//! that join them; and what reports itself has made of it.
//!
//! A rule that joins services looks at what had happened a minute before the end of what all of them have told:
//! whatever is under way breaks none, and whatever one of them has not told yet neither. What could not be asked or
//! looked at is named, so that an empty list says what it seems to say.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use sdk::audit::Violation;
use sdk::{Context, Db, DbError, log};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::audit;
use crate::clients;
use crate::domain::{Epoch, GRACE_S, Source};
use crate::store::feeds::View;
use crate::store::rules::{self, RULES, Rule};
use crate::store::{self, feeds};

/// Something that breaks a rule.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Broken {
    /// A rule of a service's own has its name before it.
    #[schema(example = "paid-order-has-one-sale")]
    pub invariant: String,
    /// What breaks it.
    #[schema(value_type = Object)]
    pub offender: serde_json::Value,
    #[schema(example = "the order is paid, and has no sale or more than one")]
    pub detail: String,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Findings {
    /// What was looked at.
    pub epoch: Epoch,
    pub broken: Vec<Broken>,
    /// Services that did not say whether their data is right.
    pub unavailable: Vec<Source>,
    /// Rules about feeds that were never read to their end, and those that it took too long to look at.
    pub unchecked: Vec<String>,
    /// What every feed knew when it was begun.
    pub views: Vec<View>,
}

impl Findings {
    /// How often each rule is broken: those of a service together, and none of one that did not answer.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        let checked = |invariant: &&str| self.unchecked.iter().all(|unchecked| unchecked != invariant);
        let names = RULES.iter().map(|rule| rule.invariant).filter(checked);
        let services = Source::ALL.iter().filter(|service| !self.unavailable.contains(service));
        let names = names.chain(services.map(|service| service.as_str())).chain(["reports"]);
        let mut counts: BTreeMap<&'static str, usize> = names.map(|name| (name, 0)).collect();
        for Broken { invariant, .. } in &self.broken {
            let name = invariant.split_once('/').map_or(invariant.as_str(), |(service, _)| service);
            if let Some(count) = counts.get_mut(name) {
                *count += 1;
            }
        }
        counts
    }
}

/// Asks everybody, and compares.
///
/// # Errors
/// When the database says no.
pub async fn reconcile(context: &Context) -> Result<Findings, DbError> {
    let audits = join_all(Source::ALL.iter().map(|service| clients::audit(&context.http, *service))).await;
    let mut findings = look(&context.db).await?;
    // Of an epoch that was replaced meanwhile, some rows may be gone.
    while store::live(&context.db).await? != findings.epoch {
        findings = look(&context.db).await?;
    }
    for (service, audit) in Source::ALL.iter().zip(audits) {
        match audit {
            Ok(violations) => {
                let broken = violations.into_iter().map(|violation| of_service(service.as_str(), violation));
                findings.broken.extend(broken);
            }
            Err(reason) => {
                log::warn!("a service was not audited", service = service.as_str(), reason = reason);
                findings.unavailable.push(*service);
            }
        }
    }
    Ok(findings)
}

/// Each rule is a statement, and so looks at one snapshot. Whatever is written meanwhile is later than what it is about.
async fn look(db: &Db) -> Result<Findings, DbError> {
    let epoch = store::live(db).await?;
    let views = feeds::views(db, epoch).await?;
    let mut findings = Findings { epoch, broken: Vec::new(), unavailable: Vec::new(), unchecked: Vec::new(), views };
    for rule in RULES {
        let found = match settled_until(rule, &findings.views) {
            Some(until) => in_time(rules::offenders(db, rule, epoch, until).await)?,
            None => None,
        };
        let broken =
            |offender| Broken { invariant: rule.invariant.to_owned(), offender, detail: rule.detail.to_owned() };
        match found {
            Some(offenders) => findings.broken.extend(offenders.into_iter().map(broken)),
            None => findings.unchecked.push(rule.invariant.to_owned()),
        }
    }
    for rule in audit::RULES {
        let violation = |offender| Violation { invariant: rule.invariant.to_owned(), offender };
        match in_time(rules::own_offenders(db, rule).await)? {
            Some(offenders) => {
                let broken = offenders.into_iter().map(|offender| of_service("reports", violation(offender)));
                findings.broken.extend(broken);
            }
            None => findings.unchecked.push(format!("reports/{}", rule.invariant)),
        }
    }
    Ok(findings)
}

/// None of a rule that takes longer than a statement may: the others are looked at nevertheless.
fn in_time<T>(found: Result<T, DbError>) -> Result<Option<T>, DbError> {
    match found {
        Err(DbError::Timeout) => Ok(None),
        found => found.map(Some),
    }
}

/// A minute before the end of what all sources of the rule have told; a rule of no source in particular is about those
/// that have told anything.
fn settled_until(rule: &Rule, views: &[View]) -> Option<Timestamp> {
    let known: Option<Vec<Timestamp>> = match rule.sources {
        [] => Some(views.iter().filter_map(|view| view.as_of).collect()),
        sources => views.iter().filter(|view| sources.contains(&view.source)).map(|view| view.as_of).collect(),
    };
    let end = known?.into_iter().min()?;
    end.checked_sub(SignedDuration::from_secs(GRACE_S)).ok()
}

fn of_service(service: &str, violation: Violation) -> Broken {
    let Violation { invariant, offender } = violation;
    Broken {
        invariant: format!("{service}/{invariant}"),
        offender,
        detail: format!("{service} breaks a rule of its own"),
    }
}
