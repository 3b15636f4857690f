//! The hook a test sets on mutating requests (PUT, POST, DELETE), to look at the buckets, or to kill a client, at a
//! known one of them. While a hook is set they take their turns: numbered, asked before, applied, asked after, then
//! the next. Key types: [`Mutation`] (what is asked about), [`Go`] (the answer), [`Hooks`] (the hook in force).

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hyper::Response;
use s3s::{Body, StdError};

use crate::store::Store;

/// On which side of its effect a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum When {
    /// Its body is read, nothing has changed.
    Before,
    /// It has taken effect, or was refused, and is not answered yet.
    After,
}

/// A mutating request the hook is asked about.
#[derive(Debug, Clone)]
pub struct Mutation {
    /// Counts from 1, in the order in which the requests take effect.
    pub number: u64,
    /// `PUT`, `POST` or `DELETE`.
    pub method: String,
    /// `bucket/key`, percent-decoded; the bucket alone for bulk deletions.
    pub key: String,
    /// The hook is asked twice of each request.
    pub when: When,
    store: Arc<Store>,
}

impl Mutation {
    /// What lies in the bucket at this moment; nothing changes while the hook looks.
    #[must_use]
    pub fn objects(&self, bucket: &str) -> BTreeMap<String, Bytes> {
        self.store.objects(bucket)
    }
}

/// How a mutating request goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Go {
    /// As though there were no hook.
    On,
    /// The connection is closed: before, the request has no effect; after, it has no answer.
    Cut,
    /// The same, and every mutating request is cut from now on, unasked and uncounted, until [`Server::thaw`].
    ///
    /// [`Server::thaw`]: crate::Server::thaw
    Freeze,
}

type Callback = Arc<dyn Fn(&Mutation) -> Go + Send + Sync>;

#[derive(Default)]
pub(crate) struct Hooks {
    /// Held by the request whose turn it is.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    callback: Option<Callback>,
    counted: u64,
    frozen: bool,
    /// How often the server was thawed.
    age: u64,
}

impl Hooks {
    pub(crate) fn set(&self, callback: Callback) {
        let mut state = self.state();
        state.callback = Some(callback);
        state.counted = 0;
    }

    pub(crate) fn count_from_one(&self) {
        self.state().counted = 0;
    }

    pub(crate) fn thaw(&self) {
        let mut state = self.state();
        state.frozen = false;
        state.age += 1;
    }

    /// What a connection that opens now hands to [`Hooks::take_turn`].
    pub(crate) fn age(&self) -> u64 {
        self.state().age
    }

    /// Whether a hook wants to be asked.
    pub(crate) fn is_set(&self) -> bool {
        self.state().callback.is_some()
    }

    /// Applies a mutating request between two questions to the hook. Requests of connections that were open during
    /// a freeze stay cut behind it: what a killed client left in its sockets must not come late.
    pub(crate) async fn take_turn(
        &self,
        store: Arc<Store>,
        method: String,
        key: String,
        opened: u64,
        apply: impl Future<Output = Result<Response<Body>, StdError>>,
    ) -> Result<Response<Body>, StdError> {
        let _turn = self.turn.lock().await;
        let (callback, number) = {
            let mut state = self.state();
            if state.frozen || opened < state.age {
                return Err("the server is frozen, as a hook wants".into());
            }
            state.counted += 1;
            (state.callback.clone(), state.counted)
        };
        let Some(callback) = callback else {
            return apply.await;
        };
        let mutation = |when| Mutation {
            number,
            method: method.clone(),
            key: key.clone(),
            when,
            store: Arc::clone(&store),
        };
        self.ask(&callback, mutation(When::Before)).await?;
        let response = apply.await?;
        self.ask(&callback, mutation(When::After)).await?;
        Ok(response)
    }

    /// An error if the request is to be cut. The hook may block, so it gets a thread for that.
    async fn ask(&self, callback: &Callback, mutation: Mutation) -> Result<(), StdError> {
        let callback = Arc::clone(callback);
        match tokio::task::spawn_blocking(move || callback(&mutation)).await? {
            Go::On => return Ok(()),
            Go::Cut => {}
            Go::Freeze => self.state().frozen = true,
        }
        Err("the request is cut, as a hook wants".into())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held, so a poisoned one still guards a whole state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Hooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.state();
        f.debug_struct("Hooks")
            .field("is_set", &state.callback.is_some())
            .field("counted", &state.counted)
            .field("frozen", &state.frozen)
            .finish_non_exhaustive()
    }
}
