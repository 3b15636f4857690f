//! Where stores go.
//!
//! Key type: [`Passage`], of one of them.

use msm_zarr::{Group, is_store, layout};

use super::ends::Ends;
use super::error::CopyError;
use crate::error::Error;
use crate::store::{Bucket, Spot};
use crate::verbs::stores::absent::no_stores;
use crate::verbs::stores::named::stores;
use crate::verbs::stores::place::CommandPlace;

/// The way of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::verbs) struct Passage {
    /// Its key.
    pub from: String,
    /// That of its copy.
    pub to: String,
    /// The bucket that it goes to, if it is another one.
    pub bucket: Option<String>,
}

/// The ways of the stores at `spot` to `to`: those of `variables` only, if there are any.
///
/// # Errors
/// If there are none, or they cannot be there.
pub(in crate::verbs) async fn passages(
    ends: Ends<'_>,
    spot: &Spot,
    variables: &[String],
    to: &str,
) -> Result<Vec<Passage>, Error> {
    ends.check()?;
    let bucket = ends.from;
    let groups = stores(bucket, spot, variables).await?;
    let is_one = |group: &Group| !layout::is_reading(&group.store);
    let groups: Vec<Group> = groups.into_iter().filter(is_one).collect();
    if let Spot::Below(prefix) = spot
        && ends.other().is_none()
        && variables.is_empty()
        && to.starts_with(&format!("{prefix}/"))
    {
        return Err(CopyError::Below {
            to: to.to_owned(),
            prefix: prefix.clone(),
        }
        .into());
    }
    if let Some(name) = variables.first()
        && !variables.iter().any(|name| name == "compact")
        && let Some(compact) = CommandPlace::of(bucket, spot)
            .await?
            .compact(bucket, spot)
            .await?
        && groups.contains(&compact)
    {
        return Err(CopyError::InCompact {
            name: name.clone(),
            store: compact.store,
        }
        .into());
    }
    if groups.is_empty() {
        return Err(no_stores(bucket, spot).await?);
    }
    let mut passages = Vec::new();
    for group in groups {
        if !group.path.is_empty() {
            return Err(CopyError::Group {
                group: group.key(),
                store: group.store,
            }
            .into());
        }
        let target = target(spot, &group.store, to);
        passages.push(Passage {
            from: group.store,
            to: target,
            bucket: ends.other(),
        });
    }
    for passage in &passages {
        if ends.other().is_none() {
            passage.check(&passages)?;
        }
        passage.check_ground(ends.to).await?;
    }
    Ok(passages)
}

/// Where the store `from` at `spot` goes: below the prefix `to`, or, if it is alone, there.
fn target(spot: &Spot, from: &str, to: &str) -> String {
    let Spot::Below(prefix) = spot else {
        return to.to_owned();
    };
    match from.strip_prefix(&format!("{prefix}/")) {
        Some(below) => layout::below(to, below),
        None if prefix.is_empty() => layout::below(to, from),
        None if from == prefix => to.to_owned(),
        // That of all variables, beside the prefix.
        None if is_store(to) => to.to_owned(),
        None => layout::compact_key(to),
    }
}

impl Passage {
    /// Where it goes, as messages say it.
    pub(in crate::verbs) fn destination(&self) -> String {
        match &self.bucket {
            Some(bucket) => layout::below(bucket, &self.to),
            None => self.to.clone(),
        }
    }

    /// Checks that the copy is beside all stores that are copied.
    fn check(&self, all: &[Self]) -> Result<(), CopyError> {
        let within = |key: &str, folder: &str| key.starts_with(&format!("{folder}/"));
        if self.from == self.to {
            return Err(CopyError::SamePlace {
                to: self.to.clone(),
            });
        }
        let overlaps = |other: &&Self| {
            self.to == other.from || within(&self.to, &other.from) || within(&other.from, &self.to)
        };
        match all.iter().find(overlaps) {
            None => Ok(()),
            Some(other) => Err(CopyError::Within {
                to: self.to.clone(),
                within: other.from.clone(),
            }),
        }
    }

    /// Checks that the copy can be there: in no other store.
    async fn check_ground(&self, bucket: &Bucket) -> Result<(), Error> {
        match CommandPlace::of(bucket, &Spot::At(self.to.clone())).await? {
            CommandPlace::Group(group) if !group.path.is_empty() => Err(CopyError::Within {
                to: self.destination(),
                within: group.store,
            }
            .into()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_keep_their_names_below_another_prefix() {
        let below = |prefix: &str| Spot::Below(prefix.to_owned());
        for (spot, from, to, expected) in [
            (below("T1m"), "T1m/tos.zarr", "old/T1m", "old/T1m/tos.zarr"),
            (below("T1m"), "T1m/a/b.zarr", "T2", "T2/a/b.zarr"),
            (below("T1m"), "T1m.zarr", "T2", "T2.zarr"),
            (below("T1m"), "T1m.zarr", "T2.zarr", "T2.zarr"),
            (below(""), "T1m/tos.zarr", "old", "old/T1m/tos.zarr"),
            (below("npd/T1y"), "npd/T1y", "old", "old"),
            (
                Spot::At("npd/T1y".into()),
                "npd/T1y",
                "old/x.zarr",
                "old/x.zarr",
            ),
        ] {
            assert_eq!(target(&spot, from, to), expected);
        }
    }

    #[test]
    fn a_copy_lies_beside_what_is_copied() {
        let passage = |from: &str, to: &str| Passage {
            from: from.into(),
            to: to.into(),
            bucket: None,
        };
        let checked = |all: &[Passage]| all.iter().try_for_each(|one| one.check(all));
        assert_eq!(checked(&[passage("a/x.zarr", "b/x.zarr")]), Ok(()));
        for wrong in [
            vec![passage("a/x.zarr", "a/x.zarr")],
            vec![passage("a", "a/b")],
            vec![passage("a/b", "a")],
            vec![
                passage("a/x.zarr", "b/x.zarr"),
                passage("b/x.zarr", "c/x.zarr"),
            ],
        ] {
            checked(&wrong).unwrap_err();
        }
    }
}
