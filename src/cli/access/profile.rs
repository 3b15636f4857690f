//! AWS profiles: `~/.aws/credentials` and `~/.aws/config`, or the files the environment names instead.
//!
//! Key functions: [`named`], the profile the user asks for; [`usual`], the one AWS tools take unasked. No error shows
//! a value.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use configparser::ini::{Ini, IniDefault};

use super::environment::Variables;
use super::settings::{AccessSettings, endpoint, key, region};
use crate::store::{Keys, StoreError};

/// Ways to keys that need a conversation with AWS, or a program; a profile that has one of these and no keys is of no
/// use here.
const ELSEWHERE: [&str; 8] = [
    "role_arn",
    "source_profile",
    "credential_source",
    "web_identity_token_file",
    "sso_session",
    "sso_start_url",
    "credential_process",
    "login_session",
];

type Section = HashMap<String, Option<String>>;

/// One of the two files.
struct ProfileFile {
    path: PathBuf,
    /// By name; `[profile x]` of the config file is `x`.
    profiles: HashMap<String, Section>,
    /// The `[services x]` of the config file.
    services: HashMap<String, Section>,
}

/// The profile of this name.
///
/// # Errors
/// If there is none, or it lacks keys and `with_keys` asks for them.
pub(super) fn named(
    name: &str,
    variable: Variables,
    with_keys: bool,
) -> Result<AccessSettings, StoreError> {
    let files = files(variable)?;
    if files.iter().all(|file| !file.profiles.contains_key(name)) {
        let paths: Vec<String> = files
            .iter()
            .map(|file| file.path.display().to_string())
            .collect();
        let searched = if paths.is_empty() {
            "there is neither ~/.aws/credentials nor ~/.aws/config".to_owned()
        } else {
            format!("looked in {}", paths.join(" and "))
        };
        return Err(wrong(
            name,
            &format!("there is no such profile; {searched}"),
        ));
    }
    let settings = read(name, &files, with_keys)?;
    if with_keys && settings.keys.is_none() {
        return Err(wrong(
            name,
            "has no aws_access_key_id and aws_secret_access_key",
        ));
    }
    Ok(settings)
}

/// The profile AWS_PROFILE names, or else the default one if there is any.
pub(super) fn usual(variable: Variables, with_keys: bool) -> Result<AccessSettings, StoreError> {
    match variable("AWS_PROFILE") {
        Some(name) => named(name.trim(), variable, with_keys),
        None => read("default", &files(variable)?, with_keys),
    }
}

fn wrong(name: &str, problem: &str) -> StoreError {
    StoreError::Credentials {
        problem: format!("AWS profile '{name}': {problem}"),
    }
}

/// What the profile `name` says; nothing if there is none.
fn read(name: &str, files: &[ProfileFile], with_keys: bool) -> Result<AccessSettings, StoreError> {
    let wrong = |problem: String| wrong(name, &problem);
    // Both files may describe a profile; the credentials file goes first.
    let found: Vec<(&Path, &Section)> = files
        .iter()
        .filter_map(|file| Some((file.path.as_path(), file.profiles.get(name)?)))
        .collect();
    let get = |wanted: &str| found.iter().find_map(|(_, section)| value(section, wanted));

    let mut settings = AccessSettings::default();
    if with_keys {
        let has_keys = |section: &Section| {
            value(section, "aws_access_key_id").is_some()
                || value(section, "aws_secret_access_key").is_some()
        };
        if let Some((path, section)) = found.iter().find(|(_, section)| has_keys(section)) {
            let keys = keys(section)
                .map_err(|problem| wrong(format!("{problem} in {}", path.display())))?;
            settings.keys = Some(keys);
            settings.keys_from = Some(path.to_path_buf());
        } else {
            let ways: Vec<&str> = ELSEWHERE
                .into_iter()
                .filter(|way| get(way).is_some())
                .collect();
            if !ways.is_empty() {
                return Err(wrong(format!(
                    "takes its keys from {}, which this program cannot do; let the AWS tools put temporary keys into \
                     the environment: eval \"$(aws configure export-credentials --profile {name} --format env)\"",
                    ways.join(", ")
                )));
            }
        }
    }
    let own = match get("services") {
        Some(services) => services_endpoint(&services, files).map_err(wrong)?,
        None => None,
    };
    settings.endpoint = own
        .or_else(|| get("endpoint_url"))
        .map(|value| endpoint("endpoint_url", &value))
        .transpose()
        .map_err(wrong)?;
    settings.region = get("region")
        .map(|value| region("region", &value))
        .transpose()
        .map_err(wrong)?;
    Ok(settings)
}

fn keys(section: &Section) -> Result<Keys, String> {
    let pick = |name: &str| {
        value(section, name)
            .map(|value| key(name, &value))
            .transpose()
    };
    let required = |name: &str| pick(name)?.ok_or_else(|| format!("has no {name}"));
    Ok(Keys::Pair {
        token: required("aws_access_key_id")?,
        secret: required("aws_secret_access_key")?,
        session: pick("aws_session_token")?,
    })
}

/// What the s3 block of `[services name]` says: `endpoint_url` on a line of its own, indented.
fn services_endpoint(name: &str, files: &[ProfileFile]) -> Result<Option<String>, String> {
    let Some(section) = files.iter().find_map(|file| file.services.get(name)) else {
        return Err(format!(
            "says services = {name}, but there is no [services {name}] in the config file"
        ));
    };
    let block = value(section, "s3").unwrap_or_default();
    let lines = block.lines().filter_map(|line| line.split_once('='));
    let mut endpoints = lines.filter(|(key, _)| key.trim().eq_ignore_ascii_case("endpoint_url"));
    Ok(endpoints.next().map(|(_, value)| value.trim().to_owned()))
}

/// The value of a key, in whatever case it is written; one that is empty is as good as none.
fn value(section: &Section, name: &str) -> Option<String> {
    let (_, value) = section
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    value.clone().filter(|value| !value.trim().is_empty())
}

/// The credentials file and the config file, as far as they exist.
fn files(variable: Variables) -> Result<Vec<ProfileFile>, StoreError> {
    let home = variable("HOME").map(PathBuf::from);
    let path = |name: &str, usual: &str| match (variable(name), &home) {
        (Some(path), Some(home)) if path.starts_with("~/") => Some(home.join(&path[2..])),
        (Some(path), _) => Some(PathBuf::from(path)),
        (None, home) => home.as_ref().map(|home| home.join(usual)),
    };
    let credentials = path("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials");
    let config = path("AWS_CONFIG_FILE", ".aws/config");
    let mut files = Vec::new();
    for (path, is_config) in [(credentials, false), (config, true)] {
        if let Some(path) = path
            && let Some(sections) = sections(&path)?
        {
            files.push(sorted(path, sections, is_config));
        }
    }
    Ok(files)
}

/// The sections of the file; `None` if there is no file.
fn sections(path: &Path) -> Result<Option<HashMap<String, Section>>, StoreError> {
    let wrong = |problem: String| StoreError::Credentials {
        problem: format!("AWS file {}: {problem}", path.display()),
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(wrong(format!("cannot be read: {cause}"))),
    };
    // As the AWS tools read it: names are as they are written, and a '#' within a value belongs to it.
    let mut rules = IniDefault::default();
    rules.case_sensitive = true;
    rules.multiline = true;
    rules.enable_inline_comments = false;
    // The parser's errors tell lines and brackets only, never the text.
    let sections = Ini::new_from_defaults(rules).read(text);
    sections.map(Some).map_err(wrong)
}

fn sorted(path: PathBuf, sections: HashMap<String, Section>, is_config: bool) -> ProfileFile {
    let mut file = ProfileFile {
        path,
        profiles: HashMap::new(),
        services: HashMap::new(),
    };
    for (title, section) in sections {
        let (kind, name) = title
            .split_once(char::is_whitespace)
            .unwrap_or(("", &title));
        let name = name.trim().trim_matches(['"', '\'']).to_owned();
        match kind {
            "profile" if is_config => file.profiles.insert(name, section),
            "services" if is_config => file.services.insert(name, section),
            _ if is_config && title != "default" => None,
            _ => file.profiles.insert(title, section),
        };
    }
    file
}
