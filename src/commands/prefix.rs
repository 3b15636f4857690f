//! Where in the bucket: as asked, or as the files' names say.

use crate::exit::Failure;
use crate::plan::{PlanError, derive_prefix};
use crate::source::Archive;

/// The prefix asked for, or the one all files' names give.
pub(super) fn prefix(asked: Option<String>, archive: &Archive) -> Result<String, Failure> {
    if let Some(prefix) = asked {
        return Ok(prefix);
    }
    let mut prefix: Option<String> = None;
    for file in &archive.files {
        let name = file
            .path()
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        let derived = derive_prefix(&name)?;
        match &prefix {
            Some(first) if *first != derived => {
                return Err(PlanError::Prefixes {
                    first: first.clone(),
                    second: derived,
                }
                .into());
            }
            _ => prefix = Some(derived),
        }
    }
    Ok(prefix.unwrap_or_default())
}
