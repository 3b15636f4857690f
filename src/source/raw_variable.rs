//! A variable as it is found in a file, and how its texts are read.
//!
//! Key type: [`RawVariable`].

use std::sync::Mutex;
use std::sync::PoisonError;

use msm_model::{Attribute, Hyperslab, Variable, VariableType, copy_block, text_of_width};
use netcdf_reader::NcVariable;

use super::classic;
use super::error::SourceError;
use super::hdf5::{self, Type};
use super::library::DescribedVariable;
use super::open::{FileFormat, OpenFile};
use super::reader::Block;
use super::storage::bytes_of;
use super::text::TextKind;

/// The most bytes that a variable can have: 64 PiB, decoded.
pub(super) const MAX_BYTES: u64 = 1 << 56;

/// A variable as it is found in a file: one of characters has its dimensions as in the file, not joined yet.
pub(super) struct RawVariable {
    pub name: String,
    kind: Type,
    dimensions: Vec<(String, u64)>,
    stored_chunks: Option<Vec<u64>>,
    attributes: Vec<(String, Attribute)>,
}

impl RawVariable {
    pub(super) fn in_classic(variable: &NcVariable) -> Self {
        let dimensions = variable.dimensions.iter();
        Self {
            name: variable.name.clone(),
            kind: classic::kind(&variable.dtype),
            dimensions: dimensions.map(|d| (d.name.clone(), d.size)).collect(),
            stored_chunks: None,
            attributes: classic::attributes(&variable.attributes),
        }
    }

    pub(super) fn in_hdf5(variable: &hdf5::Hdf5Variable) -> Self {
        Self {
            name: variable.name.clone(),
            kind: variable.kind.clone(),
            dimensions: variable.dimensions.clone(),
            stored_chunks: variable.stored_chunks(),
            attributes: variable.attributes.clone(),
        }
    }

    pub(super) fn in_other(variable: &DescribedVariable) -> Self {
        Self {
            name: variable.name.clone(),
            kind: variable.kind.clone(),
            dimensions: variable.dimensions.clone(),
            stored_chunks: variable.stored_chunks.clone(),
            attributes: variable.attributes.clone(),
        }
    }

    /// The variable of `file` called `name`.
    fn of(file: &OpenFile, name: &str) -> Result<Self, String> {
        let found = match &file.form {
            FileFormat::Classic(file) => file.variable(name).map(Self::in_classic),
            FileFormat::Hdf5(file) => file.variable(name).map(Self::in_hdf5),
            FileFormat::Other(file) => file.variable(name).map(Self::in_other),
        };
        found.ok_or_else(|| "the variable is not in this file".to_owned())
    }

    pub(super) fn shape(&self) -> Vec<u64> {
        self.dimensions.iter().map(|d| d.1).collect()
    }

    /// Has it more values than any file, so that arithmetic on several of its kind could overflow?
    pub(super) fn is_too_large(&self) -> bool {
        let bytes = bytes_of(&self.shape(), self.size());
        bytes.is_none_or(|bytes| bytes as u64 > MAX_BYTES)
    }

    /// Bytes of a value in the file.
    pub(super) fn size(&self) -> usize {
        match self.kind {
            Type::Number(dtype) => dtype.size(),
            _ => 1,
        }
    }

    /// Does it hold texts, and how?
    ///
    /// # Errors
    /// If it holds characters of another encoding.
    pub(super) fn texts(&self) -> Result<Option<TextKind>, String> {
        match self.kind {
            Type::String => Ok(Some(TextKind::Strings)),
            Type::Character => {
                let encoding = self.attributes.iter().find(|a| a.0 == "_Encoding");
                let encoding = match encoding {
                    None => None,
                    Some((_, Attribute::Text(text))) => Some(text.as_str()),
                    Some((_, Attribute::Texts(texts))) => texts.first().map(String::as_str),
                    Some(_) => return Err("has an _Encoding that is not text".to_owned()),
                };
                TextKind::of_characters(encoding).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The variable of `file`, whose texts are of this kind.
    ///
    /// # Errors
    /// If its strings cannot be read.
    pub(super) fn into_variable(
        self,
        file: &OpenFile,
        texts: Option<TextKind>,
    ) -> Result<Variable, SourceError> {
        let (dimensions, shape): (Vec<String>, Vec<u64>) = self.dimensions.into_iter().unzip();
        let width = match texts {
            None => 0,
            Some(TextKind::Strings) => {
                let strings = file.strings(&self.name);
                let strings = strings.map_err(|cause| SourceError::Read {
                    path: file.path.clone(),
                    variable: self.name.clone(),
                    start: vec![0; shape.len()],
                    count: shape.clone(),
                    cause,
                })?;
                strings.iter().map(Vec::len).max().unwrap_or(0) as u64
            }
            Some(kind) => kind.bytes_of_character(),
        };
        let kind = match self.kind {
            Type::Number(dtype) => VariableType::Number(dtype),
            Type::Character | Type::String => VariableType::Text(text_of_width(width)),
            Type::Other(kind) => VariableType::Other(kind.into_owned()),
        };
        Ok(Variable {
            name: self.name,
            kind,
            dimensions,
            shape,
            stored_chunks: self.stored_chunks,
            attributes: self.attributes,
        })
    }
}

impl OpenFile {
    /// Does `variable` hold texts, and how?
    ///
    /// # Errors
    /// If the file does not have it.
    pub(super) fn texts(&self, variable: &str) -> Result<Option<TextKind>, String> {
        RawVariable::of(self, variable)?.texts()
    }

    /// The texts of `slab` of `variable`, `width` bytes each. Where the slab has one dimension less than the variable, its
    /// texts lie along the last one.
    ///
    /// # Errors
    /// If they cannot be read, or one is not in its encoding or is wider.
    pub(super) fn read_texts(
        &self,
        variable: &str,
        kind: TextKind,
        width: usize,
        slab: &Hyperslab,
        second: bool,
    ) -> Result<Vec<u8>, String> {
        let count = slab.len() as usize;
        let mut runs = Vec::with_capacity(count * width);
        if kind == TextKind::Strings {
            let strings = self.strings(variable)?;
            let shape = RawVariable::of(self, variable)?.shape();
            for place in places(slab, &shape)? {
                let text = strings.get(place).map_or(&[][..], Vec::as_slice);
                kind.append(&mut runs, text, width)?;
            }
            return Ok(runs);
        }
        let shape = RawVariable::of(self, variable)?.shape();
        let mut stored = slab.clone();
        let mut length = 1;
        if let Some(&last) = shape.last()
            && stored.start.len() + 1 == shape.len()
        {
            length = last as usize;
            stored.start.push(0);
            stored.count.push(last);
        }
        if length == 0 {
            return Ok(vec![0; count * width]);
        }
        let characters = Mutex::new(vec![0; count * length]);
        let sink = |block: Block<'_>| {
            let mut characters = characters.lock().unwrap_or_else(PoisonError::into_inner);
            copy_block(
                block.values,
                block.slab,
                &mut characters,
                &stored,
                &stored,
                1,
            );
        };
        self.read_values(variable, 1, &stored, second, &sink)?;
        let characters = characters.into_inner();
        for text in characters
            .unwrap_or_else(PoisonError::into_inner)
            .chunks_exact(length)
        {
            kind.append(&mut runs, text, width)?;
        }
        Ok(runs)
    }
}

/// The places of the values of `slab` in an array of this `shape`, row-major.
fn places(slab: &Hyperslab, shape: &[u64]) -> Result<Vec<usize>, String> {
    if slab.start.len() != shape.len() {
        return Err(format!("it has shape {shape:?}"));
    }
    let mut all = vec![0];
    for (d, &length) in shape.iter().enumerate() {
        let indices = slab.start[d]..slab.start[d] + slab.count[d];
        all = all
            .into_iter()
            .flat_map(|place| indices.clone().map(move |i| place * length + i))
            .collect();
    }
    Ok(all.into_iter().map(|place| place as usize).collect())
}
