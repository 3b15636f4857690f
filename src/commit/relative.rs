//! Keys as a ledger says them: from its own store on, so that a ledger that was copied with its store tells of the copy. Pure.

use msm_zarr::layout::is_plain;

/// `key`, which lies below `store`, from there on.
pub(super) fn below<'a>(store: &str, key: &'a str) -> Option<&'a str> {
    let below = key.strip_prefix(store)?.strip_prefix('/')?;
    is_plain(below).then_some(below)
}

/// The key of another store, as seen from the folder that `store` is in: `../T1m.zarr`.
pub(super) fn beside(store: &str, other: &str) -> String {
    let (here, there): (Vec<&str>, Vec<&str>) = (parents(store), other.split('/').collect());
    // Its last part is a name, and no folder.
    let pairs = here.iter().zip(&there[..there.len() - 1]);
    let common = pairs.take_while(|(a, b)| a == b).count();
    let up = here[common..].iter().map(|_| "..");
    let path: Vec<&str> = up.chain(there[common..].iter().copied()).collect();
    path.join("/")
}

/// The key that [`beside`] tells from the folder that `store` is in; `None` if that leads out of the bucket.
pub(super) fn resolve(store: &str, path: &str) -> Option<String> {
    let mut parts = parents(store);
    let down = path.trim_start_matches("../");
    for _ in 0..(path.len() - down.len()) / "../".len() {
        parts.pop()?;
    }
    parts.extend(down.split('/'));
    is_plain(down).then(|| parts.join("/"))
}

fn parents(store: &str) -> Vec<&str> {
    let folder = store.rsplit_once('/').map(|(folder, _)| folder);
    folder.map_or_else(Vec::new, |folder| folder.split('/').collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_from_its_store_on() {
        let store = "a/tos.zarr";
        assert_eq!(below(store, "a/tos.zarr/tos/c/0"), Some("tos/c/0"));
        for other in [
            "a/tos.zarr",
            "a/tos.zarr/",
            "a/tos.zarrs/b",
            "b/tos.zarr/c",
            "a/tos.zarr/../b",
            "a/tos.zarr//b",
        ] {
            assert_eq!(below(store, other), None, "{other}");
        }
        assert_eq!(beside("a/tos.zarr", "a.zarr"), "../a.zarr");
        assert_eq!(beside("a.zarr", "a/b/tos.zarr"), "a/b/tos.zarr");
        assert_eq!(resolve("tos.zarr", "../a.zarr"), None);
        for path in ["", "..", "../..", "a/../b", "./a", "a//b"] {
            assert_eq!(resolve("a/b/tos.zarr", path), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn another_store_is_found_again_and_in_a_copy_its_copy(
            store in proptest::collection::vec("[ab]", 1..4),
            other in proptest::collection::vec("[ab]", 1..4),
        ) {
            let (store, other) = (store.join("/"), other.join("/"));
            prop_assert_eq!(resolve(&store, &beside(&store, &other)), Some(other.clone()));
            let within = beside(&format!("x/{store}"), &format!("x/{other}"));
            let copied = resolve(&format!("y/{store}"), &within);
            prop_assert_eq!(copied, Some(format!("y/{other}")));
        }
    }
}
