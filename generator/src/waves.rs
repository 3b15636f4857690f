//! Smooth random patterns on the sphere: sums of plane waves in the unit vector of a point, so that
//! they have no seam at the date line, the poles or the north fold.

use std::f64::consts::TAU;

use crate::hash::{mix, mix_all, unit};

/// The earth's radius, km.
const RADIUS: f64 = 6_371.0;

/// A point on the unit sphere.
pub(crate) type Point = [f64; 3];

/// The unit vector of a latitude and longitude in degrees.
pub(crate) fn unit_vector(latitude: f64, longitude: f64) -> Point {
    let (sin, cos) = latitude.to_radians().sin_cos();
    let (east, toward) = longitude.to_radians().sin_cos();
    [cos * toward, cos * east, sin]
}

pub(crate) fn dot(a: Point, b: Point) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// A sum of plane waves of unit variance.
#[derive(Debug, Clone)]
pub(crate) struct Waves(Vec<Wave>);

#[derive(Debug, Clone)]
struct Wave {
    vector: Point,
    phase: f64,
    /// radians a second
    frequency: f64,
    amplitude: f64,
}

impl Waves {
    /// `n` waves in random directions, with wavelengths from `long` to `short` km evenly spaced in
    /// their logarithm, drifting at `speed` m/s. Shorter ones are weaker: amplitude ∝ length^`slope`.
    pub(crate) fn new(key: u64, n: usize, long: f64, short: f64, slope: f64, speed: f64) -> Self {
        let lengths: Vec<f64> = (0..n)
            .map(|i| long * (short / long).powf(i as f64 / (n.max(2) - 1) as f64))
            .collect();
        let energy: f64 = lengths.iter().map(|l| 0.5 * l.powf(2.0 * slope)).sum();
        let waves = lengths.iter().enumerate().map(|(i, length)| {
            let random = |what: u64| unit(mix_all(&[key, i as u64, what]));
            let up = 2.0 * random(0) - 1.0;
            let (sin, cos) = (TAU * random(1)).sin_cos();
            let across = (1.0 - up * up).sqrt();
            let number = TAU * RADIUS / length;
            Wave {
                vector: [number * across * cos, number * across * sin, number * up],
                phase: TAU * random(2),
                frequency: TAU * speed / (1_000.0 * length),
                amplitude: length.powf(slope) / energy.sqrt(),
            }
        });
        Self(waves.collect())
    }

    /// The pattern and the one a quarter of a wave ahead, at a point and a time in seconds.
    pub(crate) fn at(&self, point: Point, seconds: f64) -> (f64, f64) {
        let (mut sum, mut ahead) = (0.0, 0.0);
        for wave in &self.0 {
            let angle = dot(wave.vector, point) + wave.phase + wave.frequency * seconds;
            let (sin, cos) = angle.sin_cos();
            sum += wave.amplitude * sin;
            ahead += wave.amplitude * cos;
        }
        (sum, ahead)
    }

    /// The key of a pattern by a word and a seed.
    pub(crate) fn key(word: &str, seed: u64) -> u64 {
        mix(crate::hash::text(word) ^ mix(seed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variance_is_one() {
        let waves = Waves::new(3, 12, 2_000.0, 200.0, 0.5, 0.05);
        let mut sum = 0.0;
        for i in 0..4_000 {
            let point = unit_vector((unit(i) * 2.0 - 1.0).asin().to_degrees(), 360.0 * unit(!i));
            sum += waves.at(point, 0.0).0.powi(2);
        }
        assert!((sum / 4_000.0 - 1.0).abs() < 0.15, "{}", sum / 4_000.0);
    }
}
