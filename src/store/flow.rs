//! How much one rank may ask of a server, by what it was told and by what it finds.
//!
//! Key type: [`Flow`].

use super::pace::{AllAtWork, Limits, Pace};
use super::uplink::Uplink;
use super::window::Window;

/// What the requests of one rank to one server share. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    /// How fast they may follow each other.
    pub(super) pace: Pace,
    /// How many are on their way at a time.
    pub(super) window: Window,
    /// How many bytes of bodies are.
    pub(super) uplink: Uplink,
}

impl Flow {
    /// That of `rank` of so many, of which some share its node.
    #[must_use]
    pub(crate) fn of_rank(limits: Limits, rank: usize, ranks: usize, on_node: usize) -> Self {
        Self {
            pace: Pace::of_rank(limits, rank, ranks),
            window: Window::of_rank(rank, on_node),
            uplink: Uplink::of_rank(on_node),
        }
    }

    /// The same for another server, at the pace that holds for both together.
    #[must_use]
    pub(crate) fn paced_as(self, other: &Self) -> Self {
        Self {
            pace: other.pace.clone(),
            ..self
        }
    }

    /// All ranks work from now on, until what this returns is dropped.
    pub(crate) fn all_at_work(&self) -> AllAtWork {
        self.pace.all_at_work()
    }
}
