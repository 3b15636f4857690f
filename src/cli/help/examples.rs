//! The examples at the end of each command's `--help`.
//!
//! Key function: [`below`].

/// What an example does, and its line.
type Example = (&'static str, &'static str);

/// Every command with its examples.
pub(super) const EXAMPLES: &[(&str, &[Example])] = &[
    (
        "send",
        &[
            (
                "Two years of a run, each variable into its own store, on four ranks",
                "mpirun -n 4 msm_os send -b ocean -c credentials.json \\\n      -f eORCA025_1y_grid_T_1976-1976.nc eORCA025_1y_grid_T_1977-1977.nc",
            ),
            (
                "Two variables of all files of a directory, in chunks of a month, into a directory",
                "msm_os send -f 'run1/*_grid_T_*.nc' -v tos sos -b file:///data/ocean -p T1m \\\n      -cs '{\"time_counter\": 1, \"y\": 200, \"x\": 200}'",
            ),
        ],
    ),
    (
        "update",
        &[(
            "A month that was computed anew, over what stores have of it",
            "msm_os update -b ocean -c credentials.json -f eORCA025_1m_grid_T_197603-197603.nc",
        )],
    ),
    (
        "plan",
        &[
            (
                "What a send would do, and what it takes",
                "msm_os plan -b ocean -c credentials.json -f 'run1/*_grid_T_*.nc'",
            ),
            (
                "A batch script that sends it",
                "msm_os plan -b ocean -c credentials.json -f 'run1/*_grid_T_*.nc' --sbatch > send.sbatch",
            ),
        ],
    ),
    (
        "open",
        &[(
            "Lines of Python that open what lies below a prefix",
            "msm_os open -b ocean -c credentials.json -p T1m > open.py",
        )],
    ),
    (
        "quicklook",
        &[
            (
                "A map of the last step of two variables, side by side",
                "msm_os quicklook -b ocean -c credentials.json -p T1m -v tos sos -o map.png",
            ),
            (
                "The Atlantic at 500 m in March 1976, as a page",
                "msm_os quicklook -b ocean -c credentials.json -p T1m -v thetao --step 1976-03 \\\n      --level 500m --bbox -80,-35,20,70 -o atlantic.html",
            ),
        ],
    ),
    (
        "page",
        &[(
            "A page about what lies below a prefix, in a folder to publish; the same again renews it",
            "msm_os page -b ocean -c credentials.json -p T1m -o page",
        )],
    ),
    (
        "report",
        &[(
            "What the tasks of a job array did together, as a page as well",
            "msm_os report reports/*.json -o reports.html",
        )],
    ),
    (
        "list",
        &[
            (
                "All stores below a prefix, a line each",
                "msm_os list -b ocean -c credentials.json -p T1m --brief",
            ),
            (
                "Those that were written last week, for a program",
                "msm_os list -b ocean -c credentials.json --newer 7days --json",
            ),
        ],
    ),
    (
        "du",
        &[(
            "What a prefix takes",
            "msm_os du -b ocean -c credentials.json -p T1m",
        )],
    ),
    (
        "history",
        &[(
            "The commands that wrote one store",
            "msm_os history -b ocean -c credentials.json -p T1m -v tos",
        )],
    ),
    (
        "status",
        &[(
            "What goes on in a bucket",
            "msm_os status -b ocean -c credentials.json",
        )],
    ),
    (
        "delete",
        &[
            (
                "Two stores, without a question",
                "msm_os delete -b ocean -c credentials.json -p T1m -v tos sos --yes",
            ),
            (
                "The steps from 1978 on of all stores below a prefix",
                "msm_os delete -b ocean -c credentials.json -p T1m --all --time 1978..",
            ),
        ],
    ),
    (
        "copy",
        &[
            (
                "All stores of a prefix, to another one",
                "msm_os copy -b ocean -c credentials.json -p T1m --to published/T1m",
            ),
            (
                "One store, into another bucket",
                "msm_os copy -b ocean -c credentials.json --store T1m/tos.zarr --to-bucket public",
            ),
        ],
    ),
    (
        "move",
        &[(
            "A store, to another name",
            "msm_os move -b ocean -c credentials.json --store T1m/tos.zarr --to T1m/sst.zarr",
        )],
    ),
    (
        "rechunk",
        &[(
            "A year in each object, all steps of a part of the map together",
            "msm_os rechunk -b ocean -c credentials.json -p T1m --to series/T1m \\\n      -cs '{\"time_counter\": 12, \"y\": 50, \"x\": 50}'",
        )],
    ),
    (
        "rollback",
        &[
            (
                "Undo the last command below a prefix",
                "msm_os rollback -b ocean -c credentials.json -p T1m",
            ),
            (
                "The last two, in the stores of one variable",
                "msm_os rollback -b ocean -c credentials.json -p T1m -v tos --last 2",
            ),
        ],
    ),
    (
        "recover",
        &[(
            "See what dead jobs left, then bring it to an end without --dry-run",
            "msm_os recover -b ocean -c credentials.json --dry-run",
        )],
    ),
    (
        "verify",
        &[
            (
                "Every object of all stores below a prefix",
                "msm_os verify -b ocean -c credentials.json -p T1m",
            ),
            (
                "And compare with the files that were sent",
                "msm_os verify -b ocean -c credentials.json --against 'run1/*_grid_T_*.nc'",
            ),
        ],
    ),
    (
        "doctor",
        &[(
            "What a server can do",
            "msm_os doctor -b ocean -c credentials.json",
        )],
    ),
    (
        "completions",
        &[(
            "For bash, in ~/.bashrc",
            "source <(msm_os completions bash)",
        )],
    ),
    (
        "man",
        &[
            ("Read the page of a command", "msm_os man send | man -l -"),
            (
                "Pages for `man msm_os-send`",
                "msm_os man --out ~/.local/share/man/man1",
            ),
        ],
    ),
];

/// What stands at the end of a command's help.
pub(super) fn below(command: &str) -> String {
    let of_command = EXAMPLES.iter().find(|(name, _)| *name == command);
    let examples = of_command.map_or(&[][..], |(_, examples)| examples);
    let lines = examples
        .iter()
        .map(|(what, line)| format!("  # {what}\n  {line}\n"));
    let lines: String = lines.collect();
    format!("Examples:\n{lines}\n{POINTER}")
}

/// Where more is told.
const POINTER: &str =
    "Exit codes: `msm_os help exit-codes`; flags from the environment: `msm_os help environment`";
