//! Questions that are under way: whoever puts one that somebody waits for already waits for the same answer. A mailing that comes in at
//! once asks for its sender's records once, whatever the resolver behind does.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::OnceCell;

/// See the module. It holds no more than what somebody waits for.
pub(super) struct UnderWay<K, T>(Mutex<HashMap<K, Arc<OnceCell<T>>>>);

impl<K, T> Default for UnderWay<K, T> {
    fn default() -> UnderWay<K, T> {
        UnderWay(Mutex::default())
    }
}

/// Somebody who waits. Of those who are dropped before there is an answer, the last takes the question along.
struct Waiter<'a, K: Eq + Hash, T> {
    under_way: &'a UnderWay<K, T>,
    key: K,
    cell: Arc<OnceCell<T>>,
}

impl<K: Eq + Hash + Clone, T: Clone> UnderWay<K, T> {
    /// The answer to a question: that of `ask`, or of another who was asking. If that one goes away meanwhile, somebody else asks.
    pub(super) async fn share(&self, key: K, ask: impl Future<Output = T>) -> T {
        let cell = self.questions().entry(key.clone()).or_default().clone();
        let waiter = Waiter { under_way: self, key, cell };
        let answer = waiter.cell.get_or_init(|| async {
            let answer = ask.await;
            // Whoever comes from now on asks anew: an answer is shared, not kept.
            self.take_out(&waiter.key, &waiter.cell);
            answer
        });
        answer.await.clone()
    }

    /// From now on nobody waits for what is under way but those who do already.
    pub(super) fn clear(&self) {
        self.questions().clear();
    }
}

impl<K: Eq + Hash, T> UnderWay<K, T> {
    fn questions(&self) -> MutexGuard<'_, HashMap<K, Arc<OnceCell<T>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_out(&self, key: &K, cell: &Arc<OnceCell<T>>) {
        let mut questions = self.questions();
        if questions.get(key).is_some_and(|found| Arc::ptr_eq(found, cell)) {
            questions.remove(key);
        }
    }
}

impl<K: Eq + Hash, T> Drop for Waiter<'_, K, T> {
    fn drop(&mut self) {
        let mut questions = self.under_way.questions();
        // The map's, and this one's.
        let is_last = Arc::strong_count(&self.cell) == 2;
        if is_last && questions.get(&self.key).is_some_and(|found| Arc::ptr_eq(found, &self.cell)) {
            questions.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tokio::sync::Notify;

    #[tokio::test]
    async fn those_who_come_together_ask_once_and_those_who_come_later_ask_again() {
        let (under_way, asked, go) = (UnderWay::default(), AtomicU32::new(0), Notify::new());
        let ask = || async {
            let turn = asked.fetch_add(1, Ordering::Relaxed);
            go.notified().await;
            turn
        };
        let answers =
            async { tokio::join!(under_way.share("a", ask()), under_way.share("a", ask()), under_way.share("b", ask())) };
        let release = async {
            tokio::task::yield_now().await;
            go.notify_one();
            go.notify_one();
        };
        assert_eq!(tokio::join!(answers, release).0, (0, 0, 1));
        go.notify_one();
        assert_eq!(under_way.share("a", ask()).await, 2);
        assert!(under_way.questions().is_empty());
    }

    #[tokio::test]
    async fn one_who_goes_away_leaves_the_question_to_the_others_or_takes_it_along() {
        let under_way = Arc::new(UnderWay::default());
        let first = tokio::spawn({
            let under_way = under_way.clone();
            async move { under_way.share("a", std::future::pending::<u32>()).await }
        });
        tokio::task::yield_now().await;
        let second = tokio::spawn({
            let under_way = under_way.clone();
            async move { under_way.share("a", async { 7 }).await }
        });
        tokio::task::yield_now().await;
        first.abort();
        assert_eq!(second.await.unwrap(), 7);
        let alone = tokio::spawn({
            let under_way = under_way.clone();
            async move { under_way.share("a", std::future::pending::<u32>()).await }
        });
        tokio::task::yield_now().await;
        assert_eq!(under_way.questions().len(), 1);
        alone.abort();
        assert!(alone.await.is_err());
        assert!(under_way.questions().is_empty());
    }
}
