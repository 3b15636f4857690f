//! Where a variable's cells are: its two-dimensional longitude and latitude, and on which points of the model's grid.
//!
//! Key types: [`HorizontalCoordinates`], [`GridPoint`].

use std::path::Path;

use super::attribute::Attribute;
use super::catalogue::Catalogue;
use super::variable::Variable;

/// The coordinates of the cells that a variable lies on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HorizontalCoordinates {
    /// The variable of degrees east.
    pub longitude: String,
    /// The variable of degrees north.
    pub latitude: String,
    /// On which points of the model's staggered grid they are, if the file says so.
    pub point: Option<GridPoint>,
}

/// The points of the Arakawa C grid (NEMO reference manual, "Arrangement of variables").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum GridPoint {
    T,
    U,
    V,
    W,
    F,
}

impl Catalogue {
    /// The two-dimensional coordinates of `variable`, whose last two dimensions are theirs, and which its `coordinates`
    /// attribute names; `None` if it names none. Which of a file's others are meant, nothing tells: those of U points lie half a
    /// cell from those of T points.
    #[must_use]
    pub fn horizontal(&self, variable: &Variable) -> Option<HorizontalCoordinates> {
        let plane = plane(variable)?;
        let named = |v: &&Variable| variable.words("coordinates").any(|name| name == v.name);
        let pick = |is: fn(&Variable) -> bool| {
            let mut on_plane = self.variables.iter().filter(|v| v.dimensions == plane);
            on_plane.find(|v| named(v) && is(v))
        };
        let (longitude, latitude) = (pick(is_longitude)?, pick(is_latitude)?);
        Some(HorizontalCoordinates {
            point: point(longitude, &self.path),
            longitude: longitude.name.clone(),
            latitude: latitude.name.clone(),
        })
    }

    /// The longitudes of the columns and the latitudes of the rows of `variable`, if it lies on a grid that has such: an array of one
    /// dimension each.
    #[must_use]
    pub fn horizontal_axes(&self, variable: &Variable) -> Option<HorizontalCoordinates> {
        let [rows, columns] = plane(variable)? else {
            return None;
        };
        let pick = |dimension: &String, is: fn(&Variable) -> bool| {
            let mut along = self
                .variables
                .iter()
                .filter(|v| v.dimensions == [dimension.as_str()]);
            along.find(|v| is(v)).map(|v| v.name.clone())
        };
        Some(HorizontalCoordinates {
            longitude: pick(columns, is_longitude)?,
            latitude: pick(rows, is_latitude)?,
            point: None,
        })
    }

    /// The longitude and the latitude that belong to `variable` though nothing names them: the only ones of its last two
    /// dimensions, or those that NEMO calls `nav_lon` and `nav_lat`. What some variable names belongs to those that name it.
    #[must_use]
    pub fn unnamed_horizontal(&self, variable: &Variable) -> Vec<String> {
        let Some(plane) = plane(variable) else {
            return Vec::new();
        };
        let pick = |is: fn(&Variable) -> bool, usual: &str| {
            let on_plane = self.variables.iter().filter(|v| v.dimensions == plane);
            let found: Vec<&Variable> = on_plane.filter(|v| is(v)).collect();
            match found[..] {
                [one] => Some(one),
                _ => found.iter().find(|v| v.name == usual).copied(),
            }
        };
        let pair = [pick(is_longitude, "nav_lon"), pick(is_latitude, "nav_lat")];
        let [Some(longitude), Some(latitude)] = pair else {
            return Vec::new();
        };
        if [&longitude.name, &latitude.name].contains(&&variable.name) {
            return Vec::new();
        }
        let is_named = |coordinate: &Variable| {
            let mut all = self.variables.iter().flat_map(|v| v.words("coordinates"));
            all.any(|name| name == coordinate.name)
        };
        let unnamed = [longitude, latitude].into_iter().filter(|c| !is_named(c));
        unnamed.map(|coordinate| coordinate.name.clone()).collect()
    }
}

/// The last two of the dimensions of `variable`, if it has so many.
fn plane(variable: &Variable) -> Option<&[String]> {
    let leading = variable.dimensions.len().checked_sub(2)?;
    Some(&variable.dimensions[leading..])
}

fn is_longitude(variable: &Variable) -> bool {
    is(variable, "longitude", "east", &["nav_lon", "glam", "lon"])
}

fn is_latitude(variable: &Variable) -> bool {
    is(variable, "latitude", "north", &["nav_lat", "gphi", "lat"])
}

/// By its `standard_name`, its units (CF conventions 1.11, §4.1 and §4.2) or, if it has neither, its name.
fn is(variable: &Variable, standard: &str, direction: &str, names: &[&str]) -> bool {
    let text = |name: &str| variable.attribute(name).and_then(Attribute::text);
    if let Some(name) = text("standard_name") {
        return name == standard;
    }
    let units = text("units").unwrap_or_default().to_lowercase();
    if let Some(rest) = units.strip_prefix("degree") {
        let rest = rest.trim_start_matches('s').trim_start_matches('_');
        if !rest.is_empty() {
            return rest == direction || rest == &direction[..1];
        }
    }
    names.iter().any(|name| is_named(&variable.name, name))
}

/// Does `name` begin with `word`, or with the whole word that `word` is short for? A latent heat flux is no latitude.
fn is_named(name: &str, word: &str) -> bool {
    let Some(rest) = name.to_lowercase().strip_prefix(word).map(str::to_owned) else {
        return false;
    };
    let whole = rest.strip_prefix("gitude").or(rest.strip_prefix("itude"));
    let rest = whole.unwrap_or(&rest);
    // glamt, gphiu
    let point = rest.len() == 1 && word.starts_with('g');
    rest.is_empty() || point || rest.starts_with(|c: char| !c.is_alphabetic())
}

/// By the coordinate's `nav_model`, which XIOS writes (`grid_T`), the end of its name, or the file's name.
fn point(longitude: &Variable, path: &Path) -> Option<GridPoint> {
    let model = longitude.attribute("nav_model").and_then(Attribute::text);
    let file = path.file_name().map(|name| name.to_string_lossy());
    let texts = [model, Some(&longitude.name), file.as_deref()];
    texts.into_iter().flatten().find_map(point_in)
}

/// The point that stands behind the word "grid" in `text`.
fn point_in(text: &str) -> Option<GridPoint> {
    let text = text.to_ascii_lowercase();
    text.match_indices("grid").find_map(|(at, word)| {
        let rest = text[at + word.len()..].trim_start_matches(['_', '-', ' ']);
        let mut rest = rest.chars();
        let point = match rest.next()? {
            't' => GridPoint::T,
            'u' => GridPoint::U,
            'v' => GridPoint::V,
            'w' => GridPoint::W,
            'f' => GridPoint::F,
            _ => return None,
        };
        let ends = rest.next().is_none_or(|next| !next.is_alphanumeric());
        ends.then_some(point)
    })
}

/// Names of vector components, where there is no `standard_name` to tell: NEMO's own and those of CMIP.
const COMPONENTS: [&str; 22] = [
    "uo", "vo", "uos", "vos", "umo", "vmo", "ubar", "vbar", "vozocrtx", "vomecrty", "sozotaux",
    "sometauy", "utau", "vtau", "tauuo", "tauvo", "uoce", "voce", "u", "v", "siu", "siv",
];

impl Variable {
    /// Is it a component of a vector along the rows or columns of the model's grid? Its `standard_name` tells by the word
    /// x or y (those of true east and north are called `eastward` and `northward`); else its name; else that it lies on U or V
    /// points and is no scale factor (e1, e2, e3).
    #[must_use]
    pub fn is_component(&self, point: Option<GridPoint>) -> bool {
        if let Some(name) = self.attribute("standard_name").and_then(Attribute::text) {
            return name.split('_').any(|word| word == "x" || word == "y");
        }
        if COMPONENTS.contains(&self.name.as_str()) {
            return true;
        }
        let scale = ["e1", "e2", "e3"].iter().any(|e| self.name.starts_with(e));
        matches!(point, Some(GridPoint::U | GridPoint::V)) && !scale
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DType, VariableType};
    use std::path::PathBuf;

    fn variable(name: &str, dimensions: &[&str], attributes: &[(&str, &str)]) -> Variable {
        Variable {
            name: name.to_owned(),
            kind: VariableType::Number(DType::F32),
            dimensions: dimensions.iter().map(|d| (*d).to_owned()).collect(),
            shape: vec![2; dimensions.len()],
            stored_chunks: None,
            attributes: attributes
                .iter()
                .map(|(name, text)| ((*name).to_owned(), Attribute::Text((*text).to_owned())))
                .collect(),
        }
    }

    fn catalogue(path: &str, variables: Vec<Variable>) -> Catalogue {
        Catalogue {
            path: PathBuf::from(path),
            dimensions: Vec::new(),
            variables,
            ..Catalogue::default()
        }
    }

    #[test]
    fn each_variable_has_its_own_coordinates() {
        let plane = ["y", "x"];
        let east = [("units", "degrees_east")];
        let north = [("units", "degrees_north")];
        let catalogue = catalogue(
            "a.nc",
            vec![
                variable("nav_lon_grid_T", &plane, &east),
                variable("nav_lat_grid_T", &plane, &north),
                variable("nav_lon_grid_U", &plane, &east),
                variable("nav_lat_grid_U", &plane, &north),
                variable("other", &["b", "a"], &[]),
                variable("glamt", &["b", "a"], &[]),
                variable("gphit", &["b", "a"], &[]),
            ],
        );
        let of = |dimensions: &[&str], coordinates: &str| {
            let variable = variable("v", dimensions, &[("coordinates", coordinates)]);
            let found = catalogue.horizontal(&variable)?;
            Some((found.longitude, found.latitude, found.point))
        };
        let u = of(&["t", "y", "x"], "time nav_lat_grid_U nav_lon_grid_U").unwrap();
        assert_eq!(
            u,
            (
                "nav_lon_grid_U".to_owned(),
                "nav_lat_grid_U".to_owned(),
                Some(GridPoint::U)
            )
        );
        assert_eq!(of(&["t", "y", "x"], "time"), None);
        assert_eq!(of(&["t", "b", "a"], ""), None);
        let unnamed = |name: &str, dimensions: &[&str]| {
            catalogue.unnamed_horizontal(&variable(name, dimensions, &[]))
        };
        // Which of two?
        assert!(unnamed("v", &["t", "y", "x"]).is_empty());
        assert_eq!(unnamed("v", &["t", "b", "a"]), ["glamt", "gphit"]);
        assert!(unnamed("glamt", &["b", "a"]).is_empty());
        assert_eq!(of(&["y", "x", "nvertex"], "nav_lat_grid_U"), None);
        assert_eq!(of(&["t"], ""), None);
    }

    #[test]
    fn rows_and_columns_may_have_a_latitude_and_a_longitude_each() {
        let catalogue = catalogue(
            "a.nc",
            vec![
                variable("lon", &["lon"], &[("units", "degrees_east")]),
                variable("lat", &["lat"], &[("units", "degrees_north")]),
                variable("y", &["y"], &[]),
            ],
        );
        let of = |dimensions: &[&str]| {
            let found = catalogue.horizontal_axes(&variable("v", dimensions, &[]))?;
            Some((found.longitude, found.latitude))
        };
        let axes = of(&["time", "lat", "lon"]);
        assert_eq!(axes, Some(("lon".to_owned(), "lat".to_owned())));
        assert_eq!(of(&["y", "lon"]), None);
        assert_eq!(of(&["lon", "lat"]), None);
        assert_eq!(of(&["lon"]), None);
    }

    #[test]
    fn longitudes_by_standard_name_units_or_name() {
        for (name, attributes, expected) in [
            ("x", &[("standard_name", "longitude")][..], true),
            ("nav_lon", &[("standard_name", "grid_longitude")], false),
            ("x", &[("units", "degrees_east")], true),
            ("x", &[("units", "degreeE")], true),
            ("nav_lon", &[("units", "degrees_north")], false),
            ("glamt", &[("units", "degrees")], true),
            ("nav_lon", &[], true),
            ("x", &[("units", "Degrees_East")], true),
            ("Longitude", &[], true),
            ("lon_rho", &[], true),
            ("longwave", &[], false),
            ("tos", &[("units", "degC")], false),
        ] {
            let variable = variable(name, &["y", "x"], attributes);
            assert_eq!(is_longitude(&variable), expected, "{name} {attributes:?}");
        }
    }

    #[test]
    fn points_by_coordinate_or_file() {
        for (model, file, expected) in [
            ("grid_T", "a.nc", Some(GridPoint::T)),
            ("grid-V", "eORCA1_1m_grid_T_1976.nc", Some(GridPoint::V)),
            (
                "Default grid",
                "nemo_1m_20150101_grid-U.nc",
                Some(GridPoint::U),
            ),
            ("", "eORCA1_1y_gridW_1976.nc", Some(GridPoint::W)),
            ("", "eORCA1_1y_icemod_1976.nc", None),
        ] {
            let longitude = variable("nav_lon", &["y", "x"], &[("nav_model", model)]);
            assert_eq!(
                point(&longitude, Path::new(file)),
                expected,
                "{model} {file}"
            );
        }
    }

    #[test]
    fn vector_components() {
        let is = |name: &str, standard: &str, point| {
            let attributes = [("standard_name", standard)];
            let attributes = if standard.is_empty() {
                &[][..]
            } else {
                &attributes
            };
            variable(name, &["y", "x"], attributes).is_component(point)
        };
        assert!(is("a", "sea_water_x_velocity", None));
        assert!(is("a", "surface_downward_y_stress", Some(GridPoint::T)));
        assert!(!is("a", "eastward_sea_water_velocity", Some(GridPoint::T)));
        assert!(!is("e3u", "cell_thickness", Some(GridPoint::U)));
        assert!(is("vozocrtx", "", None));
        assert!(is("something", "", Some(GridPoint::V)));
        assert!(!is("e3v", "", Some(GridPoint::V)));
        assert!(!is("tos", "sea_surface_temperature", Some(GridPoint::T)));
    }
}
