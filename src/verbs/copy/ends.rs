//! Where copies come from, and where they go.
//!
//! Key types: [`Ends`], the two buckets; [`Route`], of a rank that copies.

use super::error::CopyError;
use crate::session::Session;
use crate::store::Bucket;

/// The bucket that stores are in, and the one that they go to, which may be the same.
#[derive(Clone, Copy)]
pub(in crate::verbs) struct Ends<'a> {
    pub from: &'a Bucket,
    pub to: &'a Bucket,
}

impl<'a> Ends<'a> {
    /// Of stores that stay in their bucket.
    pub(in crate::verbs) fn within(bucket: &'a Bucket) -> Self {
        let (from, to) = (bucket, bucket);
        Self { from, to }
    }

    /// What the bucket is called that they go to, if it is another one.
    pub(super) fn other(&self) -> Option<String> {
        (self.from.identity() != self.to.identity())
            .then(|| self.to.name().trim_end_matches('/').to_owned())
    }

    /// Checks that of two directories none is in the other.
    ///
    /// # Errors
    /// If one is.
    pub(super) fn check(&self) -> Result<(), CopyError> {
        let [from, to] = [self.from, self.to].map(Bucket::identity);
        let within = |one: &str, other: &str| one.starts_with(&format!("{other}/"));
        if within(&from, &to) || within(&to, &from) {
            return Err(CopyError::Nested {
                bucket: self.from.name(),
                to: self.to.name(),
            });
        }
        Ok(())
    }
}

/// The sessions in which a rank reads and writes.
#[derive(Clone, Copy)]
pub(in crate::verbs) struct Route<'a> {
    pub from: &'a Session<'a>,
    pub to: &'a Session<'a>,
}

impl<'a> Route<'a> {
    /// From the bucket of `from` into that of `other`, if there is one.
    pub(in crate::verbs) fn new(from: &'a Session<'a>, other: Option<&'a Session<'a>>) -> Self {
        let to = other.unwrap_or(from);
        Self { from, to }
    }

    pub(in crate::verbs) fn ends(&self) -> Ends<'a> {
        Ends {
            from: &self.from.bucket,
            to: &self.to.bucket,
        }
    }

    /// Is it within one bucket?
    pub(super) fn is_within(&self) -> bool {
        std::ptr::eq(self.from, self.to)
    }
}
