//! AWS profiles: `~/.aws/credentials` and `~/.aws/config`, or the files the environment names instead.
//!
//! Key functions: [`named`], the profile the user asks for; [`usual`], the one AWS tools take unasked. No error shows
//! a value.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use configparser::ini::{Ini, IniDefault};

use super::environment::Variables;
use super::process::KeysOfProcess;
use super::settings::{AccessSettings, endpoint, key, of_file, region};
use crate::store::{KeySource, Keyring, Keys, StoreError, TemporaryKeys};

/// Ways to keys that need a conversation with AWS; a profile that has one of these and no keys is of no use here.
const ELSEWHERE: [&str; 7] = [
    "role_arn",
    "source_profile",
    "credential_source",
    "web_identity_token_file",
    "sso_session",
    "sso_start_url",
    "login_session",
];

type Section = HashMap<String, Option<String>>;

/// A program that prints keys.
const PROCESS: &str = "credential_process";

/// The paths of the two files, as far as there are any; the second is the config file.
#[derive(Clone, Debug)]
struct ProfilePaths([Option<PathBuf>; 2]);

/// The keys of a profile, which somebody may put anew when they end.
#[derive(Debug)]
struct KeysInProfile {
    profile: String,
    paths: ProfilePaths,
    name: String,
}

impl KeySource for KeysInProfile {
    fn name(&self) -> &str {
        &self.name
    }

    fn keys(&self) -> Result<TemporaryKeys, String> {
        let files = self.paths.read().map_err(|error| error.to_string())?;
        let found = found(&self.profile, &files);
        let there = keys_there(&found).map_err(|problem| format!("{} {problem}", self.name))?;
        let (_, keys) = there.ok_or_else(|| format!("{} has no keys any more", self.name))?;
        Ok(keys)
    }
}

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
    let paths = ProfilePaths::from(variable);
    let files = paths.read()?;
    if files.iter().all(|file| !file.profiles.contains_key(name)) {
        let read: Vec<String> = files
            .iter()
            .map(|file| file.path.display().to_string())
            .collect();
        let searched = if read.is_empty() {
            "there is neither ~/.aws/credentials nor ~/.aws/config".to_owned()
        } else {
            format!("looked in {}", read.join(" and "))
        };
        return Err(wrong(
            name,
            &format!("there is no such profile; {searched}"),
        ));
    }
    let settings = read(name, &paths, &files, with_keys)?;
    if with_keys && settings.keys.is_none() {
        return Err(wrong(
            name,
            "has no aws_access_key_id and aws_secret_access_key, and no credential_process",
        ));
    }
    Ok(settings)
}

/// The profile AWS_PROFILE names, or else the default one if there is any.
pub(super) fn usual(variable: Variables, with_keys: bool) -> Result<AccessSettings, StoreError> {
    if let Some(name) = variable("AWS_PROFILE") {
        return named(name.trim(), variable, with_keys);
    }
    let paths = ProfilePaths::from(variable);
    read("default", &paths, &paths.read()?, with_keys)
}

fn wrong(name: &str, problem: &str) -> StoreError {
    StoreError::Credentials {
        problem: format!("AWS profile '{name}': {problem}"),
    }
}

/// What the profile `name` says; nothing if there is none.
fn read(
    name: &str,
    paths: &ProfilePaths,
    files: &[ProfileFile],
    with_keys: bool,
) -> Result<AccessSettings, StoreError> {
    let wrong = |problem: String| wrong(name, &problem);
    let found = found(name, files);
    let get = |wanted: &str| found.iter().find_map(|(_, section)| value(section, wanted));

    let mut settings = AccessSettings::default();
    if with_keys {
        if let Some((path, keys)) = keys_there(&found).map_err(wrong)? {
            let origin = format!("AWS profile '{name}' in {}", path.display());
            let source = || -> Arc<dyn KeySource> {
                Arc::new(KeysInProfile {
                    profile: name.to_owned(),
                    paths: paths.clone(),
                    name: origin.clone(),
                })
            };
            settings.keys = Some(of_file(keys, source));
            settings.keys_from = Some(path.to_path_buf());
            settings.keys_origin = Some(origin);
        } else {
            let ways: Vec<&str> = ELSEWHERE
                .into_iter()
                .filter(|way| get(way).is_some())
                .collect();
            if !ways.is_empty() {
                return Err(wrong(format!(
                    "takes its keys from {}, which this program cannot do; let the AWS tools put temporary keys into \
                     the environment: eval \"$(aws configure export-credentials --profile {name} --format env)\"; or, for \
                     jobs that last longer than they do, give another profile the line credential_process = aws configure \
                     export-credentials --profile {name}, and name that one with --profile",
                    ways.join(", ")
                )));
            }
            if let Some(command) = get(PROCESS) {
                let process = KeysOfProcess::new(name, &command).map_err(wrong)?;
                let keys = process
                    .keys()
                    .map_err(|problem| StoreError::Credentials { problem })?;
                let ring = Keyring::new(keys, Arc::new(process));
                settings.keys_origin = Some(ring.source().to_owned());
                settings.keys = Some(Keys::Renewed(ring));
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
    if settings.endpoint.is_some() {
        settings.endpoint_origin = Some(format!("AWS profile '{name}'"));
    }
    settings.region = get("region")
        .map(|value| region("region", &value))
        .transpose()
        .map_err(wrong)?;
    Ok(settings)
}

/// What the files say of the profile. Both may describe it; the credentials file goes first.
fn found<'a>(name: &str, files: &'a [ProfileFile]) -> Vec<(&'a Path, &'a Section)> {
    let described = |file: &'a ProfileFile| Some((file.path.as_path(), file.profiles.get(name)?));
    files.iter().filter_map(described).collect()
}

/// The keys that lie in a file, and in which one.
fn keys_there<'a>(
    found: &[(&'a Path, &'a Section)],
) -> Result<Option<(&'a Path, TemporaryKeys)>, String> {
    let has_keys = |section: &Section| {
        value(section, "aws_access_key_id").is_some()
            || value(section, "aws_secret_access_key").is_some()
    };
    let Some(&(path, section)) = found.iter().find(|(_, section)| has_keys(section)) else {
        return Ok(None);
    };
    let keys = keys(section).map_err(|problem| format!("{problem} in {}", path.display()))?;
    Ok(Some((path, keys)))
}

fn keys(section: &Section) -> Result<TemporaryKeys, String> {
    let pick = |name: &str| {
        value(section, name)
            .map(|value| key(name, &value))
            .transpose()
    };
    let required = |name: &str| pick(name)?.ok_or_else(|| format!("has no {name}"));
    Ok(TemporaryKeys {
        token: required("aws_access_key_id")?,
        secret: required("aws_secret_access_key")?,
        session: pick("aws_session_token")?,
        until: None,
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

impl ProfilePaths {
    /// Of the credentials file and of the config file.
    fn from(variable: Variables) -> Self {
        let home = variable("HOME").map(PathBuf::from);
        let path = |name: &str, usual: &str| match (variable(name), &home) {
            (Some(path), Some(home)) if path.starts_with("~/") => Some(home.join(&path[2..])),
            (Some(path), _) => Some(PathBuf::from(path)),
            (None, home) => home.as_ref().map(|home| home.join(usual)),
        };
        let credentials = path("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials");
        Self([credentials, path("AWS_CONFIG_FILE", ".aws/config")])
    }

    /// The two files, as far as they exist.
    fn read(&self) -> Result<Vec<ProfileFile>, StoreError> {
        let mut files = Vec::new();
        for (path, is_config) in self.0.iter().zip([false, true]) {
            if let Some(path) = path
                && let Some(sections) = sections(path)?
            {
                files.push(sorted(path.clone(), sections, is_config));
            }
        }
        Ok(files)
    }
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
