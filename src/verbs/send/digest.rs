//! The digest of a plan: the same command on the same files and stores has the same, on however many ranks.

use std::time::UNIX_EPOCH;

use data_encoding::HEXLOWER;
use md5::{Digest, Md5};
use msm_model::names::path_bytes;
use msm_plan::Plan;

use super::error::SendError;

/// The digest of `plan`. Files count by path, size and time of their last change.
///
/// # Errors
/// If a file cannot be looked at.
pub(in crate::verbs) fn digest(plan: &Plan) -> Result<String, SendError> {
    let mut files = Vec::new();
    for path in &plan.files {
        let looked = path.metadata().and_then(|found| {
            let changed = found.modified()?.duration_since(UNIX_EPOCH);
            Ok((found.len(), changed.unwrap_or_default()))
        });
        let looked = looked.map_err(|cause| SendError::File {
            path: path.clone(),
            cause: cause.to_string(),
        })?;
        files.push((path_bytes(path), looked));
    }
    let bytes = postcard::to_stdvec(&(files, &plan.stores, &plan.arrays));
    let bytes = bytes.map_err(|cause| SendError::Encoding {
        cause: cause.to_string(),
    })?;
    Ok(HEXLOWER.encode(&Md5::digest(bytes)))
}
