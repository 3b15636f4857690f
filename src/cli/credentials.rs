//! The credentials file: JSON with `token`, `secret` and `endpoint_url`. No error shows a value from it.

use std::path::Path;

use serde_json::Value;

use crate::store::{Access, StoreError};

/// Reads the credentials file at `path`.
///
/// # Errors
/// If it cannot be read, is not JSON, or lacks a key.
pub fn read_credentials(path: &Path) -> Result<Access, StoreError> {
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
    let entry = |key: &str| match json.get(key).map(Value::as_str) {
        Some(Some(value)) if !value.trim().is_empty() => Ok(value.to_owned()),
        Some(Some(_)) => Err(wrong(format!("'{key}' is empty"))),
        Some(None) => Err(wrong(format!("'{key}' is not a text"))),
        None => Err(wrong(format!(
            "has no '{key}'; expected token, secret and endpoint_url"
        ))),
    };
    let access = Access {
        token: entry("token")?,
        secret: entry("secret")?,
        endpoint: entry("endpoint_url")?,
    };
    match url::Url::parse(&access.endpoint) {
        Ok(url) if ["http", "https"].contains(&url.scheme())
                && url.host().is_some()
                && url.username().is_empty()
                && url.password().is_none() => Ok(access),
        _ => Err(wrong(
            "'endpoint_url' is not a URL of the form https://host, without a user or a password in it".to_owned(),
        )),
    }
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
        ] {
            std::fs::write(&path, text).unwrap();
            let error = read_credentials(&path).unwrap_err().to_string();
            assert!(
                error.contains("c.json") && !error.contains("HUSH"),
                "{error}"
            );
        }
        assert!(read_credentials(&directory.path().join("none.json")).is_err());
        std::fs::write(
            &path,
            "{\"secret\": \"s\", \"token\": \"t\", \"endpoint_url\": \"http://e:1\"}",
        )
        .unwrap();
        let access = read_credentials(&path).unwrap();
        assert_eq!((access.token.as_str(), access.secret.as_str()), ("t", "s"));
    }
}
