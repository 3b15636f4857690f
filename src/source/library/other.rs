//! Files that have something this program does not know: what they hold, as the NetCDF library says. That runs in a process of
//! its own, for a damaged file can crash the library, or keep it for ever.
//!
//! Key type: [`Other`].

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use netcdf::AttributeValue;
use netcdf::types::{FloatType, IntType, NcVariableType};
use serde::{Deserialize, Serialize};

use super::super::attribute::Attribute;
use super::super::dtype::{DType, Number};
use super::super::hdf5::Type;
use super::quiet;

/// The argument by which this program is asked to describe a file.
const DESCRIBE: &str = "__describe-netcdf";
/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(5);

/// What a file holds.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::source) struct Other {
    pub dimensions: Vec<(String, u64)>,
    pub attributes: Vec<(String, Attribute)>,
    pub odd_attributes: Vec<String>,
    pub variables: Vec<OtherVariable>,
    pub groups: Vec<String>,
}

/// A variable of it.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::source) struct OtherVariable {
    pub name: String,
    pub kind: Type,
    pub dimensions: Vec<(String, u64)>,
    pub stored_chunks: Option<Vec<u64>>,
    pub attributes: Vec<(String, Attribute)>,
    pub odd_attributes: Vec<String>,
}

impl Other {
    /// The variable called `name`.
    pub fn variable(&self, name: &str) -> Option<&OtherVariable> {
        self.variables.iter().find(|variable| variable.name == name)
    }
}

/// What the NetCDF library, in a process of its own, says of the file at `path`.
///
/// # Errors
/// If it does not open it, crashes, or takes too long.
pub(in crate::source) fn of_other(path: &Path) -> Result<Other, String> {
    let failed = |cause: std::io::Error| format!("the NetCDF library cannot be asked: {cause}");
    let program = std::env::current_exe().map_err(failed)?;
    let mut child = Command::new(program)
        .arg(DESCRIBE)
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    let mut answer = child.stdout.take().ok_or("it has no answer")?;
    let reading = std::thread::spawn(move || {
        let mut text = Vec::new();
        answer.read_to_end(&mut text).map(|_| text)
    });
    let begun = Instant::now();
    let ended = loop {
        if let Some(ended) = child.try_wait().map_err(failed)? {
            break ended;
        }
        if begun.elapsed() > PATIENCE {
            child.kill().and_then(|()| child.wait()).map_err(failed)?;
            return Err(format!(
                "the NetCDF library has not opened it in {PATIENCE:?}"
            ));
        }
        std::thread::sleep(PAUSE);
    };
    let text = reading.join().map_err(|_| "its answer was lost")?;
    let text = text.map_err(failed)?;
    if !ended.success() {
        return Err(format!("the NetCDF library cannot open it ({ended})"));
    }
    let answer: Result<Other, String> =
        serde_json::from_slice(&text).map_err(|cause| cause.to_string())?;
    answer
}

/// Is this process one that [`of_other`] has started? Then the path that it was given.
pub fn is_asked_to_describe(args: &[OsString]) -> Option<&OsStr> {
    match args {
        [_, first, path] if first == DESCRIBE => Some(path),
        _ => None,
    }
}

/// What such a process answers.
#[must_use]
pub fn describe(path: &OsStr) -> String {
    quiet();
    let described = described(Path::new(path)).map_err(|cause| cause.to_string());
    serde_json::to_string(&described).unwrap_or_default()
}

fn described(path: &Path) -> netcdf::Result<Other> {
    let file = netcdf::open(path)?;
    let mut other = Other {
        dimensions: file
            .dimensions()
            .map(|d| (d.name(), d.len() as u64))
            .collect(),
        groups: file
            .groups()?
            .map(|group| format!("/{}", group.name()))
            .collect(),
        ..Other::default()
    };
    (other.attributes, other.odd_attributes) = attributes(file.attributes())?;
    for variable in file.variables() {
        let (attributes, odd_attributes) = attributes(variable.attributes())?;
        let chunks = variable.chunking().ok().flatten();
        let dimensions = variable.dimensions().iter();
        other.variables.push(OtherVariable {
            name: variable.name(),
            kind: kind(&variable.vartype()),
            dimensions: dimensions.map(|d| (d.name(), d.len() as u64)).collect(),
            stored_chunks: chunks.map(|chunks| chunks.into_iter().map(|n| n as u64).collect()),
            attributes,
            odd_attributes,
        });
    }
    Ok(other)
}

/// Attributes, and the names of those of types that the file defines.
#[allow(clippy::type_complexity)] // a name for it would say no more
fn attributes<'a>(
    found: impl Iterator<Item = netcdf::Attribute<'a>>,
) -> netcdf::Result<(Vec<(String, Attribute)>, Vec<String>)> {
    let (mut known, mut odd) = (Vec::new(), Vec::new());
    for found in found {
        let name = found.name().to_owned();
        match found.value() {
            Ok(value) => known.push((name, attribute(value))),
            Err(netcdf::Error::TypeUnknown(_)) => odd.push(name),
            Err(error) => return Err(error),
        }
    }
    Ok((known, odd))
}

fn kind(kind: &NcVariableType) -> Type {
    Type::Number(match kind {
        NcVariableType::Int(IntType::I8) => DType::I8,
        NcVariableType::Int(IntType::U8) => DType::U8,
        NcVariableType::Int(IntType::I16) => DType::I16,
        NcVariableType::Int(IntType::U16) => DType::U16,
        NcVariableType::Int(IntType::I32) => DType::I32,
        NcVariableType::Int(IntType::U32) => DType::U32,
        NcVariableType::Int(IntType::I64) => DType::I64,
        NcVariableType::Int(IntType::U64) => DType::U64,
        NcVariableType::Float(FloatType::F32) => DType::F32,
        NcVariableType::Float(FloatType::F64) => DType::F64,
        NcVariableType::Char => return Type::Character,
        _ => return Type::Other("string or of a type that the file defines".into()),
    })
}

/// The attribute that the library gives as `value`.
pub(in crate::source) fn attribute(value: AttributeValue) -> Attribute {
    macro_rules! numbers {
        ($values:expr, $number:path) => {
            Attribute::Numbers($values.into_iter().map(|v| $number(v.into())).collect())
        };
    }
    match value {
        AttributeValue::Schar(v) => numbers!([v], Number::Int),
        AttributeValue::Schars(v) => numbers!(v, Number::Int),
        AttributeValue::Short(v) => numbers!([v], Number::Int),
        AttributeValue::Shorts(v) => numbers!(v, Number::Int),
        AttributeValue::Int(v) => numbers!([v], Number::Int),
        AttributeValue::Ints(v) => numbers!(v, Number::Int),
        AttributeValue::Longlong(v) => numbers!([v], Number::Int),
        AttributeValue::Longlongs(v) => numbers!(v, Number::Int),
        AttributeValue::Uchar(v) => numbers!([v], Number::UInt),
        AttributeValue::Uchars(v) => numbers!(v, Number::UInt),
        AttributeValue::Ushort(v) => numbers!([v], Number::UInt),
        AttributeValue::Ushorts(v) => numbers!(v, Number::UInt),
        AttributeValue::Uint(v) => numbers!([v], Number::UInt),
        AttributeValue::Uints(v) => numbers!(v, Number::UInt),
        AttributeValue::Ulonglong(v) => numbers!([v], Number::UInt),
        AttributeValue::Ulonglongs(v) => numbers!(v, Number::UInt),
        AttributeValue::Float(v) => numbers!([v], Number::Float),
        AttributeValue::Floats(v) => numbers!(v, Number::Float),
        AttributeValue::Double(v) => numbers!([v], Number::Float),
        AttributeValue::Doubles(v) => numbers!(v, Number::Float),
        AttributeValue::Str(v) => Attribute::Text(v),
        AttributeValue::Strs(v) => Attribute::Texts(v),
    }
}
