//! Which stores a command means, and what they hold.

pub(in crate::verbs) mod absent;
pub(in crate::verbs) mod destinations;
pub(crate) mod error;
pub(in crate::verbs) mod named;
pub(in crate::verbs) mod place;
pub(in crate::verbs) mod replaced;
pub(in crate::verbs) mod shelf;
