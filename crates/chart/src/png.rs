//! An SVG as PNG.

use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

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
    let tree = Tree::from_str(svg, &options).map_err(|cause| PngError::Draw {
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
