//! Flags that take one of a few words.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::plan::{Overlap, Transactions};
use crate::reproject::Method;
use crate::store::{Addressing, Version};
use crate::transfer::Verify;
use crate::verbs::reprojection::request::Longitudes;

/// The words, what they mean, and the values that they stand for.
pub(super) type Choices<T> = &'static [(&'static str, &'static str, T)];

pub(super) const ADDRESSINGS: Choices<Addressing> = &[
    ("path", "`https://host/bucket/key`", Addressing::Path),
    ("virtual", "`https://bucket.host/key`", Addressing::Virtual),
];
pub(super) const LONGITUDES: Choices<Longitudes> = &[
    ("-180..180", "From 180 degrees west", Longitudes::Signed),
    ("0..360", "From Greenwich eastwards", Longitudes::Positive),
];
pub(super) const METHODS: Choices<Method> = &[
    (
        "nearest",
        "The value of the nearest cell on the sphere",
        Method::Nearest,
    ),
    (
        "nearest-lonlat",
        "The value of the nearest cell in flat degrees, as the Python tool has it",
        Method::NearestLonlat,
    ),
    (
        "bilinear",
        "Between the centres of the four cells around, over those that are wet",
        Method::Bilinear,
    ),
    (
        "conservative",
        "The mean over the wet parts of the cell, by area",
        Method::Conservative,
    ),
];
pub(super) const OVERLAPS: Choices<Overlap> = &[
    (
        "skip",
        "Leave them as they are, and append the others",
        Overlap::Skip,
    ),
    ("error", "Refuse to send", Overlap::Error),
    (
        "replace",
        "Overwrite them, and append the others",
        Overlap::Replace,
    ),
];
pub(super) const TRANSACTIONS: Choices<Transactions> = &[
    (
        "chunk",
        "Each is the smallest run of files that ends on a chunk boundary; the last one has what is left",
        Transactions::Chunk,
    ),
    ("all", "One has all files", Transactions::All),
];
pub(super) const VERIFICATIONS: Choices<Verify> = &[
    (
        "full",
        "Read it back, decode it, and compare the crc32c of its values with that of the source's",
        Verify::Full,
    ),
    (
        "etag",
        "Trust an ETag that is the MD5 of what was sent; read back where it is not",
        Verify::Etag,
    ),
    ("none", "Trust the server's answer", Verify::None),
];
pub(super) const VERSIONS: Choices<Version> = &[
    (
        "2",
        "Zarr storage specification version 2, with `.zmetadata`",
        Version::V2,
    ),
    (
        "3",
        "Zarr core specification version 3, with inline consolidated metadata",
        Version::V3,
    ),
];

/// Parses one of `choices`.
pub(super) fn choice<T: Copy + Send + Sync>(
    choices: Choices<T>,
) -> impl TypedValueParser<Value = T> {
    let words = choices.iter();
    let words = words.map(|(word, help, _)| PossibleValue::new(*word).help(*help));
    PossibleValuesParser::new(words).try_map(|found| {
        let found = choices.iter().find(|(word, _, _)| *word == found);
        // It is one of them.
        found.map(|(_, _, value)| *value).ok_or(std::fmt::Error)
    })
}
