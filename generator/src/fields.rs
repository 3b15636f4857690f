//! The values of the data variables: climate by latitude, depth and season, eddies of many sizes that
//! drift with time, and noise in the last digits. A value depends on seed, variable, absolute time,
//! level and cell alone, so a step is the same in whichever file it is.

use rayon::prelude::*;

use crate::Variable;
use crate::hash::{mix_all, signed_unit, text};
use crate::ocean::Ocean;
use crate::time_axis::Step;
use crate::waves::{Waves, unit_vector};

/// What XIOS writes where there is no sea.
pub(crate) const FILL: f32 = 1e20;

/// The patterns all steps of a file are made of.
pub(crate) struct Weather {
    eddies: Waves,
    basins: Waves,
    seed: u64,
}

impl Weather {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            eddies: Waves::new(Waves::key("eddies", seed), 24, 2_500.0, 130.0, 0.6, 0.06),
            basins: Waves::new(Waves::key("basins", seed), 8, 14_000.0, 3_000.0, 0.5, 0.02),
            seed,
        }
    }
}

/// One step's surface and eddy patterns, from which any level of any variable follows. Arrays are
/// `[y, x]`.
pub(crate) struct Fields<'a> {
    ocean: &'a Ocean,
    seed: u64,
    step: Step,
    surface: Vec<Surface>,
}

#[derive(Clone, Copy, Default)]
struct Surface {
    /// degC, without eddies
    temperature: f32,
    /// 1e-3, without eddies
    salinity: f32,
    /// m
    height: f32,
    /// about -3 to 3, and the same a quarter of a wave ahead
    eddy: f32,
    ahead: f32,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(ocean: &'a Ocean, weather: &Weather, step: Step) -> Self {
        let surface = (0..ocean.wet_levels.len())
            .into_par_iter()
            .with_min_len(512)
            .map(|cell| {
                if ocean.wet_levels[cell] == 0 {
                    return Surface::default();
                }
                let latitude = f64::from(ocean.latitude[cell]);
                let point = unit_vector(latitude, f64::from(ocean.longitude[cell]));
                let (eddy, ahead) = weather.eddies.at(point, step.centre);
                let (basin, shifted) = weather.basins.at(point, step.centre);
                let (sin, cos) = latitude.to_radians().sin_cos();
                // Eddies are strongest about the western boundary currents' latitude.
                let active = 0.35 + 0.65 * (-((latitude.abs() - 38.0) / 12.0).powi(2)).exp();
                let winter = 7.0 * sin * cos * step.season[0];
                let subtropics = (-((latitude.abs() - 25.0) / 14.0).powi(2)).exp();
                Surface {
                    temperature: (29.0 * cos.powf(1.8) - 1.6 - winter + 0.9 * cos * basin) as f32,
                    salinity: (34.0 + 1.7 * subtropics + 0.35 * shifted) as f32,
                    height: (0.7 * (cos * cos - 0.6) + 0.12 * active * eddy + 0.1 * basin) as f32,
                    eddy: (active * eddy) as f32,
                    ahead: (active * ahead) as f32,
                }
            })
            .collect();
        Self {
            ocean,
            seed: weather.seed,
            step,
            surface,
        }
    }

    /// Fills row `j` at level `k` (0 for a variable without depth); `row` holds `nx` values.
    pub(crate) fn row(&self, variable: Variable, k: usize, j: usize, row: &mut [f32]) {
        let first = j * self.ocean.grid.nx();
        let key = mix_all(&[
            self.seed,
            text(variable.name()),
            self.step.centre.to_bits(),
            k as u64,
        ]);
        let value = self.profile(variable, k);
        for (cell, out) in (first..).zip(row) {
            *out = if usize::from(self.ocean.wet_levels[cell]) > k {
                let noise = signed_unit(key ^ u64::from(self.ocean.core[cell]));
                value(cell, noise)
            } else {
                FILL
            };
        }
    }

    /// The formula of a variable at a level: from a wet cell and noise in [-1, 1) to its value.
    fn profile(&self, variable: Variable, k: usize) -> Box<dyn Fn(usize, f32) -> f32 + '_> {
        let surface = |cell: usize| &self.surface[cell];
        let depth = self.ocean.levels.depth[k];
        // How much of the surface is left at this depth.
        let warm = (0.55 * (-depth / 250.0).exp() + 0.45 * (-depth / 1_100.0).exp()) as f32;
        let deep = (3.4 - 0.0004 * depth) as f32;
        let turn = depth / 900.0;
        let stirring = 0.03 + (-depth / 600.0).exp();
        let (here, there) = (
            (stirring * turn.cos()) as f32,
            (stirring * turn.sin()) as f32,
        );
        match variable {
            Variable::Thetao | Variable::Tos => Box::new(move |cell, noise| {
                let s = surface(cell);
                let eddy = here * s.eddy + there * s.ahead;
                deep + (s.temperature - deep) * warm + 1.5 * eddy + 2e-3 * noise
            }),
            Variable::So | Variable::Sos => Box::new(move |cell, noise| {
                let s = surface(cell);
                let eddy = here * s.ahead - there * s.eddy;
                34.7 + (s.salinity - 34.7) * warm + 0.15 * eddy + 1e-3 * noise
            }),
            Variable::E3t => {
                let (full, top) = (
                    self.ocean.levels.thickness(k) as f32,
                    self.ocean.levels.interface[k] as f32,
                );
                Box::new(move |cell, noise| {
                    let floor = self.ocean.depth[cell];
                    let bottom = usize::from(self.ocean.wet_levels[cell]) == k + 1;
                    let still = if bottom {
                        // A partial cell, as NEMO's zps coordinate has at the floor.
                        (floor - top).clamp(0.2 * full, full)
                    } else {
                        full
                    };
                    still * (1.0 + surface(cell).height / floor + 3e-6 * noise)
                })
            }
            Variable::Zos => Box::new(move |cell, noise| surface(cell).height + 1e-5 * noise),
            Variable::Mldr10_1 => Box::new(move |cell, noise| {
                let s = surface(cell);
                let winter = self.ocean.latitude[cell].to_radians().sin() * self.season();
                let mixed = 60.0 + 45.0 * winter + 9.0 * s.eddy + 0.01 * noise;
                mixed.clamp(10.0, self.ocean.depth[cell].max(10.0))
            }),
            Variable::QtOce => Box::new(move |cell, noise| {
                let (sin, cos) = self.ocean.latitude[cell].to_radians().sin_cos();
                let s = surface(cell);
                90.0 * (cos * cos - 0.55) - 130.0 * sin * self.season()
                    + 25.0 * s.ahead
                    + 0.01 * noise
            }),
        }
    }

    /// 1 in the northern midwinter, -1 half a year later, 0 for whole years.
    fn season(&self) -> f32 {
        self.step.season[0] as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Calendar, time_axis};

    fn level(ocean: &Ocean, variable: Variable, frequency: &str, k: usize) -> Vec<f32> {
        let start = "1976-01-01".parse().unwrap();
        let step = time_axis::steps(start, frequency.parse().unwrap(), Calendar::NoLeap, 1)[0];
        let fields = Fields::new(ocean, &Weather::new(1), step);
        let mut values = vec![0.0; ocean.wet_levels.len()];
        for (j, row) in values.chunks_mut(ocean.grid.nx()).enumerate() {
            fields.row(variable, k, j, row);
        }
        values
    }

    fn wet(values: &[f32]) -> Vec<f32> {
        values.iter().copied().filter(|&v| v != FILL).collect()
    }

    #[test]
    fn values_are_those_of_a_sea() {
        let ocean = Ocean::new(&"60x50x10".parse().unwrap());
        let ranges = [
            (Variable::Thetao, -5.0, 36.0),
            (Variable::So, 30.0, 39.0),
            (Variable::E3t, 0.5, 1_400.0),
            (Variable::Tos, -5.0, 36.0),
            (Variable::Sos, 30.0, 39.0),
            (Variable::Zos, -2.0, 2.0),
            (Variable::Mldr10_1, 10.0, 300.0),
            (Variable::QtOce, -400.0, 400.0),
        ];
        for (variable, low, high) in ranges {
            for frequency in ["1m", "1y", "6h"] {
                let values = wet(&level(&ocean, variable, frequency, 0));
                assert!(values.len() > 1_500);
                for value in values {
                    assert!((low..=high).contains(&value), "{variable} {value}");
                }
            }
        }
    }

    #[test]
    fn deep_water_is_colder() {
        let ocean = Ocean::new(&"60x50x10".parse().unwrap());
        let mean = |k| {
            let values = wet(&level(&ocean, Variable::Thetao, "1m", k));
            values.iter().sum::<f32>() / values.len() as f32
        };
        assert!(mean(0) > mean(4) && mean(4) > mean(8));
    }

    #[test]
    fn halo_cells_repeat_what_they_stand_for() {
        let ocean = Ocean::new(&"eORCA1".parse().unwrap());
        let values = level(&ocean, Variable::Thetao, "1m", 0);
        let at = |j: usize, i: usize| values[j * 362 + i];
        for j in 0..332 {
            assert_eq!((at(j, 0), at(j, 361)), (at(j, 360), at(j, 1)), "row {j}");
        }
        for i in 1..361 {
            assert_eq!(at(331, i), at(330, 361 - i), "column {i}");
        }
    }
}
