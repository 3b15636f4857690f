//! Where the bucket is.
//!
//! Key type: [`Place`], from `--bucket`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::error::StoreError;

/// Where objects go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A bucket of an S3 server.
    S3 {
        /// Its name.
        bucket: String,
    },
    /// A directory of this machine, with one file an object.
    Directory(PathBuf),
}

impl FromStr for Place {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let wrong = |cause: &'static str| StoreError::Place {
            text: text.to_owned(),
            cause: cause.into(),
        };
        if text.starts_with("file:") {
            if !text.starts_with("file:///") {
                return Err(wrong("expected file:///absolute/directory"));
            }
            let url =
                url::Url::parse(text).map_err(|_| wrong("expected file:///absolute/directory"))?;
            if url.query().is_some() || url.fragment().is_some() {
                return Err(wrong(
                    "in the URL of a directory '?' is written %3F, '#' is written %23",
                ));
            }
            let path = url
                .to_file_path()
                .map_err(|()| wrong("expected file:///absolute/directory"))?;
            return Ok(Self::Directory(path));
        }
        let bucket = text
            .strip_prefix("s3://")
            .unwrap_or(text)
            .trim_end_matches('/');
        if bucket.contains('/') || bucket.contains(':') {
            return Err(wrong(
                "expected a bucket's name, s3://bucket, s3://bucket/prefix or file:///directory",
            ));
        }
        if bucket.is_empty()
            || !bucket
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        {
            return Err(wrong(
                "a bucket's name has letters, digits, '-', '_' and '.' only",
            ));
        }
        Ok(Self::S3 {
            bucket: bucket.to_owned(),
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::S3 { bucket } => write!(f, "s3://{bucket}"),
            Self::Directory(path) => write!(f, "file://{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_of_a_place() {
        let s3 = Place::S3 {
            bucket: "eorca025".to_owned(),
        };
        assert_eq!("eorca025".parse::<Place>().ok(), Some(s3.clone()));
        assert_eq!("s3://eorca025".parse::<Place>().ok(), Some(s3));
        assert_eq!(
            "file:///data/x".parse::<Place>().ok(),
            Some(Place::Directory("/data/x".into()))
        );
        for wrong in [
            "",
            "s3://a/b",
            "https://a",
            "file:x",
            "file:///x#1",
            "file:///x?1",
            "a b",
        ] {
            assert!(wrong.parse::<Place>().is_err(), "{wrong}");
        }
    }
}
