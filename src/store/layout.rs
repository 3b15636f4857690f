//! Keys: where stores, arrays, documents and the ledger lie in a bucket.

use super::version::Version;

/// The key of a variable's store: `<prefix>/<variable>.zarr`.
#[must_use]
pub fn store_key(prefix: &str, variable: &str) -> String {
    format!("{prefix}/{variable}.zarr")
}

/// The key of the store of all variables: `<prefix>.zarr`.
#[must_use]
pub fn compact_key(prefix: &str) -> String {
    format!("{prefix}.zarr")
}

/// The key of the root document of a store of this version.
#[must_use]
pub fn root_document(store: &str, version: Version) -> String {
    format!("{store}/{}", version.root())
}

/// The key of the undo copy of the object `key` of `store`: in the ledger `<parent>/.msm-os/<name>.zarr/`, outside the
/// store, so that no reader trips over it.
#[must_use]
pub fn undo_copy(store: &str, key: &str) -> String {
    let (parent, name) = store.rsplit_once('/').unwrap_or(("", store));
    let ledger = if parent.is_empty() {
        format!(".msm-os/{name}")
    } else {
        format!("{parent}/.msm-os/{name}")
    };
    let relative = key
        .strip_prefix(store)
        .unwrap_or(key)
        .trim_start_matches('/');
    format!("{ledger}/undo/{relative}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ledger_lies_beside_the_store() {
        let copy = undo_copy("T1y/tos.zarr", "T1y/tos.zarr/tos/c/0/0/0");
        assert_eq!(copy, "T1y/.msm-os/tos.zarr/undo/tos/c/0/0/0");
    }
}
