//! Changes by key: a change wakes those who follow its order or its restaurant, not everybody in the city.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// The followed keys; one that nobody follows takes no memory.
#[derive(Debug)]
pub(crate) struct Topics<K, V> {
    channels: Mutex<HashMap<K, broadcast::Sender<V>>>,
    /// Changes that a slow follower may fall behind before it hears that it missed some.
    behind_max: usize,
}

/// Follows one key until dropped.
#[derive(Debug)]
pub(crate) struct Following<K: Eq + Hash + Copy, V> {
    key: K,
    topics: Arc<Topics<K, V>>,
    /// `None` only while it is dropped.
    receiver: Option<broadcast::Receiver<V>>,
}

impl<K: Eq + Hash + Copy, V: Clone> Topics<K, V> {
    pub(crate) fn new(behind_max: usize) -> Self {
        Self {
            channels: Mutex::default(),
            behind_max,
        }
    }

    /// Hears every change of a key from now on.
    pub(crate) fn follow(self: &Arc<Self>, key: K) -> Following<K, V> {
        let mut channels = self.lock();
        let sender = channels
            .entry(key)
            .or_insert_with(|| broadcast::Sender::new(self.behind_max));
        Following {
            key,
            topics: Arc::clone(self),
            receiver: Some(sender.subscribe()),
        }
    }

    /// Wakes the followers of a key, in constant time when there are none.
    pub(crate) fn publish(&self, key: K, change: &V) {
        if let Some(sender) = self.lock().get(&key) {
            // An error only says that the last follower is just leaving.
            drop(sender.send(change.clone()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, broadcast::Sender<V>>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash + Copy, V: Clone> Following<K, V> {
    /// The next change, or that some were missed.
    pub(crate) async fn recv(&mut self) -> Result<V, RecvError> {
        match &mut self.receiver {
            Some(receiver) => receiver.recv().await,
            None => Err(RecvError::Closed),
        }
    }
}

impl<K: Eq + Hash + Copy, V> Drop for Following<K, V> {
    fn drop(&mut self) {
        let mut channels = self
            .topics
            .channels
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.receiver = None;
        if channels
            .get(&self.key)
            .is_some_and(|sender| sender.receiver_count() == 0)
        {
            channels.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Topics;

    #[tokio::test]
    async fn a_change_wakes_its_own_followers_only() {
        let topics = Arc::new(Topics::<u32, &str>::new(4));
        let (mut one, mut same, mut other) = (topics.follow(1), topics.follow(1), topics.follow(2));
        topics.publish(1, &"news");
        topics.publish(3, &"news");
        assert!(one.recv().await.is_ok() && same.recv().await.is_ok());
        let silent = tokio::time::timeout(std::time::Duration::ZERO, other.recv()).await;
        assert!(silent.is_err());
        drop((one, other));
        assert_eq!(topics.lock().keys().collect::<Vec<_>>(), [&1]);
        drop(same);
        assert!(topics.lock().is_empty(), "what nobody follows is forgotten");
    }
}
