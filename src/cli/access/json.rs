//! The credentials file: JSON with `token`, `secret` and `endpoint_url`, and perhaps `session_token` and `region`.
//!
//! Key function: [`read`]. No error shows a value.

use std::path::Path;

use serde_json::Value;

use super::settings::{AccessSettings, endpoint, key, region};
use crate::store::{Keys, StoreError};

/// Reads the credentials file at `path`; without `with_keys` it need not have any.
pub(super) fn read(path: &Path, with_keys: bool) -> Result<AccessSettings, StoreError> {
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
    parse(&json, with_keys)
        .map(|settings| AccessSettings {
            keys_from: with_keys.then(|| path.to_owned()),
            ..settings
        })
        .map_err(wrong)
}

fn parse(json: &Value, with_keys: bool) -> Result<AccessSettings, String> {
    let optional = |name: &str| match json.get(name) {
        Some(Value::String(value)) => Ok(Some(value.as_str())),
        Some(Value::Null) | None => Ok(None),
        Some(_) => Err(format!("'{name}' is not a text")),
    };
    let expected = if with_keys {
        "token, secret and endpoint_url"
    } else {
        "endpoint_url"
    };
    let required =
        |name: &str| optional(name)?.ok_or_else(|| format!("has no '{name}'; expected {expected}"));
    let keys = if with_keys {
        Some(Keys::Pair {
            token: key("token", required("token")?)?,
            secret: key("secret", required("secret")?)?,
            session: optional("session_token")?
                .map(|value| key("session_token", value))
                .transpose()?,
        })
    } else {
        None
    };
    Ok(AccessSettings {
        keys,
        keys_from: None,
        endpoint: Some(endpoint("endpoint_url", required("endpoint_url")?)?),
        region: optional("region")?
            .map(|value| region("region", value))
            .transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let error = read(&path, true).unwrap_err().to_string();
            assert!(
                error.contains("c.json") && !error.contains("HUSH"),
                "{error}"
            );
        }
        assert!(read(&directory.path().join("none.json"), true).is_err());
    }

    #[test]
    fn what_the_file_may_say() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("c.json");
        let text = r#"{"secret": "s", "token": " t\n", "endpoint_url": "http://e:1",
                       "session_token": "x", "region": "eu-west-2", "note": 1}"#;
        std::fs::write(&path, text).unwrap();
        let settings = read(&path, true).unwrap();
        let keys = Keys::Pair {
            token: "t".to_owned(),
            secret: "s".to_owned(),
            session: Some("x".to_owned()),
        };
        assert!(settings.keys == Some(keys));
        assert_eq!(settings.region.as_deref(), Some("eu-west-2"));
        assert_eq!(settings.keys_from, Some(path.clone()));

        std::fs::write(&path, r#"{"endpoint_url": "http://e:1"}"#).unwrap();
        assert!(read(&path, true).is_err());
        let settings = read(&path, false).unwrap();
        assert!(settings.keys.is_none() && settings.keys_from.is_none());
        assert_eq!(settings.endpoint.unwrap().as_str(), "http://e:1/");
    }
}
