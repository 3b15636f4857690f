//! What `doctor` says before its table.

use crate::store::{Endpoint, Place};

/// This program, the server if there is one, and the bucket, a line each.
pub(in crate::cli) fn examined(endpoint: Option<&Endpoint>, bucket: &Place) -> Vec<String> {
    let program = format!("msm_os    {}", env!("CARGO_PKG_VERSION"));
    let server = endpoint.map(|endpoint| {
        let style = if endpoint.virtual_hosted {
            "the bucket is in the host's name"
        } else {
            "path style"
        };
        format!("endpoint  {} ({style})", endpoint.url)
    });
    let bucket = format!("bucket    {bucket}");
    [Some(program), server, Some(bucket)]
        .into_iter()
        .flatten()
        .collect()
}
