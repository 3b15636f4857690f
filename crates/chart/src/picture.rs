//! Charts side by side.
//!
//! Key types: [`Picture`]; [`Chart`].

use std::collections::BTreeSet;

use crate::axis::number;
use crate::caption::Caption;
use crate::html;
use crate::map::Map;
use crate::panel::{self, Panel};
use crate::png::{self, FAMILY, PngError};
use crate::section::Section;
use crate::series::Series;
use crate::statistics::{Statistics, infinite_in_words};
use crate::svg::Svg;
use crate::text::{escaped_apart, harmless};

/// The most charts in a row.
const MOST_IN_ROW: usize = 3;

/// Pixels in all that a row's plots have.
const ROW: usize = 1080;

/// How a picture of its own is in the dark.
const DARK: &str =
    "@media (prefers-color-scheme: dark) { svg { color: #e4e4e4; } .paper { fill: #16181b; } }";

/// One of the charts.
#[derive(Clone, Debug, PartialEq)]
pub enum Chart {
    /// A map.
    Map(Map),
    /// A section.
    Section(Section),
    /// A series.
    Series(Series),
}

impl Chart {
    /// What is said of it.
    #[must_use]
    pub fn caption(&self) -> &Caption {
        match self {
            Self::Map(map) => &map.caption,
            Self::Section(section) => &section.caption,
            Self::Series(series) => &series.caption,
        }
    }

    /// Range and mean of what it shows; `None` if there is no value.
    #[must_use]
    pub fn statistics(&self) -> Option<Statistics> {
        match self {
            Self::Map(map) => map.statistics,
            Self::Section(section) => section.statistics(),
            Self::Series(series) => series.statistics(),
        }
    }

    /// How many of the values that it is of are infinite; they are in no mean.
    #[must_use]
    pub fn infinite(&self) -> u64 {
        match self {
            Self::Map(map) => map.infinite,
            Self::Section(section) => section.infinite,
            Self::Series(series) => series.infinite,
        }
    }

    /// What it shows, for who does not see it.
    #[must_use]
    pub fn in_words(&self) -> String {
        self.words().concat()
    }

    /// The same in three parts, of which the middle one is the title: letters in it may run from right to left.
    #[must_use]
    pub fn words(&self) -> [String; 3] {
        let kind = match self {
            Self::Map(_) => "Map",
            Self::Section(_) => "Depth against latitude",
            Self::Series(_) => "Series over time",
        };
        let caption = self.caption();
        let range = match self.statistics() {
            None if self.infinite() > 0 => "no finite values".into(),
            None => "no values".into(),
            Some(all) => {
                let [least, greatest, mean] = [all.least, all.greatest, all.mean].map(number);
                let mean = caption.with_units(&mean);
                format!("from {least} to {greatest}, mean {mean}")
            }
        };
        let infinite = infinite_in_words(self.infinite());
        let infinite = infinite.map(|words| format!("; {words}"));
        let infinite = infinite.unwrap_or_default();
        let detail = match caption.detail.as_str() {
            "" => String::new(),
            detail => format!(", {detail}"),
        };
        let after = format!("{detail}: {range}{infinite}");
        [&format!("{kind}: "), &caption.title, &after].map(|part| harmless(part))
    }

    /// As an SVG of its own, which is light or dark as whoever shows it.
    ///
    /// # Errors
    /// If it is too large to be drawn.
    pub fn svg_alone(&self, width: usize) -> Result<String, PngError> {
        let svg = self.svg(width)?;
        Ok(svg.replacen("</title>", &format!("</title>\n<style>{DARK}</style>"), 1))
    }

    /// As SVG, alone, with a plot that is so many pixels wide, or high if that is more.
    ///
    /// # Errors
    /// If it is too large to be drawn.
    pub fn svg(&self, width: usize) -> Result<String, PngError> {
        let mut svg = Svg::default();
        self.draw(&mut svg, width)?;
        Ok(document(
            self.size(width),
            &escaped_apart(&self.words()),
            svg,
        ))
    }

    /// The size of its plot if that is `width` pixels wide.
    fn pixels(&self, width: usize) -> [usize; 2] {
        match self {
            Self::Map(map) => map.frame.pixels(width),
            Self::Section(_) => Section::pixels(width),
            Self::Series(_) => Series::pixels(width),
        }
    }

    /// Its size with everything around.
    fn size(&self, width: usize) -> [f64; 2] {
        panel::outer(self.pixels(width))
    }

    /// Its values as pixels, if that is what they are shown as.
    pub(crate) fn panel(&self, width: usize) -> Option<Panel<'_>> {
        match self {
            Self::Map(map) => Some(map.panel(width)),
            Self::Section(section) => Some(section.panel(width)),
            Self::Series(_) => None,
        }
    }

    fn draw(&self, svg: &mut Svg, width: usize) -> Result<(), PngError> {
        match self {
            Self::Map(map) => map.draw(svg, width),
            Self::Section(section) => section.draw(svg, width),
            Self::Series(series) => {
                series.draw(svg, width);
                Ok(())
            }
        }
    }
}

/// Charts side by side, in rows: a contact sheet if there are several.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture {
    /// The charts.
    pub charts: Vec<Chart>,
}

impl Picture {
    /// How many pixels wide the plot of each of so many charts is, or high if that is more.
    #[must_use]
    pub fn plot_width(charts: usize) -> usize {
        ROW / in_row(charts)
    }

    /// The same in a page, which has the values as well, and is read on smaller windows.
    #[must_use]
    pub fn plot_width_in_page(charts: usize) -> usize {
        Self::plot_width(charts).min(ROW * 2 / 3)
    }

    /// As SVG.
    ///
    /// # Errors
    /// If it is too large to be drawn.
    pub fn svg(&self) -> Result<String, PngError> {
        let width = Self::plot_width(self.charts.len());
        let sizes: Vec<[f64; 2]> = self.charts.iter().map(|chart| chart.size(width)).collect();
        let rows = sizes.chunks(in_row(self.charts.len()));
        let column = sizes.iter().map(|size| size[0]).fold(0.0, f64::max);
        let mut svg = Svg::default();
        let mut charts = self.charts.iter();
        let mut y = 0.0;
        for row in rows {
            for (i, chart) in charts.by_ref().take(row.len()).enumerate() {
                svg.open(i as f64 * column, y, "chart");
                chart.draw(&mut svg, width)?;
                svg.close();
            }
            y += row.iter().map(|size| size[1]).fold(0.0, f64::max);
        }
        let size = [column * in_row(self.charts.len()) as f64, y];
        let words = self.charts.iter().map(Chart::words);
        let words: Vec<String> = words.map(|words| escaped_apart(&words)).collect();
        Ok(document(size, &words.join(". "), svg))
    }

    /// As PNG.
    ///
    /// # Errors
    /// If it is too large to be drawn.
    pub fn png(&self) -> Result<Vec<u8>, PngError> {
        png::png(&self.svg()?)
    }

    /// The characters of its texts that the font of a PNG does not have: U+FFFD stands for them there.
    #[must_use]
    pub fn not_in_font(&self) -> BTreeSet<char> {
        let captions = self.charts.iter().map(Chart::caption);
        let texts = captions.flat_map(|caption| [&caption.title, &caption.detail, &caption.units]);
        let texts: String = texts.map(|text| harmless(text)).collect();
        png::not_in_font(texts.chars())
    }

    /// As a page of HTML with this heading, which needs nothing from elsewhere.
    ///
    /// # Errors
    /// If a chart is too large to be drawn.
    pub fn html(&self, heading: &str) -> Result<String, PngError> {
        // Side by side as the window has room.
        let width = Self::plot_width_in_page(self.charts.len());
        let mut figures = Vec::new();
        for chart in &self.charts {
            let svg = chart.svg(width)?;
            figures.push(html::Figure { chart, svg, width });
        }
        Ok(html::page(heading, &figures))
    }
}

fn in_row(charts: usize) -> usize {
    match charts {
        0 | 1 => 1,
        2..=4 => 2,
        _ => MOST_IN_ROW,
    }
}

/// An SVG of that size, on white, that says these words, which are escaped.
pub(crate) fn document([width, height]: [f64; 2], words: &str, drawn: Svg) -> String {
    let mut title = Svg::default();
    title.title(words);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\" color=\"#222222\" font-family=\"{FAMILY}, Verdana, sans-serif\">\n{}\
         <rect class=\"paper\" width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n{}</svg>\n",
        title.into_text(),
        drawn.into_text(),
    )
}
