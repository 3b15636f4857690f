//! Where in the bucket: as asked, or as the files' names say.

use crate::exit::{Exit, Failure};
use crate::plan::{PlanError, derive_prefix};
use crate::source::Archive;
use crate::store::{is_store, layout};

/// The prefix asked for, or the one all files' names give.
pub(super) fn prefix(asked: Option<String>, archive: &Archive) -> Result<String, Failure> {
    if let Some(prefix) = asked {
        return beside_stores(prefix);
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

/// The prefix, unless stores would lie in another store or among ledgers, where `list` and `delete` take them for a part.
fn beside_stores(prefix: String) -> Result<String, Failure> {
    let inside = |part: &&str| is_store(part) || *part == layout::LEDGERS;
    match prefix.split('/').find(inside) {
        Some(part) => Err(Failure::new(
            Exit::Usage,
            format!(
                "--prefix '{prefix}': '{part}' is the name of a store or of the folder of ledgers; choose another"
            ),
        )),
        None => Ok(prefix),
    }
}
