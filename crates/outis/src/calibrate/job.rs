//! Work on a source that goes on while the page asks how far it has come.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::{sync::watch, task::JoinHandle};

use crate::camera::Stop;

/// Work that is running or over. Dropping it ends it, and its programs with it.
#[derive(Debug)]
pub(super) struct Job<T> {
    newest: Newest<T>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// How far it has come: the work writes it, the page reads it.
#[derive(Debug)]
pub(super) struct Newest<T>(Arc<Mutex<T>>);

impl<T> Newest<T> {
    pub(super) fn tell(&self, newest: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = newest;
    }
}

impl<T: Clone + Send + 'static> Job<T> {
    /// Begins `work`, of which `first` is told until it says more.
    pub(super) fn start<F>(first: T, work: impl FnOnce(Newest<T>, Stop) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let newest = Arc::new(Mutex::new(first));
        let (sender, stop) = watch::channel(false);
        let task = tokio::spawn(work(Newest(Arc::clone(&newest)), stop));
        Self { newest: Newest(newest), stop: sender, task }
    }

    /// Asks it to come to its end with what it has.
    pub(super) fn finish(&self) {
        self.stop.send_replace(true);
    }

    /// The newest that was told.
    pub(super) fn now(&self) -> T {
        self.newest.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<T> Drop for Job<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}
