//! Whether there is more of a store than what goes: of one that is being replaced, what replaces it may be all.
//!
//! Key function: [`leaves_no_hole`].

use super::Delete;
use crate::error::Error;
use crate::events::ReplacedStore;
use crate::store::Bucket;
use crate::verbs::stores::absent::waiting_among;
use crate::verbs::stores::error::StoresError;

/// Those of `stores`, all or parts of which go, that are all there is to replace others: there are none without `--force`.
///
/// # Errors
/// Of the first that is, without `--force`; or as the server says.
pub(super) async fn leaves_no_hole(
    request: &Delete,
    bucket: &Bucket,
    stores: &[String],
) -> Result<Vec<ReplacedStore>, Error> {
    let only = waiting_among(bucket, stores).await?;
    match only.first() {
        Some(first) if !request.force => Err(StoresError::BeingReplaced(first.clone()).into()),
        _ => Ok(only),
    }
}
