# A recipe for a repository of one's own: packages/msm-os/package.py there. docs/installing.md says how it is used.

from spack.package import *


class MsmOs(CargoPackage):
    """Puts NEMO ocean-model archives on object stores as Zarr, in parallel under MPI."""

    # There is no public address: give that of the repository, or `spack develop`.
    git = "file:///path/to/msm-os"

    license("MIT OR Apache-2.0", checked_by="msm-os")

    version("main", branch="main")

    variant("mpi", default=True, description="Ranks that are processes of an MPI job")

    depends_on("c", type="build")
    depends_on("rust@1.92:", type="build")
    depends_on("cmake", type="build")
    # bindgen reads the headers of MPI.
    depends_on("llvm+clang", type="build", when="+mpi")
    depends_on("mpi", when="+mpi")
    depends_on("netcdf-c~mpi")
    depends_on("hdf5~mpi")

    @property
    def build_args(self):
        chosen = ["mpi", "netcdf-library"] if self.spec.satisfies("+mpi") else ["netcdf-library"]
        return ["--no-default-features", f"--features={','.join(chosen)}"]

    @property
    def check_args(self):
        return ["--lib"]

    def setup_build_environment(self, env):
        env.set("HDF5_DIR", self.spec["hdf5"].prefix)
        env.set("NETCDF_DIR", self.spec["netcdf-c"].prefix)
        if self.spec.satisfies("+mpi"):
            env.set("MPICC", self.spec["mpi"].mpicc)
            env.set("LIBCLANG_PATH", self.spec["llvm"].prefix.lib)
