//! `nemo-like`: writes one NetCDF file that looks like NEMO output, and says how large it is.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use nemo_like::{Calendar, Chunks, Date, Frequency, Grid, Spec, Variable};

const EXAMPLES: &str = "\
Examples:
  nemo-like -o .
      a small file, named as NEMO names it
  nemo-like --grid eORCA025 --freq 1y -o archive/
      a year of eORCA025 in a folder that is there: 1.7 GB decoded, 0.4 GB stored
  nemo-like --grid eORCA1 --steps 12 --variables tos,zos -o surface.nc
      a year of monthly surface fields";

/// Writes a NetCDF file that looks like NEMO ocean-model output written by XIOS.
///
/// Grid, land, levels and fields are computed; the same options always give the same file, and a step
/// of the run has the same values in whichever file it is written.
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Args {
    /// Grid: eORCA1 (362x332x75), eORCA025 (1440x1206x75), or columns x rows x levels
    #[arg(long, default_value = "40x30x5", value_name = "GRID")]
    grid: Grid,

    /// Length of a step: a number and y, m, d or h
    #[arg(long, default_value = "1m")]
    freq: Frequency,

    /// First day of the first step
    #[arg(long, default_value = "1976-01-01", value_name = "YYYY-MM-DD")]
    start: Date,

    /// Number of steps
    #[arg(long, default_value_t = 1, value_name = "N")]
    steps: usize,

    /// Calendar: gregorian, noleap or 360_day
    #[arg(long, default_value = "gregorian")]
    calendar: Calendar,

    /// Data variables, comma-separated
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "NAMES",
        default_value = "thetao,so,e3t,tos,sos,zos,mldr10_1,qt_oce"
    )]
    variables: Vec<Variable>,

    /// Deflate level, 0 for none
    #[arg(long, default_value_t = 1, value_name = "0..9",
          value_parser = clap::value_parser!(u8).range(0..=9))]
    deflate: u8,

    /// Deflate without the shuffle filter
    #[arg(long)]
    no_shuffle: bool,

    /// Chunk sizes of the data variables, such as time_counter=1,deptht=25,y=402,x=480; dimensions
    /// left out get XIOS's own (one record a chunk, cut by levels above 20 MiB)
    #[arg(long, value_name = "SIZES")]
    chunks: Option<Chunks>,

    /// Leave units and bounds off time_counter and number its records, as older archives do
    #[arg(long)]
    no_time_units: bool,

    /// Chooses eddies and noise
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,

    /// File to write, or a folder that is there, where it gets the name NEMO would give it
    #[arg(short, long, value_name = "PATH")]
    output: PathBuf,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let output = args.output.clone();
    let spec = args.spec();
    let path = if output.is_dir() {
        output.join(nemo_like::file_name(&spec))
    } else {
        output
    };
    match write(&path, &spec) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("nemo-like: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(path: &Path, spec: &Spec) -> Result<(), nemo_like::Error> {
    let summary = nemo_like::write(path, spec)?;
    let stored = std::fs::metadata(path).map_or(0, |m| m.len());
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    println!(
        "{}: {} variables, {} step{}, {:.1} MB decoded, {:.1} MB stored",
        path.display(),
        summary.variables,
        summary.steps,
        if summary.steps == 1 { "" } else { "s" },
        megabytes(summary.decoded_bytes),
        megabytes(stored),
    );
    Ok(())
}

impl Args {
    fn spec(self) -> Spec {
        Spec {
            grid: self.grid,
            frequency: self.freq,
            start: self.start,
            steps: self.steps,
            calendar: self.calendar,
            variables: self.variables,
            deflate: self.deflate,
            shuffle: !self.no_shuffle,
            chunks: self.chunks,
            time_units_on_counter: !self.no_time_units,
            seed: self.seed,
            ..Spec::default()
        }
    }
}
