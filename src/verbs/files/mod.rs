//! What the source files of a command come to: their catalogues, whether they fit together, what each store gets of them.

pub(in crate::verbs) mod catalogue;
pub(in crate::verbs) mod differing;
pub(in crate::verbs) mod fit;
pub(in crate::verbs) mod joined;
pub(in crate::verbs) mod prefix;
pub(in crate::verbs) mod recipe;
pub(in crate::verbs) mod requested;
pub(crate) mod selection;
