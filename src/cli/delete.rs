//! The flags of `delete`.

use clap::{ArgGroup, Args};

use super::error::CliError;
use super::files::name;
use super::lease::LeaseArgs;
use super::outcome::JsonArgs;
use super::store::StoreArgs;
use crate::verbs::delete::{Delete, TimeRange};

/// What `delete` is told.
#[derive(Args)]
#[command(group(ArgGroup::new("part").args(["array", "time"])))]
// Each is a flag of its own.
#[allow(clippy::struct_excessive_bools)]
pub(super) struct DeleteArgs {
    #[command(flatten)]
    pub store: StoreArgs,

    #[command(flatten)]
    pub lease: LeaseArgs,

    #[command(flatten)]
    pub told: JsonArgs,

    /// Variables whose stores to delete; `compact` means the store of the whole prefix, PREFIX.zarr
    #[arg(
        short,
        long,
        num_args = 1..,
        value_delimiter = ',',
        value_parser = name,
        value_name = "VAR",
        required_unless_present_any = ["all", "store"],
        conflicts_with = "all"
    )]
    pub variables: Vec<String>,

    /// Arrays to remove from the stores of these variables, which stay: their documents and chunks, whatever program wrote them
    ///
    /// `rollback` undoes it. Arrays that the rest of a store needs are refused.
    #[arg(long, num_args = 1.., value_delimiter = ',', value_parser = name, value_name = "NAME", conflicts_with = "all")]
    pub array: Vec<String>,

    /// Steps to remove from the stores of these variables, which stay: from a year, month, day or moment, up to one, or between two: 1978..,
    /// ..1978-03, 1978-03-16T12:00..1978-05
    ///
    /// Readers see the shorter store first, then objects go; those of steps behind a gap change, too, so nobody should read the store
    /// meanwhile. `rollback` undoes it. With --all, from all stores below the prefix.
    #[arg(long, value_name = "FROM..TO", value_parser = range)]
    pub time: Option<(Option<String>, Option<String>)>,

    /// With --time, the dimension along which stores grow
    #[arg(
        short,
        long = "append_dim",
        visible_alias = "append-dim",
        default_value = "time_counter",
        value_name = "DIM",
        requires = "time"
    )]
    pub append_dim: String,

    /// With --array or --time, transactions of a store that `rollback` can undo: what so many removed is kept [default: 1]
    #[arg(long, value_name = "N", requires = "part")]
    pub keep_undo: Option<usize>,

    /// Delete all stores below the prefix, and PREFIX.zarr
    #[arg(long)]
    pub all: bool,

    /// Do not ask; needed where there is no terminal, as in a batch job
    #[arg(long)]
    pub yes: bool,

    /// Only say what would be deleted
    #[arg(long)]
    pub dry_run: bool,

    /// Delete objects too that are not this program's, and what is to replace a store that is gone
    #[arg(long)]
    pub force: bool,
}

impl DeleteArgs {
    /// What is asked.
    ///
    /// # Errors
    /// If the prefix is none.
    pub(super) fn request(&self) -> Result<Delete, CliError> {
        Ok(Delete {
            spot: self.store.spot_or_all()?,
            variables: self.variables.clone(),
            all: self.all,
            arrays: self.array.clone(),
            time: self.time.clone().map(|(from, to)| TimeRange {
                dimension: self.append_dim.clone(),
                from,
                to,
            }),
            keep_undo: self.keep_undo.unwrap_or(1),
            force: self.force,
            leasing: self.lease.leasing(),
        })
    }
}

/// Two ends, of which one may be left out.
fn range(text: &str) -> Result<(Option<String>, Option<String>), String> {
    let end = |end: &str| Some(end.trim().to_owned()).filter(|end| !end.is_empty());
    let ends = text.split_once("..").map(|(from, to)| (end(from), end(to)));
    let is_range = |(from, to): &(Option<String>, Option<String>)| {
        let mut ends = [from, to].into_iter().flatten().peekable();
        ends.peek().is_some() && !ends.any(|end| end.contains(".."))
    };
    let expected = "expected FROM.., FROM..TO or ..TO, as 1978.. or 1978-03..1978-05";
    ends.filter(is_range).ok_or_else(|| expected.to_owned())
}
