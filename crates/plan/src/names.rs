//! Names that NetCDF allows and that cannot be those of Zarr arrays: readers take them for paths or for documents, or no key
//! can be made of them.

use std::path::Path;

use super::error::PlanError;

/// Documents of Zarr, of either version, which lie where an array of the same name would.
const DOCUMENTS: [&str; 5] = ["zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata"];

/// Bytes of a file's name at most.
const FILE_NAME: usize = 255;

/// Those of `names`, variables of the file `path`, that cannot be sent: to a `directory` no long ones, either.
#[must_use]
pub fn check_names<'a>(
    path: &Path,
    names: impl IntoIterator<Item = &'a String>,
    directory: bool,
) -> Vec<PlanError> {
    let checked = names.into_iter().filter_map(|name| {
        Some(PlanError::Name {
            path: path.to_owned(),
            variable: name.escape_debug().to_string(),
            problem: problem(name, directory)?.to_owned(),
        })
    });
    checked.collect()
}

fn problem(name: &str, directory: bool) -> Option<&'static str> {
    match name {
        "" => Some("it is empty"),
        "." | ".." => Some("to readers it is a path"),
        name if name.contains('/') => Some("readers take what is before its '/' for a group"),
        name if name.contains('\\') => Some("readers take its backslash for a '/'"),
        name if name.chars().any(char::is_control) => {
            Some("it has a control character, which no key may have")
        }
        name if DOCUMENTS.contains(&name) => Some("it is the name of one of Zarr's documents"),
        name if directory && name.len() + ".zarr".len() > FILE_NAME => {
            Some("with .zarr it is longer than the 255 bytes that the name of a file may have")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_readers_open_and_others() {
        for name in [
            "tos",
            "__xarray_dataarray_variable__",
            "__",
            "...",
            "..a",
            ".a",
            "c",
            "12",
            "0.0",
            "a b",
            " a ",
            "a%41",
            "a#1",
            "a?b*c:d|e",
            "x.zarr",
            ".msm-os",
            "\u{e9}",
            "e\u{301}",
            "\u{1f30a}",
        ] {
            assert_eq!(problem(name, true), None, "{name}");
        }
        for name in [
            "",
            ".",
            "..",
            "/a",
            "a/",
            "a/b",
            "../x",
            "a\\b",
            "a\nb",
            "a\tb",
            "a\rb",
            "a\x7fb",
            "a\u{85}b",
            "zarr.json",
            ".zarray",
            ".zattrs",
            ".zgroup",
            ".zmetadata",
        ] {
            assert!(problem(name, false).is_some(), "{name:?}");
        }
        let long = "x".repeat(251);
        assert_eq!(problem(&long, false), None);
        assert!(problem(&long, true).is_some());
        let errors = check_names(Path::new("a.nc"), &["a\tb".to_owned()], false);
        let said = errors[0].to_string();
        assert!(said.contains(r"a.nc: variable 'a\tb'"), "{said}");
    }
}
