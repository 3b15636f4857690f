//! The headings of `--help`, under each of which it lists the same flags for all commands.
//!
//! Key function: [`of`].

/// The headings, each with the flags below it.
const HEADINGS: &[(&str, &[&str])] = &[
    (
        "Files and stores",
        &[
            "filepaths",
            "bucket",
            "prefix",
            "store",
            "variables",
            "array",
            "all",
            "against",
            "recipe",
            "static",
            "to",
            "to-bucket",
            "last",
            "replace",
        ],
    ),
    (
        "Connection",
        &[
            "credentials",
            "profile",
            "anonymous",
            "addressing",
            "ca-bundle",
            "to-credentials",
            "endpoint-url",
            "max-rate",
            "max-requests",
        ],
    ),
    (
        "New stores",
        &[
            "chunk_strategy",
            "shards",
            "zarr-version",
            "codec",
            "attributes",
        ],
    ),
    (
        "Stores that are there",
        &[
            "add-variables",
            "repair-attributes",
            "consolidate",
            "orphans",
            "truncate",
            "abandon",
            "force",
        ],
    ),
    (
        "Time",
        &[
            "append_dim",
            "time-from",
            "time",
            "step",
            "on-overlap",
            "insert",
            "allow-gaps",
            "append-missing",
            "older",
            "newer",
        ],
    ),
    (
        "Coordinates",
        &[
            "grid-filepath",
            "update-coords",
            "coords-tolerance",
            "level",
        ],
    ),
    (
        "Reprojection",
        &[
            "reproject",
            "replace-projected",
            "method",
            "grid",
            "resolution",
            "bbox",
            "longitudes",
            "weights",
            "allow-vector-components",
        ],
    ),
    (
        "Safety and jobs",
        &[
            "dry-run",
            "yes",
            "verify",
            "transaction",
            "resume",
            "keep-undo",
            "memory",
            "lock-dir",
            "lock-wait",
            "share",
            "task",
            "stop-after",
            "ranks",
            "rate",
            "prices",
            "sbatch",
            "exit-nothing",
        ],
    ),
    (
        "Output",
        &[
            "json", "brief", "progress", "report", "stac", "intake", "section", "series", "out",
            "log",
        ],
    ),
    ("Settings", &["config", "show-config"]),
];

/// The heading of the flag with this long name.
pub(super) fn of(flag: &str) -> Option<&'static str> {
    let found = HEADINGS.iter().find(|(_, flags)| flags.contains(&flag));
    found.map(|(heading, _)| *heading)
}
