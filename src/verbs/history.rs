//! `history`: the commands that wrote stores, as their ledgers tell of them, the last one first. Rank 0 reads; the others wait.
//!
//! Key types: [`History`], what is asked; [`CommandRecord`], a command.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use msm_zarr::{Group, layout};
use serde::Serialize;

pub use crate::commit::FileSpan;

use crate::commit::UnfinishedWork;
use crate::error::Error;
use crate::session::Session;
use crate::store::Spot;
use crate::verbs::rollback::RollbackError;
use crate::verbs::shared::abandoned::journals;
use crate::verbs::shared::command_log::{CommandLog, LoggedTransaction};
use crate::verbs::stores::absent::tell_waiting;
use crate::verbs::stores::named::{keys, stores};

/// Whose commands are listed.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Where the stores are.
    pub spot: Spot,
    /// The variables whose stores are meant, `compact` for that of all variables; none for all stores.
    pub variables: Vec<String>,
}

/// A command that wrote stores; with `--json`, these are its members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CommandRecord {
    /// Its id, for `rollback --to`.
    pub id: String,
    /// When it began (UTC); of older ledgers, when it was committed.
    pub begun: String,
    /// What it did to stores, each once, in order.
    pub did: Vec<String>,
    /// Who ran it; of older ledgers, nobody knows.
    pub user: Option<String>,
    /// Where.
    pub host: Option<String>,
    /// As which Slurm job.
    pub slurm_job: Option<String>,
    /// Of which files it was, if of any.
    pub files: Option<FileSpan>,
    /// Steps that it added to a store or overwrote in it: of the store with most.
    pub steps: u64,
    /// The stores that it wrote.
    pub stores: Vec<String>,
    /// Transactions of it, over all stores.
    pub transactions: usize,
    /// Can `rollback` undo it, when it has undone all that came after?
    pub can_be_undone: bool,
}

/// Gives the commands to `visit`, on rank 0, the last one first, until it has enough.
///
/// # Errors
/// On every rank the same: if one of the variables has no store, or a ledger cannot be read.
pub fn for_each(
    session: &Session,
    request: &History,
    mut visit: impl FnMut(CommandRecord) -> ControlFlow<()>,
) -> Result<(), Error> {
    session.on_lead(async || visit_all(session, request, &mut visit).await)
}

async fn visit_all(
    session: &Session<'_>,
    request: &History,
    visit: &mut impl FnMut(CommandRecord) -> ControlFlow<()>,
) -> Result<(), Error> {
    let History { spot, variables } = request;
    let bucket = &session.bucket;
    bucket.reach(spot.key()).await?;
    let groups = stores(bucket, spot, variables).await?;
    let waiting = tell_waiting(session, spot, &groups, !variables.is_empty()).await?;
    let is_told = |store: &String| waiting.iter().any(|replaced| replaced.store == *store);
    let stores = keys(&groups).into_iter();
    let stores = stores.filter(|store| !layout::is_reading(store) && !is_told(store));
    let groups: Vec<Group> = stores.map(|store| Group::whole(&store)).collect();
    // What is being deleted goes with all that was done to it.
    let mut left = journals(bucket, &keys(&groups)).await?;
    left.retain(|(_, found)| found.unfinished.iter().any(UnfinishedWork::is_delete));
    let mut log = CommandLog::of(bucket, &groups).await?;
    while let Some(mut command) = CommandRecord::pop(&mut log)? {
        command.can_be_undone &= left
            .iter()
            .all(|(going, _)| !command.stores.contains(going));
        if visit(command).is_break() {
            return Ok(());
        }
    }
    Ok(log.check()?)
}

impl CommandRecord {
    /// The last command of `log`, which it has no more; none if there is none left.
    ///
    /// # Errors
    /// If the commands did not run one after the other.
    pub(in crate::verbs) fn pop(log: &mut CommandLog) -> Result<Option<Self>, RollbackError> {
        let transactions = log.pop()?;
        Ok(transactions.first().map(|last| {
            let mut command = Self::of(last, &transactions);
            command.can_be_undone = transactions.iter().all(|one| one.can_be_undone);
            command
        }))
    }

    /// That of these transactions, those of a store the last first, of which `last` is one.
    fn of(last: &LoggedTransaction, transactions: &[LoggedTransaction]) -> Self {
        let mut by_store: BTreeMap<&String, Vec<&LoggedTransaction>> = BTreeMap::new();
        for one in transactions.iter().rev() {
            by_store.entry(&one.group.store).or_default().push(one);
        }
        let mut did: Vec<String> = Vec::new();
        let mut spans: Vec<FileSpan> = Vec::new();
        let mut steps = 0;
        for of_store in by_store.values() {
            let records = of_store.iter().filter_map(|one| one.record.as_ref());
            for record in records.clone() {
                if !did.contains(&record.command) {
                    did.push(record.command.clone());
                }
            }
            steps = steps.max(records.clone().map(|record| record.steps).sum());
            let of_store = records.filter_map(|record| record.files.clone());
            spans.extend(of_store.reduce(FileSpan::and));
        }
        let run = last.record.as_ref().and_then(|record| record.run.as_ref());
        Self {
            id: last.command_id.clone(),
            begun: last.begun.clone(),
            did,
            user: run.map(|run| run.user.clone()),
            host: run.map(|run| run.host.clone()),
            slurm_job: run.and_then(|run| run.slurm_job.clone()),
            files: spans.into_iter().max_by_key(|span| span.count),
            steps,
            stores: by_store.into_keys().cloned().collect(),
            transactions: transactions.len(),
            can_be_undone: false,
        }
    }
}
