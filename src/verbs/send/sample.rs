//! Objects that an earlier job put: some of them are read again before the others are believed to be there.
//!
//! Key type: [`RecordedObjects`].

use futures::{StreamExt, stream};
use msm_plan::Plan;
use msm_zarr::ChunkCodec;

use crate::commit::holds;
use crate::store::{Bucket, REQUESTS, StoreError};
use crate::transfer::ChunkRecord;

/// Objects that are read again, at most.
const SAMPLE: usize = 32;

/// What knows the keys of recorded objects.
pub(super) struct RecordedObjects<'a> {
    plan: &'a Plan,
    codecs: Vec<ChunkCodec>,
}

impl<'a> RecordedObjects<'a> {
    /// Those of `plan`.
    ///
    /// # Errors
    /// If an array's document is not one that this program can write.
    pub(super) fn of(plan: &'a Plan) -> Result<Self, StoreError> {
        let arrays = plan.arrays.iter();
        let codecs = arrays.map(|array| ChunkCodec::new(&array.name, &array.document));
        let codecs = codecs.collect::<Result<_, _>>()?;
        Ok(Self { plan, codecs })
    }

    /// The key of the object that `record` tells of.
    pub(super) fn key(&self, record: &ChunkRecord) -> String {
        let store = &self.plan.stores[record.store].key;
        self.codecs[record.array].key(store, &record.chunk)
    }

    /// Reads some of the objects of `records` again: how many, and whether all of these are as they were put.
    pub(super) async fn look_again(
        &self,
        bucket: &Bucket,
        records: &[ChunkRecord],
    ) -> (usize, bool) {
        let every = records.len().div_ceil(SAMPLE).max(1);
        let sample = records.iter().step_by(every).map(|record| {
            let key = self.key(record);
            async move { holds(bucket, &key, record.content).await }
        });
        let sample: Vec<bool> = stream::iter(sample).buffered(REQUESTS).collect().await;
        (sample.len(), sample.iter().all(|holds| *holds))
    }
}
