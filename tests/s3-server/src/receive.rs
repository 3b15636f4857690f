//! Reading the body of a PUT and holding it against every digest the client sent with it: only a
//! body that passes becomes a [`Received`], so nothing else can be stored.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{Checksum, StreamingBlob};
use s3s::{S3Error, S3ErrorCode, S3Result, StdError, TrailingHeaders, s3_error};

use crate::config::EtagKind;

/// What a client says of the body it sends.
pub(crate) struct Announced {
    pub(crate) content_length: Option<i64>,
    /// Content-MD5, in Base64.
    pub(crate) md5: Option<String>,
    /// `x-amz-checksum-…` headers, in Base64.
    pub(crate) checksums: Checksum,
    /// `x-amz-checksum-…` behind the body, named by `x-amz-trailer`.
    pub(crate) trailers: Option<TrailingHeaders>,
    /// The name of the checksum that is to come behind the body, in lower case.
    pub(crate) trailer: Option<String>,
    /// Does its first byte arrive inverted?
    pub(crate) is_garbled: bool,
}

impl Announced {
    /// Does a checksum come before the body?
    pub(crate) fn has_checksums(&self) -> bool {
        let sums = &self.checksums;
        let all = [
            &sums.checksum_crc32,
            &sums.checksum_crc32c,
            &sums.checksum_crc64nvme,
            &sums.checksum_sha1,
            &sums.checksum_sha256,
        ];
        all.into_iter().any(Option::is_some)
    }
}

/// A body that arrived whole.
pub(crate) struct Received {
    pub(crate) bytes: Bytes,
    /// Of the body as it arrived; `None` where nobody asked for it.
    pub(crate) md5: Option<[u8; 16]>,
}

impl Received {
    /// The ETag; `None` if it is to be opaque.
    pub(crate) fn etag(&self, kind: EtagKind) -> Option<String> {
        match kind {
            EtagKind::Md5 => self.md5.as_ref().map(|md5| hex(md5)),
            EtagKind::Opaque => None,
        }
    }
}

/// Reads a body to its end. A digest or length that disagrees comes back as a 400 error.
pub(crate) async fn receive(
    body: Option<StreamingBlob>,
    announced: Announced,
    etag: EtagKind,
) -> S3Result<Received> {
    let length = announced
        .content_length
        .and_then(|length| usize::try_from(length).ok());
    let mut bytes = BytesMut::with_capacity(length.unwrap_or(0));
    let mut md5 = (etag == EtagKind::Md5 || announced.md5.is_some()).then(Md5::new);
    let mut hasher = hasher(&announced);
    if let Some(mut body) = body {
        while let Some(frame) = body.next().await {
            let mut frame = frame.map_err(body_error)?;
            if announced.is_garbled && bytes.is_empty() && !frame.is_empty() {
                let mut other = frame.to_vec();
                other[0] = !other[0];
                frame = other.into();
            }
            if let Some(md5) = &mut md5 {
                md5.update(&frame);
            }
            hasher.update(&frame);
            bytes.extend_from_slice(&frame);
        }
    }
    if length.is_some_and(|length| length != bytes.len()) {
        return Err(s3_error!(IncompleteBody));
    }
    let md5 = md5.map(Md5::finalize);
    check_md5(announced.md5.as_deref(), md5)?;
    check_checksums(&announced, &hasher.finalize())?;
    Ok(Received {
        bytes: bytes.freeze(),
        md5,
    })
}

/// The ETag of a single PUT of these bytes.
pub(crate) fn md5_hex(bytes: &[u8]) -> String {
    hex(&Md5::checksum(bytes))
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A hasher for the checksums announced, before the body or behind it.
fn hasher(announced: &Announced) -> ChecksumHasher {
    fn wanted<T: s3s::crypto::Checksum>(sum: Option<&String>, is_trailer: bool) -> Option<T> {
        (sum.is_some() || is_trailer).then(T::new)
    }
    let sums = &announced.checksums;
    let trailer = announced.trailer.as_deref();
    ChecksumHasher {
        crc32: wanted(
            sums.checksum_crc32.as_ref(),
            trailer == Some("x-amz-checksum-crc32"),
        ),
        crc32c: wanted(
            sums.checksum_crc32c.as_ref(),
            trailer == Some("x-amz-checksum-crc32c"),
        ),
        sha1: wanted(
            sums.checksum_sha1.as_ref(),
            trailer == Some("x-amz-checksum-sha1"),
        ),
        sha256: wanted(
            sums.checksum_sha256.as_ref(),
            trailer == Some("x-amz-checksum-sha256"),
        ),
        crc64nvme: wanted(
            sums.checksum_crc64nvme.as_ref(),
            trailer == Some("x-amz-checksum-crc64nvme"),
        ),
    }
}

fn check_md5(announced: Option<&str>, computed: Option<[u8; 16]>) -> S3Result<()> {
    let Some(announced) = announced else {
        return Ok(());
    };
    match BASE64.decode(announced) {
        Ok(md5) if md5.len() == 16 && computed.is_some_and(|computed| computed[..] == md5[..]) => {
            Ok(())
        }
        Ok(md5) if md5.len() == 16 => Err(s3_error!(
            BadDigest,
            "The Content-MD5 you specified did not match what we received."
        )),
        _ => Err(s3_error!(
            InvalidDigest,
            "The Content-MD5 you specified is not valid."
        )),
    }
}

fn check_checksums(announced: &Announced, computed: &Checksum) -> S3Result<()> {
    let sums = &announced.checksums;
    let pairs = [
        (
            "x-amz-checksum-crc32",
            &sums.checksum_crc32,
            &computed.checksum_crc32,
        ),
        (
            "x-amz-checksum-crc32c",
            &sums.checksum_crc32c,
            &computed.checksum_crc32c,
        ),
        (
            "x-amz-checksum-sha1",
            &sums.checksum_sha1,
            &computed.checksum_sha1,
        ),
        (
            "x-amz-checksum-sha256",
            &sums.checksum_sha256,
            &computed.checksum_sha256,
        ),
        (
            "x-amz-checksum-crc64nvme",
            &sums.checksum_crc64nvme,
            &computed.checksum_crc64nvme,
        ),
    ];
    let trailers = announced.trailers.as_ref().and_then(TrailingHeaders::take);
    for (name, header, computed) in pairs {
        let trailer = trailers.as_ref().and_then(|trailers| trailers.get(name));
        let trailer = trailer.map(hyper::http::HeaderValue::as_bytes);
        for sum in [header.as_ref().map(String::as_bytes), trailer]
            .into_iter()
            .flatten()
        {
            if computed
                .as_ref()
                .is_none_or(|computed| computed.as_bytes() != sum)
            {
                let message = format!("The {name} you specified did not match what we received.");
                return Err(S3Error::with_message(S3ErrorCode::BadDigest, message));
            }
        }
    }
    Ok(())
}

/// A body that broke off, or that its signature does not cover. The error types of `s3s` are private,
/// so their texts have to serve.
fn body_error(error: StdError) -> S3Error {
    let text = error.to_string();
    let mut answer = if text.contains("Sha256Mismatch") {
        let mut answer = S3Error::with_message(
            S3ErrorCode::Custom("XAmzContentSHA256Mismatch".into()),
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        );
        answer.set_status_code(hyper::StatusCode::BAD_REQUEST);
        answer
    } else if text.contains("SignatureMismatch") {
        s3_error!(SignatureDoesNotMatch)
    } else {
        s3_error!(IncompleteBody)
    };
    answer.set_source(error);
    answer
}
