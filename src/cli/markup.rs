//! What pages of this program have in common. They are written by [`maud`], which escapes every text.
//!
//! Key function: [`document`].

use maud::{DOCTYPE, Markup, PreEscaped, html};
use msm_chart::{escaped_hidden, harmless};

/// A page that loads nothing from elsewhere: what may be loaded, `policy` says.
pub(super) fn document(title: &str, policy: &str, style: &str, body: &Markup) -> Markup {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="color-scheme" content="light dark";
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(msm_chart::STYLE)) (PreEscaped(TABLES)) (PreEscaped(style)) }
            }
            body { (body) }
        }
    };
    // Names and attributes may have what turns letters around. A page has lines, and no other character that is not seen.
    PreEscaped(escaped_hidden(&page.into_string(), |character| {
        let shown = if matches!(character, '\t' | '\r') {
            ' '
        } else {
            '\u{fffd}'
        };
        shown.to_string()
    }))
}

/// The style of tables and programs.
const TABLES: &str = include_str!("markup.css");

/// A text from anywhere, each line of it by itself: nothing in it turns the direction of what is around it, or is a control character.
pub(super) fn text(text: &str) -> Markup {
    html! {
        @for (number, line) in text.split('\n').enumerate() { @if number > 0 { br; } bdi { (harmless(line)) } }
    }
}

/// Lines as they are.
pub(super) fn program(label: &str, lines: &[String]) -> Markup {
    html! { pre tabindex="0" role="region" aria-label=(label) { code { (lines.join("\n")) } } }
}

/// What can be wider than the window: it has a scroll bar of its own.
pub(super) fn wide(label: &str, table: &Markup) -> Markup {
    html! { div.wide tabindex="0" role="region" aria-label=(label) { (table) } }
}
