//! Root documents, through which readers see all else.

use serde_json::Value;

use super::error::ZarrError;
use super::layout;
use super::version::Version;

/// The root document of the store `key`, as text and as JSON.
///
/// # Errors
/// If it is neither.
pub fn parse_root(key: &str, version: Version, root: &[u8]) -> Result<(String, Value), ZarrError> {
    let root = String::from_utf8(root.to_vec())
        .map_err(|_| unreadable(key, version, "its root document is not text"))?;
    let document = serde_json::from_str(&root).map_err(|cause| {
        let problem = format!("its root document is not JSON ({cause})");
        unreadable(key, version, &problem)
    })?;
    Ok((root, document))
}

/// What a root document says is no store, or none that this program knows.
pub(super) fn unreadable(key: &str, version: Version, problem: &str) -> ZarrError {
    let root = layout::root_document(key, version);
    ZarrError::Foreign {
        store: key.to_owned(),
        problem: format!(
            "{problem}; so says '{root}': if it is damaged, put it back from a copy, or delete the store and send its files \
             again"
        ),
    }
}
