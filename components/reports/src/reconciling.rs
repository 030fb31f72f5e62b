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
use sdk::{Context, DbError, Isolation, Tx, log};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::audit;
use crate::clients;
use crate::domain::{GRACE_S, Source};
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
#[derive(Clone, Debug, Default)]
pub struct Findings {
    pub broken: Vec<Broken>,
    /// Services that did not say whether their data is right.
    pub unavailable: Vec<Source>,
    /// Rules about feeds that were never read to their end.
    pub unchecked: Vec<&'static str>,
    /// What every feed knows, in the snapshot that was looked at.
    pub views: Vec<View>,
}

impl Findings {
    /// How often each rule is broken: those of a service together, and none of one that did not answer.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        let names = RULES.iter().map(|rule| rule.invariant).filter(|invariant| !self.unchecked.contains(invariant));
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
    // Nobody is asked while a snapshot is held.
    let audits = join_all(Source::ALL.iter().map(|service| clients::audit(&context.http, *service))).await;
    let look = |tx: Tx| async move { look(&tx).await };
    let mut findings = context.db.transaction_with(Isolation::RepeatableRead, look).await?;
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

async fn look(tx: &Tx) -> Result<Findings, DbError> {
    let epoch = store::live(tx).await?;
    let mut findings = Findings { views: feeds::views(tx, epoch).await?, ..Findings::default() };
    for rule in RULES {
        let Some(until) = settled_until(rule, &findings.views) else {
            findings.unchecked.push(rule.invariant);
            continue;
        };
        for offender in rules::offenders(tx, rule, epoch, until).await? {
            let (invariant, detail) = (rule.invariant.to_owned(), rule.detail.to_owned());
            findings.broken.push(Broken { invariant, offender, detail });
        }
    }
    for rule in audit::RULES {
        for offender in rules::own_offenders(tx, rule).await? {
            let violation = Violation { invariant: rule.invariant.to_owned(), offender };
            findings.broken.push(of_service("reports", violation));
        }
    }
    Ok(findings)
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
