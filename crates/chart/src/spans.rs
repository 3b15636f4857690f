//! Spans in rows: what went on when, or how much of each kind there is.
//!
//! Key types: [`Spans`]; [`SpanRow`]; [`Span`].

use crate::axis;
use crate::caption::Caption;
use crate::panel::{self, Axis, LABEL};
use crate::picture::document;
use crate::svg::{Anchor, Svg};
use crate::text::{escaped, fitting, harmless};

/// Pixels for the names of rows.
const NAMES: f64 = 150.0;

/// Pixels of a row, if there are not too many.
const ROW: f64 = 18.0;

/// Pixels that all rows have at most, unless each then had less than one.
const HIGHEST: f64 = 1600.0;

/// Rows in a chart, each with spans of several kinds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spans {
    /// What it shows; the units are those of the axis.
    pub caption: Caption,
    /// What it comes to, for who does not see it.
    pub words: String,
    /// The kinds, ten at most that can be told apart.
    pub kinds: Vec<String>,
    /// The rows, from above.
    pub rows: Vec<SpanRow>,
}

/// One of the rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpanRow {
    /// What it is of.
    pub name: String,
    /// What is in it, in any order.
    pub spans: Vec<Span>,
}

/// A part of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// The number of its kind.
    pub kind: usize,
    /// Where it begins on the axis, which begins with 0.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
}

impl SpanRow {
    /// Amounts, one of each kind, side by side.
    #[must_use]
    pub fn of_amounts(name: &str, amounts: &[f64]) -> Self {
        let mut from = 0.0;
        let spans = amounts.iter().enumerate().map(|(kind, amount)| {
            let to = from + amount;
            let span = Span { kind, from, to };
            from = to;
            span
        });
        Self {
            name: name.to_owned(),
            spans: spans.collect(),
        }
    }

    /// For each of `pixels` to `end` the kind that most of it is of, if most of it is of any.
    fn pixels(&self, kinds: usize, pixels: usize, end: f64) -> Vec<Option<usize>> {
        let mut parts = vec![0.0; kinds * pixels];
        let of_pixel = end / pixels as f64;
        for Span { kind, from, to } in self.spans.iter().filter(|span| span.kind < kinds) {
            let [from, to] = [from, to].map(|at| (at / of_pixel).clamp(0.0, pixels as f64));
            for pixel in from as usize..(to.ceil() as usize).min(pixels) {
                let there = to.min(pixel as f64 + 1.0) - from.max(pixel as f64);
                parts[pixel * kinds + kind] += there.max(0.0);
            }
        }
        let most = parts.chunks(kinds.max(1)).map(|of_pixel| {
            let (kind, part) =
                { of_pixel.iter().enumerate() }.max_by(|(_, a), (_, b)| a.total_cmp(b))?;
            let nothing = 1.0 - of_pixel.iter().sum::<f64>();
            (*part > 0.0 && *part >= nothing).then_some(kind)
        });
        most.collect()
    }
}

impl Spans {
    /// Where the axis ends.
    fn end(&self) -> f64 {
        let spans = self.rows.iter().flat_map(|row| &row.spans);
        let end = spans.map(|span| span.to).filter(|to| to.is_finite());
        end.fold(0.0, f64::max)
    }

    /// What it shows, for who does not see it.
    #[must_use]
    pub fn in_words(&self) -> String {
        harmless(&format!("{}: {}", self.caption.whole(), self.words))
    }

    /// As SVG, with a plot that is so many pixels wide.
    #[must_use]
    pub fn svg(&self, width: usize) -> String {
        let row = (HIGHEST / self.rows.len().max(1) as f64).clamp(1.0, ROW);
        let height = row * self.rows.len() as f64;
        let end = self.end();
        let mut svg = Svg::default();
        panel::heading(&mut svg, &self.caption, width as f64);
        svg.open(NAMES, panel::TOP, "plot");
        for (number, of_row) in self.rows.iter().enumerate() {
            let y = number as f64 * row;
            // Every so many rows have a name, so that names do not lie on each other.
            let named = (LABEL / row).ceil().max(1.0) as usize;
            if number % named == 0 {
                let name = fitting(&of_row.name, NAMES - 12.0, LABEL);
                svg.text([-7.0, y + row.max(LABEL) - 4.0], LABEL, Anchor::End, &name);
            }
            let high = if row > 4.0 { row - 2.0 } else { row };
            let pixels = of_row.pixels(self.kinds.len(), width, end);
            let mut from = 0;
            for run in pixels.chunk_by(|one, next| one == next) {
                if let Some(kind) = run[0] {
                    svg.rectangle([from as f64, y, run.len() as f64, high], colour(kind));
                }
                from += run.len();
            }
        }
        let size = [width as f64, height];
        svg.frame([0.0, 0.0, size[0], size[1]]);
        let axis = Axis {
            from: 0.0,
            to: end,
            name: "amount",
        };
        panel::horizontal_labels(&mut svg, &axis, &axis::ticks(0.0, end, width / 90), size);
        svg.text(
            [size[0], height + 32.0],
            LABEL,
            Anchor::End,
            &self.caption.units,
        );
        let key = self.key(&mut svg, size);
        svg.close();
        let whole = [
            NAMES + size[0] + panel::RIGHT,
            panel::TOP + height + panel::BELOW + key,
        ];
        document(whole, &escaped(&self.in_words()), svg)
    }

    /// Which colour is which kind, below the plot; returns how high that is.
    fn key(&self, svg: &mut Svg, [width, height]: [f64; 2]) -> f64 {
        if self.kinds.len() < 2 {
            return 0.0;
        }
        let (mut x, mut y) = (0.0, height + panel::BELOW);
        for (kind, name) in self.kinds.iter().enumerate() {
            let wide = name.chars().count() as f64 * LABEL * 0.6 + 30.0;
            if x > 0.0 && x + wide > width {
                (x, y) = (0.0, y + ROW);
            }
            svg.rectangle([x, y, 11.0, 11.0], colour(kind));
            svg.text([x + 16.0, y + 10.0], LABEL, Anchor::Start, name);
            x += wide;
        }
        y + ROW - height - panel::BELOW
    }
}

fn colour(kind: usize) -> [u8; 3] {
    let colours = colorous::TABLEAU10;
    let colorous::Color { r, g, b } = colours[kind % colours.len()];
    [r, g, b]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans() -> Spans {
        let span = |kind, from, to| Span { kind, from, to };
        Spans {
            caption: Caption {
                title: "<b>Ranks</b>".to_owned(),
                units: "s".to_owned(),
                ..Caption::default()
            },
            words: "transfer 90 s,\nwait & see 45 s".to_owned(),
            kinds: vec!["transfer".to_owned(), "wait & see".to_owned()],
            rows: vec![
                SpanRow {
                    name: "rank 0".to_owned(),
                    spans: vec![span(0, 0.0, 50.0), span(1, 75.0, 100.0)],
                },
                SpanRow::of_amounts("rank <1>", &[40.0, 20.0]),
            ],
        }
    }

    #[test]
    fn each_pixel_has_the_kind_that_most_of_it_is_of() {
        let all = spans();
        let of = |row: usize| all.rows[row].pixels(2, 4, all.end());
        assert_eq!(of(0), [Some(0), Some(0), None, Some(1)]);
        // Of the second pixel, three fifths are of the first kind.
        assert_eq!(of(1), [Some(0), Some(0), None, None]);
        let odd = SpanRow {
            name: String::new(),
            spans: vec![
                Span {
                    kind: 7,
                    from: 0.0,
                    to: 9.0,
                },
                Span {
                    kind: 0,
                    from: f64::NAN,
                    to: f64::NAN,
                },
                Span {
                    kind: 1,
                    from: 50.0,
                    to: f64::INFINITY,
                },
            ],
        };
        assert_eq!(odd.pixels(2, 4, 100.0), [None, None, Some(1), Some(1)]);
        assert_eq!(SpanRow::default().pixels(0, 4, 0.0), [None; 0]);
    }

    #[test]
    fn it_is_told_in_words_and_nothing_in_it_is_markup() {
        let all = spans();
        let words = "<b>Ranks</b>: transfer 90 s, wait & see 45 s";
        assert_eq!(all.in_words(), words);
        let svg = all.svg(400);
        assert!(
            svg.contains("rank &lt;1&gt;") && svg.contains("wait &amp; see"),
            "{svg}"
        );
        assert!(!svg.contains("<b>"), "{svg}");
        // As wide as they are long.
        for part in [
            "width=\"200\" height=\"16\"",
            "x=\"300\" y=\"0\" width=\"100\"",
        ] {
            assert!(svg.contains(part), "{part}: {svg}");
        }
        assert!(Spans::default().svg(400).starts_with("<svg "));
    }

    #[test]
    fn however_many_spans_and_rows_there_are_it_stays_small() {
        let steps = (0..100_000).map(|n| Span {
            kind: n % 2,
            from: n as f64,
            to: n as f64 + 1.0,
        });
        let mut all = spans();
        let spans = steps.collect();
        all.rows = vec![
            SpanRow {
                name: "x".to_owned(),
                spans
            };
            12
        ];
        assert!(all.svg(720).len() < 2_000_000);
        all.rows = vec![SpanRow::of_amounts("y", &[1.0, 2.0]); 3000];
        assert!(all.svg(720).len() < 2_000_000);
    }
}
