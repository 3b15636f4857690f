//! Copies inside the server that are looked at before they are trusted.

use futures::try_join;

use super::bucket::{Bucket, Stat};
use super::error::StoreError;

impl Bucket {
    /// Makes of the object `from` another one, `to`, that is its own: in a directory it is no second name of the same file, which
    /// programs that write in place would change in both.
    ///
    /// # Errors
    /// If there is none, or the server refuses.
    pub(crate) async fn duplicate(&self, from: &str, to: &str) -> Result<(), StoreError> {
        let Some((directory, _)) = self.directory() else {
            return self.copy(from, to).await;
        };
        let duplicated = directory.duplicate(&self.path(from), &self.path(to)).await;
        duplicated.map_err(|cause| self.error(from, "copying", &cause))
    }

    /// Copies the object `from`, which is known to be `there`, to `to`, and looks whether the copy is like it; where the ETags
    /// do not tell, and `by_bytes`, by reading both.
    ///
    /// # Errors
    /// As the server says, or if the copy is another.
    pub(crate) async fn copy_checked(
        &self,
        from: &str,
        there: &Stat,
        to: &str,
        by_bytes: bool,
    ) -> Result<(), StoreError> {
        self.copy(from, to).await?;
        let copied = self.stat(to).await?;
        let is_same = match copied.as_ref().filter(|copied| copied.size == there.size) {
            None => false,
            // Where an ETag tells nothing of the content, or there is none, the bytes do.
            Some(copied) if there.etag.is_some() && there.etag == copied.etag => true,
            Some(_) if by_bytes => {
                let (from, to) = try_join!(self.get(from), self.get(to))?;
                from == to
            }
            Some(_) => true,
        };
        if is_same {
            return Ok(());
        }
        let copied = copied.map(|copied| copied.size);
        Err(self.unlike(from, there.size, to, copied))
    }

    /// That the copy `to` of the object `from` is not like it, which has so many bytes.
    pub(crate) fn unlike(
        &self,
        from: &str,
        bytes: u64,
        to: &str,
        copied: Option<u64>,
    ) -> StoreError {
        let copied = copied.map_or_else(
            || "no object".to_owned(),
            |copied| format!("{copied} bytes"),
        );
        StoreError::Failed {
            place: self.place().to_owned(),
            key: to.to_owned(),
            action: "copying".into(),
            cause: format!("the copy of '{from}', {bytes} bytes, is not like it: it has {copied}"),
        }
    }
}
