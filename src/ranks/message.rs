//! Values of any size between ranks: encoded, and sent in pieces that no MPI chokes on.

use mpi::collective::SystemOperation;
use mpi::point_to_point::{Destination, Source};
use mpi::topology::Communicator;
use mpi::traits::{CommunicatorCollectives, Root};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::desk::Desk;
use crate::exit::{Exit, Failure};

/// Bytes of one MPI message: counts beyond 2^31 and messages beyond 2 GiB break in several MPIs.
const PIECE: usize = 512 << 20;

pub(super) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, Failure> {
    postcard::to_stdvec(value)
        .map_err(|cause| Failure::new(Exit::Internal, format!("encoding a message: {cause}")))
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    postcard::from_bytes(bytes).map_err(|cause| {
        let message = format!(
            "decoding a message of another rank: {cause}; do all ranks run the same msm_os?"
        );
        Failure::new(Exit::Launcher, message)
    })
}

/// Rank 0's `bytes`, on every rank.
pub(super) fn broadcast(desk: &Desk, mut bytes: Vec<u8>) -> Vec<u8> {
    let root = desk.world.process_at_rank(0);
    let mut length = bytes.len() as u64;
    mpi::request::scope(|scope| desk.wait(root.immediate_broadcast_into(scope, &mut length)));
    bytes.resize(usize::try_from(length).unwrap_or(usize::MAX), 0);
    for piece in bytes.chunks_mut(PIECE) {
        mpi::request::scope(|scope| desk.wait(root.immediate_broadcast_into(scope, piece)));
    }
    bytes
}

/// Every rank's bytes on rank 0, in the order of ranks; `None` elsewhere.
pub(super) fn gather(desk: &Desk, bytes: Vec<u8>) -> Option<Vec<Vec<u8>>> {
    if desk.world.rank() != 0 {
        let root = desk.world.process_at_rank(0);
        let length = bytes.len() as u64;
        mpi::request::scope(|scope| desk.wait(root.immediate_send(scope, &length)));
        for piece in bytes.chunks(PIECE) {
            mpi::request::scope(|scope| desk.wait(root.immediate_send(scope, piece)));
        }
        return None;
    }
    let mut all = vec![bytes];
    for rank in 1..desk.world.size() {
        let from = desk.world.process_at_rank(rank);
        let mut length = 0u64;
        mpi::request::scope(|scope| desk.wait(from.immediate_receive_into(scope, &mut length)));
        let mut bytes = vec![0u8; usize::try_from(length).unwrap_or(usize::MAX)];
        for piece in bytes.chunks_mut(PIECE) {
            mpi::request::scope(|scope| desk.wait(from.immediate_receive_into(scope, piece)));
        }
        all.push(bytes);
    }
    Some(all)
}

/// The sum of all ranks' numbers, on every rank.
pub(super) fn sum(desk: &Desk, mine: [u64; 5]) -> [u64; 5] {
    let mut sum = [0; 5];
    mpi::request::scope(|scope| {
        desk.wait(desk.world.immediate_all_reduce_into(
            scope,
            &mine,
            &mut sum,
            SystemOperation::sum(),
        ));
    });
    sum
}
