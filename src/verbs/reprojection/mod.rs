//! What reprojecting needs beside the kernels: what can be reprojected, its cells and corners, weights.

pub(in crate::verbs) mod cells;
pub(in crate::verbs) mod corners;
pub(in crate::verbs) mod foreign;
pub(in crate::verbs) mod projector;
pub(in crate::verbs) mod reprojectable;
pub(in crate::verbs) mod weights;
pub(in crate::verbs) mod weights_file;
