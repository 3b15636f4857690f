//! For tests: a store in memory that several jobs of this process share, each by a link of its own, on which requests are
//! late and whole jobs stand still as a script says.
//!
//! Key types: [`World`], what lies in the store; [`Link`], one job's way to it; [`Mishap`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

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

use super::fence::{Fence, Fenced};
use super::probe::Conditional;

/// What lies in the store.
pub(crate) struct World {
    conditional: Conditional,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Object>,
    /// Puts so far, which ETags are made of.
    puts: u64,
    /// What lay there after each change, if that is recorded.
    history: Option<Vec<BTreeMap<String, Bytes>>>,
}

#[derive(Clone)]
struct Object {
    bytes: Bytes,
    etag: String,
    modified: SystemTime,
}

/// What befalls a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// It takes effect so much later.
    Late(Duration),
    /// Its answer comes so much later.
    LateAnswer(Duration),
    /// The whole job stands still for so long before it takes effect.
    Pause(Duration),
}

/// One job's way to the store; clones are the same job's.
#[derive(Clone)]
pub(crate) struct Link {
    world: Arc<World>,
    job: Arc<Job>,
    fence: Fence,
}

struct Job {
    /// By the number of the request.
    script: BTreeMap<usize, Mishap>,
    requests: AtomicUsize,
    until: Mutex<Instant>,
}

impl World {
    /// An empty store that treats conditional writes so.
    pub fn new(conditional: Conditional) -> Arc<Self> {
        Arc::new(Self {
            conditional,
            state: Mutex::default(),
        })
    }

    /// The same, which keeps what lies there after each change.
    pub fn recording(conditional: Conditional) -> Arc<Self> {
        let world = Self::new(conditional);
        world.record();
        world
    }

    /// From here on, what lies there after each change is kept.
    pub fn record(&self) {
        self.state().history = Some(Vec::new());
    }

    /// One that holds these objects, which were put long ago.
    pub fn holding(conditional: Conditional, objects: &BTreeMap<String, Bytes>) -> Arc<Self> {
        let world = Self::new(conditional);
        for (key, bytes) in objects {
            world.state().put(key, bytes.clone());
        }
        for object in world.state().objects.values_mut() {
            object.modified -= Duration::from_secs(3600);
        }
        world
    }

    /// What lay there after each change.
    pub fn history(&self) -> Vec<BTreeMap<String, Bytes>> {
        self.state().history.clone().unwrap_or_default()
    }

    /// A way of a new job to it, on which these requests suffer these mishaps.
    pub fn link(self: &Arc<Self>, script: BTreeMap<usize, Mishap>) -> Link {
        Link {
            world: Arc::clone(self),
            job: Arc::new(Job {
                script,
                requests: AtomicUsize::new(0),
                until: Mutex::new(Instant::now()),
            }),
            fence: Fence::open(),
        }
    }

    /// What lies there, by key.
    pub fn objects(&self) -> BTreeMap<String, Bytes> {
        self.state().all()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn all(&self) -> BTreeMap<String, Bytes> {
        let objects = self.objects.iter();
        objects
            .map(|(key, object)| (key.clone(), object.bytes.clone()))
            .collect()
    }

    fn change<T>(&mut self, apply: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let done = apply(self);
        let all = self.all();
        if let Some(history) = &mut self.history {
            history.push(all);
        }
        done
    }

    fn put(&mut self, key: &str, bytes: Bytes) -> String {
        self.puts += 1;
        let etag = format!("etag-{}", self.puts);
        let object = Object {
            bytes,
            etag: etag.clone(),
            modified: SystemTime::now(),
        };
        self.objects.insert(key.to_owned(), object);
        etag
    }
}

impl Link {
    /// The same behind this fence.
    pub fn behind(&self, fence: &Fence) -> Self {
        Self {
            fence: fence.clone(),
            ..self.clone()
        }
    }

    /// On the way there: what befalls the next request. Returns what befalls its answer.
    async fn out(&self) -> Duration {
        let number = self.job.requests.fetch_add(1, Ordering::SeqCst);
        let mut late_answer = Duration::ZERO;
        match self.job.script.get(&number) {
            Some(Mishap::Late(time)) => tokio::time::sleep(*time).await,
            Some(Mishap::LateAnswer(time)) => late_answer = *time,
            Some(Mishap::Pause(time)) => {
                let until = Instant::now() + *time;
                *self
                    .job
                    .until
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner) = until;
            }
            None => {}
        }
        self.stand_still();
        // As at any await: whoever polls looks at the fence again.
        tokio::task::yield_now().await;
        late_answer
    }

    /// Holds this thread, as long as the job stands still.
    fn stand_still(&self) {
        let until = *self
            .job
            .until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::thread::sleep(until.saturating_duration_since(Instant::now()));
    }

    /// A request that changes something.
    async fn change<T>(&self, apply: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        let request = async {
            let late_answer = self.out().await;
            let done = self.world.state().change(apply);
            tokio::time::sleep(late_answer).await;
            self.stand_still();
            done
        };
        self.fence
            .guard(request)
            .await
            .unwrap_or_else(|fenced: Fenced| {
                Err(Error::Generic {
                    store: "simulated",
                    source: Box::new(fenced),
                })
            })
    }

    async fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        let late_answer = self.out().await;
        let seen = look(&self.world.state());
        tokio::time::sleep(late_answer).await;
        self.stand_still();
        seen
    }
}

fn missing(key: &str) -> Error {
    Error::NotFound {
        path: key.to_owned(),
        source: "there is none".into(),
    }
}

fn meta(key: &str, object: &Object) -> ObjectMeta {
    ObjectMeta {
        location: Path::from(key),
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
            e_tag: Some(self.change(put).await?),
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
        let found = self.look(|state| state.objects.get(key).cloned()).await;
        let object = found.ok_or_else(|| missing(key))?;
        let bytes = if options.head {
            Bytes::new()
        } else {
            object.bytes.clone()
        };
        Ok(GetResult {
            range: 0..object.bytes.len() as u64,
            meta: meta(key, &object),
            payload: GetResultPayload::Stream(stream::iter([Ok(bytes)]).boxed()),
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
                let delete = |state: &mut State| Ok(state.objects.remove(location.as_ref()));
                link.change(delete).await.map(|_| location)
            }
        });
        deleted.boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (link, prefix) = (self.clone(), prefix.cloned());
        let listing = async move {
            let below = |state: &State| -> Vec<Result<ObjectMeta>> {
                let objects = state.objects.iter();
                let below = objects.filter(|(key, _)| is_below(key, prefix.as_ref()));
                below.map(|(key, object)| Ok(meta(key, object))).collect()
            };
            stream::iter(link.look(below).await)
        };
        stream::once(listing).flatten().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let folder = |state: &State| {
            let start = prefix.map_or(0, |prefix| match prefix.as_ref() {
                "" => 0,
                prefix => prefix.len() + 1,
            });
            let (mut folders, mut objects) = (BTreeSet::new(), Vec::new());
            for (key, object) in state
                .objects
                .iter()
                .filter(|(key, _)| is_below(key, prefix))
            {
                match key[start..].find('/') {
                    Some(end) => drop(folders.insert(Path::from(&key[..start + end]))),
                    None => objects.push(meta(key, object)),
                }
            }
            ListResult {
                common_prefixes: folders.into_iter().collect(),
                objects,
                extensions: Extensions::default(),
            }
        };
        Ok(self.look(folder).await)
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
        self.change(copy).await
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
