//! NetCDF-4 files: how dimensions, variables and attributes lie in HDF5 (netCDF-C, "NetCDF-4 File Format"; what it does
//! beyond that is as its source says, `libhdf5/hdf5open.c`).
//!
//! Key type: [`Hdf5`]. Read in Rust, without the HDF5 library: damaged files crash that, and it has one lock a process.

mod attributes;
mod dimensions;
mod storage;
mod types;

use std::fs::File;

use hdf5_reader::group::Group;
use hdf5_reader::{Dataset, Hdf5File, OpenOptions, RawAttribute};

use self::attributes::{VisibleAttributes, own_text};
use self::dimensions::Dimensions;
pub(super) use self::types::Type;
use msm_model::Attribute;

/// The most that is read of one object's metadata or of texts, in bytes: a header alone must not fill the memory.
const MAX_READ: usize = 1 << 30;

/// An HDF5 file open for reading.
pub(super) struct Hdf5 {
    file: Hdf5File,
    /// Global attributes, and those of types that only the file defines.
    pub attributes: Vec<(String, Attribute)>,
    pub odd_attributes: Vec<String>,
    /// Name and size, in the order of their ids.
    pub dimensions: Vec<(String, u64)>,
    pub variables: Vec<Hdf5Variable>,
    /// The paths of groups.
    pub groups: Vec<String>,
}

/// What NetCDF makes of a dataset: one of the scales that are dimensions without values is none.
pub(super) struct Hdf5Variable {
    pub name: String,
    pub kind: Type,
    /// The names and sizes of its dimensions.
    pub dimensions: Vec<(String, u64)>,
    pub attributes: Vec<(String, Attribute)>,
    pub odd_attributes: Vec<String>,
    dataset: Dataset,
}

/// A dataset, with its attributes as they are stored.
struct Member {
    name: String,
    dataset: Dataset,
    raw: Vec<RawAttribute>,
}

/// Why a file cannot be read.
pub(super) enum Unreadable {
    /// It is damaged.
    Damaged(String),
    /// It has something that only the NetCDF library knows.
    Unknown(String),
}

impl From<String> for Unreadable {
    fn from(cause: String) -> Self {
        // Attributes of types that have a name in the file, as some versions of HDF5 write them.
        if cause.contains("shared datatype/dataspace") {
            Self::Unknown(cause)
        } else {
            Self::Damaged(cause)
        }
    }
}

impl Hdf5 {
    /// Reads the metadata of `file`.
    ///
    /// # Errors
    /// If it is damaged, or has something that is not known here.
    pub(super) fn open(file: File) -> Result<Self, Unreadable> {
        let storage = hdf5_reader::FileStorage::from_file(file).map_err(shown)?;
        let options = OpenOptions::default()
            .with_chunk_cache_bytes(0)
            .with_max_read_bytes(MAX_READ);
        let storage = std::sync::Arc::new(storage);
        let file = Hdf5File::from_storage_with_options(storage, options).map_err(shown)?;
        let root = file.root_group().map_err(shown)?;
        let (groups, datasets) = root.members().map_err(shown)?;
        let mut paths = Vec::new();
        for group in groups {
            add_paths(&mut paths, "", &group, 0)?;
        }
        paths.sort();
        let members = datasets.into_iter().map(Member::of);
        let members: Vec<Member> = members.collect::<Result<_, String>>()?;
        let raw = root.raw_attributes().map_err(shown)?;
        let resolve = |reference: &[u8]| {
            root.resolve_vlen_reference_bytes(reference, 1)
                .map_err(shown)
        };
        let attributes = VisibleAttributes::of(&raw, resolve)?;
        let (dimensions, of_each) = Dimensions::of(&members)?.into_parts();
        let mut variables = Vec::new();
        for (member, dimensions) in members.into_iter().zip(of_each) {
            if let Some(dimensions) = dimensions {
                variables.push(member.into_variable(dimensions)?);
            }
        }
        Ok(Self {
            file,
            attributes: attributes.known,
            odd_attributes: attributes.others,
            dimensions,
            variables,
            groups: paths,
        })
    }

    /// Where the file must end at the earliest.
    pub(super) fn expected_length(&self) -> u64 {
        self.file.superblock().eof_address
    }

    /// The variable called `name`.
    pub(super) fn variable(&self, name: &str) -> Option<&Hdf5Variable> {
        self.variables.iter().find(|variable| variable.name == name)
    }
}

impl Member {
    fn of(dataset: Dataset) -> Result<Self, String> {
        let name = dataset.name().rsplit('/').next().unwrap_or_default();
        let name = name.to_owned();
        let raw = dataset.raw_attributes();
        let raw = raw.map_err(|cause| format!("'{name}': {cause}"))?;
        Ok(Self { name, dataset, raw })
    }

    /// Is it there for a dimension?
    fn is_scale(&self) -> bool {
        own_text(&self.raw, "CLASS").is_some_and(|class| class == "DIMENSION_SCALE")
            && self.dataset.ndim() > 0
    }

    /// Is it a dimension that no variable has the name of?
    fn is_dimension_only(&self) -> bool {
        let only = "This is a netCDF dimension but not a netCDF variable";
        self.is_scale() && own_text(&self.raw, "NAME").is_some_and(|name| name.starts_with(only))
    }

    fn into_variable(self, dimensions: Vec<(String, u64)>) -> Result<Hdf5Variable, String> {
        let Self { name, dataset, raw } = self;
        let resolve = |reference: &[u8]| {
            dataset
                .resolve_vlen_reference_bytes(reference, 1)
                .map_err(shown)
        };
        let attributes = VisibleAttributes::of(&raw, resolve)
            .map_err(|cause| format!("variable '{name}': {cause}"))?;
        // So NetCDF calls one that has a dimension's name, and is not its coordinate.
        let name = name.strip_prefix("_nc4_non_coord_").unwrap_or(&name);
        Ok(Hdf5Variable {
            name: name.to_owned(),
            kind: Type::of(dataset.dtype()),
            dimensions,
            attributes: attributes.known,
            odd_attributes: attributes.others,
            dataset,
        })
    }
}

impl Hdf5Variable {
    /// The shape of its stored chunks, if it has any.
    pub(super) fn stored_chunks(&self) -> Option<Vec<u64>> {
        let chunks = self.dataset.chunks()?;
        Some(chunks.into_iter().map(u64::from).collect())
    }

    /// The bytes of all its strings, in order.
    ///
    /// # Errors
    /// If they cannot be read.
    pub(super) fn strings(&self) -> Result<Vec<Vec<u8>>, String> {
        let references = self.dataset.read_raw_bytes().map_err(shown)?;
        let width = self.dataset.vlen_reference_size();
        let resolve = |reference| self.dataset.resolve_vlen_reference_bytes(reference, 1);
        let strings = references.chunks_exact(width).map(resolve);
        strings.collect::<Result<_, _>>().map_err(shown)
    }
}

/// Adds the paths of a group and of those in it.
fn add_paths(
    paths: &mut Vec<String>,
    parent: &str,
    group: &Group,
    depth: u32,
) -> Result<(), String> {
    let name = group.name().rsplit('/').next().unwrap_or_default();
    let path = format!("{parent}/{name}");
    // One that is in itself has no end.
    if depth < 32 {
        for child in group.groups().map_err(shown)? {
            add_paths(paths, &path, &child, depth + 1)?;
        }
    }
    paths.push(path);
    Ok(())
}

fn shown(cause: impl std::fmt::Display) -> String {
    cause.to_string()
}
