//! What a NEMO archive holds, as data: the words that every other crate of msm-os shares.
//!
//! A [`Catalogue`] is what one file holds: [`Variable`]s with their [`DType`]s and [`Attribute`]s. Files are joined along
//! the append dimension to an [`Archive`], in the order of their [`Step`]s, which are moments of CF time ([`TimeUnits`],
//! [`Instant`]) or plain numbers. A [`Hyperslab`] is a box of one variable's values. What is wrong is an
//! [`ArchiveError`]; several of them are [`Problems`].
//!
//! It opens no file and knows no library that could: reading is up to the caller, who hands in what was read. The same
//! input gives the same answer, on every rank.

#![warn(unreachable_pub)]

mod alike;
mod archive;
mod attribute;
mod axis;
mod borrow;
mod catalogue;
mod counted;
mod data;
mod dtype;
mod error;
mod file;
mod horizontal;
mod hyperslab;
mod members;
mod missing;
pub mod names;
mod problems;
mod recipe;
mod step;
mod stored_bytes;
mod text;
mod time;
mod time_from;
mod variable;

pub use alike::{MEANING, TIME};
pub use archive::{Archive, Order};
pub use attribute::{Attribute, number_to_json};
pub use axis::{Axis, AxisValues, pairs};
pub use borrow::BorrowedCoordinates;
pub use catalogue::Catalogue;
pub use counted::{are, counted};
pub use dtype::{DType, Number};
pub use error::{ArchiveError, choices, list, meant};
pub use file::SourceFile;
pub use horizontal::{GridPoint, HorizontalCoordinates};
pub use hyperslab::{Hyperslab, copy_block};
pub use missing::default_fill;
pub use problems::Problems;
pub use recipe::{
    ArrayRecipe, LinearConversion, QUANTIZATION, Recipe, RecipeDifference, RecipeName,
    UNITS_OF_FILES, ValueChange, ValueFault, VariableRecipe, recipe_differences,
};
pub use step::Step;
pub use stored_bytes::StoredBytes;
pub use text::{text_of_width, trimmed};
pub use time::{Calendar, Gap, Instant, TimeConversion, TimeError, TimeUnits, gaps, time_units};
pub use time_from::{FileView, TIME_FROM};
pub use variable::{Variable, VariableType};
