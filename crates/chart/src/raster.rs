//! Values as pixels.

use data_encoding::BASE64;
use resvg::tiny_skia::{IntSize, Pixmap};

use crate::colours::ColourScale;
use crate::png::PngError;

/// Which row or column of the values each row or column of pixels shows; `None` where there is none.
pub(crate) type Shown = Vec<Option<usize>>;

/// Values and what shows them: `columns` × `rows` pixels, of values that have `width` columns.
pub(crate) struct Raster<'a> {
    pub(crate) columns: Shown,
    pub(crate) rows: Shown,
    pub(crate) values: &'a [f64],
    pub(crate) width: usize,
}

impl Raster<'_> {
    /// The value at a pixel; NaN where there is none.
    pub(crate) fn value(&self, x: usize, y: usize) -> f64 {
        let index = |(column, row): (usize, usize)| row * self.width + column;
        let place = self.columns[x].zip(self.rows[y]).map(index);
        let value = place.and_then(|place| self.values.get(place));
        value.copied().unwrap_or(f64::NAN)
    }

    /// Width and height in pixels.
    pub(crate) fn size(&self) -> [usize; 2] {
        [self.columns.len(), self.rows.len()]
    }

    /// All values, row by row.
    pub(crate) fn pixels(&self) -> impl Iterator<Item = f64> + '_ {
        let [width, height] = self.size();
        (0..height).flat_map(move |y| (0..width).map(move |x| self.value(x, y)))
    }

    /// The address of a PNG that is within the address.
    ///
    /// # Errors
    /// If there is no pixel, or there are too many.
    pub(crate) fn address(&self, scale: &ColourScale) -> Result<String, PngError> {
        let [width, height] = self.size();
        let bytes: Vec<u8> = self
            .pixels()
            .flat_map(|value| {
                let [r, g, b] = scale.colour(value);
                [r, g, b, 255]
            })
            .collect();
        Ok(format!(
            "data:image/png;base64,{}",
            BASE64.encode(&encoded(bytes, width, height)?)
        ))
    }
}

fn encoded(bytes: Vec<u8>, width: usize, height: usize) -> Result<Vec<u8>, PngError> {
    let side = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let size = IntSize::from_wh(side(width), side(height));
    let pixmap = size.and_then(|size| Pixmap::from_vec(bytes, size));
    let pixmap = pixmap.ok_or(PngError::Size { width, height })?;
    pixmap.encode_png().map_err(|cause| PngError::Encode {
        cause: cause.to_string(),
    })
}

/// For each of `places`, the index of that of `centres` which is nearest by `distance`, if it is no farther than half of the way to the
/// centre's neighbours.
pub fn nearest(
    places: &[f64],
    centres: &[f64],
    distance: impl Fn(f64, f64) -> f64,
) -> Vec<Option<usize>> {
    let gap = |i: usize| {
        let before = i
            .checked_sub(1)
            .map(|other| distance(centres[i], centres[other]));
        let after = centres.get(i + 1).map(|other| distance(centres[i], *other));
        before.unwrap_or(0.0).max(after.unwrap_or(0.0))
    };
    let of_place = |place: &f64| {
        let all = centres.iter().enumerate();
        let away = all.map(|(i, centre)| (i, distance(*place, *centre)));
        let (index, away) = away.min_by(|a, b| a.1.total_cmp(&b.1))?;
        // Rounding must not tear a hole between two cells.
        let is_within = centres.len() == 1 || away <= gap(index) * 0.500_001;
        is_within.then_some(index)
    };
    places.iter().map(of_place).collect()
}
