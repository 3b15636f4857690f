//! While a rank works: what it has put goes into the journal, every few seconds.
//!
//! Key type: [`Journalist`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::commit::put_progress;
use crate::store::{Bucket, StoreError};
use crate::transfer::{ChunkRecord, Engine, Orders};

/// Time between two parts.
const PAUSE: Duration = Duration::from_secs(2);

/// Writes the journal of one rank.
pub(in crate::verbs) struct Journalist<'a> {
    runtime: &'a Runtime,
    bucket: &'a Bucket,
    orders: &'a Orders,
    pause: Duration,
    last: Instant,
    writing: Option<JoinHandle<Result<(), StoreError>>>,
}

impl<'a> Journalist<'a> {
    pub(super) fn new(runtime: &'a Runtime, bucket: &'a Bucket, orders: &'a Orders) -> Self {
        Self {
            runtime,
            bucket,
            orders,
            pause: pause(),
            last: Instant::now(),
            writing: None,
        }
    }

    /// Writes what `engine` has noted, if it is time.
    ///
    /// # Errors
    /// If the part before could not be written.
    pub(super) fn tick(&mut self, engine: &Engine) -> Result<(), StoreError> {
        if self.writing.as_ref().is_some_and(JoinHandle::is_finished) {
            self.wait()?;
        }
        if self.last.elapsed() >= self.pause && self.writing.is_none() {
            self.last = Instant::now();
            let noted = engine.take_noted();
            if !noted.is_empty() {
                self.writing = Some(self.runtime.spawn(self.write(noted)));
            }
        }
        Ok(())
    }

    /// Writes all that `engine` has noted.
    ///
    /// # Errors
    /// If it could not be written.
    pub(super) fn last_words(mut self, engine: &Engine) -> Result<(), StoreError> {
        self.wait()?;
        let noted = engine.take_noted();
        self.runtime.block_on(self.write(noted))
    }

    /// Waits for the part that is on its way.
    ///
    /// # Errors
    /// If it could not be written.
    pub(super) fn wait(&mut self) -> Result<(), StoreError> {
        match self.writing.take().map(|part| self.runtime.block_on(part)) {
            None => Ok(()),
            Some(Ok(written)) => written,
            Some(Err(panicked)) => std::panic::resume_unwind(panicked.into_panic()),
        }
    }

    fn write(
        &self,
        noted: Vec<ChunkRecord>,
    ) -> impl Future<Output = Result<(), StoreError>> + use<> {
        let (bucket, plan) = (self.bucket.clone(), Arc::clone(&self.orders.plan));
        let folders = self.orders.progress();
        async move { put_progress(&bucket, &plan, &folders, &noted).await }
    }
}

/// [`PAUSE`], or what tests set: those of what a resumed run leaves alone.
fn pause() -> Duration {
    let usual = if cfg!(test) { PAUSE / 100 } else { PAUSE };
    crate::knobs::journal_pause().unwrap_or(usual)
}
