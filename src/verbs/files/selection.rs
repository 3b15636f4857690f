//! Which variables of files, and stores, are meant.
//!
//! Key type: [`Selection`].

/// Which variables of files, and stores, are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The variables; none means all.
    pub variables: Vec<String>,
    /// Is the one store of all variables meant, not one of each?
    pub compact: bool,
}
