//! The flags of reprojection.
//!
//! Key type: [`ReprojectArgs`].

use std::path::PathBuf;

use clap::Args;
use msm_reproject::Method;

use super::choices;
use crate::verbs::reprojection::request::{Edges, GridChoice, Longitudes, Reprojection};

/// How variables are reprojected.
#[derive(Args)]
pub(super) struct ReprojectArgs {
    /// Write projected_VAR beside each variable of the model's grid, on a regular longitude-latitude grid
    ///
    /// A store that has such arrays gets them with or without this flag, on the grid and by the method that it has.
    #[arg(short, long)]
    pub reproject: bool,

    /// Write projected_VAR anew, at all steps, where a store has it from another tool, on the grid that it has
    ///
    /// Without it, such arrays are left as they are. The files must have all steps of the store.
    #[arg(long, requires = "reproject")]
    pub replace_projected: bool,

    /// How values are found [default: nearest, or what the store has]
    #[arg(long, value_parser = choices::method(), requires = "reproject")]
    pub method: Option<Method>,

    /// Cells of the target grid, columns x rows, such as 1440x720 [default: as many as the source has, on the whole globe]
    #[arg(long, value_name = "NXxNY", requires = "reproject", conflicts_with = "resolution", value_parser = parse_grid)]
    pub grid: Option<[usize; 2]>,

    /// Size of the target grid's cells in degrees, which must divide its width and height
    #[arg(long, value_name = "DEG", requires = "reproject")]
    pub resolution: Option<f64>,

    /// Edges of the target grid, degrees: west,south,east,north; across the date line east may be less than west
    #[arg(
        long,
        value_name = "W,S,E,N",
        requires = "reproject",
        allow_hyphen_values = true,
        value_parser = parse_box
    )]
    pub bbox: Option<Edges>,

    /// The range of longitudes of the target grid [default: -180..180, or where --bbox begins]
    #[arg(long, requires = "reproject", allow_hyphen_values = true, value_parser = choices::longitudes())]
    pub longitudes: Option<Longitudes>,

    /// A file for the weights: read if it is there, else computed and written, so that many runs compute them once
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,

    /// Reproject components of vectors too, though their directions stay those of the model's grid
    #[arg(long, requires = "reproject")]
    pub allow_vector_components: bool,
}

impl ReprojectArgs {
    /// What is asked for, if anything is.
    #[must_use]
    pub(super) fn reprojection(&self) -> Option<Reprojection> {
        self.reproject.then_some(Reprojection {
            method: self.method,
            grid: GridChoice {
                size: self.grid,
                resolution: self.resolution,
                edges: self.bbox,
                longitudes: self.longitudes,
            },
            replaces_others: self.replace_projected,
            vector_components: self.allow_vector_components,
        })
    }
}

fn parse_grid(text: &str) -> Result<[usize; 2], String> {
    let sizes = text.split_once('x');
    let sizes = sizes.and_then(|(nx, ny)| Some([nx.parse().ok()?, ny.parse().ok()?]));
    sizes
        .filter(|sizes: &[usize; 2]| sizes.iter().all(|n| (1..1_000_000).contains(n)))
        .ok_or_else(|| "expected columns x rows, such as 1440x720".to_owned())
}

pub(super) fn parse_box(text: &str) -> Result<Edges, String> {
    let numbers: Result<Vec<f64>, _> = text.split(',').map(|n| n.trim().parse()).collect();
    let Ok(&[west, south, east, north]) = numbers.as_deref() else {
        return Err("expected west,south,east,north in degrees, such as -30,40,10,65".to_owned());
    };
    let east = if east < west { east + 360.0 } else { east };
    let is_wide = east > west && east - west <= 360.0;
    if !is_wide || !(-360.0..=360.0).contains(&west) {
        return Err(format!(
            "longitudes {west} to {east}: expected a range of more than 0 and at most 360 degrees, from -360 on; all of them are -180 to 180"
        ));
    }
    let is_high = north > south && south >= -90.0 && north <= 90.0;
    if !is_high {
        return Err(format!(
            "latitudes {south} to {north}: expected the southern one first, within -90 to 90"
        ));
    }
    Ok(Edges {
        west,
        south,
        east,
        north,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Exit;
    use clap::Parser;
    use msm_reproject::TargetGrid;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: ReprojectArgs,
    }

    fn args(line: &str) -> Result<ReprojectArgs, String> {
        let words = std::iter::once("x").chain(line.split_whitespace());
        let line = Line::try_parse_from(words).map_err(|error| error.to_string())?;
        Ok(line.args)
    }

    fn grid(line: &str) -> GridChoice {
        args(line).unwrap().reprojection().unwrap().grid
    }

    fn target(line: &str) -> TargetGrid {
        grid(line).target(360, 330).unwrap()
    }

    #[test]
    fn the_grid_asked_for() {
        assert_eq!(target("-r"), TargetGrid::global(360, 330));
        assert_eq!(target("-r --grid 1440x720"), TargetGrid::global(1440, 720));
        let quarter = target("-r --resolution 0.25");
        assert_eq!(quarter, TargetGrid::global(1440, 720));
        let positive = target("-r --longitudes 0..360");
        assert_eq!((positive.west, positive.east), (0.0, 360.0));
        let atlantic = target("-r --bbox -30,40,10,65");
        assert_eq!((atlantic.nx, atlantic.ny), (40, 46));
        assert_eq!((atlantic.west, atlantic.north), (-30.0, 65.0));
        let pacific = target("-r --bbox 170,-10,-170,10 --resolution 0.5");
        assert_eq!((pacific.nx, pacific.ny), (40, 40));
        assert_eq!((pacific.west, pacific.east), (170.0, 190.0));
        let turned = target("-r --bbox -30,40,10,65 --longitudes 0..360");
        assert_eq!((turned.west, turned.east), (330.0, 370.0));
        let signed = target("-r --bbox 200,0,210,10 --longitudes -180..180");
        assert_eq!((signed.west, signed.east), (-160.0, -150.0));
    }

    #[test]
    fn what_makes_no_grid_is_refused() {
        for line in [
            "--method nearest",
            "-r --grid 0x4",
            "-r --grid 12",
            "-r --grid 4x4 --resolution 1",
            "-r --bbox 0,0,10",
            "-r --bbox 0,10,10,0",
            "-r --bbox 0,-91,10,0",
            "-r --bbox 0,0,400,10",
            "-r --bbox nan,0,1,10",
            "-r --longitudes 90",
        ] {
            assert!(args(line).is_err(), "{line}");
        }
        for line in [
            "-r --resolution 0.7",
            "-r --resolution 0",
            "-r --resolution=-1",
            "-r --resolution nan",
            "-r --resolution 1e-9",
        ] {
            let failure = grid(line).target(360, 330).unwrap_err();
            assert_eq!(Exit::from(&failure), Exit::Usage, "{line}");
        }
        let failure = grid("-r --resolution 0.7").target(1, 1);
        assert!(failure.unwrap_err().to_string().contains("in 514 cells"));
    }
}
