//! Codecs on fields like NEMO's: the compression ratio of each, and how fast one core encodes and decodes.
//! `docs/codecs.md` has the figures and what follows from them.

use std::error::Error;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};
use msm_model::DType;
use msm_zarr::{ChunkCodec, Codec, EncodedObject};
use nemo_like::{Grid, Spec, Variable};
use serde_json::json;

const CODECS: [&str; 12] = [
    "none",
    "zstd:1",
    "zstd:3",
    "blosc:lz4:1:shuffle",
    "blosc:lz4:5:shuffle",
    "blosc:lz4:5:bitshuffle",
    "blosc:lz4:9:shuffle",
    "blosc:lz4hc:5:shuffle",
    "blosc:zstd:1:shuffle",
    "blosc:zstd:1:bitshuffle",
    "blosc:zstd:3:shuffle",
    "blosc:zstd:5:shuffle",
];

/// Levels in an object: what the automatic chunking takes of eORCA1, 17.4 MiB.
const LEVELS: usize = 38;

/// One data variable.
struct Field {
    name: &'static str,
    /// Shape of its objects, `[time, depth, y, x]` or `[time, y, x]`.
    chunk: Vec<usize>,
    /// Decoded values of each object, float32.
    objects: Vec<Vec<u8>>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let fields = fields()?;
    let decoded: usize = fields.iter().flat_map(|f| &f.objects).map(Vec::len).sum();
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    for text in CODECS {
        let codec: Codec = text.parse()?;
        let mut objects = Vec::new();
        let mut ratios = format!("{text}: ratio");
        let mut all_stored = 0;
        for field in &fields {
            let array = chunk_codec(&codec, field)?;
            let encoded: Vec<EncodedObject> = field
                .objects
                .iter()
                .map(|values| array.encode(values))
                .collect::<Result<_, _>>()?;
            let stored: Vec<&[u8]> = encoded.iter().map(bytes).collect();
            let size: usize = stored.iter().map(|s| s.len()).sum();
            let of_field: usize = field.objects.iter().map(Vec::len).sum();
            let ratio = of_field as f64 / size as f64;
            ratios += format!(" {} {ratio:.2},", field.name).as_str();
            all_stored += size;
            objects.push((array, encoded));
        }
        println!("{ratios} all {:.2}", decoded as f64 / all_stored as f64);

        let mut group = criterion.benchmark_group("codecs");
        group.throughput(Throughput::Bytes(decoded as u64));
        group.bench_function(BenchmarkId::new("encode", text), |bencher| {
            bencher.iter(|| {
                for (field, (array, _)) in fields.iter().zip(&objects) {
                    for values in &field.objects {
                        black_box(array.encode(values).is_ok());
                    }
                }
            });
        });
        group.bench_function(BenchmarkId::new("decode", text), |bencher| {
            bencher.iter(|| {
                for (array, encoded) in &objects {
                    for stored in encoded {
                        black_box(array.decode(bytes(stored)).is_ok());
                    }
                }
            });
        });
        group.finish();
    }
    criterion.final_summary();
    Ok(())
}

/// The data variables of a generated eORCA1 file, cut into objects; the last object is filled up.
fn fields() -> Result<Vec<Field>, Box<dyn Error>> {
    let spec = Spec {
        grid: Grid::eorca1(),
        variables: vec![Variable::Thetao, Variable::So, Variable::E3t, Variable::Tos],
        ..Spec::default()
    };
    let folder = tempfile::tempdir()?;
    let path = folder.path().join(nemo_like::file_name(&spec));
    nemo_like::write(&path, &spec)?;
    let file = netcdf::open(&path)?;
    spec.variables
        .iter()
        .map(|variable| {
            let name = variable.name();
            let array = file.variable(name).ok_or("a variable is missing")?;
            let mut chunk: Vec<usize> = array
                .dimensions()
                .iter()
                .map(netcdf::Dimension::len)
                .collect();
            if variable.has_depth() {
                chunk[1] = LEVELS;
            }
            let object_bytes = chunk.iter().product::<usize>() * size_of::<f32>();
            let fill = 1e20f32.to_le_bytes();
            let objects = array
                .get_raw_values(..)?
                .chunks(object_bytes)
                .map(|part| {
                    let missing = (object_bytes - part.len()) / fill.len();
                    [part, &fill.repeat(missing)].concat()
                })
                .collect();
            Ok(Field {
                name,
                chunk,
                objects,
            })
        })
        .collect()
}

/// The codec of an array that is one row of objects.
fn chunk_codec(codec: &Codec, field: &Field) -> Result<ChunkCodec, Box<dyn Error>> {
    let mut shape = field.chunk.clone();
    shape[1] *= field.objects.len();
    let document = json!({
        "zarr_format": 3, "node_type": "array", "shape": shape, "data_type": "float32",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": field.chunk}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 1e20f32, "codecs": codec.metadata(DType::F32), "attributes": {},
    });
    Ok(ChunkCodec::new(field.name, &document.to_string())?)
}

fn bytes(encoded: &EncodedObject) -> &[u8] {
    match encoded {
        EncodedObject::Empty => &[],
        EncodedObject::Stored(stored) => stored,
    }
}
