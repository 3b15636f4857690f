//! Writes a file: defines it, then streams each variable in slabs of whole chunks, so that HDF5
//! compresses every chunk once and no whole three-dimensional field is in memory.

use std::ops::Range;
use std::path::Path;

use netcdf::{FileMut, NcTypeDescriptor, Options};
use rayon::prelude::*;

use crate::chunks::ChunkShape;
use crate::fields::{Fields, Weather};
use crate::layout::Layout;
use crate::ocean::Ocean;
use crate::time_axis::{self, Step};
use crate::{Error, Format, Spec, Variable};

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// bytes of all arrays, coordinates and bounds included, before compression
    pub decoded_bytes: u64,
    /// data variables
    pub variables: usize,
    /// length of `time_counter`
    pub steps: usize,
}

/// Writes one file, over one that is there. Peak memory is about 100 bytes a cell of one level, plus
/// a slab of whole chunks (at most 20 MiB, or one chunk row if [`Spec::chunks`] makes it larger) and
/// NetCDF's chunk caches (up to 64 MiB a variable).
///
/// # Errors
/// [`Error::Spec`] when the spec contradicts itself, [`Error::Netcdf`] naming file and variable when
/// the file cannot be written; what is there then is no valid file.
pub fn write(path: &Path, spec: &Spec) -> Result<Summary, Error> {
    spec.check()?;
    let mut writer = Writer::create(path, spec)?;
    let ocean = Ocean::new(&spec.grid);
    let steps = time_axis::steps(spec.start, spec.frequency, spec.calendar, spec.steps);
    writer.coordinates(&ocean)?;
    writer.times(&steps)?;
    writer.data(&ocean, &steps)?;
    writer.close()
}

struct Writer<'a> {
    path: &'a Path,
    spec: &'a Spec,
    file: FileMut,
    decoded_bytes: u64,
}

impl<'a> Writer<'a> {
    fn create(path: &'a Path, spec: &'a Spec) -> Result<Self, Error> {
        let options = match spec.format {
            Format::NetCdf4 => Options::NETCDF4,
            Format::NetCdf4Classic => Options::NETCDF4 | Options::CLASSIC,
            Format::Classic => Options::empty(),
            Format::Offset64 => Options::_64BIT_OFFSET,
            Format::Cdf5 => Options::_64BIT_DATA,
        };
        let failed = |item| failed(path, item);
        let mut file = netcdf::create_with(path, options).map_err(failed("the file"))?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let layout = Layout {
            file: &mut file,
            spec,
            name: &stem,
        };
        layout.define().map_err(failed("the definitions"))?;
        file.enddef().map_err(failed("the definitions"))?;
        Ok(Self {
            path,
            spec,
            file,
            decoded_bytes: 0,
        })
    }

    /// Grid and depth with their bounds.
    fn coordinates(&mut self, ocean: &Ocean) -> Result<(), Error> {
        let (ny, nx) = (ocean.grid.ny(), ocean.grid.nx());
        self.put_all("nav_lat", &[ny, nx], &ocean.latitude)?;
        self.put_all("nav_lon", &[ny, nx], &ocean.longitude)?;
        let vertices = [ny, nx, 4];
        self.put_all("bounds_lon", &vertices, &ocean.corners(|point| point.1))?;
        self.put_all("bounds_lat", &vertices, &ocean.corners(|point| point.0))?;
        if self.spec.variables.iter().any(|v| v.has_depth()) {
            let (nz, levels) = (ocean.grid.nz(), &ocean.levels);
            let depth: Vec<f32> = levels.depth.iter().map(|&d| d as f32).collect();
            let bounds = levels.interface.windows(2).flatten();
            let bounds: Vec<f32> = bounds.map(|&d| d as f32).collect();
            self.put_all("deptht", &[nz], &depth)?;
            self.put_all("deptht_bounds", &[nz, 2], &bounds)?;
        }
        Ok(())
    }

    fn times(&mut self, steps: &[Step]) -> Result<(), Error> {
        let n = steps.len();
        let centres: Vec<f64> = steps.iter().map(|s| s.centre).collect();
        let bounds: Vec<f64> = steps.iter().flat_map(|s| s.bounds).collect();
        self.put_all("time_centered", &[n], &centres)?;
        self.put_all("time_centered_bounds", &[n, 2], &bounds)?;
        if self.spec.time_units_on_counter {
            self.put_all("time_counter", &[n], &centres)?;
            self.put_all("time_counter_bounds", &[n, 2], &bounds)
        } else {
            let records: Vec<f64> = (0..n).map(|i| i as f64).collect();
            self.put_all("time_counter", &[n], &records)
        }
    }

    /// The data variables, a row of chunks at a time along `time_counter`.
    fn data(&mut self, ocean: &Ocean, steps: &[Step]) -> Result<(), Error> {
        let spec = self.spec;
        let weather = Weather::new(spec.seed);
        let mut buffer = Vec::new();
        let together = spec.chunks.and_then(|c| c.time_counter).unwrap_or(1);
        let together = if spec.format.is_hdf5() { together } else { 1 };
        for times in blocks(steps.len(), together) {
            let fields: Vec<Fields> = steps[times.clone()]
                .iter()
                .map(|&step| Fields::new(ocean, &weather, step))
                .collect();
            for &variable in &spec.variables {
                self.records(ocean, variable, &times, &fields, &mut buffer)?;
            }
        }
        Ok(())
    }

    /// Some steps of one variable, in slabs of whole chunks.
    fn records(
        &mut self,
        ocean: &Ocean,
        variable: Variable,
        times: &Range<usize>,
        fields: &[Fields],
        buffer: &mut Vec<f32>,
    ) -> Result<(), Error> {
        let (ny, nx) = (ocean.grid.ny(), ocean.grid.nx());
        let nz = if variable.has_depth() {
            ocean.grid.nz()
        } else {
            1
        };
        let chunk = if self.spec.format.is_hdf5() {
            ChunkShape::new(&ocean.grid, variable, self.spec.chunks)
        } else {
            ChunkShape::xios(&ocean.grid, variable)
        };
        for levels in blocks(nz, chunk.deptht) {
            for rows in blocks(ny, chunk.y) {
                buffer.resize(times.len() * levels.len() * rows.len() * nx, 0.0);
                buffer.par_chunks_mut(nx).enumerate().for_each(|(n, row)| {
                    let (n, j) = (n / rows.len(), rows.start + n % rows.len());
                    let (step, k) = (n / levels.len(), levels.start + n % levels.len());
                    fields[step].row(variable, k, j, row);
                });
                let slab = [times.clone(), levels.clone(), rows.clone(), 0..nx];
                if variable.has_depth() {
                    self.put(variable.name(), &slab, buffer)?;
                } else {
                    let [times, _, rows, columns] = slab;
                    self.put(variable.name(), &[times, rows, columns], buffer)?;
                }
            }
        }
        Ok(())
    }

    /// Writes all of a variable.
    fn put_all<T: NcTypeDescriptor>(
        &mut self,
        name: &str,
        shape: &[usize],
        values: &[T],
    ) -> Result<(), Error> {
        let slab: Vec<Range<usize>> = shape.iter().map(|&n| 0..n).collect();
        self.put(name, &slab, values)
    }

    /// Writes one slab of a variable.
    fn put<T: NcTypeDescriptor>(
        &mut self,
        name: &str,
        slab: &[Range<usize>],
        values: &[T],
    ) -> Result<(), Error> {
        if values.is_empty() {
            return Ok(());
        }
        let starts: Vec<usize> = slab.iter().map(|r| r.start).collect();
        let counts: Vec<usize> = slab.iter().map(Range::len).collect();
        let failed = failed(self.path, name);
        let Some(mut variable) = self.file.variable_mut(name) else {
            return Err(failed(netcdf::Error::NotFound(name.to_owned())));
        };
        variable
            .put_values(values, (starts, counts))
            .map_err(failed)?;
        self.decoded_bytes += size_of_val(values) as u64;
        Ok(())
    }

    fn close(self) -> Result<Summary, Error> {
        self.file
            .close()
            .map_err(failed(self.path, "the last chunks"))?;
        Ok(Summary {
            decoded_bytes: self.decoded_bytes,
            variables: self.spec.variables.len(),
            steps: self.spec.steps,
        })
    }
}

/// An error that names the file and the part of it that was in hand.
fn failed(path: &Path, item: &str) -> impl FnOnce(netcdf::Error) -> Error + use<> {
    let (path, item) = (path.to_owned(), item.to_owned());
    move |source| Error::Netcdf { path, item, source }
}

/// `0..length` cut into pieces of `size`, the last one shorter.
fn blocks(length: usize, size: usize) -> impl Iterator<Item = Range<usize>> {
    (0..length)
        .step_by(size)
        .map(move |start| start..length.min(start.saturating_add(size)))
}
