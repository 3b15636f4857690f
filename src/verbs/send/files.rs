//! What `send` and `update` are asked alike.
//!
//! Key type: [`Files`].

use std::path::PathBuf;

use msm_model::{FileView, Recipe};
use msm_plan::{ChunkStrategy, Transactions};

use crate::store::Spot;
use crate::transfer::Verification;
use crate::verbs::files::selection::Selection;
use crate::verbs::reprojection::corners::DomainFile;
use crate::verbs::reprojection::request::Reprojection;
use crate::verbs::shared::hold::Leasing;

/// Files, the stores that they go to, and how.
#[derive(Clone, Debug)]
pub struct Files {
    /// Files, directories and patterns, joined in time order.
    pub paths: Vec<PathBuf>,
    /// Where the stores are; `None` is where the names of the files say.
    pub spot: Option<Spot>,
    /// Which variables are meant, and in which stores they are.
    pub selection: Selection,
    /// The dimension along which stores grow; empty if they do not.
    pub append_dimension: String,
    /// The variable whose times are those of the append dimension's coordinate in the stores; `None` for its own.
    pub time_from: Option<String>,
    /// What becomes of the names, attributes and values that the files have; `None` if they stay. All that names variables and
    /// dimensions here names them as the stores do.
    pub recipe: Option<Recipe>,
    /// Chunk sizes of new arrays; dimensions left out are chosen automatically.
    pub chunks: ChunkStrategy,
    /// Are attributes written that arrays of a store lack, as other tools leave them?
    pub repair_attributes: bool,
    /// Where coordinates and corners come from, if not from the files themselves.
    pub domain: Option<DomainFile>,
    /// How far static coordinates may be from the store's.
    pub tolerance: f64,
    /// What is reprojected, if anything is that the stores do not have yet.
    pub reprojection: Option<Reprojection>,
    /// A file for the weights: read if it is there, else written.
    pub weights: Option<PathBuf>,
    /// How many files are committed at a time; `None` is as usual: those that end on a chunk boundary in a send, all in an update.
    pub transactions: Option<Transactions>,
    /// How each object is verified.
    pub verify: Verification,
    /// Does a transaction go on that the same request left open, and stay open if a signal stops it?
    pub resume: bool,
    /// Transactions of a store that can be undone: the old values of so many are kept.
    pub keep_undo: usize,
    /// Bytes of data that each rank may hold.
    pub memory: u64,
    /// Is the consolidated metadata made of a store that has none?
    pub consolidate: bool,
    /// How the stores' leases are got.
    pub leasing: Leasing,
    /// What is drawn of what is sent, for the report.
    pub maps: MapsAsked,
}

/// Maps of what is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MapsAsked {
    /// None.
    #[default]
    None,
    /// One of each variable: its last step, of those that are written, and its first level.
    LastSteps,
}

impl Files {
    /// How the files are seen.
    pub(in crate::verbs) fn file_view(&self) -> FileView<'_> {
        FileView {
            dimension: &self.append_dimension,
            time_from: self.time_from.as_deref(),
            recipe: self.recipe.as_ref(),
        }
    }
}

/// No files; else what most want.
impl Default for Files {
    fn default() -> Self {
        Self {
            paths: Vec::new(),
            spot: None,
            selection: Selection::default(),
            append_dimension: "time_counter".to_owned(),
            time_from: None,
            recipe: None,
            chunks: ChunkStrategy::default(),
            repair_attributes: false,
            domain: None,
            tolerance: 0.0,
            reprojection: None,
            weights: None,
            transactions: None,
            verify: Verification::default(),
            resume: false,
            keep_undo: 1,
            memory: 1 << 30,
            consolidate: false,
            leasing: Leasing::default(),
            maps: MapsAsked::None,
        }
    }
}
