//! The user's choice of a codec, and what it is in an array's document.
//!
//! Key type: [`Codec`], from `--codec`.

use std::fmt;
use std::str::FromStr;

use serde_json::{Value, json};

use super::error::ZarrError;
use msm_model::DType;

/// Bytes that Blosc compresses at a time. Its own choice for zstd is 32 KiB, too little: see `docs/codecs.md`.
pub(super) const BLOCK_BYTES: u64 = 1 << 20;

/// The compressor of new arrays. Whichever it is, a crc32c follows it in version 3; version 2 has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Codec {
    /// No compression.
    None,
    /// Zstandard of this level.
    Zstd(i32),
    /// Blosc with this inner compressor, level and shuffle.
    Blosc {
        /// `lz4`, `lz4hc`, `blosclz`, `zstd` or `zlib`; zarr-python's Blosc has no snappy.
        compressor: String,
        /// 0 to 9.
        level: u8,
        /// `shuffle`, `bitshuffle` or `noshuffle`.
        shuffle: String,
    },
}

impl Default for Codec {
    /// Measured in `docs/codecs.md`.
    fn default() -> Self {
        Self::Blosc {
            compressor: "lz4".to_owned(),
            level: 5,
            shuffle: "shuffle".to_owned(),
        }
    }
}

impl FromStr for Codec {
    type Err = ZarrError;

    fn from_str(text: &str) -> Result<Self, ZarrError> {
        let wrong = |cause: &str| ZarrError::Codec {
            text: text.to_owned(),
            cause: cause.to_owned(),
        };
        let words: Vec<&str> = text.split(':').collect();
        match words[..] {
            ["none"] => Ok(Self::None),
            ["zstd", level] => match level.parse() {
                Ok(level) if (-7..=22).contains(&level) => Ok(Self::Zstd(level)),
                _ => Err(wrong("a zstd level is a whole number from -7 to 22")),
            },
            ["blosc", ref rest @ ..] if rest.len() <= 3 => {
                let compressor = rest.first().copied().unwrap_or("lz4");
                if !["lz4", "lz4hc", "blosclz", "zstd", "zlib"].contains(&compressor) {
                    return Err(wrong(
                        "blosc's compressors are lz4, lz4hc, blosclz, zstd and zlib",
                    ));
                }
                let level = rest
                    .get(1)
                    .copied()
                    .unwrap_or("5")
                    .parse()
                    .ok()
                    .filter(|level| *level <= 9);
                let shuffle = rest.get(2).copied().unwrap_or("shuffle");
                if !["shuffle", "bitshuffle", "noshuffle"].contains(&shuffle) {
                    return Err(wrong(
                        "blosc's shuffles are shuffle, bitshuffle and noshuffle",
                    ));
                }
                Ok(Self::Blosc {
                    compressor: compressor.to_owned(),
                    level: level
                        .ok_or_else(|| wrong("a blosc level is a whole number from 0 to 9"))?,
                    shuffle: shuffle.to_owned(),
                })
            }
            _ => Err(wrong("it is none of these")),
        }
    }
}

/// As [`Codec::from_str`] reads it.
impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Zstd(level) => write!(f, "zstd:{level}"),
            Self::Blosc {
                compressor,
                level,
                shuffle,
            } => write!(f, "blosc:{compressor}:{level}:{shuffle}"),
        }
    }
}

impl Codec {
    /// The codecs of a Zarr v3 array of this type: little-endian bytes or UTF-8 texts, compressor, crc32c.
    #[must_use]
    pub fn metadata(&self, dtype: DType) -> Vec<Value> {
        // Texts have no bytes that belong together.
        let size = if dtype.is_text() { 1 } else { dtype.size() };
        let bytes = if dtype.is_text() {
            json!({"name": "vlen-utf8"})
        } else if size == 1 {
            json!({"name": "bytes"})
        } else {
            json!({"name": "bytes", "configuration": {"endian": "little"}})
        };
        let compressor = match self {
            Self::None => None,
            Self::Zstd(level) => {
                Some(json!({"name": "zstd", "configuration": {"level": level, "checksum": false}}))
            }
            Self::Blosc {
                compressor,
                level,
                shuffle,
            } => Some(json!({"name": "blosc", "configuration": {
                "cname": compressor, "clevel": level, "shuffle": shuffle, "typesize": size, "blocksize": BLOCK_BYTES,
            }})),
        };
        [Some(bytes), compressor, Some(json!({"name": "crc32c"}))]
            .into_iter()
            .flatten()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_of_a_codec() {
        assert_eq!("none".parse(), Ok(Codec::None));
        assert_eq!("zstd:3".parse(), Ok(Codec::Zstd(3)));
        assert_eq!("blosc".parse(), Ok(Codec::default()));
        for text in ["none", "zstd:-3", "blosc:zlib:9:bitshuffle"] {
            assert_eq!(
                text.parse::<Codec>().map(|codec| codec.to_string()),
                Ok(text.to_owned())
            );
        }
        for wrong in [
            "",
            "zstd",
            "zstd:x",
            "zstd:99",
            "blosc:lzma",
            "blosc:snappy",
            "blosc:lz4:10",
            "blosc:lz4:5:sort",
            "gzip",
            "blosc:lz4:5:shuffle:9",
        ] {
            assert!(wrong.parse::<Codec>().is_err(), "{wrong}");
        }
    }
}
