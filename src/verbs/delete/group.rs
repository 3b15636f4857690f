//! Deleting a group of a hierarchy: the documents that tell of it first, then its objects. Rank 0's work.

use futures::TryStreamExt;
use msm_zarr::{Group, ObjectKind};

use crate::commit::{CleanupError, remove_group};
use crate::error::Error;
use crate::session::Session;
use crate::store::{Bucket, ListedObject, Spot, StoreLookup, read_store};
use crate::verbs::delete::survey::DeleteSurvey;
use crate::verbs::delete::{Delete, DeleteError};
use crate::verbs::shared::at_rest::can_be_foretold;
use crate::verbs::shared::hold::Hold;
use crate::verbs::stores::place::CommandPlace;
use crate::verbs::tally::Tally;

/// The group of a hierarchy that `spot` is; `None` if it is not one.
///
/// # Errors
/// As [`CommandPlace::of`].
pub(in crate::verbs) async fn nested(bucket: &Bucket, spot: &Spot) -> Result<Option<Group>, Error> {
    bucket.reach(spot.key()).await?;
    Ok(match CommandPlace::of(bucket, spot).await? {
        CommandPlace::Group(group) if !group.path.is_empty() => Some(group),
        _ => None,
    })
}

/// What lies in a group.
pub(in crate::verbs) struct GroupContents {
    group: Group,
    keys: Vec<String>,
    tally: Tally,
}

impl GroupContents {
    /// Looks at `group`.
    ///
    /// # Errors
    /// If something lies in it that is not ours, without `--force`; or if single variables are named.
    pub(super) async fn of(request: &Delete, bucket: &Bucket, group: Group) -> Result<Self, Error> {
        if let Some(name) = request.variables.iter().find(|name| *name != "compact") {
            let (name, group) = (name.clone(), group.to_string());
            return Err(DeleteError::GroupOfAllVariables { name, group }.into());
        }
        if let Some(link) = bucket.links(&group.key()).await?.first() {
            let path = link.path.clone();
            return Err(DeleteError::GroupLink { path }.into());
        }
        let entries: Vec<ListedObject> = bucket.entries(&group.key()).try_collect().await?;
        let is_foreign =
            |entry: &&ListedObject| ObjectKind::of(&group.store, &entry.key) == ObjectKind::Foreign;
        if let Some(first) = entries.iter().find(is_foreign)
            && !request.force
        {
            let key = first.key.clone();
            return Err(DeleteError::ForeignInGroup { key }.into());
        }
        let mut tally = Tally::default();
        for entry in &entries {
            tally.count(entry.bytes);
        }
        let keys = entries.into_iter().map(|entry| entry.key).collect();
        Ok(Self { group, keys, tally })
    }

    /// The same, if nothing changes it before it goes.
    ///
    /// # Errors
    /// If a job is at its store, or has left it as it died.
    pub(super) async fn survey(&self, bucket: &Bucket) -> Result<DeleteSurvey, Error> {
        can_be_foretold(bucket, std::slice::from_ref(&self.group.store)).await?;
        Ok(self.shown())
    }

    /// As others see it.
    pub(super) fn shown(&self) -> DeleteSurvey {
        DeleteSurvey::Group {
            group: self.group.to_string(),
            tally: self.tally,
        }
    }

    /// Takes the group out of what the root tells, then deletes its objects, under the lease of the whole hierarchy.
    ///
    /// # Errors
    /// If another job holds the store, or the server refuses. The same delete again goes on with it.
    pub(super) async fn delete(
        self,
        request: &Delete,
        session: &Session<'_>,
    ) -> Result<DeleteSurvey, Error> {
        let stores = [self.group.store.clone()];
        let mut hold = Hold::take(session, &request.leasing, &stores, "delete").await?;
        // Another job may have added to it since it was looked at.
        let done = match Self::of(request, &session.bucket, self.group).await {
            Ok(contents) => contents.delete_held(session, &mut hold).await,
            Err(failure) => Err(failure),
        };
        let done = done.map_err(|failure| hold.verdict(failure));
        hold.release(session).await;
        done
    }

    async fn delete_held(
        self,
        session: &Session<'_>,
        hold: &mut Hold,
    ) -> Result<DeleteSurvey, Error> {
        let (bucket, done) = (&session.bucket, self.shown());
        let Self { group, keys, .. } = self;
        hold.left.heal(session).await?;
        let whole = Group::whole(&group.store);
        let is_told = match read_store(bucket, &whole, "").await? {
            StoreLookup::Store(stored) => stored.groups().contains(&group.path),
            StoreLookup::Nothing | StoreLookup::Remains(_) => false,
        };
        if is_told && let StoreLookup::Store(stored) = read_store(bucket, &group, "").await? {
            hold.leases.check().await?;
            let Hold {
                holder,
                run,
                guarantees,
                ..
            } = &*hold;
            let removed = remove_group(bucket, &group, &stored, holder, run, guarantees);
            removed
                .await?
                .finish()
                .await
                .map_err(DeleteError::GroupIncomplete)?;
        }
        let deleted = bucket.delete_all(keys, true).await;
        CleanupError::of(deleted.problems).map_err(DeleteError::GroupIncomplete)?;
        Ok(done)
    }
}
