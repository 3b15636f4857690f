//! What is wrong with a recipe or a file of settings, and where.
//!
//! Key type: [`RecipeProblem`].

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::cli::hush::hushed;

/// Something that is wrong in a recipe, or a file of settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipeProblem {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for RecipeProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            line,
            column,
            problem,
        } = self;
        write!(f, "line {line}, column {column}: {}", hushed(problem))
    }
}

impl RecipeProblem {
    /// What is wrong where `span` of `text` begins.
    pub(in crate::cli) fn new(text: &str, span: &Range<usize>, problem: String) -> Self {
        let before = &text.as_bytes()[..span.start.min(text.len())];
        let begin = before.iter().rposition(|byte| *byte == b'\n');
        let in_line = &before[begin.map_or(0, |newline| newline + 1)..];
        Self {
            line: line_of(text, span),
            column: 1 + String::from_utf8_lossy(in_line).chars().count() as u32,
            problem,
        }
    }
}

/// The line in which `span` of `text` begins, from 1.
pub(in crate::cli) fn line_of(text: &str, span: &Range<usize>) -> u32 {
    let before = &text.as_bytes()[..span.start.min(text.len())];
    before.split(|byte| *byte == b'\n').count() as u32
}
