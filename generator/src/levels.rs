//! The vertical grid: NEMO's analytic z-levels, those of ORCA L75 sampled at any number of levels.
//!
//! NEMO ocean engine (Madec et al.), chapter "Domain", §"Vertical grid", with the double tanh:
//!
//! ```text
//! z(k) = sur + a0 k + a1 acr ln cosh((k − kth)/acr) + a2 acr2 ln cosh((k − kth2)/acr2)
//! ```
//!
//! and the coefficients of the L75 namelist (`ppsur`, `ppa0`, …).

/// The index at the bottom of the deepest L75 level.
const BOTTOM: f64 = 76.0;

/// Depths of the levels, metres, positive down.
#[derive(Debug, Clone)]
pub(crate) struct Levels {
    /// at the T points, `[nz]`
    pub depth: Vec<f64>,
    /// of the interfaces, `[nz + 1]`, from the surface
    pub interface: Vec<f64>,
}

impl Levels {
    pub(crate) fn new(nz: usize) -> Self {
        let step = (BOTTOM - 1.0) / nz as f64;
        let mut interface: Vec<f64> = (0..=nz).map(|k| l75(1.0 + k as f64 * step)).collect();
        // As NEMO does: the formula is off by some 10⁻⁹ m at the surface.
        interface[0] = 0.0;
        Self {
            depth: (0..nz)
                .map(|k| l75(1.0 + (k as f64 + 0.5) * step))
                .collect(),
            interface,
        }
    }

    /// Thickness of a full cell, metres.
    pub(crate) fn thickness(&self, k: usize) -> f64 {
        self.interface[k + 1] - self.interface[k]
    }
}

/// Depth of a fractional L75 index, metres: whole numbers are W points, halves T points.
fn l75(k: f64) -> f64 {
    let bend = |amplitude: f64, kth: f64, acr: f64| amplitude * acr * ((k - kth) / acr).cosh().ln();
    -3_958.951_371_276_829
        + 103.953_009_6 * k
        + bend(2.415_951_269, 15.351_013_7, 7.0)
        + bend(100.760_928_5, 48.029_893_72, 13.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seventy_five_levels_are_those_of_orca() {
        let levels = Levels::new(75);
        assert!((levels.depth[0] - 0.505_760).abs() < 1e-5);
        assert!((levels.depth[1] - 1.555_855).abs() < 1e-5);
        assert!((levels.depth[74] - 5_902.058).abs() < 1e-2);
    }

    #[test]
    fn depths_grow_between_their_interfaces_for_any_number_of_levels() {
        for nz in [1, 2, 5, 31, 75, 121] {
            let levels = Levels::new(nz);
            for k in 0..nz {
                assert!(levels.interface[k] < levels.depth[k]);
                assert!(levels.depth[k] < levels.interface[k + 1]);
            }
        }
    }
}
