//! The flags that choose a value of the library by its name: the names, and what `--help` says of each.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use msm_plan::{Overlap, Transactions};
use msm_reproject::Method;
use msm_zarr::Version;

use crate::store::Addressing;
use crate::transfer::Verification;
use crate::verbs::reprojection::request::Longitudes;

/// A value with its name and its help.
type Choice<T> = (T, &'static str, &'static str);

fn one_of<T>(choices: &'static [Choice<T>]) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    let values = choices
        .iter()
        .map(|(_, name, help)| PossibleValue::new(*name).help(*help));
    PossibleValuesParser::new(values).try_map(move |given| {
        let chosen = choices.iter().find(|(_, name, _)| *name == given);
        chosen
            .map(|choice| choice.0)
            .ok_or("there is no such value")
    })
}

pub(super) fn method() -> impl TypedValueParser<Value = Method> {
    one_of(&[
        (
            Method::Nearest,
            "nearest",
            "The value of the nearest cell on the sphere",
        ),
        (
            Method::NearestLonlat,
            "nearest-lonlat",
            "The value of the nearest cell in flat degrees, as the Python tool has it",
        ),
        (
            Method::Bilinear,
            "bilinear",
            "Between the centres of the four cells around, over those that are wet",
        ),
        (
            Method::Conservative,
            "conservative",
            "The mean over the wet parts of the cell, by area",
        ),
    ])
}

pub(super) fn longitudes() -> impl TypedValueParser<Value = Longitudes> {
    one_of(&[
        (Longitudes::Signed, "-180..180", "From 180 degrees west"),
        (Longitudes::Positive, "0..360", "From Greenwich eastwards"),
    ])
}

pub(super) fn overlap() -> impl TypedValueParser<Value = Overlap> {
    one_of(&[
        (
            Overlap::Skip,
            "skip",
            "Leave them as they are, and append the others",
        ),
        (Overlap::Error, "error", "Refuse to send"),
        (
            Overlap::Replace,
            "replace",
            "Overwrite them, and append the others",
        ),
    ])
}

pub(super) fn version() -> impl TypedValueParser<Value = Version> {
    one_of(&[
        (
            Version::V2,
            "2",
            "Zarr storage specification version 2, with `.zmetadata`",
        ),
        (
            Version::V3,
            "3",
            "Zarr core specification version 3, with inline consolidated metadata",
        ),
    ])
}

pub(super) fn transactions() -> impl TypedValueParser<Value = Transactions> {
    one_of(&[
        (
            Transactions::Chunk,
            "chunk",
            "Each is the smallest run of files that ends on a chunk boundary; the last one has what is left",
        ),
        (
            Transactions::Batch,
            "batch",
            "Each is one of those, or as many as come to 256 MiB, each object counted as 256 KiB more",
        ),
        (Transactions::All, "all", "One has all files"),
    ])
}

pub(super) fn addressing() -> impl TypedValueParser<Value = Addressing> {
    one_of(&[
        (Addressing::Path, "path", "`https://host/bucket/key`"),
        (Addressing::Virtual, "virtual", "`https://bucket.host/key`"),
    ])
}

/// The name by which the flag chooses it.
pub(super) fn addressing_name(style: Addressing) -> &'static str {
    match style {
        Addressing::Path => "path",
        Addressing::Virtual => "virtual",
    }
}

pub(super) fn verify() -> impl TypedValueParser<Value = Verification> {
    one_of(&[
        (
            Verification::Full,
            "full",
            "Read it back, and compare its bytes with what was sent, by their crc32c",
        ),
        (
            Verification::Etag,
            "etag",
            "Trust an ETag that is the MD5 of what was sent; read back where it is not",
        ),
        (
            Verification::Server,
            "server",
            "Let the server compare what it stores with the crc32c that is sent along; it must be found to do so first",
        ),
        (Verification::None, "none", "Trust the server's answer"),
    ])
}
