//! Pictures of what an array holds: maps, sections and series, alone or side by side, as SVG, PNG and HTML.
//!
//! Key types: [`Map`], [`Section`] and [`Series`], values with their axes and a [`Caption`]; [`Spans`], what went on when; [`ColourScale`], which colour a value has;
//! [`Picture`], charts side by side, which becomes a file. What is drawn is an SVG; PNG is that SVG drawn by resvg, with a font that the
//! crate brings along, and HTML is that SVG in a page.
//!
//! It opens no file and knows nothing of Zarr or MPI. Texts may come from anywhere: all of them are escaped.

#![warn(unreachable_pub)]

mod axis;
mod caption;
mod coast;
mod colour_bar;
mod colours;
mod html;
mod map;
mod panel;
mod picture;
mod png;
mod raster;
mod section;
mod series;
mod spans;
mod statistics;
mod svg;
mod text;

pub use axis::number;
pub use caption::Caption;
pub use colours::{ColourScale, Colours, INFINITE, MISSING};
pub use html::STYLE;
pub use map::{Frame, Map};
pub use picture::{Chart, Picture};
pub use png::PngError;
pub use raster::nearest;
pub use section::Section;
pub use series::{Moment, Series};
pub use spans::{Span, SpanRow, Spans};
pub use statistics::Statistics;
pub use text::{escaped_apart, escaped_hidden, harmless, harmless_json, harmless_lines};

#[cfg(test)]
mod tests;
