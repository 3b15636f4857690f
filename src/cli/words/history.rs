//! What `history` says of a command.

use std::fmt::Write;

use crate::verbs::history::{CommandRecord, FileSpan};

/// A line with its id, and what is known of it.
pub(in crate::cli) fn command(command: &CommandRecord) -> String {
    let CommandRecord {
        id,
        begun,
        did,
        user,
        host,
        slurm_job,
        files,
        steps,
        stores,
        transactions,
        can_be_undone,
    } = command;
    let did = if did.is_empty() {
        "its records cannot be read".to_owned()
    } else {
        did.join(", ")
    };
    let mut text = format!("{id}  {begun}  {did}");
    if let (Some(user), Some(host)) = (user, host) {
        let _ = write!(text, ", {user} on {host}");
    }
    if let Some(job) = slurm_job {
        let _ = write!(text, ", Slurm job {job}");
    }
    text.push_str("\n    ");
    if let Some(FileSpan { count, first, last }) = files {
        let _ = match count {
            1 => write!(text, "{first}, "),
            _ => write!(text, "{count} files, {first} to {last}, "),
        };
    }
    let undo = if *can_be_undone {
        "rollback can undo it"
    } else {
        "rollback cannot undo it: of it, or of what came after it, what was replaced is not kept"
    };
    let _ = write!(
        text,
        "steps: {steps}, transactions: {transactions}; {undo}\n    {}\n",
        stores.join(", ")
    );
    text
}
