//! What the ledger of a store tells: which commands wrote it, and how its objects were verified.
//!
//! Key type: [`StoreLedger`].

use msm_zarr::Group;

use crate::commit::ManifestRecords;
use crate::error::Error;
use crate::store::Bucket;
use crate::transfer::{Content, Proof};
use crate::verbs::history::CommandRecord;
use crate::verbs::open::OpenableStore;
use crate::verbs::quicklook::is_of_group;
use crate::verbs::shared::command_log::CommandLog;
use crate::verbs::shared::recorded::sure_records;
use crate::verbs::stores::shelf::readable;

/// What a ledger tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreLedger {
    /// The commands that wrote the store, the last one first.
    pub commands: Vec<CommandRecord>,
    /// How the objects that it has now were verified when they were written; `None` if another program has written the store since, or the
    /// ledger cannot be read.
    pub proofs: Option<ProofCounts>,
    /// What cannot be read of it.
    pub problem: Option<String>,
}

/// So many objects, by how they were verified when they were written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProofCounts {
    /// They were read back, and are what was sent.
    pub read_back: u64,
    /// The server refuses what does not fit its crc32c.
    pub by_server: u64,
    /// The server's ETag is the MD5 of what was sent.
    pub by_etag: u64,
    /// They were not verified.
    pub unproven: u64,
}

/// That of `store`; `None` if it has none of its own.
///
/// # Errors
/// As the server says.
pub(super) async fn of(
    bucket: &Bucket,
    store: &OpenableStore,
) -> Result<Option<StoreLedger>, Error> {
    if store.group.is_some() || !store.can_be_opened {
        return Ok(None);
    }
    let mut ledger = StoreLedger::default();
    match read(bucket, &Group::whole(&store.root), &mut ledger).await {
        Ok(()) => {}
        // Others have theirs.
        Err(why @ Error::Rollback(_)) => ledger.problem = Some(why.to_string()),
        Err(why) if is_of_group(&why) => ledger.problem = Some(why.to_string()),
        Err(other) => return Err(other),
    }
    let is_none = ledger == StoreLedger::default();
    Ok((!is_none).then_some(ledger))
}

/// What can be read before something cannot.
async fn read(bucket: &Bucket, group: &Group, ledger: &mut StoreLedger) -> Result<(), Error> {
    let Some(stored) = readable(bucket, group).await? else {
        return Ok(());
    };
    let records = sure_records(bucket, &group.store, &stored.root).await?;
    ledger.proofs = records.as_ref().map(ProofCounts::of);
    ledger.commands = commands(bucket, group).await?;
    Ok(())
}

async fn commands(bucket: &Bucket, group: &Group) -> Result<Vec<CommandRecord>, Error> {
    let mut log = CommandLog::of(bucket, std::slice::from_ref(group)).await?;
    log.check()?;
    let mut commands = Vec::new();
    while let Some(command) = CommandRecord::pop(&mut log)? {
        commands.push(command);
    }
    Ok(commands)
}

impl ProofCounts {
    fn of(records: &ManifestRecords) -> Self {
        let mut counts = Self::default();
        let contents = records.objects.values().flat_map(|array| array.values());
        for content in contents {
            let Content::Stored { proof, .. } = content else {
                continue;
            };
            *match proof {
                Proof::ReadBack => &mut counts.read_back,
                Proof::Server => &mut counts.by_server,
                Proof::Etag => &mut counts.by_etag,
                Proof::Unproven => &mut counts.unproven,
            } += 1;
        }
        counts
    }
}
