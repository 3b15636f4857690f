//! Values as ranks send them to each other.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::exit::Exit;

pub(super) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    postcard::to_stdvec(value)
        .map_err(|cause| Error::new(Exit::Internal, format!("encoding a message: {cause}")))
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    postcard::from_bytes(bytes).map_err(|cause| {
        let message = format!(
            "decoding a message of another rank: {cause}; do all ranks run the same msm_os?"
        );
        Error::new(Exit::Launcher, message)
    })
}
