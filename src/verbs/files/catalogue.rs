//! Reading the files' metadata, each rank its share: a thousand opens are not rank 0's serial work.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::exit::Failure;
use crate::session::Session;
use crate::source::{SourceFile, expand, read_file};

#[derive(Serialize, Deserialize)]
struct Expanded {
    #[serde(with = "crate::source::names::many")]
    paths: Vec<PathBuf>,
}

/// What the files that `named` stands for hold, on rank 0; nothing on the others.
///
/// # Errors
/// On every rank the same: all files that are missing, broken, or lack the dimension.
pub(in crate::verbs) fn catalogue(
    named: &[PathBuf],
    dimension: &str,
    session: &Session<'_>,
) -> Result<Vec<SourceFile>, Failure> {
    let ranks = session.ranks;
    let expanded = if ranks.rank() == 0 {
        expand(named)
    } else {
        Ok(Vec::new())
    };
    let expanded = expanded.map(|paths| Expanded { paths });
    let paths = ranks.broadcast(&expanded)??.paths;
    let mine = paths.iter().skip(ranks.rank()).step_by(ranks.size());
    let opened: Vec<Result<SourceFile, Failure>> = mine
        .map(|path| read_file(path, dimension).map_err(Failure::from))
        .collect();
    let gathered = ranks.gather(&opened)?;
    let (mut files, mut problems) = (Vec::new(), Vec::new());
    for opened in gathered.into_iter().flatten().flatten() {
        match opened {
            Ok(file) => files.push(file),
            Err(problem) => problems.push(problem),
        }
    }
    // The same order, whoever read them.
    files.sort_by(|a: &SourceFile, b| a.path().cmp(b.path()));
    problems.sort_by(|a: &Failure, b| a.message.cmp(&b.message));
    ranks.broadcast(&Failure::together(problems))??;
    Ok(files)
}
