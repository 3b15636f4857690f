//! Arrays that have different lengths along one dimension: xarray does not open such a store. Pure.
//!
//! Key type: [`UnevenLengths`].

use std::collections::BTreeMap;
use std::fmt;

/// Arrays of one group that do not agree on the length of a dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnevenLengths {
    /// The dimension.
    pub dimension: String,
    /// Which arrays have which length, the shortest first.
    pub lengths: BTreeMap<u64, Vec<String>>,
}

/// The dimensions of whose lengths `arrays`, each by its name, dimensions and shape, do not agree. Each group has dimensions of its
/// own.
#[must_use]
pub fn uneven<'a>(
    arrays: impl IntoIterator<Item = (&'a str, &'a [String], &'a [u64])>,
) -> Vec<UnevenLengths> {
    let mut all: BTreeMap<(&str, &str), BTreeMap<u64, Vec<String>>> = BTreeMap::new();
    for (name, dimensions, shape) in arrays {
        for (dimension, length) in dimensions.iter().zip(shape) {
            let place = all.entry((group_of(name), dimension.as_str()));
            let names = place.or_default().entry(*length).or_default();
            if !names.iter().any(|other| other == name) {
                names.push(name.to_owned());
            }
        }
    }
    let uneven = all.into_iter().filter(|((_, dimension), lengths)| {
        let is_named = !dimension.is_empty();
        is_named && lengths.len() > 1
    });
    uneven
        .map(|((_, dimension), lengths)| UnevenLengths {
            dimension: dimension.to_owned(),
            lengths,
        })
        .collect()
}

/// The group that the array `name` is in, as the store's root sees it; empty for the root itself.
#[must_use]
pub fn group_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(group, _)| group)
}

impl UnevenLengths {
    /// Steps that all of the arrays have.
    #[must_use]
    pub fn shortest(&self) -> u64 {
        self.lengths.keys().next().copied().unwrap_or(0)
    }

    /// What mends such a store.
    #[must_use]
    pub fn way_out(&self) -> String {
        format!(
            "xarray does not open it so; if an append of another program died half way, recover --truncate -a {} cuts all to {}, \
             which rollback undoes",
            self.dimension,
            self.shortest()
        )
    }
}

/// `its arrays have different lengths along 'time_counter': 3 'time_counter', 4 'e3t' and 'thetao'`
impl fmt::Display for UnevenLengths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lengths = self.lengths.iter().map(|(length, names)| {
            let names: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
            format!("{length} has {}", names.join(", "))
        });
        write!(
            f,
            "its arrays have different lengths along '{}': {}",
            self.dimension,
            lengths.collect::<Vec<_>>().join("; ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_group_has_lengths_of_its_own() {
        let names = |words: &str| words.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let (ty, t) = (names("time y"), names("time"));
        let of = |arrays: &[(&'static str, &Vec<String>, &[u64])]| {
            let arrays = arrays
                .iter()
                .map(|(name, d, shape)| (*name, d.as_slice(), *shape));
            uneven(arrays.collect::<Vec<_>>())
        };
        assert_eq!(of(&[("a", &ty, &[2, 3]), ("time", &t, &[2])]), []);
        assert_eq!(of(&[("a/time", &t, &[2]), ("b/time", &t, &[3])]), []);
        assert_eq!(
            of(&[("a", &names(" x"), &[2, 3]), ("b", &names(" x"), &[3, 3])]),
            []
        );
        let found = of(&[("b", &ty, &[3, 3]), ("time", &t, &[2]), ("a", &ty, &[3, 3])]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].shortest(), 2);
        let said = "its arrays have different lengths along 'time': 2 has 'time'; 3 has 'b', 'a'";
        assert_eq!(found[0].to_string(), said);
    }
}
