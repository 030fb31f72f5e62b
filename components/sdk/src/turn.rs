//! Letting others go first.

use std::future::poll_fn;
use std::task::Poll;

/// Lets every other request of the instance that can go on do so. To be awaited before work that
/// computes for long: an instance has one thread, and a request that holds a transaction should not
/// wait with it until all those have computed that came meanwhile.
pub async fn yield_now() {
    let mut waited = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        // A task may wake itself while it is polled; others it cannot.
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join;
    use std::cell::RefCell;

    #[tokio::test]
    async fn others_go_first() {
        let order = RefCell::new(Vec::new());
        let computes = async {
            yield_now().await;
            order.borrow_mut().push("computes");
        };
        join(computes, async { order.borrow_mut().push("goes on") }).await;
        assert_eq!(order.into_inner(), ["goes on", "computes"]);
    }
}
