//! The engine of one rank: read, encode, PUT, verify its units, several in flight, under a byte budget.
//!
//! Key types: [`Engine`], [`ChunkRecord`], [`Verify`], [`Progress`]. It decides nothing about the transaction: it
//! reports what it wrote, and puts back what it touched when told to.

mod assemble;
mod check;
mod compare;
mod differences;
mod engine;
mod error;
mod object;
mod progress;
mod record;
mod undo;

pub use check::check_object;
pub use differences::Difference;
pub use engine::Engine;
pub use error::TransferError;
pub use progress::Progress;
pub use record::{ChunkRecord, Content, Proof, Verify};
