//! The object store: where it is and how it is reached ([`Place`], [`Access`], [`Bucket`]), Zarr documents
//! ([`document`]) of either [`Version`], what a store holds now ([`read_store`]), and encoding objects
//! ([`ChunkCodec`]).
//!
//! Beside `commit`, the only room that names keys.

mod access;
mod answer;
mod bucket;
mod bulk;
mod chunk_codec;
mod chunk_cut;
mod codec;
mod conditional;
mod connect;
mod copied;
mod directory;
pub mod document;
mod document_v2;
mod error;
mod examine;
mod existing;
mod fence;
mod hierarchy;
mod http_client;
mod kind;
mod known;
pub mod layout;
mod listing;
#[cfg(test)]
pub(crate) mod loopback;
mod members;
mod node;
mod outline;
mod patience;
mod pieces;
mod place;
mod probe;
#[cfg(test)]
pub(crate) mod simulated;
mod staged;
mod stored;
mod text;
mod unconsolidated;
mod uneven;
mod uplink;
mod version;
mod wire;

/// Small requests that a rank has in flight at a time.
pub(crate) const REQUESTS: usize = 32;

pub use access::{Access, Addressing, Keys};
pub use bucket::{Bucket, Put, Stat};
pub use bulk::Deleted;
pub use chunk_codec::{ChunkCodec, Encoded};
pub use codec::Codec;
pub use conditional::{Created, Replaced, Tagged};
pub use connect::Endpoint;
pub use error::StoreError;
pub use examine::{Verdict, examine, folder as doctors_folder, is_doctors};
pub use existing::{Found, read_store};
pub use fence::{Fence, Fenced, Moment};
pub use kind::{Kind, ROOT_DOCUMENTS, is_store};
pub use known::{Known, KnownArray, Named};
pub use listing::{Entry, Folder, Site};
pub use node::{Ground, Group, Node};
pub use outline::{Outline, Outlined};
pub use patience::Patience;
pub use place::Place;
pub use probe::{Conditional, EtagKind, Guarantees, ServerClock, probe};
pub use staged::{Link, Staged};
pub use stored::{Nested, Stored, StoredArray};
pub use unconsolidated::Unconsolidated;
pub use uneven::{Uneven, group_of, uneven};
pub use version::Version;
