//! The bar on a terminal.
//!
//! Key function: [`draw`]. The bar must never be wider than the terminal is when it is drawn.

use rustix::termios::tcgetwinsize;

use super::super::{screen, words};
use super::meter::Measure;

/// Columns of a terminal that does not tell.
const COLUMNS: usize = 80;
/// Those that are left free: what the terminal shows of Ctrl-C must not begin a line, where nothing would clear the bar.
const FREE: usize = 3;

/// Draws the bar of what was measured.
pub(super) fn draw(measure: &Measure) {
    let columns = tcgetwinsize(std::io::stderr()).map_or(0, |size| size.ws_col.into());
    let columns = if columns == 0 { COLUMNS } else { columns };
    screen::draw_bar(words::bar(measure, columns.saturating_sub(FREE)));
}
