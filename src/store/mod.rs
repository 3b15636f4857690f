//! The object store: where it is and how it is reached ([`Place`], [`Access`], [`Bucket`]), Zarr documents
//! ([`document`]), what a store holds now ([`read_store`]), and encoding objects ([`ChunkCodec`]).
//!
//! Beside `commit`, the only room that names keys.

mod access;
mod bucket;
mod codec;
pub mod document;
mod error;
mod existing;
pub mod layout;
mod stored;
mod text;

pub use access::{Access, Place};
pub use bucket::{Bucket, Put};
pub use codec::{ChunkCodec, Codec, Encoded};
pub use error::StoreError;
pub use existing::{Found, read_store};
pub use stored::{Stored, StoredArray};
