//! What verbs share: start, leases, what dead jobs left.

pub(in crate::verbs) mod ending;
pub(in crate::verbs) mod hold;
pub(in crate::verbs) mod left;
pub(in crate::verbs) mod removing;
pub(in crate::verbs) mod settle;
pub(in crate::verbs) mod signals;
pub(in crate::verbs) mod start;
