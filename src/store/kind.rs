//! What an object is to a store, told from its key alone. Pure.
//!
//! Key type: [`Kind`].

use super::layout;

/// The documents at the root of a store, in the order in which they have to go so that no reader meets half a store.
pub const ROOT_DOCUMENTS: [&str; 4] = ["zarr.json", ".zmetadata", ".zgroup", ".zattrs"];

/// What an object is to a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// This document at its root.
    Root(&'a str),
    /// A document or a chunk of an array or a group in it.
    Part,
    /// An object of its ledger.
    Ledger,
    /// Not of this program's making, or of another store.
    Foreign,
}

impl<'a> Kind<'a> {
    /// What the object `key` is to the store `store`.
    #[must_use]
    pub fn of(store: &str, key: &'a str) -> Self {
        let below = |folder: &str| key.strip_prefix(folder)?.strip_prefix('/');
        match below(store) {
            Some(document) if ROOT_DOCUMENTS.contains(&document) => Self::Root(document),
            Some(part) if is_part(part) => Self::Part,
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

/// Is `key`, from the store's root on, that of an array's document or chunk, in Zarr v2 or v3?
fn is_part(key: &str) -> bool {
    let Some((array, last)) = key.rsplit_once('/') else {
        return false;
    };
    if ["zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata"].contains(&last) {
        return !array.is_empty();
    }
    // v3: array/c/0/1, or array/c of a scalar; v2: array/0.1 or array/0/1.
    let parts: Vec<&str> = key.split('/').collect();
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let tail = parts.iter().rev().take_while(|part| digits(part)).count();
    // The first is the array's name, which may be digits too.
    let (head, tail) = parts.split_at((parts.len() - tail).max(1));
    match head {
        [_, .., "c"] => true,
        [_, .., dotted] if tail.is_empty() => dotted.contains('.') && dotted.split('.').all(digits),
        [_, ..] => !tail.is_empty(),
        [] => false,
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
                assert_eq!(Kind::of(store, &key), Kind::Root(document));
            }
            for part in [
                "tos/zarr.json",
                "tos/c",
                "tos/c/0/12/3",
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
                assert_eq!(Kind::of(store, &key), Kind::Part, "{key}");
            }
            for key in ["last.json", "undo/7/objects/tos/c/0"] {
                let key = format!("{}/{key}", layout::ledger(store));
                assert_eq!(Kind::of(store, &key), Kind::Ledger, "{key}");
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
                assert_eq!(Kind::of(store, &key), Kind::Foreign, "{key}");
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
            let kind = Kind::of("a/tos.zarr", foreign);
            assert_eq!(kind, Kind::Foreign, "{foreign}");
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
                prop_assert_eq!(Kind::of(&store, &key), Kind::Part, "{}", key);
            }
        }

        #[test]
        fn any_text_has_a_kind(store in "\\PC{0,9}", key in "\\PC{0,40}") {
            let _ = Kind::of(&store, &key);
        }
    }
}
