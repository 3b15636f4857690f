//! The structure of the file as XIOS lays it out: dimensions, coordinates with their bounds, data
//! variables, attributes. Defines everything and writes no data.

use netcdf::{AttributeValue, FileMut, NcTypeDescriptor};

use crate::chunks::{ChunkShape, horizontal_chunk};
use crate::fields::FILL;
use crate::hash;
use crate::{Spec, Variable};

const TIME_UNITS: &str = "seconds since 1900-01-01 00:00:00";
const TIME_ORIGIN: &str = "1900-01-01 00:00:00";
/// A fixed instant: files must not depend on when they are made.
const TIME_STAMP: &str = "2024-Jan-01 00:00:00 GMT";
/// The model's time step, over which XIOS averages.
const MODEL_STEP: &str = "1800 s";

/// Defines the file's contents. The caller ends define mode.
pub(crate) struct Layout<'a> {
    pub file: &'a mut FileMut,
    pub spec: &'a Spec,
    /// the file's stem, which XIOS repeats in the global attribute `name`
    pub name: &'a str,
}

impl Layout<'_> {
    pub(crate) fn define(mut self) -> netcdf::Result<()> {
        let deep = self.spec.variables.iter().any(|v| v.has_depth());
        self.dimensions(deep)?;
        self.horizontal()?;
        if deep {
            self.vertical()?;
        }
        self.time()?;
        for &variable in &self.spec.variables {
            self.data(variable)?;
        }
        self.global()
    }

    fn dimensions(&mut self, deep: bool) -> netcdf::Result<()> {
        let grid = &self.spec.grid;
        self.file.add_dimension("axis_nbounds", 2)?;
        self.file.add_dimension("x", grid.nx())?;
        self.file.add_dimension("y", grid.ny())?;
        self.file.add_dimension("nvertex", 4)?;
        if deep {
            self.file.add_dimension("deptht", grid.nz())?;
        }
        self.file.add_unlimited_dimension("time_counter")?;
        Ok(())
    }

    fn horizontal(&mut self) -> netcdf::Result<()> {
        let (ny, nx) = (self.spec.grid.ny(), self.spec.grid.nx());
        for (name, standard, long, units, bounds) in [
            (
                "nav_lat",
                "latitude",
                "Latitude",
                "degrees_north",
                "bounds_lat",
            ),
            (
                "nav_lon",
                "longitude",
                "Longitude",
                "degrees_east",
                "bounds_lon",
            ),
        ] {
            self.variable::<f32>(
                name,
                &["y", "x"],
                &horizontal_chunk(&[ny, nx]),
                &[
                    ("standard_name", standard.into()),
                    ("long_name", long.into()),
                    ("units", units.into()),
                    ("nav_model", "grid_T".into()),
                    ("bounds", bounds.into()),
                ],
            )?;
        }
        for name in ["bounds_lon", "bounds_lat"] {
            let chunk = horizontal_chunk(&[ny, nx, 4]);
            self.variable::<f32>(name, &["y", "x", "nvertex"], &chunk, &[])?;
        }
        Ok(())
    }

    fn vertical(&mut self) -> netcdf::Result<()> {
        let nz = self.spec.grid.nz();
        self.variable::<f32>(
            "deptht",
            &["deptht"],
            &[nz],
            &[
                ("name", "deptht".into()),
                ("long_name", "Vertical T levels".into()),
                ("units", "m".into()),
                ("positive", "down".into()),
                ("bounds", "deptht_bounds".into()),
            ],
        )?;
        self.variable::<f32>(
            "deptht_bounds",
            &["deptht", "axis_nbounds"],
            &[nz, 2],
            &[("units", "m".into())],
        )
    }

    fn time(&mut self) -> netcdf::Result<()> {
        let axis = ("axis", AttributeValue::from("T"));
        self.time_variable("time_centered", &[])?;
        if self.spec.time_units_on_counter {
            self.time_variable("time_counter", &[axis])
        } else {
            self.variable::<f64>("time_counter", &["time_counter"], &[1], &[axis])
        }
    }

    /// A time coordinate and its bounds.
    fn time_variable(
        &mut self,
        name: &str,
        first: &[(&str, AttributeValue)],
    ) -> netcdf::Result<()> {
        let bounds = format!("{name}_bounds");
        let mut attributes = first.to_vec();
        attributes.extend([
            ("standard_name", "time".into()),
            ("long_name", "Time axis".into()),
            ("calendar", self.spec.calendar.name().into()),
            ("units", TIME_UNITS.into()),
            ("time_origin", TIME_ORIGIN.into()),
            ("bounds", bounds.as_str().into()),
        ]);
        self.variable::<f64>(name, &["time_counter"], &[1], &attributes)?;
        self.variable::<f64>(&bounds, &["time_counter", "axis_nbounds"], &[1, 2], &[])
    }

    fn data(&mut self, variable: Variable) -> netcdf::Result<()> {
        let chunks = ChunkShape::new(&self.spec.grid, variable, self.spec.chunks).sizes(variable);
        let coordinates = if variable.has_depth() {
            "time_centered deptht nav_lat nav_lon"
        } else {
            "time_centered nav_lat nav_lon"
        };
        let methods = format!("time: mean (interval: {MODEL_STEP})");
        self.variable::<f32>(
            variable.name(),
            variable.dimensions(),
            &chunks,
            &[
                ("standard_name", variable.standard_name().into()),
                ("long_name", variable.long_name().into()),
                ("units", variable.units().into()),
                ("online_operation", "average".into()),
                ("interval_operation", MODEL_STEP.into()),
                (
                    "interval_write",
                    self.spec.frequency.interval_write().into(),
                ),
                ("cell_methods", methods.into()),
                ("_FillValue", FILL.into()),
                ("missing_value", FILL.into()),
                ("coordinates", coordinates.into()),
            ],
        )
    }

    /// Defines one variable; chunks and filters only where the format has them. XIOS filters the
    /// horizontal arrays too, but no one-dimensional ones.
    fn variable<T: NcTypeDescriptor>(
        &mut self,
        name: &str,
        dimensions: &[&str],
        chunks: &[usize],
        attributes: &[(&str, AttributeValue)],
    ) -> netcdf::Result<()> {
        let spec = self.spec;
        let mut variable = self.file.add_variable::<T>(name, dimensions)?;
        if spec.format.is_hdf5() {
            variable.set_chunking(chunks)?;
            if spec.deflate > 0 && dimensions.contains(&"x") {
                variable.set_compression(i32::from(spec.deflate), spec.shuffle)?;
            }
        }
        for (attribute, value) in attributes {
            variable.put_attribute(attribute, value.clone())?;
        }
        Ok(())
    }

    fn global(&mut self) -> netcdf::Result<()> {
        let uuid = hash::uuid(&format!("{:?}", self.spec));
        for (attribute, value) in [
            ("name", self.name),
            ("description", "ocean T grid variables"),
            ("title", "ocean T grid variables"),
            ("Conventions", "CF-1.6"),
            ("timeStamp", TIME_STAMP),
            ("uuid", &uuid),
        ] {
            self.file.add_attribute(attribute, value)?;
        }
        Ok(())
    }
}
