//! Keys: where stores, arrays, documents and the ledger lie in a bucket.

use super::version::Version;

/// The key of a variable's store: `<prefix>/<variable>.zarr`, or `<variable>.zarr` where the prefix is empty.
#[must_use]
pub fn store_key(prefix: &str, variable: &str) -> String {
    below(prefix, &format!("{variable}.zarr"))
}

/// The key `name` below `prefix`, which may be empty.
#[must_use]
pub fn below(prefix: &str, name: &str) -> String {
    if prefix.is_empty() {
        name.to_owned()
    } else {
        format!("{prefix}/{name}")
    }
}

/// The key of the compact store of `prefix`: `<prefix>.zarr`.
#[must_use]
pub fn compact_key(prefix: &str) -> String {
    format!("{prefix}.zarr")
}

/// Does `path` lead down, and nowhere else, from wherever it begins?
#[must_use]
pub fn is_plain(path: &str) -> bool {
    path.split('/').all(|part| !["", ".", ".."].contains(&part))
}

/// The key of the root document of a store of this version.
#[must_use]
pub fn root_document(store: &str, version: Version) -> String {
    format!("{store}/{}", version.root())
}

/// The folder, beside stores, that holds their ledgers.
pub const LEDGERS: &str = ".msm-os";

/// The key of the ledger of `store`: `<parent>/.msm-os/<name>`, outside the store, so that no reader trips over it.
#[must_use]
pub fn ledger(store: &str) -> String {
    match store.rsplit_once('/') {
        Some((parent, name)) => format!("{parent}/{LEDGERS}/{name}"),
        None => format!("{LEDGERS}/{store}"),
    }
}

/// The key of the record of the last transaction on `store`.
#[must_use]
pub fn last_transaction(store: &str) -> String {
    format!("{}/last.json", ledger(store))
}

/// The folder of the ledger of `store` with the journals of transactions that have not ended.
#[must_use]
pub fn journals(store: &str) -> String {
    format!("{}/journal", ledger(store))
}

/// The folder with what the transaction `id` of `store`, not ended yet, has put so far.
#[must_use]
pub fn progress(store: &str, id: &str) -> String {
    format!("{}/{id}.done", journals(store))
}

/// The folder of the ledger of `store` with one record of each committed transaction, by its id.
#[must_use]
pub fn transactions(store: &str) -> String {
    format!("{}/transactions", ledger(store))
}

/// The key of the record of the committed transaction `id` of `store`.
#[must_use]
pub fn transaction(store: &str, id: &str) -> String {
    format!("{}/{id}", transactions(store))
}

/// The folder of the ledger of `store` with the manifests of transactions, in a folder each.
#[must_use]
pub fn manifests(store: &str) -> String {
    format!("{}/manifests", ledger(store))
}

/// The folder of the ledger of `store` with the manifest of the transaction `id`, in parts.
#[must_use]
pub fn manifest(store: &str, id: &str) -> String {
    format!("{}/{id}", manifests(store))
}

/// The folder of the ledger of `store` with what transactions replaced, in a folder each.
#[must_use]
pub fn undos(store: &str) -> String {
    format!("{}/undo", ledger(store))
}

/// The folder with what the transaction `id` of `store` replaced.
#[must_use]
pub fn undo(store: &str, id: &str) -> String {
    format!("{}/{id}", undos(store))
}

/// The key of the journal's entry of the committed transaction `id` of `store`, kept for its undoing.
#[must_use]
pub fn before(store: &str, id: &str) -> String {
    format!("{}/before", undo(store, id))
}

/// The folder of the ledger of `store` with the journal's entry of each committed transaction that only added to it.
#[must_use]
pub fn additions(store: &str) -> String {
    format!("{}/additions", ledger(store))
}

/// The key there for the transaction `id`.
#[must_use]
pub fn addition(store: &str, id: &str) -> String {
    format!("{}/{id}", additions(store))
}

/// The folder with the copies of the objects that the transaction `id` of `store` overwrote; below it, keys are as
/// below the store.
#[must_use]
pub fn undo_copies(store: &str, id: &str) -> String {
    format!("{}/objects", undo(store, id))
}

/// The key of the copy that the transaction `id` makes of the object `key` of `store`.
#[must_use]
pub fn undo_copy(store: &str, id: &str, key: &str) -> String {
    let relative = key
        .strip_prefix(store)
        .unwrap_or(key)
        .trim_start_matches('/');
    format!("{}/{relative}", undo_copies(store, id))
}

/// The folder with what takes the place of some of them when the transaction `id` of `store`, which removes objects, is
/// committed; keys are as in [`undo_copies`].
#[must_use]
pub fn cut_objects(store: &str, id: &str) -> String {
    format!("{}/cut", undo(store, id))
}

/// The key there for the object `key` of `store`.
#[must_use]
pub fn cut_object(store: &str, id: &str, key: &str) -> String {
    let relative = key
        .strip_prefix(store)
        .unwrap_or(key)
        .trim_start_matches('/');
    format!("{}/{relative}", cut_objects(store, id))
}

/// The folder of the ledger of `store` with what tells of an archive that many jobs send into it.
#[must_use]
pub fn share(store: &str) -> String {
    format!("{}/share", ledger(store))
}

/// The key of what is told of that archive as a whole.
#[must_use]
pub fn shared_archive(store: &str) -> String {
    format!("{}/archive.json", share(store))
}

/// The key of what its files hold.
#[must_use]
pub fn shared_files(store: &str) -> String {
    format!("{}/files", share(store))
}

/// The folder with what is known of its part `number`. It has leases as a store has: [`leases`] of it.
#[must_use]
pub fn shared_part(store: &str, number: usize) -> String {
    format!("{}/{number:06}", share(store))
}

/// The place of the lease, at the prefix or store `key`, of the job that reads an archive's files for all.
#[must_use]
pub fn reading(key: &str) -> String {
    below(key, READING)
}

/// Is this place no store, but that of [`reading`]?
#[must_use]
pub fn is_reading(place: &str) -> bool {
    place.rsplit('/').next() == Some(READING)
}

/// No store is called so.
const READING: &str = ".files";

/// What a lease's `place` is called: a store, a part of an archive that is sent into one, or the reading of its files.
#[must_use]
pub fn place_name(place: &str) -> String {
    let of_part = place.rsplit_once("/share/").and_then(|(ledger, number)| {
        let number: usize = number.parse().ok()?;
        let (folder, name) = ledger.rsplit_once(&format!("{LEDGERS}/"))?;
        let part = number + 1;
        Some(format!(
            "part {part} of the archive that is sent into '{folder}{name}'"
        ))
    });
    let of_files = || {
        let key = place.strip_suffix(READING)?;
        let key = key.trim_end_matches('/');
        Some(format!("the reading of the files that are sent to '{key}'"))
    };
    of_part
        .or_else(of_files)
        .unwrap_or_else(|| format!("store '{place}'"))
}

/// The key of what says that the part `number` is put and verified.
#[must_use]
pub fn part_done(store: &str, number: usize) -> String {
    format!("{}/done.json", shared_part(store, number))
}

/// The folder with a mark for each job that took the part `number`.
#[must_use]
pub fn part_takers(store: &str, number: usize) -> String {
    format!("{}/takers", shared_part(store, number))
}

/// The folder with what has been put of the part `number` so far.
#[must_use]
pub fn part_progress(store: &str, number: usize) -> String {
    format!("{}/progress", shared_part(store, number))
}

/// The folder with the records of all of the part `number`, as the job `taker` put them.
#[must_use]
pub fn part_records(store: &str, number: usize, taker: &str) -> String {
    format!("{}/records-{taker}", shared_part(store, number))
}

/// The folder of the ledger of `store` with its leases.
#[must_use]
pub fn leases(store: &str) -> String {
    format!("{}/lease", ledger(store))
}

/// Was this object put to find out what the server guarantees? It is of no store, and is swept once its job is dead.
#[must_use]
pub fn is_probe(key: &str) -> bool {
    let name = key.rsplit_once('/').map_or(key, |(_, name)| name);
    name.starts_with("probe-")
}

/// Is this key of the ledger of `store` that of a lease, or of a delete that has not ended?
#[must_use]
pub fn is_in_use(store: &str, key: &str) -> bool {
    let in_folder = |folder: String| {
        let below = key.strip_prefix(&folder);
        below.is_some_and(|below| below.starts_with('/'))
    };
    in_folder(leases(store)) || (in_folder(journals(store)) && key.ends_with(".delete"))
}

/// The key of the object by which a run finds out what the server guarantees, in the ledgers' folder of `folder`.
#[must_use]
pub fn probe(folder: &str, token: &str) -> String {
    below(folder, &format!("{LEDGERS}/probe-{token}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ledger_lies_beside_the_store() {
        let copy = undo_copy("T1y/tos.zarr", "7", "T1y/tos.zarr/tos/c/0/0/0");
        assert_eq!(copy, "T1y/.msm-os/tos.zarr/undo/7/objects/tos/c/0/0/0");
        assert_eq!(last_transaction("tos.zarr"), ".msm-os/tos.zarr/last.json");
    }
}
