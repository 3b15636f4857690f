//! The object store: where it is and how it is reached ([`Place`], [`Access`], [`Bucket`]), and what a Zarr store holds
//! now ([`read_store`]).

mod access;
mod aimd;
mod answer;
mod bucket;
mod bulk;
mod checksum;
mod claim;
mod conditional;
mod connect;
mod connection;
mod copied;
mod crossing;
mod digest;
mod directory;
mod error;
mod examine;
mod existing;
mod fence;
mod flow;
mod http_client;
mod keyring;
mod listing;
#[cfg(test)]
pub(crate) mod loopback;
mod nested;
mod node;
mod pace;
mod patience;
mod pieces;
mod place;
mod probe;
mod proxy;
mod room;
mod signature;
#[cfg(test)]
pub(crate) mod simulated;
mod spot;
mod staged;
mod staging;
mod text_width;
mod turnstile;
mod unconsolidated;
mod uplink;
mod window;
mod wire;

/// Small requests that a rank has in flight at a time.
pub(crate) const REQUESTS: usize = 32;

pub use access::{Access, Addressing, Keys};
pub(crate) use bucket::{Bucket, PutAnswer, Stat};
pub(crate) use bulk::{BATCH, DeletedObjects};
pub(crate) use conditional::{CreateOutcome, ReplaceOutcome, TaggedObject};
pub use connect::Endpoint;
pub use connection::{Connection, Origins};
pub(crate) use crossing::Crossing;
pub(crate) use digest::StoredDigest;
pub use error::StoreError;
pub use examine::{Burst, LeftBehind};
pub(crate) use examine::{Verdict, examine, folder as doctors_folder, is_doctors};
pub(crate) use existing::{StoreLookup, read_metadata, read_other_times, read_outline, read_store};
pub(crate) use fence::{Fence, FencedRequest, Moment};
pub(crate) use flow::Flow;
pub use keyring::{KeySource, Keyring, TemporaryKeys};
pub(crate) use listing::{ListedObject, Site};
pub(crate) use node::{Ground, Node};
pub use pace::Limits;
pub(crate) use pace::{AllAtWork, ahead_of_limits};
pub(crate) use patience::Patience;
pub use place::Place;
pub use probe::Conditional;
#[cfg(test)]
pub(crate) use probe::probe;
pub(crate) use probe::{
    EtagKind, Guarantees, KeptProbe, Overwritten, ProbeObjects, ServerClock, probe_and_leave,
    require_checksums,
};
pub use spot::Spot;
pub(crate) use staged::{DirectoryLink, StagedFile};
pub(crate) use turnstile::{Entry, Turnstile};
pub(crate) use unconsolidated::UnconsolidatedStore;
