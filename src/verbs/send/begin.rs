//! Rank 0: beginning a transaction, or going on with one that a dead job left open.

use futures::{StreamExt, TryStreamExt, stream};

use crate::commit::{Opening, Transaction, Unfinished, holds, read_progress};
use crate::events::Event;
use crate::exit::{Exit, Failure};
use crate::session::Session;
use crate::store::{ChunkCodec, REQUESTS, StoreError, layout};
use crate::transfer::{ChunkRecord, Conditions, Content, Orders};
use crate::verbs::send::intent::Intent;
use crate::verbs::send::prepare::Work;
use crate::verbs::send::worker::Worker;
use crate::verbs::shared::hold::Hold;

/// Objects that are read again before the others are believed to be there.
const SAMPLE: usize = 32;

/// Begins the transaction that `work` plans, and says what to tell the ranks of it.
///
/// # Errors
/// If it cannot be opened; all is as it was before then, or the message says what is not.
pub(super) fn begin<'a>(
    work: Work,
    intent: &Intent<'_>,
    worker: &Worker<'a>,
    hold: &Hold,
) -> Result<(Orders, Transaction<'a>), Failure> {
    let Session {
        bucket, runtime, ..
    } = worker.session;
    let Work {
        plan,
        remains,
        digest,
        resumed,
        ..
    } = work;
    let opening = Opening {
        command: intent.command(),
        holder: &hold.holder,
        guarantees: &hold.guarantees,
        digest: &digest,
        keep_undo: intent.files.keep_undo,
        resumed: resumed.clone(),
    };
    let mut transaction = runtime.block_on(Transaction::new(bucket, &plan, opening))?;
    let mut orders = Orders::new(plan, transaction.ids());
    orders.conditions = Conditions::from(&hold.guarantees);
    let opened = open(
        &mut transaction,
        &mut orders,
        worker.session,
        &remains,
        &resumed,
    );
    match runtime.block_on(opened) {
        Ok(()) => Ok((orders, transaction)),
        Err(error) => {
            let message = format!("opening the transaction: {error}");
            let failure = Failure::new(Exit::TransferFailed, message);
            Err(worker.end_badly(&transaction, hold, failure))
        }
    }
}

async fn open(
    transaction: &mut Transaction<'_>,
    orders: &mut Orders,
    session: &Session<'_>,
    remains: &[String],
    resumed: &[Option<Unfinished>],
) -> Result<(), StoreError> {
    let bucket = &session.bucket;
    transaction.open().await?;
    let stores = orders.plan.stores.iter();
    session.tell(&Event::TransactionBegun {
        stores: stores.map(|store| store.key.clone()).collect(),
    });
    let strays = transaction.strays(remains, resumed)?;
    let deletes = stream::iter(&strays).map(|key| bucket.delete(key));
    deletes
        .buffer_unordered(REQUESTS)
        .try_collect::<()>()
        .await?;
    if resumed.iter().any(Option::is_some) {
        resume(orders, session, resumed).await?;
    }
    Ok(())
}

/// Finds out what is there already.
async fn resume(
    orders: &mut Orders,
    session: &Session<'_>,
    resumed: &[Option<Unfinished>],
) -> Result<(), StoreError> {
    let bucket = &session.bucket;
    orders.resumed = true;
    let Orders {
        plan,
        ids,
        done,
        saved,
        ..
    } = orders;
    for (store, resumed) in resumed.iter().enumerate() {
        if let Some(resumed) = resumed {
            let (records, copies) = read_progress(bucket, plan, store, &resumed.id).await?;
            done.extend(records);
            saved.extend(copies);
        }
    }
    let codecs: Vec<ChunkCodec> = plan
        .arrays
        .iter()
        .map(|array| ChunkCodec::new(&array.name, &array.document))
        .collect::<Result<_, _>>()?;
    let key = |record: &ChunkRecord| {
        codecs[record.array].key(&plan.stores[record.store].key, &record.chunk)
    };
    for record in done.iter_mut() {
        let store = &plan.stores[record.store].key;
        let copy = layout::undo_copy(store, &ids[record.store], &key(record));
        record.replaced = saved.get(&copy).copied().unwrap_or(0);
    }
    let every = done.len().div_ceil(SAMPLE).max(1);
    let sample = done.iter().step_by(every).map(|record| {
        let key = key(record);
        async move { holds(bucket, &key, record).await }
    });
    let sample: Vec<bool> = stream::iter(sample).buffered(REQUESTS).collect().await;
    let sound = sample.iter().all(|holds| *holds);
    let stored = done
        .iter()
        .filter(|r| matches!(r.content, Content::Stored { .. }));
    session.tell(&Event::Resumed {
        objects: done.len(),
        with_data: stored.count(),
        read_again: sample.len(),
        sound,
    });
    if !sound {
        done.clear();
    }
    Ok(())
}
