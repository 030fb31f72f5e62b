//! A rebuild: everything is built again from the beginning of the feeds, beside what reports are made from; compared
//! with it row for row; and takes its place.
//!
//! Its rows are of another epoch, and written by the very code that writes the live ones ([`crate::consuming`]). Each
//! step is a transaction, and finds out from the database how far it is: whoever comes after a kill goes on there.

use sdk::{Context, DbError, Isolation, Tx, log};

use crate::consuming::{self, Until};
use crate::domain::{Epoch, Source};
use crate::store;
use crate::store::compare::{Comparison, Range, TABLES};
use crate::store::feeds::Which;
use crate::store::rebuilds::{self, Rebuild, Status};

/// How long one run reads. Below the 60 s that a task has, with room for the rest.
const READS_S: i64 = 15;

/// How long rows are compared: in one snapshot, so within the 30 s that a transaction has.
const COMPARES_S: i64 = 20;

/// Rows of a retired epoch that a statement deletes, and statements of a run.
const PURGE_ROWS: i64 = 5_000;
const PURGES: u32 = 20;

/// Takes the next steps of a rebuild, and cleans up after the one before.
///
/// # Errors
/// When the database says no.
pub async fn advance(context: &Context) -> Result<(), DbError> {
    clean_up(context).await?;
    let Some(rebuild) = rebuilds::unfinished(&context.db).await? else { return Ok(()) };
    let until = Until::of(context, jiff::SignedDuration::from_secs(READS_S));
    consuming::follow_all(context, Source::ALL, Which::Building, until).await?;
    if rebuild.status == Status::Building {
        let Some(comparison) = compare(context, rebuild.epoch).await? else { return Ok(()) };
        rebuilds::compared(&context.db, rebuild.id, &comparison, context.clock.now()).await?;
        tell(&comparison);
    }
    switch(context, &rebuild).await
}

/// Row for row, in a snapshot in which both are at the same place of every feed; none while they are not.
async fn compare(context: &Context, rebuilt: Epoch) -> Result<Option<Comparison>, DbError> {
    let until = Until::of(context, jiff::SignedDuration::from_secs(COMPARES_S));
    let compare = |tx: Tx| async move {
        let live = store::live(&tx).await?;
        let progress = rebuilds::progress(&tx, live, rebuilt).await?;
        if progress.iter().any(|feed| !feed.level) {
            return Ok(None);
        }
        let mut found = Comparison { complete: true, ..Comparison::default() };
        for table in TABLES {
            let mut range = Range::default();
            loop {
                if until.is_over(context) {
                    found.complete = false;
                    return Ok(Some(found));
                }
                range = table.next(&tx, live, &range).await?;
                table.compare(&tx, [live, rebuilt], &range, &mut found).await?;
                if range.is_last() {
                    break;
                }
            }
        }
        Ok(Some(found))
    };
    context.db.transaction_with(Isolation::RepeatableRead, compare).await
}

fn tell(comparison: &Comparison) {
    let Comparison { complete, compared, differing, .. } = comparison;
    if *differing > 0 {
        log::error!("a rebuild differs from what it replaces", rows = differing, compared = compared);
    } else {
        log::info!("a rebuild was compared", compared = compared, complete = complete);
    }
}

async fn switch(context: &Context, rebuild: &Rebuild) -> Result<(), DbError> {
    let now = context.clock.now();
    let switched = context.db.transaction(|tx| async move { rebuilds::switch(&tx, rebuild, now).await }).await?;
    if switched {
        log::info!("reports are made from a rebuild", rebuild = rebuild.id, epoch = rebuild.epoch);
    }
    Ok(())
}

/// Deletes what is left of an epoch that was replaced, in pieces.
async fn clean_up(context: &Context) -> Result<(), DbError> {
    let Some(epoch) = rebuilds::retired(&context.db).await? else { return Ok(()) };
    for _ in 0..PURGES {
        if rebuilds::purge(&context.db, epoch, PURGE_ROWS).await? == 0 {
            break;
        }
    }
    Ok(())
}
