//! The flags of `quicklook`, and how its picture becomes a file.
//!
//! Key types: [`QuicklookArgs`]; [`PictureFile`].

use std::path::{Path, PathBuf};

use clap::Args;
use msm_chart::{Frame, Picture};

use super::error::CliError;
use super::files::name;
use super::outcome::JsonArgs;
use super::reproject::parse_box;
use super::store::StoreArgs;
use crate::verbs::quicklook::{LevelChoice, PictureKind, Quicklook, StepChoice};
use crate::verbs::reprojection::request::Edges;

/// What `quicklook` is told.
#[derive(Args)]
pub(super) struct QuicklookArgs {
    #[command(flatten)]
    pub store: StoreArgs,

    #[command(flatten)]
    pub told: JsonArgs,

    /// Variables to draw, `compact` for all of PREFIX.zarr [default: all data variables of all stores below the prefix]
    #[arg(short, long, num_args = 1.., value_delimiter = ',', value_parser = name, value_name = "VAR")]
    pub variables: Vec<String>,

    /// Steps to draw, by number from 0 or by time: a month such as 1976-03, a day, a moment; the first step in it [default: the last one]
    #[arg(long, num_args = 1.., value_delimiter = ',', value_parser = parse_step, value_name = "N|TIME", conflicts_with = "series")]
    pub step: Vec<StepChoice>,

    /// Level to draw, by number from 0, or the one that is nearest to a depth such as 500m [default: the first one]
    #[arg(long, value_parser = parse_level, value_name = "N|DEPTH", conflicts_with = "section")]
    pub level: Option<LevelChoice>,

    /// Edges of the part of the world to draw, degrees: west,south,east,north; across the date line east may be less than west
    /// [default: all that there are cells of]
    #[arg(long, value_name = "W,S,E,N", allow_hyphen_values = true, value_parser = parse_box)]
    pub bbox: Option<Edges>,

    /// Draw depth against latitude, the mean along each circle of latitude over cells that have a value
    #[arg(long, conflicts_with = "series")]
    pub section: bool,

    /// Draw the mean by area over time
    #[arg(long)]
    pub series: bool,

    /// The picture: a file whose name ends in .png, .svg or .html
    #[arg(short, long, value_name = "FILE", value_parser = parse_file)]
    pub out: PictureFile,
}

/// A file for a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PictureFile {
    path: PathBuf,
    format: PictureFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PictureFormat {
    Png,
    Svg,
    Html,
}

impl QuicklookArgs {
    /// What is asked.
    ///
    /// # Errors
    /// If the prefix is none.
    pub(super) fn request(&self) -> Result<Quicklook, CliError> {
        Ok(Quicklook {
            spot: self.store.spot_or_all()?,
            variables: self.variables.clone(),
            kind: match (self.section, self.series) {
                (true, _) => PictureKind::Section,
                (false, true) => PictureKind::Series,
                (false, false) => PictureKind::Map,
            },
            steps: self.step.clone(),
            level: self.level,
            is_page: self.out.format == PictureFormat::Html,
            frame: self.bbox.map(|edges| Frame {
                west: edges.west,
                south: edges.south,
                east: edges.east,
                north: edges.north,
            }),
        })
    }
}

impl PictureFile {
    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Can it lie there? Folders above it are not made.
    ///
    /// # Errors
    /// If not, why.
    pub(super) fn is_place(&self) -> Result<(), CliError> {
        super::open::is_place("--out", &self.path)
    }

    /// Writes `picture`; a page has `heading` above it.
    ///
    /// # Errors
    /// If it cannot be drawn or written.
    pub(super) fn write(&self, picture: &Picture, heading: &str) -> Result<(), CliError> {
        let drawn = match self.format {
            PictureFormat::Png => picture.png(),
            PictureFormat::Svg => picture.svg().map(String::into_bytes),
            PictureFormat::Html => picture.html(heading).map(String::into_bytes),
        };
        let bytes = drawn.map_err(|cause| CliError::Drawing {
            path: self.path.clone(),
            cause: cause.to_string(),
        })?;
        super::open::file("--out", &self.path, &bytes)
    }

    /// Is it drawn with the font of this program, and not with those of whoever reads it?
    pub(super) fn has_own_font(&self) -> bool {
        self.format == PictureFormat::Png
    }
}

fn parse_file(text: &str) -> Result<PictureFile, String> {
    let path = PathBuf::from(text);
    let end = path.extension().map(std::ffi::OsStr::to_ascii_lowercase);
    let format = match end.as_ref().and_then(|end| end.to_str()) {
        Some("png") => PictureFormat::Png,
        Some("svg") => PictureFormat::Svg,
        Some("html" | "htm") => PictureFormat::Html,
        _ => return Err("expected a name that ends in .png, .svg or .html".to_owned()),
    };
    Ok(PictureFile { path, format })
}

fn parse_step(text: &str) -> Result<StepChoice, String> {
    if let Ok(number) = text.parse() {
        return Ok(StepChoice::Number(number));
    }
    let is_date = text.contains('-') && text.starts_with(|c: char| c.is_ascii_digit());
    is_date.then(|| StepChoice::Time(text.to_owned())).ok_or_else(|| {
        "expected the number of a step, from 0, or a month, a day or a moment such as 1976-03, 1976-03-16 or 1976-03-16T12:00".to_owned()
    })
}

fn parse_level(text: &str) -> Result<LevelChoice, String> {
    if let Ok(number) = text.parse() {
        return Ok(LevelChoice::Number(number));
    }
    let depth = text.strip_suffix('m').unwrap_or(text).trim().parse();
    let depth = depth.ok().filter(|depth: &f64| depth.is_finite());
    depth.map(LevelChoice::Depth).ok_or_else(|| {
        "expected the number of a level, from 0, or a depth such as 500m or 0.5".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_and_others_are_times_and_depths() {
        assert_eq!(parse_step("3"), Ok(StepChoice::Number(3)));
        let time = |text: &str| Ok(StepChoice::Time(text.to_owned()));
        assert_eq!(parse_step("1976-03"), time("1976-03"));
        assert_eq!(parse_level("3"), Ok(LevelChoice::Number(3)));
        assert_eq!(parse_level("500m"), Ok(LevelChoice::Depth(500.0)));
        assert_eq!(parse_level("0.5"), Ok(LevelChoice::Depth(0.5)));
        for text in ["-1", "last", "", "March"] {
            assert!(parse_step(text).is_err(), "{text}");
        }
        for text in ["deep", "", "nan", "m"] {
            assert!(parse_level(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_file_has_the_format_of_its_name() {
        let format = |text: &str| parse_file(text).map(|file| file.format);
        assert_eq!(format("a/b.PNG"), Ok(PictureFormat::Png));
        assert_eq!(format("b.svg"), Ok(PictureFormat::Svg));
        assert_eq!(format("b.x.html"), Ok(PictureFormat::Html));
        assert!(format("b.jpg").is_err() && format("png").is_err());
    }
}
