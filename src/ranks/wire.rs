//! Values as ranks send them to each other.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::exit::{Exit, Failure};

pub(super) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, Failure> {
    postcard::to_stdvec(value)
        .map_err(|cause| Failure::new(Exit::Internal, format!("encoding a message: {cause}")))
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    postcard::from_bytes(bytes).map_err(|cause| {
        let message = format!(
            "decoding a message of another rank: {cause}; do all ranks run the same msm_os?"
        );
        Failure::new(Exit::Launcher, message)
    })
}
