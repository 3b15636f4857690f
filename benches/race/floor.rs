//! The floor of a send: what any program has to do that turns stored HDF5 chunks into objects, and nothing else. It knows of no metadata,
//! verifies nothing, and takes each stored chunk for one object.
//!
//! usage: floor lz4|shuffled|copied FILE ENDPOINT, with a line `ADDRESS BYTES DECODED` for each stored chunk, deflated float32s with
//! HDF5's shuffle, on standard input
//!
//! `lz4` inflates, puts the bytes into order, compresses them as the program does by default; `shuffled` leaves them in HDF5's order;
//! `copied` puts the chunks as they are.

use std::error::Error;
use std::fs::File;
use std::io::BufRead;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use libdeflater::Decompressor;
use msm_model::DType;
use msm_zarr::{ChunkCodec, Codec, EncodedObject};
use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use rayon::prelude::*;
use serde_json::json;

/// Objects on their way at a time.
const IN_FLIGHT: usize = 32;

type Failure = Box<dyn Error + Send + Sync>;

/// A stored chunk.
struct Chunk {
    address: u64,
    bytes: usize,
    decoded: usize,
}

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let [mode, file, endpoint] = &words[..] else {
        // As `cargo bench` runs it.
        return Ok(());
    };
    let file = File::open(file)?;
    let chunks: Vec<Chunk> = std::io::stdin()
        .lock()
        .lines()
        .map(chunk)
        .collect::<Result<_, _>>()?;
    let store = AmazonS3Builder::new()
        .with_bucket_name("ocean")
        .with_region("us-east-1")
        .with_endpoint(endpoint)
        .with_allow_http(true)
        .with_access_key_id("test-key")
        .with_secret_access_key("test-secret")
        .build()?;
    let store: Arc<dyn ObjectStore> = Arc::new(store);
    let (hand_over, take) = sync_channel::<(usize, Vec<u8>)>(IN_FLIGHT);
    let sender = std::thread::spawn(move || send(&store, take));
    chunks
        .into_par_iter()
        .enumerate()
        .try_for_each(|(number, chunk)| {
            hand_over
                .send((number, object(mode, &file, &chunk)?))
                .map_err(|cause| Failure::from(cause.to_string()))
        })?;
    drop(hand_over);
    sender.join().map_err(|_| "the sender panicked")?
}

fn chunk(line: std::io::Result<String>) -> Result<Chunk, Failure> {
    let line = line?;
    let mut words = line.split_whitespace();
    let mut next = || words.next().ok_or("a line has three numbers");
    Ok(Chunk {
        address: next()?.parse()?,
        bytes: next()?.parse()?,
        decoded: next()?.parse()?,
    })
}

fn object(mode: &str, file: &File, chunk: &Chunk) -> Result<Vec<u8>, Failure> {
    let mut stored = vec![0; chunk.bytes];
    file.read_exact_at(&mut stored, chunk.address)?;
    if mode == "copied" {
        return Ok(stored);
    }
    let mut shuffled = vec![0; chunk.decoded];
    Decompressor::new().zlib_decompress(&stored, &mut shuffled)?;
    let values = if mode == "lz4" {
        in_order(&shuffled)
    } else {
        shuffled
    };
    let codec: Codec = "blosc:lz4:5:shuffle".parse()?;
    let count = chunk.decoded / size_of::<f32>();
    let document = json!({
        "zarr_format": 3, "node_type": "array", "shape": [count], "data_type": "float32",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [count]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": "NaN", "codecs": codec.metadata(DType::F32), "attributes": {},
    });
    Ok(
        match ChunkCodec::new("floor", &document.to_string())?.encode(&values)? {
            EncodedObject::Stored(stored) => stored.to_vec(),
            EncodedObject::Empty => Vec::new(),
        },
    )
}

/// Undoes HDF5's shuffle of float32s.
fn in_order(shuffled: &[u8]) -> Vec<u8> {
    let count = shuffled.len() / 4;
    let planes: [&[u8]; 4] = std::array::from_fn(|b| &shuffled[b * count..(b + 1) * count]);
    let mut values = vec![0; shuffled.len()];
    for (i, value) in values.chunks_exact_mut(4).enumerate() {
        for b in 0..4 {
            value[b] = planes[b][i];
        }
    }
    values
}

fn send(
    store: &Arc<dyn ObjectStore>,
    take: std::sync::mpsc::Receiver<(usize, Vec<u8>)>,
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut running = tokio::task::JoinSet::new();
        for (number, object) in take {
            let store = Arc::clone(store);
            running.spawn(async move {
                store
                    .put(&Path::from(format!("floor/{number}")), object.into())
                    .await
            });
            while running.len() >= IN_FLIGHT {
                running.join_next().await.transpose()?.transpose()?;
            }
        }
        while let Some(put) = running.join_next().await {
            put??;
        }
        Ok(())
    })
}
