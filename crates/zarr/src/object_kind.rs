//! What an object is to a store, told from its key alone. Pure.
//!
//! Key type: [`ObjectKind`].

use super::layout;

/// The documents at the root of a store, in the order in which they have to go so that no reader meets half a store.
pub const ROOT_DOCUMENTS: [&str; 4] = ["zarr.json", ".zmetadata", ".zgroup", ".zattrs"];

/// What an object is to a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind<'a> {
    /// This document at its root.
    Root(&'a str),
    /// A document or a chunk of an array or a group in it.
    Part,
    /// An object of its ledger.
    Ledger,
    /// Not of this program's making, or of another store.
    Foreign,
}

impl<'a> ObjectKind<'a> {
    /// What the object `key` is to the store `store`.
    #[must_use]
    pub fn of(store: &str, key: &'a str) -> Self {
        let below = |folder: &str| key.strip_prefix(folder)?.strip_prefix('/');
        match below(store) {
            Some(document) if ROOT_DOCUMENTS.contains(&document) => Self::Root(document),
            Some(part) if part_of(part).is_some() => Self::Part,
            None if below(&layout::ledger(store)).is_some() => Self::Ledger,
            _ => Self::Foreign,
        }
    }
}

/// Does this last part of a key say that it is a store, before anything of it is there?
#[must_use]
pub fn is_store(part: &str) -> bool {
    part.strip_suffix(".zarr")
        .is_some_and(|name| !name.is_empty())
}

/// Is this the key, below a store, of something that a create writes before the root document: of a document or a chunk of
/// an array in the topmost group, or of the attributes of version 2?
#[must_use]
pub fn precedes_root(below: &str) -> bool {
    let is_of_group = [".zgroup", ".zmetadata"]
        .iter()
        .any(|name| below.ends_with(name));
    below == ".zattrs" || (!is_of_group && part_of(below).is_some_and(|array| !array.contains('/')))
}

/// The array or group of whose document or chunk this is the key, from the store's root on, in Zarr v2 or v3.
fn part_of(key: &str) -> Option<&str> {
    let (array, last) = key.rsplit_once('/')?;
    if ["zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata"].contains(&last) {
        return (!array.is_empty()).then_some(array);
    }
    // v3: array/c/0/1 or array/c.0.1, or array/c of a scalar; v2: array/0.1 or array/0/1.
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let mut head = key;
    while let Some((above, last)) = head.rsplit_once('/')
        && digits(last)
    {
        head = above;
    }
    match head.rsplit_once('/') {
        Some((array, "c")) => Some(array),
        Some((array, dotted)) if head.len() == key.len() => {
            let places = dotted.strip_prefix("c.").unwrap_or(dotted);
            (dotted.contains('.') && places.split('.').all(digits)).then_some(array)
        }
        _ => (head.len() < key.len()).then_some(head),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_of_stores_and_ledgers_are_told_from_others() {
        for store in ["a/tos.zarr", "a/tos", "tos"] {
            for document in ROOT_DOCUMENTS {
                let key = format!("{store}/{document}");
                assert_eq!(ObjectKind::of(store, &key), ObjectKind::Root(document));
            }
            for part in [
                "tos/zarr.json",
                "tos/c",
                "tos/c/0/12/3",
                "tos/c.0.12.3",
                "time/c.0",
                "tos/.zarray",
                "tos/.zattrs",
                "tos/0.12.3",
                "tos/0",
                "tos/0/1",
                "12/0",
                "12/0/1",
                "12/0.1",
                "12/c/0",
                "c/c/0",
                "gridT/zarr.json",
                "gridT/.zmetadata",
                "gridT/tos/c/0",
            ] {
                let key = format!("{store}/{part}");
                assert_eq!(ObjectKind::of(store, &key), ObjectKind::Part, "{key}");
            }
            for key in ["last.json", "undo/7/objects/tos/c/0"] {
                let key = format!("{}/{key}", layout::ledger(store));
                assert_eq!(ObjectKind::of(store, &key), ObjectKind::Ledger, "{key}");
            }
            for foreign in [
                "notes.txt",
                "0.0",
                "tos/c/x",
                "tos/c/0/x",
                "tos/1.x",
                "tos/notes.txt",
            ] {
                let key = format!("{store}/{foreign}");
                assert_eq!(ObjectKind::of(store, &key), ObjectKind::Foreign, "{key}");
            }
        }
        for foreign in [
            "notes.txt",
            "a/tos.zarr",
            "a/tos/zarr.json",
            "a/tos.zarrs/zarr.json",
            "a/.msm-os/probe",
            "a/.msm-os/tos/last.json",
        ] {
            let kind = ObjectKind::of("a/tos.zarr", foreign);
            assert_eq!(kind, ObjectKind::Foreign, "{foreign}");
        }
    }

    #[test]
    fn what_a_create_writes_before_the_root_document() {
        for ours in [
            "tos/zarr.json",
            "tos/c",
            "tos/c/0/0",
            "tos/.zarray",
            "tos/.zattrs",
            "tos/0",
            "tos/0.0.12",
            "tos/0/0/12",
            ".zattrs",
        ] {
            assert!(precedes_root(ours), "{ours}");
        }
        for other in [
            "notes.txt",
            ".zarray",
            "0.0",
            "tos/notes.txt",
            "tos/0..1",
            "tos/1.nc",
            "tos/a/zarr.json",
        ] {
            assert!(!precedes_root(other), "{other}");
        }
    }

    proptest! {
        #[test]
        fn every_chunk_key_is_a_part_of_its_store(
            parents in proptest::collection::vec("[a-z]{1,4}", 0..3),
            chunk in proptest::collection::vec(0u64..10_000, 1..5),
        ) {
            let parents: String = parents.iter().map(|p| format!("{p}/")).collect();
            let store = format!("{parents}tos.zarr");
            let join = |separator: &str| {
                let parts: Vec<String> = chunk.iter().map(u64::to_string).collect();
                parts.join(separator)
            };
            for key in [
                format!("{store}/tos/c/{}", join("/")),
                format!("{store}/tos/{}", join(".")),
                format!("{store}/tos/{}", join("/")),
            ] {
                prop_assert_eq!(ObjectKind::of(&store, &key), ObjectKind::Part, "{}", key);
            }
        }

        #[test]
        fn any_text_has_a_kind(store in "\\PC{0,9}", key in "\\PC{0,40}") {
            let _ = ObjectKind::of(&store, &key);
        }
    }
}
