//! What an object is, told from its key alone. Pure.
//!
//! Key type: [`Kind`].

use super::layout::LEDGERS;

/// The documents at the root of a store, in the order in which they have to go so that no reader meets half a store.
pub const ROOT_DOCUMENTS: [&str; 4] = ["zarr.json", ".zmetadata", ".zgroup", ".zattrs"];

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// A document at the root of a store.
    Root {
        /// The store.
        store: &'a str,
        /// The document's name.
        document: &'a str,
    },
    /// A document or a chunk of an array of a store.
    Part {
        /// The store.
        store: &'a str,
    },
    /// An object of a ledger.
    Ledger {
        /// What comes before the store's name, without the last `/`.
        parent: &'a str,
        /// The store's name; `None` if it is of no one store.
        name: Option<&'a str>,
    },
    /// Not of this program's making.
    Foreign,
}

impl<'a> Kind<'a> {
    /// What the object `key` is, where `key` begins below the prefix that stores are looked for in.
    #[must_use]
    pub fn of(key: &'a str) -> Self {
        let mut begin = 0;
        while let Some(length) = key[begin..].find('/') {
            let end = begin + length;
            let (part, rest) = (&key[begin..end], &key[end + 1..]);
            if part == LEDGERS {
                let parent = key[..begin].trim_end_matches('/');
                let name = rest.split_once('/').map(|(name, _)| name);
                let name = name.filter(|name| is_store(name));
                return Self::Ledger { parent, name };
            }
            if is_store(part) {
                let store = &key[..end];
                return if ROOT_DOCUMENTS.contains(&rest) {
                    Self::Root {
                        store,
                        document: rest,
                    }
                } else if is_part(rest) {
                    Self::Part { store }
                } else {
                    Self::Foreign
                };
            }
            begin = end + 1;
        }
        Self::Foreign
    }
}

/// Is this the last part of a store's key?
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
    if ["zarr.json", ".zarray", ".zattrs", ".zgroup"].contains(&last) {
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
        let root = |store, document| Kind::Root { store, document };
        let store = "a/tos.zarr";
        for document in ROOT_DOCUMENTS {
            let key = format!("a/tos.zarr/{document}");
            assert_eq!(Kind::of(&key), root(store, document));
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
        ] {
            let key = format!("a/tos.zarr/{part}");
            assert_eq!(Kind::of(&key), Kind::Part { store }, "{key}");
        }
        let name = Some("tos.zarr");
        let ledger = |parent| Kind::Ledger { parent, name };
        assert_eq!(Kind::of("a/.msm-os/tos.zarr/last.json"), ledger("a"));
        assert_eq!(Kind::of(".msm-os/tos.zarr/undo/tos/c/0"), ledger(""));
        let common = Kind::Ledger {
            parent: "a",
            name: None,
        };
        assert_eq!(Kind::of("a/.msm-os/probe"), common);
        assert_eq!(Kind::of("a/.msm-os/other/last.json"), common);
        for foreign in [
            "notes.txt",
            "a/notes.txt",
            "a/tos.zarr",
            "a/.zarr/zarr.json",
            "a/tos.zarr/notes.txt",
            "a/tos.zarr/0.0",
            "a/tos.zarr/tos/c/x",
            "a/tos.zarr/tos/c/0/x",
            "a/tos.zarr/tos/1.x",
            "a/tos.zarr/tos/notes.txt",
        ] {
            assert_eq!(Kind::of(foreign), Kind::Foreign, "{foreign}");
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
                prop_assert_eq!(Kind::of(&key), Kind::Part { store: &store }, "{}", key);
            }
        }

        #[test]
        fn any_text_has_a_kind(key in "\\PC{0,40}") {
            let _ = Kind::of(&key);
        }
    }
}
