//! A page with charts.
//!
//! Key type: [`Figure`]. What matters is there without JavaScript; the script tells the value under the cursor.

use std::fmt::Write;

use data_encoding::BASE64;

use crate::axis::number;
use crate::picture::Chart;
use crate::statistics::infinite_in_words;
use crate::text::escaped;

/// The style of pages: light, dark, and printed.
pub const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// A chart as it is drawn.
pub(crate) struct Figure<'a> {
    pub(crate) chart: &'a Chart,
    pub(crate) svg: String,
    /// The width that its plot was drawn with.
    pub(crate) width: usize,
}

/// The page, which asks for nothing from anywhere.
pub(crate) fn page(heading: &str, figures: &[Figure<'_>]) -> String {
    let heading = escaped(heading);
    let figures: String = figures.iter().map(figure).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n<title>{heading}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n<h1>{heading}</h1>\n<main>\n{figures}</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n"
    )
}

fn figure(figure: &Figure<'_>) -> String {
    let chart = figure.chart;
    let caption = chart.caption();
    let mut text = format!(
        "<figure>\n{}<figcaption>\n<strong><bdi>{}</bdi></strong>",
        figure.svg,
        escaped(&caption.title)
    );
    if !caption.detail.is_empty() {
        let _ = write!(
            text,
            " <span><bdi>{}</bdi></span>",
            escaped(&caption.detail)
        );
    }
    let facts = match chart.statistics() {
        None => "<p>No values.</p>".into(),
        Some(all) => {
            let facts = [
                ("least", all.least),
                ("mean", all.mean),
                ("greatest", all.greatest),
            ];
            let fact = |(name, value): (&str, f64)| {
                let value = escaped(&caption.with_units(&number(value)));
                format!("<div><dt>{name}</dt><dd>{value}</dd></div>")
            };
            format!("<dl>{}</dl>", facts.map(fact).concat())
        }
    };
    let _ = write!(text, "\n{facts}");
    if let Some(infinite) = infinite_in_words(chart.infinite()) {
        let _ = write!(text, "<p>{infinite}.</p>");
    }
    text.push_str("\n</figcaption>\n");
    text.push_str(&values(figure));
    text + "</figure>\n"
}

/// The values of the pixels, for the script.
fn values(figure: &Figure<'_>) -> String {
    let Some(panel) = figure.chart.panel(figure.width) else {
        return String::new();
    };
    let [width, height] = panel.raster.size();
    let is_single = panel.raster.pixels().all(fits_single);
    let bytes: Vec<u8> = { panel.raster.pixels() }
        .flat_map(|value| {
            if is_single {
                (value as f32).to_le_bytes().to_vec()
            } else {
                value.to_le_bytes().to_vec()
            }
        })
        .collect();
    let attributes = [
        ("columns", width.to_string()),
        ("rows", height.to_string()),
        (
            "x",
            format!("{} {} {}", panel.x.name, panel.x.from, panel.x.to),
        ),
        (
            "y",
            format!("{} {} {}", panel.y.name, panel.y.from, panel.y.to),
        ),
        ("units", panel.caption.behind_numbers()),
        ("bytes", if is_single { "4" } else { "8" }.to_owned()),
        ("values", BASE64.encode(&bytes)),
    ];
    let mut text = String::from("<output aria-live=\"off\"");
    for (name, value) in attributes {
        let _ = write!(text, " data-{name}=\"{}\"", escaped(&value));
    }
    text + "></output>\n"
}

/// Does single precision have it, as far as the script tells it? It has no large numbers, and no large whole ones exactly.
fn fits_single(value: f64) -> bool {
    let size = value.abs();
    let is_exact = f64::from(value as f32) == value;
    let is_normal = size < f64::from(f32::MAX) && size >= f64::from(f32::MIN_POSITIVE);
    !value.is_finite() || is_exact || is_normal && value.fract() != 0.0
}
