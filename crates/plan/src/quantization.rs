//! The variable that says how others were quantised, which no file has (CF conventions 1.12, §8.4.2).

use super::coordinates::text;
use super::projected::DerivedVariable;
use super::target::Derivation;
use msm_model::{Catalogue, DType, QUANTIZATION, Variable, VariableType};
use msm_zarr::StoreSnapshot;

/// That variable, if any of the arrays `members` of a store is quantised and was made to say so; the store is `stored` if it is there.
#[must_use]
pub fn quantization(
    catalogue: &Catalogue,
    members: &[String],
    stored: Option<&StoreSnapshot>,
) -> Option<DerivedVariable> {
    let holds = |name: &str| stored.is_some_and(|stored| stored.holds(name));
    let says_so = |name: &String| {
        let recipe = catalogue.recipe_of(name);
        let is_quantised = recipe.is_some_and(|recipe| recipe.keep_bits.is_some());
        // The attributes of an array that is there are the store's.
        is_quantised && (holds(QUANTIZATION) || !holds(name))
    };
    members.iter().any(says_so).then(|| DerivedVariable {
        variable: Variable {
            name: QUANTIZATION.to_owned(),
            kind: VariableType::Number(DType::I32),
            dimensions: Vec::new(),
            shape: Vec::new(),
            stored_chunks: None,
            attributes: [
                ("algorithm", "bitround"),
                (
                    "implementation",
                    concat!("msm-os ", env!("CARGO_PKG_VERSION")),
                ),
            ]
            .map(|(name, value)| (name.to_owned(), text(value)))
            .to_vec(),
        },
        form: Derivation::Made(0i32.to_le_bytes().to_vec()),
        of: None,
        replaces: false,
    })
}
