//! The engine of one rank: read, encode, PUT, verify its units, several in flight, under a byte budget.
//!
//! Key types: [`Engine`], [`Orders`], [`ChunkRecord`], [`Verification`], [`Progress`]. It decides nothing about the transaction: it
//! reports what it wrote, and copies what it overwrites into the ledger first.

mod assemble;
mod check;
mod compare;
mod differences;
mod draw;
mod engine;
mod error;
mod fill;
mod keep;
mod moved;
mod object;
mod orders;
mod progress;
mod project;
mod put;
mod record;
mod records;
mod stored;

pub(crate) use check::check_object;
pub(crate) use differences::Difference;
pub(crate) use engine::{Engine, EngineMeans, ValueWatch};
pub use error::TransferError;
pub(crate) use orders::{Orders, PartOrders, SourceRecord};
pub(crate) use put::WriteConditions;
pub use record::Verification;
pub(crate) use record::{ChunkRecord, Content, Proof};
pub(crate) use records::{ChunkRecords, PackedContent, RecordBatch};
pub(crate) use stored::{BlockSink, ReadMeans, StoredField, unlike};
