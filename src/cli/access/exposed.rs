//! Whether others may read a file with secrets in it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What to tell the user of a file that its group or others may read.
pub(super) fn warning(path: &Path) -> Option<String> {
    // The file was just read: one that has gone since exposes nothing.
    let metadata = std::fs::metadata(path).ok()?;
    let mode = metadata.permissions().mode() & 0o7777;
    (metadata.is_file() && mode & 0o044 != 0).then(|| {
        let path = path.display();
        format!("{path} holds secret keys, and its mode {mode:04o} lets others read it; run `chmod 600 {path}`")
    })
}
