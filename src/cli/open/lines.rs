//! The lines of Python that open stores, as a program that runs.
//!
//! Key function: [`lines`].

use std::collections::BTreeMap;

use msm_chart::escaped_hidden;
use serde_json::{Map, Value, json};

use super::keys::KeysFrom;
use super::options::{absolute, open_options, storage_options, url};
use crate::cli::words::state_shown;
use crate::verbs::list::StoreState;
use crate::verbs::open::{OpenReport, OpenableStore, Reach};

/// Stores that the lines open; of more, the others stand there as comments.
const OPENED: usize = 50;

/// The program that opens the stores of `report`, with keys from there; a line an element.
pub(in crate::cli) fn lines(report: &OpenReport, keys: &KeysFrom) -> Vec<String> {
    let (stores, others): (Vec<_>, Vec<_>) =
        report.stores.iter().partition(|store| store.can_be_opened);
    let mut lines = vec![packages(&report.reach)];
    if stores.len() > OPENED {
        lines.push(format!(
            "# {} stores, of which these lines open the first {OPENED}: take the # from those of the others, or choose with -p or -v",
            stores.len()
        ));
    }
    lines.extend(others.into_iter().map(left_alone));
    if matches!(keys, KeysFrom::File { .. }) {
        lines.extend(["import json".to_owned(), String::new()]);
    }
    lines.extend(["import xarray as xr".to_owned(), String::new()]);
    lines.extend(reached(&report.reach, keys));
    match &stores[..] {
        [store] => lines.extend(one(&report.reach, store)),
        stores => lines.extend(many(&report.reach, stores)),
    }
    lines.extend(reprojected(&stores));
    lines.extend(match stores.len() {
        1 => vec!["print(ds)".to_owned()],
        _ => vec![
            "for name, dataset in ds.items():".to_owned(),
            "    print(name, dataset, sep=\"\\n\")".to_owned(),
        ],
    });
    lines
}

/// What has to be installed: zarr-python 3 opens stores of both versions, and knows `zarr_format`, which 2.18 does not.
fn packages(reach: &Reach) -> String {
    let s3fs = match reach {
        Reach::S3 { .. } => " s3fs",
        Reach::Directory { .. } => "",
    };
    format!("# pip install \"xarray>=2025.4\" \"zarr>=3\"{s3fs}")
}

/// Why no line opens this store.
fn left_alone(store: &OpenableStore) -> String {
    let info = &store.info;
    let state = match (info.state, &info.problem) {
        (StoreState::Unfinished | StoreState::Broken | StoreState::Denied, Some(problem)) => {
            let words = problem.split(|c: char| c.is_whitespace() || c.is_control());
            let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
            words.join(" ")
        }
        (StoreState::Icechunk, _) => "an Icechunk repository, which icechunk opens".to_owned(),
        _ => state_shown(info).to_owned(),
    };
    format!("# not opened: {}: {state}", literal(&json!(info.store)))
}

/// How the server is reached, and where its keys are.
fn reached(reach: &Reach, keys: &KeysFrom) -> Vec<String> {
    if matches!(reach, Reach::Directory { .. }) {
        return Vec::new();
    }
    let mut options = storage_options(reach);
    if *keys != KeysFrom::Nowhere {
        options.remove("anon");
    }
    if let Reach::S3 {
        ca_bundle: Some(path),
        endpoint_url,
        ..
    } = reach
        && endpoint_url.as_deref().is_none_or(is_encrypted)
    {
        let client = options.entry("client_kwargs").or_insert_with(|| json!({}));
        client["verify"] = json!(absolute(path));
    }
    let mut lines = Vec::new();
    let mut read = Vec::new();
    match keys {
        KeysFrom::Nowhere => {}
        KeysFrom::File { path, with_session } => {
            lines.push(format!("with open({}) as file:", literal(&json!(path.to_string_lossy()))));
            lines.push("    keys = json.load(file)".to_owned());
            let session = with_session.then_some(("token", "session_token"));
            read.extend([("key", "token"), ("secret", "secret")]);
            read.extend(session);
        }
        KeysFrom::Environment => lines.push(
            "# s3fs reads the keys from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the environment".to_owned(),
        ),
        KeysFrom::Profile(name) => {
            options.insert("profile".to_owned(), json!(name));
        }
        KeysFrom::Cloud => lines.push("# s3fs gets the keys from the cloud that this runs in".to_owned()),
    }
    lines.push("storage_options = {".to_owned());
    for (name, value) in &options {
        lines.push(format!("    \"{name}\": {},", literal(value)));
    }
    for (name, member) in read {
        lines.push(format!("    \"{name}\": keys[\"{member}\"],"));
    }
    lines.push("}".to_owned());
    lines
}

/// Does whoever speaks to this URL look at certificates?
fn is_encrypted(url: &str) -> bool {
    !url.starts_with("http://")
}

fn one(reach: &Reach, store: &OpenableStore) -> Vec<String> {
    let place = literal(&json!(url(reach, &store.root)));
    let mut lines = vec!["ds = xr.open_zarr(".to_owned()];
    lines.extend(arguments(reach, &place, &open_options(store), "    "));
    lines.push(")".to_owned());
    lines
}

/// What stores have in common that one call opens.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct SameCall {
    zarr_format: Option<u64>,
    consolidated: bool,
    in_group: bool,
}

/// A dictionary, in which each store is found by its key. Those that are opened alike share a call.
fn many(reach: &Reach, stores: &[&OpenableStore]) -> Vec<String> {
    let mut alike: BTreeMap<SameCall, Vec<(usize, &OpenableStore)>> = BTreeMap::new();
    for (number, store) in stores.iter().enumerate() {
        let call = SameCall {
            zarr_format: store.info.zarr_format,
            consolidated: store.consolidated,
            in_group: store.group.is_some(),
        };
        alike.entry(call).or_default().push((number, store));
    }
    let place = literal(&json!(format!("{}/", url(reach, "").trim_end_matches('/'))));
    let mut lines = Vec::new();
    for (call, stores) in alike {
        let Some((_, first)) = stores.first() else {
            continue;
        };
        lines.push(
            if lines.is_empty() {
                "ds = {"
            } else {
                "ds |= {"
            }
            .to_owned(),
        );
        let mut options = open_options(first);
        let (name, each) = if call.in_group {
            options.insert("group".to_owned(), Value::Null);
            ("key + \"/\" + group", "key, group")
        } else {
            ("key", "key")
        };
        lines.push(format!("    {name}: xr.open_zarr("));
        lines.extend(arguments(
            reach,
            &format!("{place} + key"),
            &options,
            "        ",
        ));
        lines.push("    )".to_owned());
        lines.push(format!("    for {each} in ["));
        for (number, store) in stores {
            let key = literal(&json!(store.root));
            let entry = match &store.group {
                Some(group) => format!("({key}, {})", literal(&json!(group))),
                None => key,
            };
            let comment = if number < OPENED { "" } else { "# " };
            lines.push(format!("        {comment}{entry},"));
        }
        lines.extend(["    ]", "}"].map(str::to_owned));
    }
    lines
}

/// The arguments of a call of `open_zarr`; a group without a name is one of a loop.
fn arguments(
    reach: &Reach,
    place: &str,
    options: &Map<String, Value>,
    indent: &str,
) -> Vec<String> {
    let mut lines = vec![format!("{indent}{place},")];
    if matches!(reach, Reach::S3 { .. }) {
        lines.push(format!("{indent}storage_options=storage_options,"));
    }
    for (name, value) in options {
        let value = if value.is_null() {
            name.clone()
        } else {
            literal(value)
        };
        lines.push(format!("{indent}{name}={value},"));
    }
    lines
}

/// Which arrays were reprojected.
fn reprojected(stores: &[&OpenableStore]) -> Vec<String> {
    let of_store = stores.iter().filter_map(|store| {
        let data = store
            .info
            .variables
            .iter()
            .filter(|variable| !variable.coordinate);
        let names = data.map(|variable| &variable.name);
        let names = names.filter(|name| name.starts_with("projected_"));
        let names: Vec<String> = names.map(|name| literal(&json!(name))).collect();
        let key = literal(&json!(store.info.store));
        (!names.is_empty()).then(|| format!("# {key} has reprojected arrays: {}", names.join(", ")))
    });
    of_store.take(OPENED).collect()
}

/// A value as Python has it. JSON's texts and numbers are Python's, too.
fn literal(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(literal).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, value)| format!("{}: {}", literal(&json!(name)), literal(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Number(_) => value.to_string(),
        Value::String(_) => escaped_hidden(&value.to_string(), |character| {
            format!("\\U{:08x}", u32::from(character))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::open::tests::store;
    use crate::verbs::list::LeftOut;
    use crate::verbs::open::Signing;

    fn report(stores: Vec<OpenableStore>) -> OpenReport {
        OpenReport {
            reach: Reach::S3 {
                bucket: "ocean".to_owned(),
                endpoint_url: Some("https://e".to_owned()),
                region: None,
                virtual_hosted: None,
                ca_bundle: None,
                signing: Signing::SessionKeys,
            },
            stores,
            left_out: LeftOut::default(),
        }
    }

    #[test]
    fn one_store_with_keys_from_a_file() {
        let keys = KeysFrom::File {
            path: "/k/c.json".into(),
            with_session: true,
        };
        let text = lines(&report(vec![store("T1y/tos.zarr")]), &keys).join("\n");
        let expected = "# pip install \"xarray>=2025.4\" \"zarr>=3\" s3fs
import json

import xarray as xr

with open(\"/k/c.json\") as file:
    keys = json.load(file)
storage_options = {
    \"endpoint_url\": \"https://e\",
    \"key\": keys[\"token\"],
    \"secret\": keys[\"secret\"],
    \"token\": keys[\"session_token\"],
}
ds = xr.open_zarr(
    \"s3://ocean/T1y/tos.zarr\",
    storage_options=storage_options,
    zarr_format=3,
    consolidated=True,
)
print(ds)";
        assert_eq!(text, expected);
    }

    #[test]
    fn one_kind_of_zarr_python_opens_both_versions() {
        let mut old = store("T1y/tos.zarr");
        old.info.zarr_format = Some(2);
        let lines = lines(&report(vec![old]), &KeysFrom::Environment);
        assert_eq!(
            lines[0],
            "# pip install \"xarray>=2025.4\" \"zarr>=3\" s3fs"
        );
        assert!(lines.iter().any(|line| line == "    zarr_format=2,"));
    }

    #[test]
    fn certificates_are_for_encrypted_endpoints() {
        for (url, expected) in [
            (Some("http://e"), false),
            (Some("https://e"), true),
            (None, true),
        ] {
            let mut report = report(vec![store("T1y/tos.zarr")]);
            let Reach::S3 {
                endpoint_url,
                ca_bundle,
                ..
            } = &mut report.reach
            else {
                panic!("no bucket")
            };
            *endpoint_url = url.map(str::to_owned);
            *ca_bundle = Some("/ca.pem".into());
            let lines = lines(&report, &KeysFrom::Environment);
            assert_eq!(
                lines.iter().any(|line| line.contains("/ca.pem")),
                expected,
                "{url:?}"
            );
        }
    }

    #[test]
    fn of_many_stores_the_last_are_named_only() {
        let stores = (0..60).map(|number| store(&format!("a/{number:02}.zarr")));
        let lines = lines(&report(stores.collect()), &KeysFrom::Environment);
        let has = |line: &str| lines.iter().any(|l| l == line);
        assert!(has("        \"a/49.zarr\","), "{lines:#?}");
        assert!(has("        # \"a/50.zarr\","), "{lines:#?}");
        assert!(has("    key: xr.open_zarr("));
        assert!(lines[1].starts_with("# 60 stores"));
    }

    #[test]
    fn nothing_that_a_bucket_holds_becomes_code() {
        let evil = "a\nimport os\"; x.zarr";
        let mut broken = store(evil);
        broken.can_be_opened = false;
        broken.info.state = StoreState::Broken;
        broken.info.problem = Some("it\nis\r\u{1}so".to_owned());
        let lines = lines(&report(vec![broken, store(evil)]), &KeysFrom::Cloud);
        assert!(
            lines
                .iter()
                .all(|line| !line.contains(['\n', '\r', '\u{1}']))
        );
        let quoted = "\"a\\nimport os\\\"; x.zarr\"";
        assert_eq!(lines[1], format!("# not opened: {quoted}: it is so"));
    }
}
