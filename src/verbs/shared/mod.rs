//! What verbs share: start, leases, what dead jobs left.

pub(in crate::verbs) mod hold;
pub(in crate::verbs) mod interrupt;
pub(in crate::verbs) mod left;
pub(in crate::verbs) mod removing;
pub(in crate::verbs) mod start;
