//! What verbs share: leases, what dead jobs left.

pub(in crate::verbs) mod abandoned;
pub(in crate::verbs) mod at_rest;
pub(in crate::verbs) mod command_log;
pub(in crate::verbs) mod ending;
pub(crate) mod error;
pub(crate) mod hold;
pub(in crate::verbs) mod in_hand;
pub(in crate::verbs) mod phase_watch;
pub(in crate::verbs) mod recorded;
pub(in crate::verbs) mod remnant;
pub(in crate::verbs) mod removing;
pub(in crate::verbs) mod requests;
pub(in crate::verbs) mod verification;
