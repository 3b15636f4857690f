//! Ranks over MPI: the only room that names `mpi`.
//!
//! The main thread does nothing but MPI: what the job asks for, and between that signs of life to and from rank 0
//! ([`beats`]), which tell every rank how long the lease is sure to hold, and end the job when a rank falls silent. The job
//! itself runs on a thread of its own, so that it may take as long as it likes. A panic ends the whole job ([`panic`]).
//!
//! Every wait polls and sleeps: a rank that waits leaves its core to those that work, also where there are more ranks
//! than cores.

mod beats;
mod desk;
mod ending;
mod message;
mod panic;

use std::sync::mpsc::Sender;

use self::beats::OpenFence;
use self::desk::{Errand, errand};
use super::{PulseNumbers, Transport};
use crate::store::Fence;

pub use self::desk::run;

/// The job's way to the thread that speaks MPI.
struct Mpi {
    desk: Sender<Errand>,
    open: OpenFence,
}

impl Transport for Mpi {
    fn tell(&self, bytes: Vec<u8>) {
        errand(&self.desk, move |desk| message::broadcast(desk, bytes));
    }

    fn hear(&self) -> Vec<u8> {
        errand(&self.desk, |desk| message::broadcast(desk, Vec::new()))
    }

    fn give(&self, bytes: Vec<u8>) {
        errand(&self.desk, move |desk| message::give(desk, &bytes));
    }

    fn collect(&self) -> Vec<Vec<u8>> {
        errand(&self.desk, message::collect)
    }

    fn sum(&self, mine: PulseNumbers) -> PulseNumbers {
        errand(&self.desk, move |desk| message::sum(desk, mine))
    }

    fn share(&self, fence: &Fence) {
        self.open.set(fence);
    }
}
