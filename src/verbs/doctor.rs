//! `doctor`: rank 0 tries what the endpoint can do and prints a table for whoever runs it; the others wait.

use std::io::{self, Write};

use crate::cli::{DoctorArgs, Spot};
use crate::exit::{Exit, Failure};
use crate::ranks::Ranks;
use crate::store::{Bucket, Verdict, doctors_folder, examine};
use crate::verbs::shared::start::start;

/// Runs the command on this rank.
pub(in crate::verbs) fn doctor(args: &DoctorArgs, ranks: &Ranks) -> Result<(), Failure> {
    let prefix = match args.store.spot_or_all()? {
        Spot::Below(prefix) => prefix,
        Spot::At(store) => store
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder)
            .to_owned(),
    };
    let job = start(&args.store, ranks)?;
    job.on_lead(examine_and_print(args, &job.bucket, &prefix))
}

async fn examine_and_print(
    args: &DoctorArgs,
    bucket: &Bucket,
    prefix: &str,
) -> Result<(), Failure> {
    let folder = doctors_folder(prefix, &format!("{:08x}", rand::random::<u32>()));
    print(&format!("msm_os    {}", env!("CARGO_PKG_VERSION")));
    if let Some(endpoint) = bucket.endpoint() {
        let style = if endpoint.virtual_hosted {
            "the bucket is in the host's name"
        } else {
            "path style"
        };
        print(&format!("endpoint  {} ({style})", endpoint.url));
    }
    print(&format!("bucket    {}", args.store.bucket));
    print(&format!("tries in  {folder}/\n"));
    let mut tell = |finding| print(&format!("{finding}"));
    let Verdict { lacks, left } = examine(&bucket.unfenced()?, &folder, &mut tell).await?;
    if left.is_none() {
        print("\nall temporary objects are removed");
    }
    let mut problems = Vec::new();
    if let Some((lacks, first)) = lacks {
        let Failure { exit, message } = first.into();
        let lacks = lacks.join(", ");
        let message =
            format!("the endpoint lacks what msm_os needs: {lacks} (see the table); {message}");
        problems.push(Failure::new(exit, message));
    }
    problems.extend(left.map(|left| Failure::new(Exit::StoreFailed, left)));
    Failure::together(problems)
}

/// Prints a line at once: a step may take its time.
fn print(line: &str) {
    let mut out = io::stdout().lock();
    // Whoever closed our stdout does not want to know; what was put is removed all the same.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
