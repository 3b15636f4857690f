//! Which parts of the bucket a delete walks through.
//!
//! Key type: [`Area`].

use crate::cli::DeleteArgs;
use crate::exit::{Exit, Failure};
use crate::store::{Kind, layout};

/// A part of the bucket: everything below one key.
#[derive(Clone, Debug)]
pub(super) struct Area {
    /// The prefix below which stores are told apart.
    pub parent: String,
    /// The key.
    pub below: String,
}

impl Area {
    /// What the object `key` of this area is.
    pub fn kind<'a>(&self, key: &'a str) -> Kind<'a> {
        match self.parent.as_str() {
            "" => Kind::of(key),
            parent => {
                let below = key.strip_prefix(parent);
                below
                    .and_then(|key| key.strip_prefix('/'))
                    .map_or(Kind::Foreign, Kind::of)
            }
        }
    }
}

/// What `args` choose: names for messages, each with its areas; no area twice.
///
/// # Errors
/// If a name cannot be a variable's.
pub(super) fn chosen(args: &DeleteArgs, prefix: &str) -> Result<Vec<(String, Vec<Area>)>, Failure> {
    if args.all {
        return Ok(vec![everything(prefix)]);
    }
    let mut names = args.variables.clone();
    names.sort_unstable();
    names.dedup();
    names.iter().map(|name| one_store(prefix, name)).collect()
}

/// All stores below the prefix, and its compact store.
fn everything(prefix: &str) -> (String, Vec<Area>) {
    let mut areas = vec![Area {
        parent: prefix.to_owned(),
        below: prefix.to_owned(),
    }];
    if !prefix.is_empty() {
        areas.extend(of_store(&layout::compact_key(prefix)));
    }
    (prefix.to_owned(), areas)
}

/// The store of the variable `name`, or the compact one.
fn one_store(prefix: &str, name: &str) -> Result<(String, Vec<Area>), Failure> {
    let wrong = |message: String| Err(Failure::new(Exit::Usage, message));
    if name == "compact" && prefix.is_empty() {
        return wrong("-v compact: the compact store is PREFIX.zarr; give --prefix".to_owned());
    }
    if name.is_empty() || name.contains('/') || name.chars().any(char::is_control) {
        return wrong(format!("-v '{name}': expected a variable's name"));
    }
    let store = match name {
        "compact" => layout::compact_key(prefix),
        name => layout::store_key(prefix, name),
    };
    let areas = of_store(&store);
    Ok((store, areas))
}

/// The store `key` and its ledger.
fn of_store(key: &str) -> Vec<Area> {
    let parent = key.rsplit_once('/').map_or("", |(parent, _)| parent);
    let area = |below| Area {
        parent: parent.to_owned(),
        below,
    };
    vec![area(key.to_owned()), area(layout::ledger(key))]
}
