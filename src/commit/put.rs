//! Putting a document so that it is certain to be there.

use std::time::Duration;

use bytes::Bytes;

use crate::store::{Bucket, Patience, StoreError};

/// PUTs of a document that does not read back as it was sent.
const TRIES: u32 = 3;
/// Looks at a document after its PUT, each twice as long after the one before, from [`PAUSE`] on: a server may give
/// what was there before for a while.
const LOOKS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(200);

/// Puts `document` as the object `key`, and reads it back. All requests for it share one patience.
///
/// # Errors
/// As the server says, or if it does not read back as it was sent.
pub(super) async fn put_and_read_back(
    bucket: &Bucket,
    key: &str,
    document: Bytes,
) -> Result<(), StoreError> {
    let patience = bucket.patience();
    let put = async {
        for _ in 0..TRIES {
            bucket.put(key, document.clone()).await?;
            if looks_like(bucket, key, &document, &patience).await? {
                return Ok(());
            }
        }
        Err(StoreError::Failed {
            place: bucket.place().to_owned(),
            key: key.to_owned(),
            action: "writing".into(),
            cause: format!("it did not read back as it was sent, in {TRIES} tries"),
        })
    };
    patience.share(put).await
}

/// Does the object `key` read back as `document`, soon?
pub(super) async fn reads_back(bucket: &Bucket, key: &str, document: &Bytes) -> bool {
    let patience = bucket.patience();
    let look = looks_like(bucket, key, document, &patience);
    patience.share(look).await.unwrap_or(false)
}

/// The same, as long as there is `patience`.
async fn looks_like(
    bucket: &Bucket,
    key: &str,
    document: &Bytes,
    patience: &Patience,
) -> Result<bool, StoreError> {
    let mut pause = PAUSE;
    for look in 0..LOOKS {
        if look > 0 {
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        match bucket.get(key).await {
            Ok(found) if found == document => return Ok(true),
            Err(error) if patience.is_over() => return Err(error),
            Ok(_) | Err(_) => {}
        }
    }
    Ok(false)
}
