//! Whether objects can be verified as it is asked.

use std::borrow::Cow;

use super::hold::this;
use crate::error::Error;
use crate::session::Session;
use crate::store::{Bucket, StoreError, require_checksums};
use crate::transfer::Verification;

/// Checks what can be told without a request: that there is a server where one is to compare.
///
/// # Errors
/// If there is none.
pub(in crate::verbs) fn check_verification(
    bucket: &Bucket,
    verify: Verification,
) -> Result<(), StoreError> {
    if verify == Verification::Server && bucket.endpoint().is_none() {
        return Err(StoreError::Unproven {
            place: bucket.place().to_owned(),
            found: Cow::Borrowed(
                "a directory has no server that compares what it stores with a checksum",
            ),
        });
    }
    Ok(())
}

/// The same, and that the server proves checksums, which is tried beside the first of `stores`, to which `command` is to write.
///
/// # Errors
/// If it does not; as the server says.
pub(in crate::verbs) async fn try_verification(
    session: &Session<'_>,
    verify: Verification,
    stores: &[String],
    command: &str,
) -> Result<(), Error> {
    check_verification(&session.bucket, verify)?;
    if verify != Verification::Server {
        return Ok(());
    }
    let folder = stores.first().and_then(|store| store.rsplit_once('/'));
    let folder = folder.map_or("", |(folder, _)| folder);
    let who = this(session, command)?.to_string();
    Ok(require_checksums(&session.bucket.unfenced()?, folder, &who).await?)
}
