//! Rank 0: the files joined; and where their steps cannot be told apart, which other times could.

use std::path::PathBuf;

use msm_model::{Archive, ArchiveError, FileView, Order, Problems, SourceFile};

use crate::source::read_file;

/// The archive of `files`, whose append `coordinate` was read so.
///
/// # Errors
/// As [`Archive::join`]; before that, the variable that would tell all steps apart where the coordinate does not.
pub(in crate::verbs) fn join(
    files: Vec<SourceFile>,
    view: FileView<'_>,
    order: Order,
) -> Result<Archive, Problems<ArchiveError>> {
    let first = files.first().map(|file| file.catalogue.clone());
    let paths: Vec<PathBuf> = files.iter().map(|file| file.path().clone()).collect();
    let dimension = view.dimension;
    let problems = match Archive::join(files, dimension, order) {
        Ok(archive) => return Ok(archive),
        Err(problems) => problems,
    };
    let (Some(variable), Some(first)) = (untold(problems.first()).map(str::to_owned), first) else {
        return Err(problems);
    };
    let times = first.times_beside(dimension).into_iter();
    let mut times = times.filter(|time| *time != variable && view.time_from.is_none());
    let Some(time) = times.find(|time| tells_apart(&paths, view, time, order)) else {
        return Err(problems);
    };
    Err(problems.explained_by(ArchiveError::OtherTime {
        path: first.path,
        variable,
        time,
        dimension: dimension.to_owned(),
    }))
}

/// The variable that does not tell steps apart, if that is the problem.
fn untold(problem: &ArchiveError) -> Option<&str> {
    match problem {
        ArchiveError::StepsNotIncreasing { variable, .. }
        | ArchiveError::Overlap { variable, .. }
        | ArchiveError::Repeated { variable, .. } => Some(variable),
        _ => None,
    }
}

/// Do the times of the variable called `time` tell all steps of the files apart?
fn tells_apart(paths: &[PathBuf], view: FileView<'_>, time: &str, order: Order) -> bool {
    let view = FileView {
        time_from: Some(time),
        ..view
    };
    let files = paths.iter().map(|path| read_file(path, view));
    let files: Result<Vec<SourceFile>, _> = files.collect();
    files.is_ok_and(|files| Archive::join(files, view.dimension, order).is_ok())
}
