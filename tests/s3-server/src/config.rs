//! Which kind of S3 server is played: credentials, buckets, and how it treats conditional writes and
//! ETags, the two points in which real servers differ most.

/// What a server is started with.
#[derive(Debug, Clone)]
pub struct Config {
    /// The one access key that is known; any other gets 403 `InvalidAccessKeyId`.
    pub access_key: String,
    /// Its secret; a request signed with another gets 403 `SignatureDoesNotMatch`.
    pub secret_key: String,
    /// The session token that must come with the keys, if they are to be temporary ones; a request without it, or
    /// with another, gets 403 `InvalidToken`.
    pub session_token: Option<String>,
    /// Session tokens say themselves until when they are good, as `until-MILLISECONDS` since 1970; a request with one that has
    /// ended gets 400 `ExpiredToken`, one without any, or with another, 403 `InvalidToken`.
    pub ending_tokens: bool,
    /// Whether requests without a signature are served, as for a public bucket; else they get 403 `AccessDenied`.
    pub anonymous: bool,
    /// The name whose subdomains are buckets, `DOMAIN` or `DOMAIN:PORT`; requests are virtual-hosted then. Without
    /// it they are path-style.
    pub domain: Option<String>,
    /// Buckets that exist from the start.
    pub buckets: Vec<String>,
    /// How `If-None-Match` and `If-Match` on writes are treated.
    pub conditional: Conditional,
    /// What the ETag of an object is.
    pub etag: EtagKind,
    /// What becomes of `x-amz-checksum-…`.
    pub checksums: Checksums,
    /// What a write gets that a full bucket has no room for; see [`Server::set_quota`].
    ///
    /// [`Server::set_quota`]: crate::Server::set_quota
    pub full: Full,
    /// Objects whose key contains this are taken, answered, and not kept: what becomes of a million of them costs no memory here.
    pub forget: Option<String>,
}

impl Default for Config {
    /// `test-key` / `test-secret`, the bucket `ocean`, conditional writes enforced, MD5 ETags.
    fn default() -> Self {
        Config {
            access_key: "test-key".to_owned(),
            secret_key: "test-secret".to_owned(),
            session_token: None,
            ending_tokens: false,
            anonymous: false,
            domain: None,
            buckets: vec!["ocean".to_owned()],
            conditional: Conditional::default(),
            etag: EtagKind::default(),
            checksums: Checksums::default(),
            full: Full::default(),
            forget: None,
        }
    }
}

/// How the server treats conditions on writes (PUT and the completion of a multipart upload).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Conditional {
    /// Honoured, atomically: a condition that does not hold gets 412 `PreconditionFailed`.
    #[default]
    Enforced,
    /// A write with a condition gets 501 `NotImplemented` and stores nothing.
    Refused,
    /// The condition is not looked at: the write always takes place.
    Ignored,
    /// As Ceph does it: honoured, but an ETag in quotes never matches, and the completion of a multipart upload looks
    /// at no condition.
    Unquoted,
}

/// What a write gets that a full bucket has no room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Full {
    /// 403 `QuotaExceeded`, as Ceph answers.
    #[default]
    QuotaExceeded,
    /// 507 `InsufficientStorage`.
    InsufficientStorage,
}

/// What becomes of the checksums that come with the body of a PUT, in headers or behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Checksums {
    /// A wrong one gets 400 `BadDigest`; HEAD and GET tell a right one when they are asked.
    #[default]
    Enforced,
    /// They are neither compared nor kept.
    Dropped,
    /// They are kept and told, whatever the body is.
    Believed,
    /// They are compared, but not kept.
    Forgotten,
    /// A PUT with one gets 501 `NotImplemented` and stores nothing.
    Refused,
}

/// What the ETag of an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EtagKind {
    /// MD5 in hexadecimal of a single PUT; of a multipart upload the MD5 of its parts' MD5s, a dash
    /// and the number of parts.
    #[default]
    Md5,
    /// A serial number that changes with every write and says nothing of the content.
    Opaque,
}
