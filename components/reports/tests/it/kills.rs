//! Exactly once: two replicas and workers that are killed at every moment, answers that are lost and cut off.

use std::pin::pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::Poll;

use futures_util::future::join_all;
use reports::domain::Source;
use sdk::testing::{Fault, Moment};

use crate::business::{Business, Deal, Item, product, stock};
use crate::support::{Town, assert_same};

/// Each product of a test has one event.
static PRODUCTS: AtomicI64 = AtomicI64::new(1);

/// Something of everything that becomes rows.
fn business(sales: i64) -> Business {
    let mut business = Business::default();
    let first = PRODUCTS.fetch_add(sales, Ordering::Relaxed);
    for number in first..first + sales {
        let item = Item::of(1 + number % 7, 1 + number % 3, 299);
        let mut deal = Deal::of("2026-11-24T15:00:00Z", 1 + number % 5, vec![item]);
        if number % 4 == 0 {
            (deal.channel, deal.cashier, deal.cash) = ("online", None, false);
        }
        let mut made = business.sell(&deal);
        match number % 5 {
            0 => {
                business.bring_back(&mut made, &[1], 1, deal.at);
            }
            1 if deal.channel == "store" => business.void(made, deal.at),
            _ => {}
        }
        business.events.push((Source::Products, product(number, 1, "x")));
        business.events.push((Source::Inventory, stock((1, number), 1, number, number, "normal", "opening/1")));
    }
    business
}

/// Runs a future until it has been polled so often, and drops it then: false, if it was through before.
async fn killed(future: impl Future<Output = ()>, polls: u32) -> bool {
    let (mut future, mut count) = (pin!(future), 0);
    std::future::poll_fn(move |cx| {
        if count == polls {
            return Poll::Ready(true);
        }
        count += 1;
        future.as_mut().poll(cx).map(|()| false)
    })
    .await
}

async fn consume(context: sdk::Context) {
    reports::tasks::consume(context).await.unwrap();
}

#[tokio::test]
async fn whoever_is_killed_has_written_a_page_or_nothing() {
    let business = business(40);
    let plain = Town::open().await;
    plain.tell_all(&business.events);
    plain.consume().await;
    let expected = plain.tables().await;

    let town = Town::open().await;
    let (mut events, mut polls) = (business.events.iter(), 1);
    loop {
        // A few at a time, so that there is something to write at each kill.
        events.by_ref().take(3).for_each(|(source, event)| town.tell(*source, event.clone()));
        let killed = killed(consume(town.app.context().clone()), polls).await;
        if events.len() == 0 && !killed {
            break;
        }
        polls = if killed { polls + 1 } else { 1 };
    }
    town.consume().await;
    assert_same(&town.tables().await, &expected);
    for source in [Source::Sales, Source::Orders, Source::Products, Source::Inventory] {
        let told = business.events.iter().filter(|(of, _)| *of == source).count();
        assert_eq!(town.feed(source).await["consumed"], told, "{source:?}");
    }
    town.audited().await;
}

#[tokio::test]
async fn of_two_who_have_read_a_page_one_writes_it() {
    let business = business(60);
    let plain = Town::open().await;
    plain.tell_all(&business.events);
    plain.consume().await;

    let town = Town::open().await;
    let replica = town.replica();
    town.app.warm_up().await;
    for part in business.events.chunks(20) {
        town.tell_all(part);
        let workers = [town.app.context(), replica.context(), town.app.context(), replica.context()];
        join_all(workers.map(|context| tokio::spawn(consume(context.clone()))))
            .await
            .into_iter()
            .for_each(Result::unwrap);
    }
    assert_same(&town.tables().await, &plain.tables().await);
    town.audited().await;
}

#[tokio::test]
async fn a_page_that_comes_when_somebody_else_has_written_it_is_dropped() {
    let town = Town::open().await;
    town.tell_all(&business(5).events);
    for source in [Source::Sales, Source::Orders] {
        let trap = town.client.set_trap(source.as_str(), "/events", Moment::After);
        let slow = tokio::spawn(consume(town.app.context().clone()));
        trap.sprung().await;
        town.consume().await;
        let consumed = town.feed(source).await["consumed"].clone();
        assert!(consumed.as_i64() > Some(0));
        trap.let_go();
        slow.await.unwrap();
        assert_eq!(town.feed(source).await["consumed"], consumed);
        town.tell_all(&business(1).events);
    }
    town.consume().await;
    assert_eq!(town.count("select count(*) from repeats").await, 0);
    town.audited().await;
}

#[tokio::test]
async fn whatever_happens_to_an_answer_it_is_asked_for_again() {
    let town = Town::open().await;
    for fault in [Fault::Down, Fault::LoseAnswer, Fault::Status(500), Fault::Status(503), Fault::Status(404)] {
        town.tell_all(&business(2).events);
        let before = town.feed(Source::Sales).await["consumed"].clone();
        let others = town.feed(Source::Products).await["consumed"].as_i64().unwrap();
        town.client.set_fault_once("sales", "/events", fault);
        town.consume().await;
        let feed = town.feed(Source::Sales).await;
        assert_eq!((&feed["consumed"], &feed["failures"]), (&before, &1.into()), "{fault:?}");
        // The others go on meanwhile.
        assert_eq!(town.feed(Source::Products).await["consumed"], others + 2);
        town.consume().await;
        assert_eq!(town.feed(Source::Sales).await["failures"], 0);
    }
    // Cut off in the middle.
    town.tell_all(&business(200).events);
    town.told.books().get_mut("sales").unwrap().bytes_max = Some(100_000);
    town.consume().await;
    let feed = town.feed(Source::Sales).await;
    assert_eq!(feed["failures"], 1);
    town.told.books().get_mut("sales").unwrap().bytes_max = None;
    town.consume().await;
    let told = town.told.books()["sales"].events.len();
    let feed = town.feed(Source::Sales).await;
    assert_eq!((&feed["consumed"], &feed["failures"]), (&told.into(), &0.into()));
    town.audited().await;
}

#[tokio::test]
async fn a_source_that_hangs_holds_up_nobody() {
    let town = Town::open().await;
    town.tell_all(&business(3).events);
    town.client.set_fault("sales", Some(Fault::Hang));
    let running = tokio::spawn(consume(town.app.context().clone()));
    let read = async {
        while town.feed(Source::Products).await["consumed"] == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), read).await.unwrap();
    assert_eq!(town.feed(Source::Sales).await["consumed"], 0);
    running.abort();
}
