//! Which dimensions a NetCDF-4 file has, and which of them each variable has.
//!
//! Key type: [`Dimensions`].

use std::collections::HashMap;

use hdf5_reader::reference::read_object_references;

use super::attributes::{message, own_numbers};
use super::{Member, shown};

/// A dimension's size where it is unlimited.
const UNLIMITED: u64 = u64::MAX;

/// The dimensions of a file.
pub(super) struct Dimensions {
    all: Vec<Dimension>,
    /// By the address of the dataset that is there for it.
    by_address: HashMap<u64, usize>,
    by_id: HashMap<i32, usize>,
    /// Those of each dataset; `None` where it is no variable.
    of_each: Vec<Option<Vec<usize>>>,
}

struct Dimension {
    name: String,
    id: Option<i32>,
    size: u64,
    is_unlimited: bool,
}

impl Dimensions {
    /// Of the file that holds `members`.
    ///
    /// # Errors
    /// If a variable's dimensions cannot be followed, or have other sizes than it has.
    pub(super) fn of(members: &[Member]) -> Result<Self, String> {
        let mut dimensions = Self {
            all: Vec::new(),
            by_address: HashMap::new(),
            by_id: HashMap::new(),
            of_each: Vec::new(),
        };
        for member in members.iter().filter(|member| member.is_scale()) {
            let place = dimensions.all.len();
            let id = own_numbers(&member.raw, "_Netcdf4Dimid");
            let id = id.and_then(|id| id.first().copied());
            let address = member.dataset.address();
            dimensions.by_address.insert(address, place);
            if let Some(id) = id {
                dimensions.by_id.insert(id, place);
            }
            dimensions.all.push(Dimension {
                name: member.name.clone(),
                id,
                size: member.dataset.shape()[0],
                is_unlimited: limit(member, 0) == UNLIMITED,
            });
        }
        for member in members {
            let found = if member.is_dimension_only() {
                None
            } else {
                let found = dimensions.of_member(member);
                Some(found.map_err(|cause| format!("variable '{}' {cause}", member.name))?)
            };
            dimensions.of_each.push(found);
        }
        dimensions.grow(members);
        dimensions.check(members)?;
        Ok(dimensions)
    }

    /// Name and size of all in the order of their ids; and of those of each dataset that is a variable.
    #[allow(clippy::type_complexity)] // a name for it would say no more
    pub(super) fn into_parts(self) -> (Vec<(String, u64)>, Vec<Option<Vec<(String, u64)>>>) {
        let shown = |place: &usize| {
            let Dimension { name, size, .. } = &self.all[*place];
            (name.clone(), *size)
        };
        let of_each = self.of_each.iter();
        let of_each = of_each.map(|each| Some(each.as_ref()?.iter().map(shown).collect()));
        let of_each = of_each.collect();
        let mut order: Vec<usize> = (0..self.all.len()).collect();
        order.sort_by_key(|&place| self.all[place].id.unwrap_or(i32::MAX));
        (order.iter().map(shown).collect(), of_each)
    }

    fn of_member(&mut self, member: &Member) -> Result<Vec<usize>, String> {
        let rank = member.dataset.ndim();
        if rank == 0 {
            return Ok(Vec::new());
        }
        if member.is_scale() && rank == 1 {
            return Ok(vec![self.by_address[&member.dataset.address()]]);
        }
        // A coordinate of more dimensions, for a scale cannot have a list of scales.
        if let Some(ids) = own_numbers(&member.raw, "_Netcdf4Coordinates") {
            let found = ids.iter().map(|id| self.by_id.get(id).copied());
            let found: Option<Vec<usize>> = found.collect();
            return found
                .filter(|found| found.len() == rank)
                .ok_or_else(|| format!("has dimensions {ids:?}, which the file does not have"));
        }
        match message(&member.raw, "DIMENSION_LIST") {
            Some(list) => self.listed(member, &list.raw_data, rank),
            None => Ok(self.phony(member)),
        }
    }

    /// The dimensions that the references `list` lead to.
    fn listed(&self, member: &Member, list: &[u8], rank: usize) -> Result<Vec<usize>, String> {
        let dataset = &member.dataset;
        let width = dataset.vlen_reference_size();
        let offset_size = width.saturating_sub(8);
        let references = list.chunks_exact(width).take(rank).map(|reference| {
            let addresses = dataset.resolve_vlen_reference_bytes(reference, offset_size);
            let addresses = addresses.map_err(shown)?;
            let addresses = read_object_references(&addresses, offset_size as u8).map_err(shown)?;
            let first = addresses.first().ok_or("one of them is named nowhere")?;
            let found = self.by_address.get(first).copied();
            found.ok_or_else(|| format!("there is none at {first:#x}"))
        });
        let found: Result<Vec<usize>, String> = references.collect();
        let found =
            found.map_err(|cause| format!("has dimensions that cannot be followed: {cause}"))?;
        if found.len() == rank {
            Ok(found)
        } else {
            Err(format!("names {} dimensions and has {rank}", found.len()))
        }
    }

    /// Dimensions of a dataset that names none: as netCDF-C makes them up, one for each size.
    fn phony(&mut self, member: &Member) -> Vec<usize> {
        let mut found = Vec::new();
        for (index, &size) in member.dataset.shape().iter().enumerate() {
            let is_unlimited = limit(member, index) == UNLIMITED;
            let same = self
                .all
                .iter()
                .position(|d| d.size == size && d.is_unlimited == is_unlimited);
            found.push(same.unwrap_or_else(|| {
                self.all.push(Dimension {
                    name: format!("phony_dim_{}", self.all.len()),
                    id: None,
                    size,
                    is_unlimited,
                });
                self.all.len() - 1
            }));
        }
        found
    }

    /// An unlimited dimension is as long as the longest variable along it.
    fn grow(&mut self, members: &[Member]) {
        for (member, of_it) in members.iter().zip(&self.of_each) {
            let of_it = of_it.iter().flatten();
            for (&place, &size) in of_it.zip(member.dataset.shape()) {
                let dimension = &mut self.all[place];
                if dimension.is_unlimited {
                    dimension.size = dimension.size.max(size);
                }
            }
        }
    }

    fn check(&self, members: &[Member]) -> Result<(), String> {
        for (member, of_it) in members.iter().zip(&self.of_each) {
            let of_it = of_it.iter().flatten();
            for (&place, &size) in of_it.zip(member.dataset.shape()) {
                let Dimension {
                    name,
                    size: expected,
                    is_unlimited,
                    ..
                } = &self.all[place];
                if size != *expected && !is_unlimited {
                    return Err(format!(
                        "variable '{}' has {size} values along '{name}', expected {expected}",
                        member.name
                    ));
                }
            }
        }
        Ok(())
    }
}

/// How long a dataset may grow along one of its dimensions.
fn limit(member: &Member, dimension: usize) -> u64 {
    let limits = member.dataset.max_dims();
    limits
        .and_then(|limits| limits.get(dimension))
        .copied()
        .unwrap_or(0)
}
