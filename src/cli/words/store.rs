//! A store as `list` shows it to people.

use std::fmt;

use serde_json::Value;

use super::{bytes_shown, counted};
use crate::verbs::list::{StoreInfo, StoreState, TimeRange, TransactionInfo, VariableInfo};

/// A store with its arrays.
pub(in crate::cli) struct StoreDescription<'a>(pub &'a StoreInfo);

impl fmt::Display for StoreDescription<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let info = self.0;
        write!(f, "{}", info.store)?;
        let mut separator = ":";
        if info.state != StoreState::Whole {
            write!(f, ": {}", state_shown(info))?;
            separator = ",";
        }
        if let Some(format) = info.zarr_format {
            write!(f, "{separator} Zarr v{format}")?;
            separator = ",";
        }
        if let (Some(bytes), Some(objects)) = (info.stored_bytes, info.objects) {
            let objects = counted(objects, "objects");
            write!(f, "{separator} {objects}, {}", bytes_shown(bytes))?;
            if let Some(decoded) = info.decoded_bytes {
                write!(f, " stored of {} decoded", bytes_shown(decoded))?;
            }
        }
        if let Some(last) = &info.last_transaction {
            let TransactionInfo {
                number,
                command,
                steps,
                time,
            } = last;
            let steps = counted(*steps, "steps");
            write!(f, "; transaction {number}: {command}, {steps}, {time}")?;
        }
        if let Some(problem) = &info.problem {
            write!(f, "\n  {problem}")?;
        }
        if let Some(time) = &info.time {
            let TimeRange {
                axis,
                steps,
                first,
                last,
                units,
                calendar,
            } = time;
            let steps = counted(*steps, "steps");
            write!(
                f,
                "\n  {axis}: {steps}, {first} to {last} ({units}, {calendar})"
            )?;
        }
        table(f, &info.variables)
    }
}

/// Whether a store can be read, in words.
pub(in crate::cli) fn state_shown(info: &StoreInfo) -> &'static str {
    match info.state {
        StoreState::Whole => "whole",
        StoreState::Unfinished if info.being_replaced.is_some() => "being replaced",
        StoreState::Unfinished => "unfinished",
        StoreState::Broken => "BROKEN",
        StoreState::Denied => "may not be read",
        StoreState::Icechunk => "an Icechunk repository",
    }
}

/// A line a variable, in columns.
fn table(f: &mut fmt::Formatter<'_>, variables: &[VariableInfo]) -> fmt::Result {
    let rows: Vec<[String; 5]> = variables.iter().map(variable_row).collect();
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

/// Name, type, dimensions, chunks and codecs of an array.
pub(in crate::cli) fn variable_row(variable: &VariableInfo) -> [String; 5] {
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

pub(super) fn product(shape: &[u64]) -> String {
    let sizes: Vec<String> = shape.iter().map(u64::to_string).collect();
    sizes.join("×")
}

/// `blosc:lz4` of a codec's document.
pub(super) fn codec_name(codec: &Value) -> String {
    let name = codec["name"].as_str().or(codec["id"].as_str());
    let inner = codec["configuration"]["cname"].as_str();
    match (name, inner.or(codec["cname"].as_str())) {
        (Some(name), Some(inner)) => format!("{name}:{inner}"),
        (Some(name), None) => name.to_owned(),
        _ => codec.to_string(),
    }
}
