//! The documents of a store against its root document, which consolidates them.

use futures::{StreamExt, TryStreamExt, stream};
use msm_zarr::StoreMetadata;
use serde_json::{Map, Value};

use crate::events::Fault;
use crate::store::REQUESTS;
use crate::store::{Bucket, StoreError};

/// The documents that are not as the root document consolidates them.
pub(in crate::verbs) async fn documents(
    bucket: &Bucket,
    known: &StoreMetadata,
) -> Result<Vec<Fault>, StoreError> {
    let looks = known.documents.iter().map(|(key, expected)| async move {
        let what = match bucket.get(key).await {
            Ok(found) => document_fault(&found, expected),
            Err(error) if error.is_missing() => Some(
                "missing, expected the document that the root document consolidates".to_owned(),
            ),
            Err(error) => return Err(error),
        };
        Ok(what.map(|what| Fault::new(key, what)))
    });
    let found: Vec<Option<Fault>> = stream::iter(looks).buffered(REQUESTS).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

/// What of the document `found` is not as `expected`.
fn document_fault(found: &[u8], expected: &Value) -> Option<String> {
    let found: Value = match serde_json::from_slice(found) {
        Ok(found) => found,
        Err(cause) => return Some(format!("it is not JSON: {cause}")),
    };
    if !found.is_object() {
        return Some("it is no JSON object".to_owned());
    }
    // A group's entry may have more to it: the consolidated metadata of its own, in version 2 as zarr-python 3 writes it.
    let is_group =
        expected["node_type"] == "group" || expected["consolidated_metadata"].is_object();
    if found == *expected || is_group {
        return None;
    }
    let members = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let (found, expected) = (members(&found), members(expected));
    let names = expected
        .keys()
        .chain(found.keys().filter(|name| !expected.contains_key(*name)));
    let shown = |value: Option<&Value>| value.map_or_else(|| "none".to_owned(), Value::to_string);
    // In version 2, a dot where none is named.
    let dot = Value::String(".".to_owned());
    let said = |document: &Map<String, Value>, name: &str| {
        let default = (name == "dimension_separator").then(|| dot.clone());
        let said = document.get(name).cloned().or(default);
        // Of a codec, no configuration is as good as an empty one.
        said.map(|mut said| {
            if name == "codecs" {
                without_empty(&mut said);
            }
            said
        })
    };
    let differing = names.filter(|name| said(&found, name) != said(&expected, name));
    let differing: Vec<String> = differing
        .map(|name| {
            let (found, expected) = (shown(found.get(name)), shown(expected.get(name)));
            let way_out = match name.as_str() {
                "shape" => "; if its length along the append dimension differs, recover --truncate cuts it to the shorter one",
                _ => "",
            };
            format!("its {name} is {found}, {expected} in the consolidated metadata{way_out}")
        })
        .collect();
    (!differing.is_empty()).then(|| differing.join("; "))
}

/// Takes out of `codecs`, and of those in them, what configures nothing.
fn without_empty(codecs: &mut Value) {
    for codec in codecs.as_array_mut().into_iter().flatten() {
        let Some(codec) = codec.as_object_mut() else {
            continue;
        };
        if codec.get("configuration") == Some(&Value::Object(Map::new())) {
            codec.remove("configuration");
        }
        for inner in ["codecs", "index_codecs"] {
            if let Some(inner) = codec
                .get_mut("configuration")
                .and_then(|all| all.get_mut(inner))
            {
                without_empty(inner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_differs_in_a_document() {
        let expected = json!({"shape": [2, 3], "attributes": {"units": "K"}, "fill_value": 0});
        let fault = |found: &str| document_fault(found.as_bytes(), &expected);
        let same = r#"{"fill_value": 0, "attributes": {"units": "K"}, "shape": [2, 3]}"#;
        assert_eq!(fault(same), None);
        let other =
            r#"{"fill_value": 0, "attributes": {"units": "K"}, "shape": [1, 3], "order": "C"}"#;
        let said = "its shape is [1,3], [2,3] in the consolidated metadata; if its length along the append dimension differs, \
                    recover --truncate cuts it to the shorter one; its order is \"C\", none in the \
                    consolidated metadata";
        assert_eq!(fault(other).as_deref(), Some(said));
        assert!(fault("[]").is_some());
        assert!(fault("{").is_some_and(|said| said.contains("not JSON")));
        let texts = json!({"codecs": [{"name": "vlen-utf8", "configuration": {}}]});
        let same = br#"{"codecs": [{"name": "vlen-utf8"}]}"#;
        assert_eq!(document_fault(same, &texts), None);
        let other = br#"{"codecs": [{"name": "bytes"}]}"#;
        assert!(document_fault(other, &texts).is_some());
        let group = json!({"node_type": "group", "consolidated_metadata": {}});
        assert_eq!(document_fault(br#"{"node_type": "group"}"#, &group), None);
    }
}
