//! Text: variables of characters joined along their last dimension, and of NetCDF-4 strings. Values travel as runs of
//! bytes of one width, UTF-8, padded with NULs.
//!
//! Key types: [`TextKind`], how a file holds texts; [`msm_model::DType::Text`], how they travel.

use std::collections::BTreeMap;

use msm_model::{Variable, VariableType, text_of_width, trimmed};

/// How a file holds texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextKind {
    /// Characters in UTF-8, or in ASCII, which is the same.
    Utf8,
    /// Characters in ISO 8859-1.
    Latin1,
    /// NetCDF-4 strings.
    Strings,
}

impl TextKind {
    /// The kind of a character variable with this `_Encoding`, or why there is none.
    ///
    /// # Errors
    /// If the encoding is another.
    pub(super) fn of_characters(encoding: Option<&str>) -> Result<Self, String> {
        let Some(encoding) = encoding else {
            return Ok(Self::Utf8);
        };
        let plain = encoding.to_lowercase().replace(['-', '_', ' '], "");
        match plain.as_str() {
            "" | "utf8" | "ascii" | "usascii" => Ok(Self::Utf8),
            "latin1" | "latin" | "l1" | "iso88591" => Ok(Self::Latin1),
            _ => Err(format!(
                "has _Encoding '{encoding}'; expected utf-8, ascii or latin-1"
            )),
        }
    }

    /// Bytes that one character of the file can take in UTF-8.
    pub(super) fn bytes_of_character(self) -> u64 {
        if self == Self::Latin1 { 2 } else { 1 }
    }

    /// Appends the text stored as `stored` to `runs`, `width` bytes wide.
    ///
    /// # Errors
    /// If it is not in the encoding, or wider.
    pub(super) fn append(
        self,
        runs: &mut Vec<u8>,
        stored: &[u8],
        width: usize,
    ) -> Result<(), String> {
        let end = runs.len() + width;
        let stored = trimmed(stored);
        if self == Self::Latin1 {
            let text: String = stored.iter().copied().map(char::from).collect();
            runs.extend_from_slice(text.as_bytes());
        } else if std::str::from_utf8(stored).is_ok() {
            runs.extend_from_slice(stored);
        } else {
            let advice = if self == Self::Strings {
                "write it again as UTF-8"
            } else {
                "if it is Latin-1, say so with the attribute _Encoding = \"latin-1\""
            };
            let shown = String::from_utf8_lossy(stored);
            return Err(format!("the text '{shown}' is not UTF-8; {advice}"));
        }
        if runs.len() > end {
            let found = runs.len() + width - end;
            return Err(format!(
                "a text of {found} bytes, expected at most {width}; did the file change?"
            ));
        }
        runs.resize(end, 0);
        Ok(())
    }
}

/// Joins the variables of characters named in `characters` along their last dimension where that dimension is there for
/// nothing else. This is the rule of xarray (`xarray.conventions.decode_cf_variables`, `stackable`): no variable has
/// its name, and it is the last dimension of every variable that has it, all of them of characters.
pub(super) fn join_characters(variables: &mut [Variable], characters: &BTreeMap<String, TextKind>) {
    let joins = |dimension: &String| {
        variables.iter().all(|v| {
            v.name != *dimension
                && (!v.dimensions.contains(dimension)
                    || (characters.contains_key(&v.name)
                        && v.dimensions.iter().position(|d| d == dimension)
                            == Some(v.dimensions.len() - 1)))
        })
    };
    let joined: Vec<bool> = variables
        .iter()
        .map(|v| characters.contains_key(&v.name) && v.dimensions.last().is_some_and(joins))
        .collect();
    for (variable, joined) in variables.iter_mut().zip(joined) {
        if !joined {
            continue;
        }
        let kind = characters.get(&variable.name);
        variable.dimensions.pop();
        let length = variable.shape.pop().unwrap_or(1);
        if let Some(chunks) = &mut variable.stored_chunks {
            chunks.pop();
        }
        let width = length * kind.map_or(1, |k| k.bytes_of_character());
        variable.kind = VariableType::Text(text_of_width(width));
    }
}

#[cfg(test)]
mod tests {
    use msm_model::DType;

    use super::*;

    fn run(kind: TextKind, stored: &[u8], width: usize) -> Result<Vec<u8>, String> {
        let mut runs = Vec::new();
        kind.append(&mut runs, stored, width).map(|()| runs)
    }

    #[test]
    fn texts_are_padded_and_decoded() {
        assert_eq!(run(TextKind::Utf8, b"ab \0\0", 5).unwrap(), b"ab \0\0");
        assert_eq!(run(TextKind::Latin1, b"\xe9", 2).unwrap(), "é".as_bytes());
        assert!(
            run(TextKind::Utf8, b"\xe9", 2)
                .unwrap_err()
                .contains("latin-1")
        );
        assert!(run(TextKind::Strings, b"abc", 2).is_err());
    }

    #[test]
    fn encodings_are_named_as_python_names_them() {
        for name in ["latin-1", "ISO-8859-1", "latin1", "iso8859_1"] {
            assert_eq!(
                TextKind::of_characters(Some(name)),
                Ok(TextKind::Latin1),
                "{name}"
            );
        }
        assert_eq!(TextKind::of_characters(Some("utf-8")), Ok(TextKind::Utf8));
        assert!(TextKind::of_characters(Some("utf-16")).is_err());
    }

    #[test]
    fn a_dimension_is_joined_only_if_it_is_there_for_nothing_else() {
        let variable = |name: &str, dimensions: &[&str]| Variable {
            name: name.to_owned(),
            kind: VariableType::Text(DType::Text(1)),
            dimensions: dimensions.iter().map(|d| (*d).to_owned()).collect(),
            shape: vec![3; dimensions.len()],
            stored_chunks: None,
            attributes: Vec::new(),
        };
        let mut variables = [
            variable("name", &["time", "strlen"]),
            variable("letters", &["n"]),
            variable("n", &["n"]),
        ];
        let characters = ["name", "letters"].map(|name| (name.to_owned(), TextKind::Latin1));
        join_characters(&mut variables, &characters.into());
        assert_eq!(variables[0].dimensions, ["time"]);
        assert_eq!(variables[0].kind, VariableType::Text(DType::Text(6)));
        assert_eq!(variables[1].dimensions, ["n"]);
    }
}
