//! One page of a bucket listing, as ListObjectsV2 defines it: prefix, delimiter, start and limit.
//! Pure functions over a sorted map. Key types: [`Query`], [`Page`], [`Marker`] (where it goes on).

use std::collections::BTreeMap;
use std::ops::Bound;

pub(crate) struct Query<'a> {
    pub(crate) prefix: &'a str,
    /// Never empty.
    pub(crate) delimiter: Option<&'a str>,
    pub(crate) after: Option<Marker>,
    pub(crate) max_keys: usize,
}

/// Where a page ended: behind a key, or behind all keys that share a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Marker {
    Key(String),
    Prefix(String),
}

impl Marker {
    /// The continuation token, opaque to clients.
    pub(crate) fn to_token(&self) -> String {
        match self {
            Marker::Key(key) => format!("k:{key}"),
            Marker::Prefix(prefix) => format!("p:{prefix}"),
        }
    }

    pub(crate) fn from_token(token: &str) -> Option<Marker> {
        match token.split_once(':')? {
            ("k", key) => Some(Marker::Key(key.to_owned())),
            ("p", prefix) => Some(Marker::Prefix(prefix.to_owned())),
            _ => None,
        }
    }
}

pub(crate) struct Page<'a, V> {
    pub(crate) objects: Vec<(&'a str, &'a V)>,
    pub(crate) common_prefixes: Vec<String>,
    /// Where the next page starts; `None` if this is the last.
    pub(crate) next: Option<Marker>,
}

/// The page that starts behind `query.after`; keys and common prefixes together count towards
/// `query.max_keys`.
pub(crate) fn page<'a, V>(objects: &'a BTreeMap<String, V>, query: &Query<'_>) -> Page<'a, V> {
    let mut page = Page {
        objects: Vec::new(),
        common_prefixes: Vec::new(),
        next: None,
    };
    if query.max_keys == 0 {
        return page;
    }
    let start = match &query.after {
        Some(Marker::Key(key)) if key.as_str() >= query.prefix => Bound::Excluded(key.as_str()),
        Some(Marker::Prefix(prefix)) => Bound::Included(prefix.as_str()),
        _ => Bound::Included(query.prefix),
    };
    let mut passed = match &query.after {
        Some(Marker::Prefix(prefix)) => Some(prefix.clone()),
        _ => None,
    };
    let mut last = None;
    for (key, value) in objects.range::<str, _>((start, Bound::Unbounded)) {
        let Some(rest) = key.strip_prefix(query.prefix) else {
            break;
        };
        if passed
            .as_ref()
            .is_some_and(|prefix| key.starts_with(prefix.as_str()))
        {
            continue;
        }
        if page.objects.len() + page.common_prefixes.len() == query.max_keys {
            page.next = last;
            break;
        }
        let cut = query
            .delimiter
            .and_then(|d| rest.find(d).map(|at| query.prefix.len() + at + d.len()));
        if let Some(cut) = cut {
            let common = key[..cut].to_owned();
            page.common_prefixes.push(common.clone());
            passed = Some(common.clone());
            last = Some(Marker::Prefix(common));
        } else {
            page.objects.push((key, value));
            last = Some(Marker::Key(key.clone()));
        }
    }
    page
}

#[cfg(test)]
#[allow(clippy::zero_sized_map_values)]
mod tests {
    use super::*;

    fn walk(keys: &[&str], prefix: &str, delimiter: Option<&str>, max_keys: usize) -> Vec<String> {
        let objects: BTreeMap<String, ()> = keys.iter().map(|k| ((*k).to_owned(), ())).collect();
        let mut after = None;
        let mut found = Vec::new();
        loop {
            let page = page(
                &objects,
                &Query {
                    prefix,
                    delimiter,
                    after: after.clone(),
                    max_keys,
                },
            );
            found.extend(page.objects.iter().map(|(key, ())| (*key).to_owned()));
            found.extend(page.common_prefixes);
            after = page
                .next
                .and_then(|next| Marker::from_token(&next.to_token()));
            if after.is_none() {
                return found;
            }
        }
    }

    const KEYS: [&str; 7] = ["a", "a!b", "a/1", "a/2", "a/b/3", "b/1", "c"];

    #[test]
    fn every_page_size_gives_the_same_listing() {
        for max_keys in 1..10 {
            assert_eq!(walk(&KEYS, "", None, max_keys), KEYS, "{max_keys} a page");
            let mut shallow = walk(&KEYS, "", Some("/"), max_keys);
            shallow.sort();
            assert_eq!(shallow, ["a", "a!b", "a/", "b/", "c"], "{max_keys} a page");
            assert_eq!(
                walk(&KEYS, "a/", Some("/"), max_keys),
                ["a/1", "a/2", "a/b/"]
            );
        }
    }

    #[test]
    fn starts_behind_a_key_and_ends_with_the_prefix() {
        let objects: BTreeMap<String, ()> = KEYS.iter().map(|k| ((*k).to_owned(), ())).collect();
        let list = |prefix: &str, after: &str| -> Vec<String> {
            let after = Some(Marker::Key(after.to_owned()));
            let page = page(
                &objects,
                &Query {
                    prefix,
                    delimiter: None,
                    after,
                    max_keys: 1000,
                },
            );
            page.objects
                .iter()
                .map(|(key, ())| (*key).to_owned())
                .collect()
        };
        assert_eq!(list("", "a/2"), ["a/b/3", "b/1", "c"]);
        assert_eq!(list("a/", "a/1"), ["a/2", "a/b/3"]);
        assert_eq!(list("a/", ""), ["a/1", "a/2", "a/b/3"]);
        assert_eq!(list("a/", "b"), Vec::<String>::new());
    }
}
