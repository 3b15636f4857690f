//! An SVG as PNG.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};
use skrifa::charmap::Charmap;
use skrifa::{FontRef, MetadataProvider};

/// The font of what is written in a PNG. Its licence lies beside it.
const FONT: &[u8] = include_bytes!("../font/DejaVuSans.ttf");

/// The name of that font.
pub(crate) const FAMILY: &str = "DejaVu Sans";

/// Why there is no PNG.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PngError {
    /// No picture has such a size.
    #[error("a picture of {width} × {height} pixels cannot be drawn")]
    Size {
        /// Its width.
        width: usize,
        /// Its height.
        height: usize,
    },
    /// It was not encoded.
    #[error("encoding a PNG failed: {cause}")]
    Encode {
        /// What the encoder said.
        cause: String,
    },
    /// The drawing is not one.
    #[error("drawing a PNG failed: {cause}")]
    Draw {
        /// What the library said.
        cause: String,
    },
}

/// Draws `svg`, a pixel for each of its units.
///
/// # Errors
/// If it is no SVG, or too large.
pub(crate) fn png(svg: &str) -> Result<Vec<u8>, PngError> {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(FONT.to_vec());
    let options = Options {
        font_family: FAMILY.to_owned(),
        fontdb: Arc::new(fonts),
        ..Options::default()
    };
    let tree = Tree::from_str(&in_font(svg), &options).map_err(|cause| PngError::Draw {
        cause: cause.to_string(),
    })?;
    let size = tree.size().to_int_size();
    let mut pixmap = Pixmap::new(size.width(), size.height()).ok_or(PngError::Size {
        width: size.width() as usize,
        height: size.height() as usize,
    })?;
    resvg::render(&tree, Transform::identity(), &mut pixmap.as_mut());
    pixmap.encode_png().map_err(|cause| PngError::Encode {
        cause: cause.to_string(),
    })
}

/// Those of `texts` that the font does not have.
pub(crate) fn not_in_font(texts: impl Iterator<Item = char>) -> BTreeSet<char> {
    let Ok(font) = FontRef::new(FONT) else {
        return BTreeSet::new();
    };
    let letters = font.charmap();
    texts.filter(|letter| !has(&letters, *letter)).collect()
}

/// `svg` with U+FFFD for each character that the font does not have: nothing would be drawn for it.
fn in_font(svg: &str) -> Cow<'_, str> {
    let unknown = not_in_font(svg.chars());
    if unknown.is_empty() {
        return svg.into();
    }
    svg.replace(|letter| unknown.contains(&letter), "\u{fffd}")
        .into()
}

fn has(letters: &Charmap<'_>, letter: char) -> bool {
    // Spaces and joiners have no picture.
    letter.is_ascii() || letter.is_whitespace() || letters.map(letter).is_some()
}
