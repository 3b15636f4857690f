//! What `list` finds of a store. The fields' names are the keys of the JSON that it can print.
//!
//! Key types: [`StoreInfo`], [`VariableInfo`].

use serde::Serialize;
use serde_json::Value;

use crate::events::ReplacedStore;

/// What `list` says of a store; with `--json`, these are its members.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
    pub last_transaction: Option<TransactionInfo>,
    /// What is to take its place, if it is being replaced.
    #[serde(skip)]
    pub being_replaced: Option<ReplacedStore>,
}

/// Can a store be read?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreState {
    /// Yes.
    Whole,
    /// A create, a delete or a replacement is under way, or died: it has no root document yet, or no more, or not for long.
    Unfinished,
    /// Something lies there that this program cannot read.
    Broken,
    /// The object store lets this user not read it.
    Denied,
    /// Not by this program: it is an Icechunk repository.
    Icechunk,
}

/// An array of a store.
#[derive(Clone, Debug, PartialEq, Serialize)]
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

/// What the ledger records of a store's last transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TransactionInfo {
    /// Its number: 1 created the store.
    pub number: u64,
    /// The command that made it.
    pub command: String,
    /// Steps it added.
    pub steps: u64,
    /// When it was, in UTC.
    pub time: String,
}
