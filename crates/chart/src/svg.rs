//! An SVG as it is written.
//!
//! Key type: [`Svg`]. Lines and letters have the `color` of the picture, so that a page can turn it.

use std::fmt::Write;

use crate::text::escaped;

/// Elements of an SVG, in the order in which they are painted.
#[derive(Default)]
pub(crate) struct Svg(String);

/// How a text lies at its place.
#[derive(Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Svg {
    pub(crate) fn into_text(self) -> String {
        self.0
    }

    /// Everything until [`Self::close`] is moved by so much, and is called `name`, which a script can find.
    pub(crate) fn open(&mut self, x: f64, y: f64, name: &str) {
        self.add(&format!(
            "<g class=\"{name}\" transform=\"translate({x} {y})\">"
        ));
    }

    pub(crate) fn close(&mut self) {
        self.add("</g>");
    }

    pub(crate) fn rectangle(&mut self, [x, y, width, height]: [f64; 4], colour: [u8; 3]) {
        let colour = hex(colour);
        self.add(&format!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{colour}\" shape-rendering=\"crispEdges\"/>"
        ));
    }

    pub(crate) fn frame(&mut self, [x, y, width, height]: [f64; 4]) {
        self.add(&format!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"none\" stroke=\"currentColor\"/>"
        ));
    }

    pub(crate) fn line(&mut self, from: [f64; 2], to: [f64; 2]) {
        let ([x1, y1], [x2, y2]) = (from, to);
        self.add(&format!(
            "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke=\"currentColor\"/>"
        ));
    }

    /// A path that is filled.
    pub(crate) fn shape(&mut self, path: &str, colour: [u8; 3]) {
        let colour = hex(colour);
        self.add(&format!("<path d=\"{path}\" fill=\"{colour}\"/>"));
    }

    /// A path as a line of this colour.
    pub(crate) fn path(&mut self, path: &str, colour: &str, width: f64) {
        self.add(&format!(
            "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\" stroke-linejoin=\"round\"/>"
        ));
    }

    pub(crate) fn dot(&mut self, [x, y]: [f64; 2], radius: f64, colour: &str) {
        self.add(&format!(
            "<circle cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"{radius}\" fill=\"{colour}\"/>"
        ));
    }

    pub(crate) fn text(&mut self, [x, y]: [f64; 2], size: f64, anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = escaped(text);
        self.add(&format!(
            "<text x=\"{x:.2}\" y=\"{y:.2}\" font-size=\"{size}\" text-anchor=\"{anchor}\" fill=\"currentColor\">{text}</text>"
        ));
    }

    /// What a reader of the screen says, and what is shown where the cursor rests: a text that is escaped.
    pub(crate) fn title(&mut self, escaped: &str) {
        self.add(&format!("<title>{escaped}</title>"));
    }

    /// A picture of so many pixels, each one as large as a unit.
    pub(crate) fn image(&mut self, [width, height]: [usize; 2], address: &str) {
        self.add(&format!(
            "<image width=\"{width}\" height=\"{height}\" image-rendering=\"optimizeSpeed\" style=\"image-rendering:pixelated\" href=\"{address}\"/>"
        ));
    }

    fn add(&mut self, element: &str) {
        // Into a string nothing can fail.
        let _ = writeln!(self.0, "{element}");
    }
}

fn hex([r, g, b]: [u8; 3]) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}
