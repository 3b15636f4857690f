//! What to type to see how stores are opened, after a command that wrote them.
//!
//! Key function: [`opened_with`].

use std::path::Path;

use crate::cli::choices::addressing_name;
use crate::cli::store::StoreArgs;
use crate::store::Place;
use crate::verbs::send::SendReport;

/// `open with: msm_os open -b ocean -p T1y`: the flags of the command that wrote stores, if it wrote any.
pub(in crate::cli) fn opened_with(args: &StoreArgs, report: &SendReport) -> Option<String> {
    let stores: Vec<&str> = report
        .created
        .iter()
        .chain(&report.extended)
        .map(String::as_str)
        .collect();
    let (first, others) = stores.split_first()?;
    let mut words = vec!["-b".to_owned(), bucket(&args.bucket)];
    let mut add = |flag: &str, value: Option<String>| {
        if let Some(value) = value {
            words.extend([flag.to_owned(), value]);
        }
    };
    let path = |path: &Option<std::path::PathBuf>| path.as_deref().map(shown);
    add("-c", path(&args.credentials));
    add("--profile", args.profile.clone());
    let endpoint = args.endpoint_url.as_ref();
    add(
        "--endpoint-url",
        endpoint.map(|url| url.as_str().trim_end_matches('/').to_owned()),
    );
    add(
        "--addressing",
        args.addressing
            .map(|style| addressing_name(style).to_owned()),
    );
    add("--ca-bundle", path(&args.ca_bundle));
    match (&args.store, folder(first)) {
        (Some(store), _) => add("--store", Some(store.clone())),
        _ if others.is_empty() => add("--store", Some((*first).to_owned())),
        (None, common)
            if others.iter().all(|other| folder(other) == common) && !common.is_empty() =>
        {
            add("-p", Some(common.to_owned()));
        }
        _ => add("-p", args.prefix.clone()),
    }
    if args.anonymous {
        words.push("--anonymous".to_owned());
    }
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    Some(format!("open with: msm_os open {}", words.join(" ")))
}

fn bucket(place: &Place) -> String {
    match place {
        Place::S3 { bucket } => bucket.clone(),
        Place::Directory(path) => url::Url::from_file_path(path)
            .map_or_else(|()| place.to_string(), |url| url.to_string()),
    }
}

/// The folder that the store lies in.
fn folder(store: &str) -> &str {
    store.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// As a shell takes it for one word.
pub(in crate::cli) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::open::tests::store_args;

    fn said(flags: &str, stores: &[&str]) -> Option<String> {
        let mut args = store_args(&format!("-b ocean{flags}"));
        args.credentials = Some("my keys.json".into());
        let report = SendReport {
            created: stores.iter().map(|&store| store.to_owned()).collect(),
            ..SendReport::default()
        };
        opened_with(&args, &report)
    }

    #[test]
    fn the_flags_name_what_was_written() {
        let line = |flags: &str| {
            Some(format!(
                "open with: msm_os open -b ocean -c 'my keys.json' {flags}"
            ))
        };
        assert_eq!(said("", &[]), None);
        assert_eq!(said("", &["T1y/tos.zarr"]), line("--store T1y/tos.zarr"));
        let two = ["run/T1y/so.zarr", "run/T1y/tos.zarr"];
        assert_eq!(said("", &two), line("-p run/T1y"));
        assert_eq!(said(" -p run/T1y", &two), line("-p run/T1y"));
        let by_url = " --endpoint-url https://e -p run/T1y";
        assert_eq!(said(by_url, &two), line(by_url.trim()));
        assert_eq!(said(" --store a/T1y", &["a/T1y"]), line("--store a/T1y"));
    }
}
