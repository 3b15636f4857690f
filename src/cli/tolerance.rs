//! How far coordinates may be apart that count as the same.
//!
//! Key type: [`ToleranceArgs`].

use clap::Args;

/// What `send`, `update` and `verify` are told alike.
#[derive(Args)]
pub(super) struct ToleranceArgs {
    /// How far static coordinates of floating-point type may be from the store's, and from file to file: 1e-6, for files written
    /// on different machines
    ///
    /// Absolute for values between -1 and 1, relative to their magnitude beyond: with 1e-6, a longitude of 180 may be off by
    /// 0.00018 degrees, a depth of 5000 m by 5 mm. Without it they must be the same. Stores keep the values they have.
    #[arg(long, value_name = "T", default_value_t = 0.0, value_parser = tolerance, hide_default_value = true)]
    pub coords_tolerance: f64,
}

fn tolerance(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok();
    let number = number.filter(|t| (0.0..0.1).contains(t));
    number.ok_or_else(|| "expected a number from 0 to less than 0.1, such as 1e-6".to_owned())
}
