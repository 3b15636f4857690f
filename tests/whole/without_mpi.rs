//! The program as it is built where there is no MPI.

use std::path::Path;
use std::process::Command;

use crate::line::msm_os;
use crate::support::{Sandbox, command, end};

/// The path of it.
fn program() -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_msm_os")).with_file_name("msm_os-without-mpi");
    assert!(program.exists(), "make without-mpi builds it");
    program.to_str().unwrap().to_owned()
}

#[test]
fn it_is_linked_to_no_mpi() {
    let mut ldd = Command::new("ldd");
    ldd.arg(program());
    let libraries = end(ldd).well().stdout;
    assert!(libraries.contains("libnetcdf"), "{libraries}");
    for library in ["libmpi", "libopen-rte", "libpmix"] {
        assert!(!libraries.contains(library), "{libraries}");
    }
}

#[test]
fn it_sends_as_the_usual_one_does() {
    let sandbox = Sandbox::new();
    let file = sandbox.months(1, 2);
    let (with, without) = (sandbox.url("with"), sandbox.url("without"));
    msm_os!("send -f {file} -b {with} -v tos").alone().well();
    let line = msm_os!("send -f {file} -b {without} -v tos");
    let words: Vec<&str> = line.words().iter().map(String::as_str).collect();
    end(command(&[&program()], &words)).well();
    assert!(!sandbox.stores("with").is_empty());
    assert_eq!(sandbox.stores("with"), sandbox.stores("without"));
    sandbox.reads_back("without/T1m/tos.zarr", &[&file]);
}

#[test]
fn started_as_one_of_several_it_refuses() {
    let sandbox = Sandbox::new();
    let (file, url) = (sandbox.months(1, 1), sandbox.url("ocean"));
    let line = msm_os!("send -f {file} -b {url} -v tos");
    let words: Vec<&str> = line.words().iter().map(String::as_str).collect();
    let mut command = command(&[&program()], &words);
    command.env("OMPI_COMM_WORLD_SIZE", "2");
    end(command).refused(50, &["built without MPI", "nothing was written"]);
    assert!(!sandbox.path("ocean").exists());
}
