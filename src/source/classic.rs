//! Is a file in a classic format as long as its header says? The NetCDF library does not look: it reads zeros where the
//! file ends too early.
//!
//! The header's layout is that of the NetCDF Classic Format Specification (classic, 64-bit offset, and 64-bit data,
//! called CDF-1, CDF-2 and CDF-5).

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// `numrecs` of a file that was still being written.
const STREAMING: u64 = u32::MAX as u64;

/// The bytes that the header of the file at `path` accounts for; `None` if it is not in a classic format, or does not
/// say.
///
/// # Errors
/// If the header itself cannot be read to its end.
pub(super) fn expected_length(path: &Path) -> io::Result<Option<u64>> {
    let mut magic = [0; 4];
    let mut file = BufReader::new(File::open(path)?);
    if file.read_exact(&mut magic).is_err()
        || &magic[..3] != b"CDF"
        || ![1, 2, 5].contains(&magic[3])
    {
        return Ok(None);
    }
    let mut header = Header {
        file,
        version: magic[3],
    };
    let records = header.count()?;
    let mut dimensions = Vec::new();
    for _ in 0..header.list()? {
        header.name()?;
        dimensions.push(header.count()?);
    }
    header.attributes()?;
    let (mut end, mut record_size, mut last_records) = (0, 0, Vec::new());
    for _ in 0..header.list()? {
        let variable = header.variable(&dimensions)?;
        if variable.has_records {
            record_size += variable.bytes.next_multiple_of(4);
            last_records.push((variable.begin, variable.bytes));
        } else {
            end = end.max(variable.begin + variable.bytes);
        }
    }
    if records == STREAMING || records == u64::MAX {
        return Ok(None);
    }
    if let [(_, bytes)] = last_records[..] {
        // A single record variable is not padded.
        record_size = bytes;
    }
    if records > 0 {
        let ends = last_records
            .iter()
            .map(|(begin, bytes)| begin + (records - 1) * record_size + bytes);
        end = end.max(ends.max().unwrap_or(0));
    }
    Ok(Some(end))
}

struct Header {
    file: BufReader<File>,
    version: u8,
}

struct Variable {
    has_records: bool,
    /// Bytes of the whole variable, or of one record.
    bytes: u64,
    begin: u64,
}

impl Header {
    fn u32(&mut self) -> io::Result<u64> {
        let mut bytes = [0; 4];
        self.file.read_exact(&mut bytes)?;
        Ok(u64::from(u32::from_be_bytes(bytes)))
    }

    fn u64(&mut self) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.file.read_exact(&mut bytes)?;
        Ok(u64::from_be_bytes(bytes))
    }

    /// A NON_NEG of the specification.
    fn count(&mut self) -> io::Result<u64> {
        if self.version == 5 {
            self.u64()
        } else {
            self.u32()
        }
    }

    /// The number of elements of a list; an absent one has none.
    fn list(&mut self) -> io::Result<u64> {
        self.u32()?;
        self.count()
    }

    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        let padded = bytes.next_multiple_of(4);
        let skipped = io::copy(&mut self.file.by_ref().take(padded), &mut io::sink())?;
        if skipped == padded {
            Ok(())
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }

    fn name(&mut self) -> io::Result<()> {
        let length = self.count()?;
        self.skip(length)
    }

    fn attributes(&mut self) -> io::Result<()> {
        for _ in 0..self.list()? {
            self.name()?;
            let size = type_size(self.u32()?)?;
            let count = self.count()?;
            self.skip(count.saturating_mul(size))?;
        }
        Ok(())
    }

    fn variable(&mut self, dimensions: &[u64]) -> io::Result<Variable> {
        self.name()?;
        let rank = self.count()?;
        let mut values = 1u64;
        let mut has_records = false;
        for _ in 0..rank {
            let id = usize::try_from(self.count()?).map_err(|_| io::ErrorKind::InvalidData)?;
            // The record dimension has length 0.
            match dimensions.get(id) {
                Some(0) => has_records = true,
                Some(&length) => values = values.saturating_mul(length),
                None => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
        self.attributes()?;
        let size = type_size(self.u32()?)?;
        // `vsize` is redundant, and wrong for variables beyond 4 GiB.
        self.count()?;
        let begin = if self.version == 1 {
            self.u32()?
        } else {
            self.u64()?
        };
        Ok(Variable {
            has_records,
            bytes: values.saturating_mul(size),
            begin,
        })
    }
}

/// Bytes of a value of an `nc_type`.
fn type_size(nc_type: u64) -> io::Result<u64> {
    match nc_type {
        1 | 2 | 7 => Ok(1),
        3 | 8 => Ok(2),
        4 | 5 | 9 => Ok(4),
        6 | 10 | 11 => Ok(8),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}
