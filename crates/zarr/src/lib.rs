//! Zarr stores as documents, keys and encoded objects, of both [`Version`]s of the format.
//!
//! [`document`] makes the documents of arrays, groups and roots; [`members`] and [`Outline`] read them, the one strictly,
//! as arrays that this program writes, the other as any program's. A [`ChunkCodec`] encodes and decodes the objects of an
//! array; [`ChunkKeys`] and [`layout`] say under which keys all lies, and [`StoreMetadata`] and [`ObjectKind`] what a key is.
//!
//! It sends no request and opens no file: a store is what the caller has read of it ([`StoreSnapshot`]). Keys are made in
//! [`layout`]; of the program, `commit` adds names within a ledger, and `store` looks for documents by name.

#![warn(unreachable_pub)]

mod chunk_codec;
mod chunk_cut;
mod chunk_keys;
mod chunk_layout;
mod codec;
pub mod document;
mod document_v2;
mod error;
mod group;
mod hierarchy;
pub mod layout;
mod members;
mod object_kind;
mod outline;
mod root;
mod snapshot;
mod store_metadata;
mod text;
mod uneven;
mod version;

pub use chunk_codec::{ChunkCodec, EncodedObject};
pub use chunk_cut::ChunkPiece;
pub use chunk_keys::ChunkKeys;
pub use chunk_layout::ChunkLayout;
pub use codec::Codec;
pub use error::ZarrError;
pub use group::Group;
pub use hierarchy::{groups, of_group};
pub use members::members;
pub use object_kind::{ObjectKind, ROOT_DOCUMENTS, is_store, precedes_root};
pub use outline::{Outline, OutlineArray};
pub use root::parse_root;
pub use snapshot::{NestedGroup, StoreSnapshot, StoredArray};
pub use store_metadata::{ArrayMetadata, KeyMeaning, StoreMetadata};
pub use uneven::{UnevenLengths, group_of, uneven};
pub use version::Version;
