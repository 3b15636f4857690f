//! `-b s3://bucket/T1y`: what stands behind the bucket is the prefix, or the store if it ends in `.zarr`.
//!
//! Key function: [`spread`], which writes the one flag as two before clap reads them: what goes with `--prefix` and `--store`, and what
//! does not, holds for both ways to say it.

use std::ffi::OsString;

use super::error::CliError;

/// How a store's name ends.
const STORE: &str = ".zarr";
/// A bucket's flag, and those that say where in it.
const FROM: ([&str; 2], [&str; 3]) = (["-b", "--bucket"], ["-p", "--prefix", "--store"]);
const TO: ([&str; 2], [&str; 1]) = (["--to-bucket", "--to_bucket"], ["--to"]);

/// A command line, and what was written otherwise in it.
#[derive(Debug)]
pub(super) struct SpreadLine {
    pub args: Vec<OsString>,
    /// `-b s3://bucket/T1y is --bucket s3://bucket --prefix T1y`
    pub notes: Vec<String>,
}

/// The command line with the place in a bucket apart from the bucket.
///
/// # Errors
/// If another place is given besides.
pub(super) fn spread(args: impl IntoIterator<Item = OsString>) -> Result<SpreadLine, CliError> {
    let args: Vec<OsString> = args.into_iter().flat_map(unjoined).collect();
    let mut spread = SpreadLine {
        args: Vec::with_capacity(args.len() + 2),
        notes: Vec::new(),
    };
    let mut next = 0;
    while let Some(arg) = args.get(next) {
        let following = args.get(next + 1);
        let from = value_of(arg, following, &FROM.0);
        let to = value_of(arg, following, &TO.0);
        let Some((flag, given)) = from.or(to) else {
            spread.args.push(arg.clone());
            next += 1;
            continue;
        };
        next += given.arguments;
        let Some(PlacedBucket {
            bucket,
            place,
            flag: other,
        }) = placed(flag, given.value)
        else {
            spread
                .args
                .extend_from_slice(&args[next - given.arguments..next]);
            continue;
        };
        spread.args.extend([flag.into(), bucket.as_str().into()]);
        if let Some((other, said)) = first(&args, places(flag)) {
            if said.trim_matches('/') != place {
                return Err(CliError::line(&format!(
                    "{flag} {} means '{place}' in the bucket, but {other} says '{said}'; give one of them",
                    given.value
                )));
            }
            continue;
        }
        spread.args.push(format!("{other}={place}").into());
        let note = format!("{flag} {} is {flag} {bucket} {other} {place}", given.value);
        spread.notes.push(note);
    }
    Ok(spread)
}

/// A bucket, and what stands behind it.
pub(super) struct PlacedBucket {
    /// Its URL.
    pub bucket: String,
    pub place: String,
    /// The flag that the place goes with.
    pub flag: &'static str,
}

/// What a bucket's `flag` says, if it says where in the bucket, too.
pub(super) fn placed(flag: &str, value: &str) -> Option<PlacedBucket> {
    let is_from = FROM.0.contains(&flag);
    if !is_from && !TO.0.contains(&flag) {
        return None;
    }
    let (bucket, place) = parted(value)?;
    let flag = match (is_from, place.ends_with(STORE)) {
        (true, false) => "--prefix",
        (true, true) => "--store",
        (false, _) => "--to",
    };
    Some(PlacedBucket {
        bucket,
        place: place.to_owned(),
        flag,
    })
}

/// The flags that say where in the bucket of this flag.
pub(super) fn places(flag: &str) -> &'static [&'static str] {
    if TO.0.contains(&flag) { &TO.1 } else { &FROM.1 }
}

/// `-rb BUCKET` is `-r -b BUCKET`: of the short flags, `-r` alone has no value.
fn unjoined(arg: OsString) -> Vec<OsString> {
    match arg.to_str().and_then(|text| text.strip_prefix("-r")) {
        Some(rest) if rest.starts_with(['b', 'p']) => vec!["-r".into(), format!("-{rest}").into()],
        _ => vec![arg],
    }
}

/// What a flag is given, in so many arguments.
struct GivenValue<'a> {
    value: &'a str,
    arguments: usize,
}

/// If `arg` is one of these `flags`, that and its value, which may be the `following` argument.
fn value_of<'a>(
    arg: &'a OsString,
    following: Option<&'a OsString>,
    flags: &[&'static str],
) -> Option<(&'static str, GivenValue<'a>)> {
    let arg = arg.to_str()?;
    flags.iter().find_map(|&flag| {
        let rest = arg.strip_prefix(flag)?;
        let (value, arguments) = match rest.strip_prefix('=') {
            Some(value) => (value, 1),
            None if rest.is_empty() => (following?.to_str()?, 2),
            None if flag.starts_with("--") => return None,
            None => (rest, 1),
        };
        Some((flag, GivenValue { value, arguments }))
    })
}

/// The first of these `flags` that is given, and its value.
fn first<'a>(args: &'a [OsString], flags: &[&'static str]) -> Option<(&'static str, &'a str)> {
    args.iter().enumerate().find_map(|(at, arg)| {
        let (flag, given) = value_of(arg, args.get(at + 1), flags)?;
        Some((flag, given.value))
    })
}

/// The bucket's URL and the place in it, if one is named.
fn parted(url: &str) -> Option<(String, &str)> {
    let (bucket, place) = url.strip_prefix("s3://")?.split_once('/')?;
    let place = place.trim_matches('/');
    (!bucket.is_empty() && !place.is_empty()).then(|| (format!("s3://{bucket}"), place))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Result<String, String> {
        let spread = spread(text.split(' ').map(OsString::from));
        let spread = spread.map_err(|error| error.to_string())?;
        let args: Vec<&str> = spread
            .args
            .iter()
            .map(|arg| arg.to_str().unwrap())
            .collect();
        Ok(args.join(" "))
    }

    #[test]
    fn what_stands_behind_the_bucket() {
        for (typed, read) in [
            ("m list -b ocean", "m list -b ocean"),
            ("m list -b s3://ocean/", "m list -b s3://ocean/"),
            ("m list -b file:///a/b", "m list -b file:///a/b"),
            (
                "m list -b s3://o/T1y/ --json",
                "m list -b s3://o --prefix=T1y --json",
            ),
            (
                "m list --bucket=s3://o/a/b",
                "m list --bucket s3://o --prefix=a/b",
            ),
            ("m send -rb s3://o/a", "m send -r -b s3://o --prefix=a"),
            ("m send -rbs3://o/a", "m send -r -b s3://o --prefix=a"),
            ("m send -rp a -b s3://o/a", "m send -r -p a -b s3://o"),
            ("m list -bs3://o/a", "m list -b s3://o --prefix=a"),
            ("m list -b=s3://o/a", "m list -b s3://o --prefix=a"),
            (
                "m list -b s3://o/T1y/tos.zarr/",
                "m list -b s3://o --store=T1y/tos.zarr",
            ),
            (
                "m list -b s3://o/t.zarr/gridT",
                "m list -b s3://o --prefix=t.zarr/gridT",
            ),
            ("m list -b s3://o/a -p a/", "m list -b s3://o -p a/"),
            (
                "m list --store a.zarr -b s3://o/a.zarr",
                "m list --store a.zarr -b s3://o",
            ),
            (
                "m copy -b s3://o/a --to-bucket s3://q/c",
                "m copy -b s3://o --prefix=a --to-bucket s3://q --to=c",
            ),
            ("m list -b s3:///a", "m list -b s3:///a"),
            ("m list -b", "m list -b"),
        ] {
            assert_eq!(line(typed).as_deref(), Ok(read), "{typed}");
        }
    }

    #[test]
    fn two_places_are_refused() {
        for (typed, words) in [
            ("m list -b s3://o/a -p b", ["'a'", "-p says 'b'"]),
            ("m send -rpb -b s3://o/a", ["'a'", "-p says 'b'"]),
            (
                "m list --store=b.zarr -b s3://o/a",
                ["'a'", "--store says 'b.zarr'"],
            ),
            (
                "m copy -p x -b o --to_bucket=s3://q/c --to d",
                ["'c'", "--to says 'd'"],
            ),
        ] {
            let error = line(typed).unwrap_err();
            assert!(words.iter().all(|word| error.contains(word)), "{error}");
        }
    }
}
