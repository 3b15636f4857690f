//! Why stores are not rechunked.

use serde::{Deserialize, Serialize};

/// What a rechunk finds. Where stores go, it finds as a copy does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum RechunkError {
    #[error(
        "store '{store}': '{to}' is there already, and is not what would be made; give another place, or delete that first; nothing was changed"
    )]
    Taken { store: String, to: String },
    #[error(
        "store '{store}' is a hierarchy with the groups {groups}, which are not rechunked; nothing was written"
    )]
    Hierarchy { store: String, groups: String },
    #[error(
        "store '{store}': another program has changed it while it was read; try again when that has ended"
    )]
    Changed { store: String },
}
