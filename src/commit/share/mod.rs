//! An archive that many jobs send: what the ledgers of its stores tell of it while they do.
//!
//! Key types: [`SharedArchive`], what all jobs go by; [`ShareState`], how far they are; [`PartResult`], a part that is put.

mod archive;
mod part;
mod state;

pub(crate) use archive::{SharedArchive, SharedFile};
pub(crate) use part::{PartResult, end_part, last_taker, part_records, take_part, taken_before};
pub(crate) use state::ShareState;
