//! Messages of any size between ranks, in pieces that no MPI chokes on.

use super::desk::Desk;
use crate::ranks::PulseNumbers;
use mpi::collective::SystemOperation;
use mpi::point_to_point::{Destination, Source};
use mpi::topology::Communicator;
use mpi::traits::{CommunicatorCollectives, Root};

/// Bytes of one MPI message: counts beyond 2^31 and messages beyond 2 GiB break in several MPIs.
const PIECE: usize = 512 << 20;

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

/// These `bytes`, to rank 0.
pub(super) fn give(desk: &Desk, bytes: &[u8]) {
    let lead = desk.world.process_at_rank(0);
    let length = bytes.len() as u64;
    mpi::request::scope(|scope| desk.wait(lead.immediate_send(scope, &length)));
    for piece in bytes.chunks(PIECE) {
        mpi::request::scope(|scope| desk.wait(lead.immediate_send(scope, piece)));
    }
}

/// Rank 0: what the others give, in the order of ranks.
pub(super) fn collect(desk: &Desk) -> Vec<Vec<u8>> {
    let from = |rank| {
        let from = desk.world.process_at_rank(rank);
        let mut length = 0u64;
        mpi::request::scope(|scope| desk.wait(from.immediate_receive_into(scope, &mut length)));
        let mut bytes = vec![0u8; usize::try_from(length).unwrap_or(usize::MAX)];
        for piece in bytes.chunks_mut(PIECE) {
            mpi::request::scope(|scope| desk.wait(from.immediate_receive_into(scope, piece)));
        }
        bytes
    };
    (1..desk.world.size()).map(from).collect()
}

/// The sum of all ranks' numbers, on every rank.
pub(super) fn sum(desk: &Desk, mine: PulseNumbers) -> PulseNumbers {
    let mut sum = PulseNumbers::default();
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
