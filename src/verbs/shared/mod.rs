//! What verbs share: leases, what dead jobs left.

pub(crate) mod hold;
pub(in crate::verbs) mod left;
pub(in crate::verbs) mod removing;
pub(crate) mod settle;
pub(in crate::verbs) mod signals;
