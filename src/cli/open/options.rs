//! What fsspec and xarray are told, as JSON: for the lines of Python and for catalogues alike. No keys are in it.
//!
//! Key functions: [`storage_options`]; [`open_options`]; [`url`].

use std::path::{Component, Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::verbs::open::{OpenableStore, Reach, Signing};

/// What s3fs is told of the server by anybody, wherever he is; nothing of a directory.
pub(super) fn storage_options(reach: &Reach) -> Map<String, Value> {
    let mut options = Map::new();
    let Reach::S3 {
        endpoint_url,
        region,
        virtual_hosted,
        signing,
        ..
    } = reach
    else {
        return options;
    };
    options.insert("anon".to_owned(), json!(*signing == Signing::Anonymous));
    if let Some(url) = endpoint_url {
        options.insert("endpoint_url".to_owned(), json!(url));
    }
    if let Some(region) = region {
        options.insert("client_kwargs".to_owned(), json!({"region_name": region}));
    }
    if let Some(virtual_hosted) = virtual_hosted {
        let style = if *virtual_hosted { "virtual" } else { "path" };
        options.insert(
            "config_kwargs".to_owned(),
            json!({"s3": {"addressing_style": style}}),
        );
    }
    options
}

/// What `xarray.open_zarr` is told of a store.
pub(super) fn open_options(store: &OpenableStore) -> Map<String, Value> {
    let mut options = Map::new();
    if let Some(group) = &store.group {
        options.insert("group".to_owned(), json!(group));
    }
    if let Some(format) = store.info.zarr_format {
        options.insert("zarr_format".to_owned(), json!(format));
    }
    options.insert("consolidated".to_owned(), json!(store.consolidated));
    options
}

/// Where the store with this key is; of an empty key, the bucket.
pub(in crate::cli) fn url(reach: &Reach, key: &str) -> String {
    let place = match reach {
        Reach::S3 { bucket, .. } => format!("s3://{bucket}"),
        Reach::Directory { path } => absolute(path),
    };
    match key {
        "" => place,
        key => format!("{}/{key}", place.trim_end_matches('/')),
    }
}

/// `path` as it can be named from anywhere. Links stay, for what they lead to may change.
pub(super) fn resolved(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if path.components().all(|part| part != Component::ParentDir) {
        return path;
    }
    // What `..` leads to behind a link only the file system knows.
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => folder.canonicalize().map(|folder| folder.join(name)),
        _ => path.canonicalize(),
    }
    .unwrap_or(path)
}

pub(super) fn absolute(path: &Path) -> String {
    resolved(path).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_up_as_the_file_system_does() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(top.join("real/deep")).unwrap();
        std::os::unix::fs::symlink(top.join("real/deep"), top.join("link")).unwrap();
        std::os::unix::fs::symlink(top.join("real/k1.json"), top.join("real/k.json")).unwrap();
        let given = top.join("link/../k.json");
        assert_eq!(resolved(&given), top.join("real/k.json"));
        assert_eq!(resolved(&top.join("link/k.json")), top.join("link/k.json"));
        assert_eq!(resolved(&top.join("link/..")), top.join("real"));
        assert_eq!(
            resolved(&top.join("none/../k.json")),
            top.join("none/../k.json")
        );
    }

    #[test]
    fn only_what_was_said_is_said_on() {
        let reach = Reach::S3 {
            bucket: "ocean".to_owned(),
            endpoint_url: None,
            region: None,
            virtual_hosted: None,
            ca_bundle: None,
            signing: Signing::Keys,
        };
        assert_eq!(json!(storage_options(&reach)), json!({"anon": false}));
        assert_eq!(url(&reach, "a/b.zarr"), "s3://ocean/a/b.zarr");
        let reach = Reach::S3 {
            bucket: "ocean".to_owned(),
            endpoint_url: Some("https://e".to_owned()),
            region: Some("eu-west-2".to_owned()),
            virtual_hosted: Some(true),
            ca_bundle: Some("/ca.pem".into()),
            signing: Signing::Anonymous,
        };
        let all = json!({
            "anon": true,
            "endpoint_url": "https://e",
            "client_kwargs": {"region_name": "eu-west-2"},
            "config_kwargs": {"s3": {"addressing_style": "virtual"}},
        });
        assert_eq!(json!(storage_options(&reach)), all);
        let directory = Reach::Directory { path: "/".into() };
        assert!(storage_options(&directory).is_empty());
        assert_eq!(url(&directory, "a.zarr"), "/a.zarr");
    }
}
