//! The credentials file: JSON with `token`, `secret` and `endpoint_url`, and perhaps `session_token` and `region`.
//!
//! Key function: [`read`]. No error shows a value.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::settings::{AccessSettings, endpoint, key, of_file, region};
use crate::store::{KeySource, StoreError, TemporaryKeys};

/// What a credentials file has to say.
#[derive(Clone, Copy)]
pub(super) struct Needed {
    pub keys: bool,
    pub endpoint: bool,
}

/// The keys of a credentials file, which somebody may put anew when they end.
#[derive(Debug)]
struct KeysInFile {
    path: PathBuf,
    name: String,
}

impl KeySource for KeysInFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn keys(&self) -> Result<TemporaryKeys, String> {
        let needed = Needed {
            keys: true,
            endpoint: false,
        };
        let parsed = parsed(&self.path, needed).map_err(|error| error.to_string())?;
        parsed.0.ok_or_else(|| format!("{} has no keys", self.name))
    }
}

/// Reads the credentials file at `path`; it need have no more than what is `needed`.
pub(super) fn read(path: &Path, needed: Needed) -> Result<AccessSettings, StoreError> {
    let (keys, settings) = parsed(path, needed)?;
    let name = format!("credentials file {}", path.display());
    let source = || -> Arc<dyn KeySource> {
        Arc::new(KeysInFile {
            path: path.to_owned(),
            name: name.clone(),
        })
    };
    Ok(AccessSettings {
        keys: keys.map(|keys| of_file(keys, source)),
        keys_from: needed.keys.then(|| path.to_owned()),
        keys_origin: needed.keys.then(|| name.clone()),
        endpoint_origin: settings.endpoint.is_some().then(|| name.clone()),
        ..settings
    })
}

/// Its keys, and the rest.
fn parsed(
    path: &Path,
    needed: Needed,
) -> Result<(Option<TemporaryKeys>, AccessSettings), StoreError> {
    let wrong = |problem: String| StoreError::Credentials {
        problem: format!("credentials file {}: {problem}", path.display()),
    };
    let text =
        std::fs::read_to_string(path).map_err(|cause| wrong(format!("cannot be read: {cause}")))?;
    // A syntax error tells line and column only, never the text.
    let json: Value = serde_json::from_str(&text).map_err(|cause| {
        wrong(format!(
            "is not JSON (line {}, column {})",
            cause.line(),
            cause.column()
        ))
    })?;
    parse(&json, needed).map_err(wrong)
}

fn parse(json: &Value, needed: Needed) -> Result<(Option<TemporaryKeys>, AccessSettings), String> {
    let optional = |name: &str| match json.get(name) {
        Some(Value::String(value)) => Ok(Some(value.as_str())),
        Some(Value::Null) | None => Ok(None),
        Some(_) => Err(format!("'{name}' is not a text")),
    };
    let expected = match (needed.keys, needed.endpoint) {
        (true, true) => "token, secret and endpoint_url",
        (true, false) => "token and secret",
        (false, _) => "endpoint_url",
    };
    let required =
        |name: &str| optional(name)?.ok_or_else(|| format!("has no '{name}'; expected {expected}"));
    let keys = if needed.keys {
        Some(TemporaryKeys {
            token: key("token", required("token")?)?,
            secret: key("secret", required("secret")?)?,
            session: optional("session_token")?
                .map(|value| key("session_token", value))
                .transpose()?,
            until: None,
        })
    } else {
        None
    };
    let url = if needed.endpoint {
        Some(required("endpoint_url")?)
    } else {
        optional("endpoint_url")?
    };
    let settings = AccessSettings {
        endpoint: url
            .map(|value| endpoint("endpoint_url", value))
            .transpose()?,
        region: optional("region")?
            .map(|value| region("region", value))
            .transpose()?,
        ..AccessSettings::default()
    };
    Ok((keys, settings))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Keys;

    const ALL: Needed = Needed {
        keys: true,
        endpoint: true,
    };
    const PLACE: Needed = Needed {
        keys: false,
        endpoint: true,
    };

    #[test]
    fn malformed_files_are_refused_without_showing_a_secret() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("c.json");
        for text in [
            "",
            "HUSH",
            "{\"secret\": \"HUSH\"",
            "[\"HUSH\"]",
            "{\"secret\": \"HUSH\", \"endpoint_url\": \"http://e\"}",
            "{\"secret\": [\"HUSH\"], \"token\": \"HUSH\", \"endpoint_url\": \"http://e\"}",
            "{\"secret\": \"HUSH\", \"token\": \"\", \"endpoint_url\": \"http://e\"}",
            "{\"secret\": \"HUSH\", \"token\": \"HUSH\", \"endpoint_url\": \"HUSH\"}",
            "{\"secret\": \"HUSH\", \"token\": \"HUSH\", \"endpoint_url\": \"http://u:HUSH@e\"}",
            "{\"secret\": \"HUSH\\nHUSH\", \"token\": \"HUSH\", \"endpoint_url\": \"http://e\"}",
            "{\"secret\": \"HUSH\", \"token\": \"HUSH\u{fc}\", \"endpoint_url\": \"http://e\"}",
            "{\"secret\": \"HUSH\", \"token\": \"HUSH\", \"endpoint_url\": \"http://e\", \"session_token\": \" \"}",
            "{\"secret\": \"HUSH\", \"token\": \"HUSH\", \"endpoint_url\": \"http://e\", \"session_token\": 1}",
            "{\"secret\": \"HUSH\", \"token\": \"HUSH\", \"endpoint_url\": \"http://e\", \"region\": \"HUSH/\"}",
        ] {
            std::fs::write(&path, text).unwrap();
            let error = read(&path, ALL).unwrap_err().to_string();
            assert!(
                error.contains("c.json") && !error.contains("HUSH"),
                "{error}"
            );
        }
        assert!(read(&directory.path().join("none.json"), ALL).is_err());
    }

    #[test]
    fn what_the_file_may_say() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("c.json");
        let text = r#"{"secret": "s", "token": " t\n", "endpoint_url": "http://e:1",
                       "session_token": "x", "region": "eu-west-2", "note": 1}"#;
        std::fs::write(&path, text).unwrap();
        let settings = read(&path, ALL).unwrap();
        let Some(Keys::Renewed(ring)) = &settings.keys else {
            panic!("a session token ends");
        };
        assert!(ring.source().contains("c.json"));
        assert_eq!(settings.keys_origin.as_deref(), Some(ring.source()));
        assert_eq!(settings.region.as_deref(), Some("eu-west-2"));
        assert_eq!(settings.keys_from, Some(path.clone()));

        std::fs::write(&path, r#"{"endpoint_url": "http://e:1"}"#).unwrap();
        assert!(read(&path, ALL).is_err());
        let settings = read(&path, PLACE).unwrap();
        assert!(settings.keys.is_none() && settings.keys_from.is_none());
        assert_eq!(settings.endpoint.unwrap().as_str(), "http://e:1/");

        std::fs::write(&path, r#"{"token": "t", "secret": "s"}"#).unwrap();
        assert!(read(&path, ALL).is_err());
        let elsewhere = Needed {
            keys: true,
            endpoint: false,
        };
        let settings = read(&path, elsewhere).unwrap();
        assert!(matches!(
            settings.keys,
            Some(Keys::Pair { session: None, .. })
        ));
        assert!(settings.endpoint.is_none() && settings.endpoint_origin.is_none());
    }
}
