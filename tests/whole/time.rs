//! Times in other units than the store's: the same moments, or an error.

use nemo_like::Spec;

use crate::support::{Sandbox, cut, end, on_ranks, python};

/// xarray's decoded times of a store, as text.
fn times(sandbox: &Sandbox, store: &str, variable: &str) -> String {
    let code = "import sys, xarray, os
times = xarray.open_zarr(sys.argv[1], decode_times=xarray.coders.CFDatetimeCoder(use_cftime=True))[sys.argv[2]]
print(*[t.isoformat() for t in times.values.ravel()])
sys.stdout.flush()
os._exit(0)";
    let mut command = std::process::Command::new(python());
    command.args(["-c", code, sandbox.path(store).to_str().unwrap(), variable]);
    end(command).well().stdout
}

#[test]
fn times_are_converted_to_the_stores_units() {
    for ranks in [1, 3] {
        let sandbox = Sandbox::new();
        let file = sandbox.source(&Spec {
            steps: 4,
            start: "1976-01-01".parse().unwrap(),
            ..Spec::default()
        });
        let url = sandbox.url("ocean");
        let part = |name: &str, steps: &str, units: &str| {
            cut(&sandbox, &file, name, steps, &[&format!("units={units}")])
        };
        // Two files of one send, each counting from its own start, and an append in a third unit.
        let files = [
            part("a_1m_grid_T.nc", "0", "days since 1976-01-01"),
            part("b_1m_grid_T.nc", "1,2", "hours since 1976-02-01"),
        ];
        let place = ["-b", &url, "-v", "tos"];
        on_ranks(
            ranks,
            &[&["send", "-f", &files[0], &files[1]][..], &place].concat(),
        )
        .well();
        let last = part("c_1m_grid_T.nc", "3", "minutes since 1970-01-01");
        on_ranks(ranks, &[&["send", "-f", &last][..], &place].concat()).well();
        on_ranks(
            ranks,
            &[
                "send",
                "-f",
                &file,
                "-b",
                &sandbox.url("plain"),
                "-v",
                "tos",
            ],
        )
        .well();
        for variable in [
            "time_counter",
            "time_centered",
            "time_counter_bounds",
            "time_centered_bounds",
        ] {
            let converted = times(&sandbox, "ocean/T1m/tos.zarr", variable);
            assert_eq!(
                converted,
                times(&sandbox, "plain/T1m/tos.zarr", variable),
                "{variable}"
            );
        }
        // The steps are recognised whatever they are written in.
        let before = sandbox.tree("ocean");
        let same = part("s_1m_grid_T.nc", "0,1,2,3", "seconds since 1800-01-01");
        let skipped = on_ranks(ranks, &[&["send", "-f", &same][..], &place].concat()).well();
        assert!(
            skipped.stdout.contains("nothing to do"),
            "{}",
            skipped.stdout
        );
        assert!(sandbox.tree("ocean") == before);
    }
}

#[test]
fn other_calendars_and_earlier_times_are_refused() {
    let sandbox = Sandbox::new();
    let file = sandbox.source(&Spec {
        steps: 4,
        start: "1976-01-01".parse().unwrap(),
        ..Spec::default()
    });
    let url = sandbox.url("ocean");
    let part =
        |name: &str, steps: &str, options: &[&str]| cut(&sandbox, &file, name, steps, options);
    let first = part("a_1m_grid_T.nc", "1,2", &[]);
    on_ranks(3, &["send", "-f", &first, "-b", &url]).well();
    let before = sandbox.tree("ocean");
    let noleap = [
        "set=time_counter:calendar:noleap",
        "set=time_centered:calendar:noleap",
    ];
    for ranks in [1, 3] {
        let refused = on_ranks(
            ranks,
            &[
                "send",
                "-f",
                &part("b_1m_grid_T.nc", "3", &noleap),
                "-b",
                &url,
            ],
        );
        assert_eq!(refused.code, 23, "{refused:#?}");
        assert!(refused.stderr.contains("noleap"), "{}", refused.stderr);
        let refused = on_ranks(
            ranks,
            &["send", "-f", &part("c_1m_grid_T.nc", "0", &[]), "-b", &url],
        );
        assert_eq!(refused.code, 24, "{refused:#?}");
        for word in ["1976-03-16", "1976-01-16"] {
            assert!(refused.stderr.contains(word), "{word}: {}", refused.stderr);
        }
        assert!(sandbox.tree("ocean") == before);
    }
}
