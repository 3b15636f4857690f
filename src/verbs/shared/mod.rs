//! What verbs share: leases, what dead jobs left.

pub(crate) mod hold;
pub(crate) mod interrupt;
pub(in crate::verbs) mod left;
pub(in crate::verbs) mod removing;
