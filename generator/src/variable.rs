//! The data variables a file can hold, with the attributes NEMO's `field_def` files give them.

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// A data variable on the T grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Variable {
    /// potential temperature, `[time_counter, deptht, y, x]`, degC
    Thetao,
    /// practical salinity, `[time_counter, deptht, y, x]`, 1e-3
    So,
    /// cell thickness, `[time_counter, deptht, y, x]`, m
    E3t,
    /// surface temperature, `[time_counter, y, x]`, degC
    Tos,
    /// surface salinity, `[time_counter, y, x]`, 1e-3
    Sos,
    /// surface height, `[time_counter, y, x]`, m
    Zos,
    /// mixed layer depth, `[time_counter, y, x]`, m
    Mldr10_1,
    /// net downward heat flux, `[time_counter, y, x]`, W/m2
    QtOce,
}

impl Variable {
    /// Every variable, in the order they are written.
    pub const ALL: [Self; 8] = [
        Self::Thetao,
        Self::So,
        Self::E3t,
        Self::Tos,
        Self::Sos,
        Self::Zos,
        Self::Mldr10_1,
        Self::QtOce,
    ];

    /// The name in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Thetao => "thetao",
            Self::So => "so",
            Self::E3t => "e3t",
            Self::Tos => "tos",
            Self::Sos => "sos",
            Self::Zos => "zos",
            Self::Mldr10_1 => "mldr10_1",
            Self::QtOce => "qt_oce",
        }
    }

    /// Whether it has the dimension `deptht`.
    pub fn has_depth(self) -> bool {
        matches!(self, Self::Thetao | Self::So | Self::E3t)
    }

    /// The dimensions, slowest first.
    pub fn dimensions(self) -> &'static [&'static str] {
        if self.has_depth() {
            &["time_counter", "deptht", "y", "x"]
        } else {
            &["time_counter", "y", "x"]
        }
    }

    pub(crate) fn standard_name(self) -> &'static str {
        match self {
            Self::Thetao => "sea_water_potential_temperature",
            Self::So => "sea_water_practical_salinity",
            Self::E3t => "cell_thickness",
            Self::Tos => "sea_surface_temperature",
            Self::Sos => "sea_surface_salinity",
            Self::Zos => "sea_surface_height_above_geoid",
            Self::Mldr10_1 => "ocean_mixed_layer_thickness_defined_by_sigma_theta",
            Self::QtOce => "surface_downward_heat_flux_in_sea_water",
        }
    }

    pub(crate) fn long_name(self) -> &'static str {
        match self {
            Self::Thetao => "temperature",
            Self::So => "salinity",
            Self::E3t => "T-cell thickness",
            Self::Tos => "sea surface temperature",
            Self::Sos => "sea surface salinity",
            Self::Zos => "sea surface height",
            Self::Mldr10_1 => "Mixed Layer Depth (dsigma = 0.01 wrt 10m)",
            Self::QtOce => "total flux at ocean surface",
        }
    }

    pub(crate) fn units(self) -> &'static str {
        match self {
            Self::Thetao | Self::Tos => "degC",
            Self::So | Self::Sos => "1e-3",
            Self::E3t | Self::Zos | Self::Mldr10_1 => "m",
            Self::QtOce => "W/m2",
        }
    }
}

impl FromStr for Variable {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|v| v.name() == word)
            .ok_or_else(|| {
                Error::parse(
                    "variable",
                    word,
                    "thetao, so, e3t, tos, sos, zos, mldr10_1 or qt_oce",
                )
            })
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
