//! The documents of the groups of a hierarchy on the way to one of them.

use msm_zarr::{Group, NestedGroup, Version, ZarrError, groups, layout};
use serde_json::Value;

use super::bucket::Bucket;
use super::error::StoreError;

/// What there is to know of `group` beside its arrays, if it is not the topmost one of its store, whose root document is
/// `root`.
pub(super) async fn nested(
    bucket: &Bucket,
    group: &Group,
    version: Version,
    root: &Value,
) -> Result<Option<NestedGroup>, StoreError> {
    if group.path.is_empty() {
        return Ok(None);
    }
    let known = groups(version, root);
    if !known.contains(&group.path) {
        let named = known.iter().filter(|path| !path.is_empty());
        let named: Vec<String> = named.map(|path| format!("'{path}'")).collect();
        let groups = match &named[..] {
            [] => "no groups in it".to_owned(),
            _ => format!("the groups {}", named.join(", ")),
        };
        return Err(ZarrError::Foreign {
            store: group.store.clone(),
            problem: format!(
                "'{group}' lies in it, and its consolidated metadata tell of {groups}, not of '{}'; no store is put into another's \
                 group: choose one of its groups, or another place with --prefix or --store; if another program has added the \
                 group, consolidate the store with zarr-python",
                group.path
            ),
        }
        .into());
    }
    let mut groups = Vec::new();
    let ends = group.path.match_indices('/').map(|(end, _)| end);
    for end in ends.chain([group.path.len()]) {
        let path = &group.path[..end];
        let key = layout::root_document(&layout::below(&group.store, path), version);
        match bucket.get(&key).await {
            Ok(document) => {
                let document = String::from_utf8(document.to_vec());
                let document = document.map_err(|cause| ZarrError::Damaged {
                    key: key.clone(),
                    cause: cause.to_string(),
                })?;
                groups.push((path.to_owned(), document));
            }
            Err(error) if error.is_missing() => {}
            Err(error) => return Err(error),
        }
    }
    let path = group.path.clone();
    Ok(Some(NestedGroup { path, groups }))
}
