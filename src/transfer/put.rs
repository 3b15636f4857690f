//! The PUT of an object on the condition that what lies there is what this transaction knows: a job that has lost its lease
//! without knowing it, or whose PUT arrives late, meets another's object and changes nothing.
//!
//! Key types: [`KnownContent`], what is known of the place; [`WriteConditions`], what the server keeps to.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::store::{
    Bucket, Conditional, CreateOutcome, Guarantees, PutAnswer, ReplaceOutcome, Stat, StoreError,
};

/// Looks at what lies there, before it counts as changed by another.
const LOOKS: u32 = 6;

/// Which conditions on writes the server keeps to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WriteConditions {
    /// That there is no object yet.
    pub create: bool,
    /// That the object has a certain ETag.
    pub replace: bool,
}

impl From<&Guarantees> for WriteConditions {
    fn from(guarantees: &Guarantees) -> Self {
        Self {
            create: guarantees.create == Conditional::Enforced,
            replace: guarantees.replace == Conditional::Enforced,
        }
    }
}

/// What is known to lie where an object goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum KnownContent {
    /// No object.
    #[default]
    Nothing,
    /// One with this ETag.
    Object(String),
    /// This cannot be told.
    Unknown,
}

impl KnownContent {
    /// An object with this ETag, if it has one.
    pub(super) fn tagged(etag: Option<&String>) -> Self {
        etag.map_or(Self::Unknown, |etag| Self::Object(etag.clone()))
    }
}

/// Puts `bytes` as the object `key`, where `there` is. Remains of dead jobs are replaced if the lease is sure to hold when they have
/// been seen: they are no later holder's then.
///
/// # Errors
/// [`StoreError::Overtaken`] if another has changed the object meanwhile; others as the server says.
pub(super) async fn put_object(
    bucket: &Bucket,
    key: &str,
    bytes: &Bytes,
    mut there: KnownContent,
    conditions: WriteConditions,
) -> Result<PutAnswer, StoreError> {
    let plain = || bucket.put(key, bytes.clone());
    for _ in 0..LOOKS {
        there = match there {
            KnownContent::Nothing if conditions.create => {
                match bucket.create(key, bytes.clone()).await? {
                    CreateOutcome::Created(put) => return Ok(put),
                    CreateOutcome::Exists => KnownContent::Unknown,
                    CreateOutcome::Refused(_) => return plain().await,
                }
            }
            KnownContent::Object(etag) if conditions.replace => {
                return match bucket.replace_if(key, bytes.clone(), &etag).await? {
                    ReplaceOutcome::Replaced(put) => Ok(put),
                    ReplaceOutcome::Changed => Err(overtaken(key)),
                    ReplaceOutcome::Refused(_) => plain().await,
                };
            }
            KnownContent::Unknown if conditions.create || conditions.replace => {
                let seen = bucket.stat(key).await?;
                prove(bucket, key)?;
                match seen {
                    None if conditions.create => KnownContent::Nothing,
                    Some(Stat {
                        etag: Some(etag), ..
                    }) if conditions.replace => KnownContent::Object(etag),
                    _ => return plain().await,
                }
            }
            _ => return plain().await,
        };
    }
    // It comes and goes.
    Err(overtaken(key))
}

/// Is it certain that the lease held until now?
fn prove(bucket: &Bucket, key: &str) -> Result<(), StoreError> {
    bucket.fence().check().map_err(|_| StoreError::Fenced {
        place: bucket.place().to_owned(),
        key: key.to_owned(),
        action: "writing".into(),
    })
}

fn overtaken(key: &str) -> StoreError {
    StoreError::Overtaken {
        key: key.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use s3_server::Config;

    use super::*;
    use crate::store::{Moment, loopback};

    const BOTH: WriteConditions = WriteConditions {
        create: true,
        replace: true,
    };

    fn bytes(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_another_put_meanwhile_stays() {
        let server = loopback::server(Config::default());
        let bucket = loopback::bucket(&server);
        let first = put_object(&bucket, "a", &bytes("1"), KnownContent::Nothing, BOTH).await;
        let there = KnownContent::tagged(first.unwrap().etag.as_ref());
        let other = bucket.put("a", bytes("2")).await.unwrap();
        let late = put_object(&bucket, "a", &bytes("3"), there, BOTH).await;
        assert_eq!(late.unwrap_err(), overtaken("a"));
        assert_eq!(bucket.get("a").await.unwrap(), "2");
        let there = KnownContent::tagged(other.etag.as_ref());
        let known = put_object(&bucket, "a", &bytes("3"), there, BOTH).await;
        known.unwrap();
        // No request but the PUT where nothing is in the way.
        let before = server.log().len();
        let new = put_object(&bucket, "b", &bytes("1"), KnownContent::Nothing, BOTH).await;
        new.unwrap();
        assert_eq!(server.log().len(), before + 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn remains_are_replaced_only_by_who_holds_the_lease_still() {
        let server = loopback::server(Config::default());
        server.put_object("ocean", "a", "remains");
        let bucket = loopback::fenced(&server);
        let open = || {
            let now = Moment::now();
            let minute = std::time::Duration::from_secs(60);
            bucket.fence().extend(now.after(minute));
        };
        open();
        let new = bytes("new");
        let put = put_object(&bucket, "a", &new, KnownContent::Nothing, BOTH);
        put.await.unwrap();
        assert_eq!(bucket.get("a").await.unwrap(), "new");
        bucket.fence().close();
        let late = bytes("late");
        let put = put_object(&bucket, "a", &late, KnownContent::Unknown, BOTH);
        let fenced = put.await.unwrap_err();
        assert!(matches!(fenced, StoreError::Fenced { .. }), "{fenced}");
        assert_eq!(bucket.get("a").await.unwrap(), "new");
    }

    /// The first fence cannot call back what a server has taken already; the condition it came with does.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_put_that_takes_effect_late_meets_anothers_object_and_changes_nothing() {
        use s3_server::{Fault, Rule};
        use std::time::Duration;
        let server = loopback::server(Config::default());
        let late = Rule::new(Fault::Late(Duration::from_secs(2)));
        server
            .faults()
            .add(late.method("PUT").key_contains("/a").once());
        let bucket = loopback::fenced(&server);
        let now = Moment::now();
        bucket.fence().extend(now.after(Duration::from_secs(60)));
        let put = {
            let bucket = bucket.clone();
            async move { put_object(&bucket, "a", &bytes("late"), KnownContent::Nothing, BOTH).await }
        };
        let put = tokio::spawn(put);
        tokio::time::sleep(Duration::from_millis(500)).await;
        bucket.fence().close();
        let fenced = put.await.unwrap().unwrap_err();
        assert!(matches!(fenced, StoreError::Fenced { .. }), "{fenced}");
        let other = loopback::bucket(&server);
        let put = put_object(&other, "a", &bytes("other"), KnownContent::Nothing, BOTH).await;
        put.unwrap();
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(other.get("a").await.unwrap(), "other");
    }

    /// A body that comes as another than it left is no reason to do without the condition.
    #[tokio::test(flavor = "multi_thread")]
    async fn what_a_server_finds_garbled_is_an_error_and_changes_nothing() {
        let server = loopback::server(Config::default());
        server.put_object("ocean", "b", "there");
        let bucket = loopback::bucket(&server).garbling();
        let etag = bucket.stat("b").await.unwrap().unwrap().etag.unwrap();
        let cases = [
            ("a", KnownContent::Nothing),
            ("b", KnownContent::Object(etag)),
            ("b", KnownContent::Unknown),
        ];
        for (key, there) in cases {
            let error = put_object(&bucket, key, &bytes("new"), there, BOTH).await;
            let error = error.unwrap_err();
            assert!(error.is_garbled(), "{error}");
        }
        let objects = server.objects("ocean");
        assert_eq!(objects.len(), 1);
        assert_eq!(objects["b"], "there");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn servers_that_keep_to_no_condition_get_plain_puts() {
        for conditional in [
            s3_server::Conditional::Refused,
            s3_server::Conditional::Ignored,
        ] {
            let server = loopback::server(Config {
                conditional,
                ..Config::default()
            });
            let bucket = loopback::bucket(&server);
            for there in [
                KnownContent::Nothing,
                KnownContent::Unknown,
                KnownContent::Object("x".to_owned()),
            ] {
                let none = WriteConditions::default();
                put_object(&bucket, "a", &bytes("1"), there, none)
                    .await
                    .unwrap();
            }
            assert_eq!(server.log().len(), 3);
        }
    }
}
