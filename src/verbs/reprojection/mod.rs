//! What reprojecting needs beside the kernels: what can be reprojected, its cells and corners, weights.

pub(in crate::verbs) mod cells;
pub(crate) mod corners;
pub(crate) mod error;
pub(in crate::verbs) mod foreign;
pub(in crate::verbs) mod projector;
pub(in crate::verbs) mod reprojectable;
pub(crate) mod request;
pub(in crate::verbs) mod weights;
pub(in crate::verbs) mod weights_file;
