//! Where in the bucket: as asked, or as the files' names say.

use msm_model::Archive;
use msm_plan::{PlanError, derive_prefix};

use crate::error::Error;
use crate::store::Spot;

/// Where it was asked for, or the prefix that all files' names give.
pub(in crate::verbs) fn spot(asked: Option<&Spot>, archive: &Archive) -> Result<Spot, Error> {
    if let Some(asked) = asked {
        return Ok(asked.clone());
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
    Ok(Spot::Below(prefix.unwrap_or_default()))
}
