//! One rank's way to the store.
//!
//! Key type: [`Link`].

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    Attributes, CopyMode, CopyOptions, Error, Extensions, GetOptions, GetResult, GetResultPayload,
    ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions,
    PutPayload, PutResult, Result,
};

use super::mishap::{Effect, Failure, Mishap, Request, Rule, generic};
use super::world::{Object, State, World, garbled};
use crate::store::fence::{Fence, FencedRequest};
use crate::store::probe::Conditional;

/// One rank's way to the store; clones are the same rank's.
#[derive(Clone)]
pub(crate) struct Link {
    world: Arc<World>,
    rank: Arc<Rank>,
    fence: Fence,
}

struct Rank {
    rules: Vec<Rule>,
    /// Requests so far, and those of them that something befell.
    requests: AtomicUsize,
    struck: AtomicUsize,
    /// Those that have ended, in that order.
    ended: Mutex<Vec<EndedRequest>>,
    /// It stands still until then.
    until: Mutex<Instant>,
    /// What the order in which requests take effect is drawn from; in that in which they are sent if it is zero.
    order: AtomicU64,
}

/// A request, from when it was sent until its answer came.
#[derive(Clone, Debug)]
pub(crate) struct EndedRequest {
    pub request: Request,
    pub key: String,
    pub sent: Instant,
    pub ended: Instant,
}

impl Link {
    pub(super) fn new(world: &Arc<World>, rules: Vec<Rule>) -> Self {
        Self {
            world: Arc::clone(world),
            rank: Arc::new(Rank {
                rules,
                requests: AtomicUsize::new(0),
                struck: AtomicUsize::new(0),
                ended: Mutex::default(),
                until: Mutex::new(Instant::now()),
                order: AtomicU64::new(0),
            }),
            fence: Fence::open(),
        }
    }

    /// The same behind this fence.
    pub(crate) fn behind(&self, fence: &Fence) -> Self {
        Self {
            fence: fence.clone(),
            ..self.clone()
        }
    }

    /// From here on, requests in flight take effect in an order that follows from this seed.
    pub(crate) fn shuffle(&self, seed: u64) {
        self.rank.order.store(seed | 1, Ordering::SeqCst);
    }

    /// The number of requests so far.
    pub(crate) fn requests(&self) -> usize {
        self.rank.requests.load(Ordering::SeqCst)
    }

    /// The number of requests that something has befallen.
    pub(crate) fn struck(&self) -> usize {
        self.rank.struck.load(Ordering::SeqCst)
    }

    /// The requests that have ended, in that order.
    pub(crate) fn ended(&self) -> Vec<EndedRequest> {
        let ended = self.rank.ended.lock();
        ended.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, request: Request, key: &str, sent: Instant) {
        let ended = EndedRequest {
            request,
            key: key.to_owned(),
            sent,
            ended: Instant::now(),
        };
        let all = self.rank.ended.lock();
        all.unwrap_or_else(PoisonError::into_inner).push(ended);
    }

    /// On the way there: what befalls the request.
    async fn out(&self, request: Request, key: &str) -> Option<Mishap> {
        self.rank.requests.fetch_add(1, Ordering::SeqCst);
        let rules = self.rank.rules.iter();
        // Each rule counts all that it is about.
        let strikes: Vec<Mishap> = rules
            .filter_map(|rule| rule.strikes(request, key))
            .collect();
        let mishap = strikes.first().copied();
        if mishap.is_some() {
            self.rank.struck.fetch_add(1, Ordering::SeqCst);
        }
        match mishap {
            Some(Mishap::Late(time)) => tokio::time::sleep(time).await,
            Some(Mishap::Pause(time)) => *self.until() = Instant::now() + time,
            _ => {}
        }
        self.stand_still();
        // As at any await: whoever polls looks at the fence again.
        for _ in 0..self.turns() {
            tokio::task::yield_now().await;
        }
        mishap
    }

    /// How often a request lets others go first.
    fn turns(&self) -> u64 {
        let next = |order: u64| {
            order
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1)
        };
        match self.rank.order.load(Ordering::SeqCst) {
            0 => 1,
            order => {
                self.rank.order.store(next(order) | 1, Ordering::SeqCst);
                1 + (order >> 40) % 12
            }
        }
    }

    fn until(&self) -> std::sync::MutexGuard<'_, Instant> {
        let until = self.rank.until.lock();
        until.unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds this thread, as long as the rank stands still.
    fn stand_still(&self) {
        let until = *self.until();
        std::thread::sleep(until.saturating_duration_since(Instant::now()));
    }

    /// A request that changes the object `key`.
    async fn change<T>(
        &self,
        request: Request,
        key: &str,
        apply: impl FnOnce(&mut State) -> Result<T>,
    ) -> Result<T> {
        let work = async {
            let sent = self.world.changes();
            let mishap = self.out(request, key).await;
            match mishap {
                Some(Mishap::Fails(failure, Effect::None)) => return Err(failure.error()),
                Some(Mishap::CutOff) => return Err(Failure::Reset.error()),
                Some(Mishap::Lie) => return apply(&mut self.world.state().clone()),
                _ => {}
            }
            let done = self.take_effect(sent, key, mishap, apply);
            self.back(mishap).await;
            match mishap {
                Some(Mishap::Fails(failure, Effect::Done)) => Err(failure.error()),
                _ => done,
            }
        };
        let sent = Instant::now();
        let passed = self.fence.guard(work).await;
        self.note(request, key, sent);
        passed.unwrap_or_else(|fenced: FencedRequest| Err(generic(Box::new(fenced))))
    }

    fn take_effect<T>(
        &self,
        sent: usize,
        key: &str,
        mishap: Option<Mishap>,
        apply: impl FnOnce(&mut State) -> Result<T>,
    ) -> Result<T> {
        let mut state = self.world.state();
        // However long this thread did not run: what takes effect has just left.
        self.fence
            .check()
            .map_err(|fenced| generic(Box::new(fenced)))?;
        state.change(sent, key, |state| {
            let done = apply(state);
            if mishap == Some(Mishap::Garbled) {
                state.garble(key);
            }
            done
        })
    }

    async fn look<T>(
        &self,
        request: Request,
        key: &str,
        look: impl FnOnce(&State, Option<Mishap>) -> T,
    ) -> Result<T> {
        let sent = Instant::now();
        let mishap = self.out(request, key).await;
        let seen = look(&self.world.state(), mishap);
        self.back(mishap).await;
        self.note(request, key, sent);
        match mishap {
            Some(Mishap::Fails(failure, _)) => Err(failure.error()),
            _ => Ok(seen),
        }
    }

    /// On the way back.
    async fn back(&self, mishap: Option<Mishap>) {
        if let Some(Mishap::LateAnswer(time)) = mishap {
            tokio::time::sleep(time).await;
        }
        self.stand_still();
    }
}

/// All objects below `prefix`; one that lags behind does not show the one that was put last.
fn below<'a>(
    state: &'a State,
    prefix: Option<&Path>,
    mishap: Option<Mishap>,
) -> Vec<(&'a String, &'a Object)> {
    let objects = state.objects.iter();
    let mut below: Vec<_> = objects.filter(|(key, _)| is_below(key, prefix)).collect();
    if mishap == Some(Mishap::Lie) {
        let newest = below.iter().map(|(_, object)| object.number).max();
        below.retain(|(_, object)| Some(object.number) != newest);
    }
    below
}

fn missing(key: &str) -> Error {
    Error::NotFound {
        path: key.to_owned(),
        source: "there is none".into(),
    }
}

/// As servers list a key: with its characters as they are.
fn listed(key: &str) -> Path {
    Path::parse(key).unwrap_or_else(|_| Path::from(key))
}

fn meta(key: &str, object: &Object) -> ObjectMeta {
    ObjectMeta {
        location: listed(key),
        last_modified: object.modified.into(),
        size: object.bytes.len() as u64,
        e_tag: Some(object.etag.clone()),
        version: None,
    }
}

fn is_below(key: &str, prefix: Option<&Path>) -> bool {
    let prefix = prefix.map_or("", |prefix| prefix.as_ref());
    prefix.is_empty()
        || key
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.starts_with('/'))
}

#[async_trait]
impl ObjectStore for Link {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let (key, conditional) = (location.as_ref(), self.world.conditional);
        let put = |state: &mut State| {
            let there = state.objects.get(key).map(|object| object.etag.clone());
            let is_met = match &options.mode {
                PutMode::Overwrite => true,
                _ if conditional == Conditional::Refused => {
                    return Err(Error::NotImplemented {
                        operation: "a conditional write".to_owned(),
                        implementer: "simulated".to_owned(),
                    });
                }
                _ if conditional == Conditional::Ignored => true,
                PutMode::Create => there.is_none(),
                PutMode::Update(version) => there == version.e_tag,
            };
            if !is_met {
                return Err(Error::Precondition {
                    path: key.to_owned(),
                    source: "another is there, or none".into(),
                });
            }
            Ok(state.put(key, payload.clone().into()))
        };
        Ok(PutResult {
            e_tag: Some(self.change(Request::Put, key, put).await?),
            version: None,
            extensions: Extensions::default(),
        })
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(Error::NotImplemented {
            operation: "a multipart upload".to_owned(),
            implementer: "simulated".to_owned(),
        })
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let key = location.as_ref();
        let request = if options.head {
            Request::Head
        } else {
            Request::Get
        };
        let see = |state: &State, mishap| (state.objects.get(key).cloned(), mishap);
        let (found, mishap) = self.look(request, key, see).await?;
        let mut object = found.ok_or_else(|| missing(key))?;
        match (request, mishap) {
            (Request::Head, Some(Mishap::Lie | Mishap::Garbled)) => {
                object.bytes = Bytes::from_static(b"something else");
                object.etag = "another".to_owned();
            }
            (Request::Get, Some(Mishap::Lie | Mishap::Garbled)) => {
                object.bytes = garbled(&object.bytes);
            }
            _ => {}
        }
        let length = object.bytes.len();
        let parts = match (request, mishap) {
            (Request::Head, _) => Vec::new(),
            (_, Some(Mishap::CutOff)) => vec![
                Ok(object.bytes.slice(..length / 2)),
                Err(Failure::Reset.error()),
            ],
            _ => vec![Ok(object.bytes.clone())],
        };
        Ok(GetResult {
            range: 0..length as u64,
            meta: meta(key, &object),
            payload: GetResultPayload::Stream(stream::iter(parts).boxed()),
            attributes: Attributes::default(),
            extensions: Extensions::default(),
        })
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let link = self.clone();
        let deleted = locations.and_then(move |location| {
            let link = link.clone();
            async move {
                let key = location.as_ref();
                let delete = |state: &mut State| Ok(state.objects.remove(key));
                link.change(Request::Delete, key, delete).await?;
                Ok(location)
            }
        });
        deleted.boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (link, prefix) = (self.clone(), prefix.cloned());
        let listing = async move {
            let folder = prefix.clone().unwrap_or_default();
            let below = |state: &State, mishap| -> Vec<Result<ObjectMeta>> {
                let below = below(state, prefix.as_ref(), mishap).into_iter();
                below.map(|(key, object)| Ok(meta(key, object))).collect()
            };
            match link.look(Request::List, folder.as_ref(), below).await {
                Ok(listed) => stream::iter(listed),
                Err(error) => stream::iter(vec![Err(error)]),
            }
        };
        stream::once(listing).flatten().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let folder = |state: &State, mishap| {
            let start = prefix.map_or(0, |prefix| match prefix.as_ref() {
                "" => 0,
                prefix => prefix.len() + 1,
            });
            let (mut folders, mut objects) = (BTreeSet::new(), Vec::new());
            for (key, object) in below(state, prefix, mishap) {
                match key[start..].find('/') {
                    Some(end) => drop(folders.insert(listed(&key[..start + end]))),
                    None => objects.push(meta(key, object)),
                }
            }
            ListResult {
                common_prefixes: folders.into_iter().collect(),
                objects,
                extensions: Extensions::default(),
            }
        };
        let key = prefix.map_or("", |prefix| prefix.as_ref());
        self.look(Request::List, key, folder).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let copy = |state: &mut State| {
            let there = state.objects.get(from.as_ref());
            let bytes = there.ok_or_else(|| missing(from.as_ref()))?.bytes.clone();
            if options.mode == CopyMode::Create && state.objects.contains_key(to.as_ref()) {
                return Err(Error::AlreadyExists {
                    path: to.to_string(),
                    source: "it is there".into(),
                });
            }
            state.put(to.as_ref(), bytes);
            Ok(())
        };
        self.change(Request::Copy, to.as_ref(), copy).await
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("simulated")
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("simulated")
    }
}
