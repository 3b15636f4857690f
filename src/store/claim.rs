//! What a PUT says of its body, for the server to compare: checksums in headers of their own (Amazon S3, "Checking object integrity").
//!
//! Key types: [`BodyClaim`], which travels in the extensions of a request; [`ToldChecksums`], in those of an answer.

use data_encoding::BASE64;
use object_store::client::{HttpError, HttpErrorKind, HttpRequest};
use reqwest::header::{HeaderMap, HeaderValue};

const CRC32C: &str = "x-amz-checksum-crc32c";
const CRC64NVME: &str = "x-amz-checksum-crc64nvme";
/// Asks for the checksums of an object that is looked at.
const MODE: &str = "x-amz-checksum-mode";

/// A checksum of a body, as a header names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyClaim {
    /// The CRC of RFC 3720.
    Crc32c(u32),
    /// The CRC of the NVM Express specification.
    Crc64Nvme(u64),
}

/// Asks, in the extensions of a HEAD, for the checksums that the server keeps.
#[derive(Clone, Copy, Debug)]
pub(super) struct AskForChecksums;

/// The checksums that an answer names, in base64.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ToldChecksums {
    crc32c: Option<String>,
    crc64nvme: Option<String>,
}

impl BodyClaim {
    /// That of `bytes` as it is.
    pub(super) fn crc32c(bytes: &[u8]) -> Self {
        Self::Crc32c(crc32c::crc32c(bytes))
    }

    /// That of `bytes` as it is.
    pub(super) fn crc64nvme(bytes: &[u8]) -> Self {
        Self::Crc64Nvme(crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, bytes))
    }

    /// One that the same bytes do not have.
    pub(super) fn wrong(self) -> Self {
        match self {
            Self::Crc32c(crc) => Self::Crc32c(!crc),
            Self::Crc64Nvme(crc) => Self::Crc64Nvme(!crc),
        }
    }

    /// The name of its header.
    pub(super) fn header(self) -> &'static str {
        match self {
            Self::Crc32c(_) => CRC32C,
            Self::Crc64Nvme(_) => CRC64NVME,
        }
    }

    /// As it travels: big-endian, in base64.
    fn value(self) -> String {
        match self {
            Self::Crc32c(crc) => BASE64.encode(&crc.to_be_bytes()),
            Self::Crc64Nvme(crc) => BASE64.encode(&crc.to_be_bytes()),
        }
    }

    /// Do the checksums that a server `told` say the same?
    pub(super) fn is_told(self, told: &ToldChecksums) -> bool {
        let told = match self {
            Self::Crc32c(_) => &told.crc32c,
            Self::Crc64Nvme(_) => &told.crc64nvme,
        };
        *told == Some(self.value())
    }
}

impl ToldChecksums {
    /// Those in the `headers` of an answer.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let text = |name: &str| {
            let value = headers.get(name)?.to_str().ok()?;
            Some(value.trim().to_owned())
        };
        Self {
            crc32c: text(CRC32C),
            crc64nvme: text(CRC64NVME),
        }
    }
}

/// The request with the headers that its extensions ask for, if they ask for any; what signed it before does not cover them.
///
/// # Errors
/// If a header cannot hold them.
pub(super) fn with_claims(request: &HttpRequest) -> Result<Option<HttpRequest>, HttpError> {
    let extensions = request.extensions();
    let claim = extensions.get::<BodyClaim>().copied();
    let asks = extensions.get::<AskForChecksums>().is_some();
    if claim.is_none() && !asks {
        return Ok(None);
    }
    let mut claiming = request.clone();
    let headers = claiming.headers_mut();
    if let Some(claim) = claim {
        let value = HeaderValue::from_str(&claim.value());
        let value = value.map_err(|cause| HttpError::new(HttpErrorKind::Unknown, cause))?;
        headers.insert(claim.header(), value);
    }
    if asks {
        headers.insert(MODE, HeaderValue::from_static("ENABLED"));
    }
    Ok(Some(claiming))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 3720, appendix B.4, and of the catalogue of parametrised CRC algorithms.
    #[test]
    fn checksums_are_big_endian_and_in_base64() {
        assert_eq!(BodyClaim::crc32c(&[0; 32]), BodyClaim::Crc32c(0x8a91_36aa));
        assert_eq!(BodyClaim::Crc32c(0x8a91_36aa).value(), "ipE2qg==");
        let nine = BodyClaim::crc64nvme(b"123456789");
        assert_eq!(nine, BodyClaim::Crc64Nvme(0xae8b_1486_0a79_9888));
        assert_eq!(nine.value(), "rosUhgp5mIg=");
    }

    #[test]
    fn what_a_server_tells_is_compared_with_the_claim() {
        let claim = BodyClaim::crc32c(b"body");
        let mut headers = HeaderMap::new();
        assert!(!claim.is_told(&ToldChecksums::of(&headers)));
        headers.insert(CRC32C, HeaderValue::from_str(&claim.value()).unwrap());
        assert!(claim.is_told(&ToldChecksums::of(&headers)));
        assert!(!claim.wrong().is_told(&ToldChecksums::of(&headers)));
        assert!(!BodyClaim::crc64nvme(b"body").is_told(&ToldChecksums::of(&headers)));
    }
}
