//! What `list` prints of a store: a table for people, JSON for programs. The fields' names are the JSON's keys.
//!
//! Key types: [`StoreInfo`], [`VariableInfo`].

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::report::bytes_shown;

/// A store.
#[derive(Clone, Debug, Serialize)]
pub struct StoreInfo {
    /// Its key.
    pub store: String,
    /// Can it be read?
    pub state: StoreState,
    /// Why it cannot be read.
    pub problem: Option<String>,
    /// 2 or 3.
    pub zarr_format: Option<u64>,
    /// Data variables first, then coordinates.
    pub variables: Vec<VariableInfo>,
    /// From when to when, if it has a time axis.
    pub time: Option<TimeRange>,
    /// Number of its objects.
    pub objects: Option<u64>,
    /// Bytes of its objects.
    pub stored_bytes: Option<u64>,
    /// Bytes of its arrays' values, decoded.
    pub decoded_bytes: Option<u64>,
    /// The last transaction on it, if the ledger tells.
    pub last_transaction: Option<Transaction>,
}

/// Can a store be read?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreState {
    /// Yes.
    Whole,
    /// It has no root document yet, or no more: a create or a delete is under way, or died.
    Unfinished,
    /// Something lies there that this program cannot read.
    Broken,
    /// The object store lets this user not read it.
    Denied,
    /// Not by this program: it is an Icechunk repository.
    Icechunk,
}

/// An array of a store.
#[derive(Clone, Debug, Serialize)]
pub struct VariableInfo {
    /// Its name.
    pub name: String,
    /// Is it a coordinate, or the bounds of one?
    pub coordinate: bool,
    /// Zarr's name of its type.
    pub dtype: String,
    /// The names of its dimensions.
    pub dimensions: Vec<String>,
    /// Its shape.
    pub shape: Vec<u64>,
    /// Its chunk shape.
    pub chunks: Vec<u64>,
    /// Its shard shape, if it is sharded.
    pub shards: Option<Vec<u64>>,
    /// Its codecs as in its document: of a v3 array all, of a v2 array filters and compressor.
    pub codecs: Vec<Value>,
    /// Bytes of its values, decoded.
    pub decoded_bytes: Option<u64>,
}

/// From when to when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TimeRange {
    /// The array that tells the time.
    pub axis: String,
    /// Its length.
    pub steps: u64,
    /// The first step.
    pub first: String,
    /// The last step.
    pub last: String,
    /// Its units.
    pub units: String,
    /// Its calendar.
    pub calendar: String,
}

/// A transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Transaction {
    /// Its number: 1 created the store.
    pub number: u64,
    /// The command that made it.
    pub command: String,
    /// Steps it added.
    pub steps: u64,
    /// When it was, in UTC.
    pub time: String,
}

impl fmt::Display for StoreInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.store)?;
        let mut separator = ":";
        match self.state {
            StoreState::Whole => {}
            StoreState::Unfinished => f.write_str(": unfinished, no reader sees it")?,
            StoreState::Broken => f.write_str(": BROKEN")?,
            StoreState::Denied => f.write_str(": may not be read")?,
            StoreState::Icechunk => f.write_str(": an Icechunk repository")?,
        }
        if self.state != StoreState::Whole {
            separator = ",";
        }
        if let Some(format) = self.zarr_format {
            write!(f, "{separator} Zarr v{format}")?;
            separator = ",";
        }
        if let (Some(bytes), Some(objects)) = (self.stored_bytes, self.objects) {
            write!(f, "{separator} {objects} objects, {}", bytes_shown(bytes))?;
            if let Some(decoded) = self.decoded_bytes {
                write!(f, " stored of {} decoded", bytes_shown(decoded))?;
            }
        }
        if let Some(last) = &self.last_transaction {
            let Transaction {
                number,
                command,
                steps,
                time,
            } = last;
            write!(
                f,
                "; transaction {number}: {command}, {steps} steps, {time}"
            )?;
        }
        if let Some(problem) = &self.problem {
            write!(f, "\n  {problem}")?;
        }
        if let Some(time) = &self.time {
            let TimeRange {
                axis,
                steps,
                first,
                last,
                units,
                calendar,
            } = time;
            write!(
                f,
                "\n  {axis}: {steps} steps, {first} to {last} ({units}, {calendar})"
            )?;
        }
        table(f, &self.variables)
    }
}

/// A line a variable, in columns.
fn table(f: &mut fmt::Formatter<'_>, variables: &[VariableInfo]) -> fmt::Result {
    let rows: Vec<[String; 5]> = variables.iter().map(row).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..5).map(|column| width(column).unwrap_or(0)).collect();
    for row in &rows {
        let cells = row.iter().zip(&widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        write!(f, "\n    {}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

fn row(variable: &VariableInfo) -> [String; 5] {
    let dimensions = variable.dimensions.iter().zip(&variable.shape);
    let dimensions: Vec<String> = dimensions.map(|(name, n)| format!("{name}={n}")).collect();
    let chunks = product(&variable.chunks);
    let chunks = match &variable.shards {
        Some(shards) => format!("chunks {chunks} in shards {}", product(shards)),
        None => format!("chunks {chunks}"),
    };
    let codecs: Vec<String> = variable.codecs.iter().map(codec_name).collect();
    let name = if variable.coordinate {
        format!("({})", variable.name)
    } else {
        variable.name.clone()
    };
    [
        name,
        variable.dtype.clone(),
        dimensions.join(" "),
        chunks,
        codecs.join(" "),
    ]
}

fn product(shape: &[u64]) -> String {
    let sizes: Vec<String> = shape.iter().map(u64::to_string).collect();
    sizes.join("×")
}

/// `blosc:lz4` of a codec's document.
fn codec_name(codec: &Value) -> String {
    let name = codec["name"].as_str().or(codec["id"].as_str());
    let inner = codec["configuration"]["cname"].as_str();
    match (name, inner.or(codec["cname"].as_str())) {
        (Some(name), Some(inner)) => format!("{name}:{inner}"),
        (Some(name), None) => name.to_owned(),
        _ => codec.to_string(),
    }
}
