//! Times in other units than the store's: the same moments, or an error.

use crate::line::msm_os;
use crate::support::{Sandbox, python_code};

/// xarray's decoded times of a store, as text.
fn times(sandbox: &Sandbox, store: &str, variable: &str) -> String {
    let code = "import sys, xarray, os
times = xarray.open_zarr(sys.argv[1], decode_times=xarray.coders.CFDatetimeCoder(use_cftime=True))[sys.argv[2]]
print(*[t.isoformat() for t in times.values.ravel()])
sys.stdout.flush()
os._exit(0)";
    python_code(code, &[&sandbox.file(store), variable]).stdout
}

#[test]
fn times_are_converted_to_the_stores_units() {
    for ranks in [1, 3] {
        let sandbox = Sandbox::new();
        let file = sandbox.months(1, 4);
        let part = |name: &str, steps: &str, units: &str| {
            let name = format!("{name}_1m_grid_T.nc");
            sandbox.cut(&file, &name, steps, &format!("'units={units}'"))
        };
        let send = |files: &str, bucket: &str| {
            msm_os!("send -f {files} -b {} -v tos", sandbox.url(bucket)).well_on(ranks)
        };
        // Two files of one send, each counting from its own start, and an append in a third unit.
        let first = part("a", "0", "days since 1976-01-01");
        let second = part("b", "1,2", "hours since 1976-02-01");
        send(&format!("{first} {second}"), "ocean");
        let last = part("c", "3", "minutes since 1970-01-01");
        send(&last, "ocean");
        send(&file, "plain");
        for variable in [
            "time_counter",
            "time_centered",
            "time_counter_bounds",
            "time_centered_bounds",
        ] {
            let [converted, plain] = ["ocean", "plain"]
                .map(|bucket| times(&sandbox, &format!("{bucket}/T1m/tos.zarr"), variable));
            assert_eq!(converted, plain, "{variable}");
        }
        // The steps are recognised whatever they are written in.
        let before = sandbox.tree("ocean");
        let same = part("s", "0,1,2,3", "seconds since 1800-01-01");
        send(&same, "ocean").says(&["nothing to do"]);
        assert!(sandbox.tree("ocean") == before);
    }
}

#[test]
fn other_calendars_and_earlier_times_are_refused() {
    let sandbox = Sandbox::new();
    let (file, url) = (sandbox.months(1, 4), sandbox.url("ocean"));
    let send = |name: &str, steps: &str, options: &str| {
        let part = sandbox.cut(&file, &format!("{name}_1m_grid_T.nc"), steps, options);
        msm_os!("send -f {part} -b {url}")
    };
    send("a", "1,2", "").well_on(3);
    let calendar = "set=time_counter:calendar:noleap set=time_centered:calendar:noleap";
    let noleap = send("b", "3", calendar);
    noleap.refused_in(&sandbox, 23, &["noleap"]);
    let earlier = send("c", "0", "");
    earlier.refused_in(&sandbox, 24, &["1976-03-16", "1976-01-16"]);
}
