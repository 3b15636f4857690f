//! Texts: runs of bytes of one width, UTF-8, padded with NULs.

use std::collections::BTreeMap;

use super::dtype::DType;
use super::file::SourceFile;
use super::variable::VariableType;

/// A text without the NULs that pad it. Blanks are kept: they may be meant.
#[must_use]
pub fn trimmed(run: &[u8]) -> &[u8] {
    let end = run.iter().rposition(|&byte| byte != 0);
    &run[..end.map_or(0, |last| last + 1)]
}

/// A width as [`DType::Text`] has it: no text has none, so that every value has bytes.
pub fn text_of_width(width: u64) -> DType {
    DType::Text(u32::try_from(width.max(1)).unwrap_or(u32::MAX))
}

/// Gives every text variable the width of its longest text in any of the files.
pub(super) fn widen(files: &mut [SourceFile]) {
    let mut widest: BTreeMap<String, DType> = BTreeMap::new();
    let texts = files.iter_mut().flat_map(|f| &mut f.catalogue.variables);
    for variable in texts {
        if let VariableType::Text(found) = variable.kind {
            let known = widest.entry(variable.name.clone()).or_insert(found);
            *known = known.widest(found).unwrap_or(found);
        }
    }
    for variable in files.iter_mut().flat_map(|f| &mut f.catalogue.variables) {
        if let (VariableType::Text(dtype), Some(widest)) =
            (&mut variable.kind, widest.get(&variable.name))
        {
            *dtype = *widest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn trimming_takes_the_padding_and_nothing_else(text in "[a-zé ]{0,8}", padding in 0..5usize) {
            let run = [text.as_bytes(), &vec![0; padding]].concat();
            prop_assert_eq!(trimmed(&run), text.as_bytes());
        }
    }
}
