//! A document as a file keeps it: JSON, or a page with the JSON in it.
//!
//! Key functions: [`read`]; [`embedded`], the other way.

use std::fs;
use std::path::Path;

use maud::{Markup, PreEscaped, html};
use msm_chart::harmless_json;
use serde::Serialize;
use serde_json::{Value, json};

/// How what is in a page begins and ends, as [`embedded`] writes it.
const TAGS: [&str; 2] = [
    "<script type=\"application/json\" id=\"report\">",
    "</script>",
];

/// `document` as a page keeps it, for programs: nothing in it is markup.
pub(super) fn embedded(document: &impl Serialize) -> Markup {
    let text = harmless_json(&json!(document).to_string()).replace('<', "\\u003c");
    html! { script type="application/json" id="report" { (PreEscaped(text)) } }
}

/// What the file at `path` keeps.
///
/// # Errors
/// Why it cannot be read.
pub(in crate::cli) fn read(path: &Path) -> Result<Value, String> {
    let text = fs::read_to_string(path).map_err(|cause| cause.to_string())?;
    document(&text)
}

fn document(text: &str) -> Result<Value, String> {
    let json = if text.trim_start().starts_with('<') {
        in_page(text).ok_or("is no whole page of a report")?
    } else {
        text
    };
    serde_json::from_str(json).map_err(|cause| format!("is not whole JSON: {cause}"))
}

fn in_page(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once(TAGS[0])?;
    Some(rest.split_once(TAGS[1])?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_keeps_is_what_was_put_into_it() {
        let kept = json!({"name": "</script><!--<script>&amp;\u{2028}\"", "number": 1.5});
        let page =
            html! { p { "<script type=\"application/json\" id=\"report\">{}" } (embedded(&kept)) };
        let page = format!("\n<!DOCTYPE html>{}</html>", page.into_string());
        assert_eq!(page.matches("</script>").count(), 1);
        assert_eq!(document(&page), Ok(kept.clone()));
        assert_eq!(document(&kept.to_string()), Ok(kept));
        let end = page.find("</script>").unwrap();
        for wrong in [&page[..end], "<p>no report</p>", "{", ""] {
            assert!(document(wrong).unwrap_err().starts_with("is no"), "{wrong}");
        }
    }
}
