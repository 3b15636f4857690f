//! Values as ranks send them to each other.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::RanksError;

pub(super) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, RanksError> {
    postcard::to_stdvec(value).map_err(|cause| RanksError::Encoding {
        cause: cause.to_string(),
    })
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, RanksError> {
    postcard::from_bytes(bytes).map_err(|cause| RanksError::Decoding {
        cause: cause.to_string(),
    })
}
