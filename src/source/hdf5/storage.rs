//! Where the values of a NetCDF-4 variable lie. All that reading them without the HDF5 library relies on is asked for here.

use hdf5_reader::btree_v1::{BTreeV1Key, collect_btree_v1_leaves_storage};
use hdf5_reader::chunk_index::{
    ChunkEntry, collect_implicit_chunk_entries, collect_v2_chunk_entries_storage,
    single_chunk_entry,
};
use hdf5_reader::extensible_array::collect_extensible_array_chunk_entries_storage;
use hdf5_reader::fixed_array::collect_fixed_array_chunk_entries_storage;
use hdf5_reader::messages::HdfMessage;
use hdf5_reader::messages::filter_pipeline::FilterDescription;
use hdf5_reader::messages::layout::{ChunkIndexing, DataLayout};

use super::super::storage::{StoredChunk, StoredChunks, StoredValues, ValueStorage, bytes_of};
use super::types::is_big_endian;
use super::{Hdf5, Hdf5Variable, Type, shown};

/// The most bytes that HDF5 lets a chunk have.
const MAX_CHUNK: usize = u32::MAX as usize;

impl Hdf5 {
    /// Where the values of `variable`, numbers or characters, lie.
    ///
    /// # Errors
    /// If that cannot be, for the file is damaged.
    pub(crate) fn placed(&self, variable: &Hdf5Variable) -> Result<StoredValues, String> {
        let dataset = &variable.dataset;
        let (size, order) = match variable.kind {
            Type::Number(dtype) => {
                let raw = dataset.raw_datatype().map_err(shown)?;
                (dtype.size(), is_big_endian(&raw, dtype))
            }
            _ => (1, Some(false)),
        };
        let shape: Vec<u64> = variable.dimensions.iter().map(|d| d.1).collect();
        let place = match order {
            None => ValueStorage::library("a type that HDF5 converts"),
            // A record that only other variables have.
            Some(_) if dataset.shape() != shape => {
                ValueStorage::library("fewer records than its dimension has")
            }
            Some(_) => self.place(variable, size)?,
        };
        Ok(StoredValues {
            size,
            is_big_endian: order.unwrap_or(false),
            shape,
            place,
        })
    }

    /// Did the values of `variable` go through a filter that is not known here?
    pub(crate) fn has_unknown_filter(&self, variable: &Hdf5Variable) -> bool {
        let header = self.file.get_or_parse_header(variable.dataset.address());
        header.is_ok_and(|header| {
            header.messages.iter().any(|message| match message {
                HdfMessage::FilterPipeline(found) => !found.filters.iter().all(is_known),
                _ => false,
            })
        })
    }

    /// Looks where the values of all variables lie.
    ///
    /// # Errors
    /// If that cannot be, for the file is damaged.
    pub(crate) fn check(&self) -> Result<(), String> {
        for variable in &self.variables {
            let size = variable.dataset.raw_element_size().map_err(shown);
            let placed = size.and_then(|size| self.place(variable, size));
            placed.map_err(|cause| format!("variable '{}': {cause}", variable.name))?;
        }
        Ok(())
    }

    fn place(&self, variable: &Hdf5Variable, size: usize) -> Result<ValueStorage, String> {
        let dataset = &variable.dataset;
        let header = self.file.get_or_parse_header(dataset.address());
        let header = header.map_err(shown)?;
        let (mut layout, mut filters) = (None, Vec::new());
        for message in &header.messages {
            match message {
                HdfMessage::DataLayout(found) => layout = Some(&found.layout),
                HdfMessage::FilterPipeline(found) => filters.clone_from(&found.filters),
                HdfMessage::ExternalFiles(_) => {
                    return Ok(ValueStorage::library("values in other files"));
                }
                _ => {}
            }
        }
        let fill = dataset.fill_value().and_then(|fill| fill.value.clone());
        let fill = fill.unwrap_or_else(|| vec![0; size]);
        if fill.len() != size {
            return Err(format!(
                "its fill value has {} bytes, expected {size}",
                fill.len()
            ));
        }
        let values = bytes_of(dataset.shape(), size);
        match layout.ok_or("nothing says where its values lie")? {
            DataLayout::Compact { data } => {
                if Some(data.len()) == values {
                    Ok(ValueStorage::Inline(data.clone()))
                } else {
                    Err(format!(
                        "its values have {} bytes in the metadata",
                        data.len()
                    ))
                }
            }
            DataLayout::Contiguous { address, .. } if self.is_undefined(*address) => {
                Ok(ValueStorage::Fill(fill))
            }
            DataLayout::Contiguous { address, .. } => {
                let bytes = values.ok_or("it has more values than a file can hold")?;
                let begin = self.within(*address, bytes as u64)?;
                Ok(ValueStorage::Run {
                    begin,
                    stride: None,
                })
            }
            DataLayout::Chunked {
                address,
                dims,
                element_size,
                chunk_indexing,
            } => {
                let rank = dataset.ndim();
                if dims.len() < rank
                    || dims.contains(&0)
                    || ![0, size as u32].contains(element_size)
                {
                    return Err(format!("its chunks cannot be of shape {dims:?}"));
                }
                let dims = &dims[..rank];
                let shape: Vec<u64> = dims.iter().map(|&length| length.into()).collect();
                let bytes = bytes_of(&shape, size).filter(|&bytes| bytes <= MAX_CHUNK);
                let bytes = bytes.ok_or_else(|| format!("its chunks are too large: {dims:?}"))?;
                let mut edges = dataset.shape().iter().zip(&shape);
                let has_edges = edges.any(|(length, chunk)| length % chunk != 0);
                if chunk_indexing.is_some() && has_edges && !filters.is_empty() {
                    // There, an option may keep the filters away from them.
                    return Ok(ValueStorage::library("chunks at its edges"));
                }
                let by_number = matches!(
                    chunk_indexing,
                    Some(ChunkIndexing::FixedArray { .. } | ChunkIndexing::Implicit)
                );
                if by_number
                    && dataset
                        .max_dims()
                        .is_some_and(|most| most != dataset.shape())
                {
                    // These number the chunks that there could be.
                    return Ok(ValueStorage::library("chunks numbered beyond its shape"));
                }
                let index = self.index(variable, *address, dims, chunk_indexing.as_ref(), bytes)?;
                let unknown = filters.iter().find(|filter| !is_known(filter));
                if let Some(FilterDescription { id, name, .. }) = unknown {
                    let name = name.as_deref().unwrap_or("without a name");
                    return Ok(ValueStorage::Library {
                        why: format!("HDF5's filter {id} ({name})"),
                        filtered: index.first().map(|(origin, _)| origin.clone()),
                    });
                }
                Ok(ValueStorage::Chunks(StoredChunks::new(
                    shape, bytes, filters, fill, index,
                )))
            }
        }
    }

    /// The stored chunks of a variable.
    fn index(
        &self,
        variable: &Hdf5Variable,
        address: u64,
        chunk: &[u32],
        indexing: Option<&ChunkIndexing>,
        bytes: usize,
    ) -> Result<Vec<(Vec<u64>, StoredChunk)>, String> {
        if self.is_undefined(address) {
            return Ok(Vec::new());
        }
        let entries = self.entries(variable, address, chunk, indexing, bytes);
        let entries = entries.map_err(|cause| format!("the index of its chunks: {cause}"))?;
        let rank = chunk.len();
        let written = entries
            .into_iter()
            .filter(|entry| !self.is_undefined(entry.address));
        let index = written.map(|entry| {
            let mut origin = entry.offsets;
            origin.truncate(rank);
            // Unfiltered ones are as long as they are when decoded, and some indexes do not repeat that.
            let size = if entry.size == 0 {
                bytes as u64
            } else {
                entry.size
            };
            let chunk = StoredChunk {
                address: self.within(entry.address, size)?,
                size: usize::try_from(size).map_err(shown)?,
                skipped_filters: entry.filter_mask,
            };
            Ok((origin, chunk))
        });
        index.collect()
    }

    fn entries(
        &self,
        variable: &Hdf5Variable,
        address: u64,
        chunk: &[u32],
        indexing: Option<&ChunkIndexing>,
        bytes: usize,
    ) -> Result<Vec<ChunkEntry>, String> {
        use ChunkIndexing::{BTreeV2, ExtensibleArray, FixedArray, Implicit, SingleChunk};
        let (storage, superblock) = (self.file.storage(), self.file.superblock());
        let (offsets, lengths) = (superblock.offset_size, superblock.length_size);
        let dataset = &variable.dataset;
        let (shape, rank) = (dataset.shape(), chunk.len() as u32);
        let entries = match indexing {
            None => {
                let leaves = collect_btree_v1_leaves_storage(
                    storage,
                    address,
                    offsets,
                    lengths,
                    Some(rank),
                    chunk,
                    None,
                );
                let leaves = leaves.map_err(shown)?.into_iter();
                let entry = |(key, address)| match key {
                    BTreeV1Key::RawData {
                        chunk_size,
                        filter_mask,
                        offsets,
                    } => Some(ChunkEntry {
                        address,
                        size: chunk_size.into(),
                        filter_mask,
                        offsets,
                    }),
                    BTreeV1Key::Group { .. } => None,
                };
                return Ok(leaves.filter_map(entry).collect());
            }
            Some(SingleChunk {
                filtered_size,
                filters,
            }) => {
                let only = single_chunk_entry(address, *filtered_size, *filters, chunk.len());
                return Ok(vec![only]);
            }
            Some(BTreeV2) => collect_v2_chunk_entries_storage(
                storage, address, offsets, lengths, rank, chunk, None,
            ),
            Some(Implicit) => {
                let values: u64 = chunk.iter().map(|&length| u64::from(length)).product();
                let size = bytes as u64 / values.max(1);
                let end = storage.len();
                collect_implicit_chunk_entries(address, shape, chunk, size as usize, None, end)
            }
            Some(FixedArray { .. }) => collect_fixed_array_chunk_entries_storage(
                storage, address, offsets, lengths, shape, chunk, None,
            ),
            Some(ExtensibleArray { .. }) => collect_extensible_array_chunk_entries_storage(
                storage,
                address,
                offsets,
                lengths,
                shape,
                dataset.max_dims(),
                chunk,
                None,
            ),
        };
        entries.map_err(shown)
    }

    /// The place in the file of so many bytes at `address`, which must be within it, and not where the file begins.
    fn within(&self, address: u64, bytes: u64) -> Result<u64, String> {
        let end = address.checked_add(bytes);
        if address == 0 || end.is_none_or(|end| end > self.file.storage().len()) {
            return Err(format!(
                "{bytes} bytes at {address} are not within the file"
            ));
        }
        Ok(address + self.file.superblock().base_address)
    }

    fn is_undefined(&self, address: u64) -> bool {
        let bits = 8 * u32::from(self.file.superblock().offset_size.min(8));
        address == u64::MAX >> (64 - bits)
    }
}

/// Can it be undone without the HDF5 library? HDF5's own: deflate, shuffle, fletcher32, szip, nbit, scale-offset.
fn is_known(filter: &FilterDescription) -> bool {
    (1..=6).contains(&filter.id)
}
