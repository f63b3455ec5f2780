//! Finds `postern` and `posternd` beside the test executable, after having cargo build them: a test binary of one package
//! does not make cargo build the binaries of another. `POSTERN_BIN_DIR` names a folder with binaries that are to be tested
//! as they are.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The programs under test.
#[derive(Debug)]
pub struct Binaries {
    /// The compiler.
    pub postern: PathBuf,
    /// The daemon.
    pub posternd: PathBuf,
}

/// The programs, built once for each process. Cargo's lock is free by now: it runs tests only after it has built them.
pub fn binaries() -> &'static Binaries {
    static BINARIES: OnceLock<Binaries> = OnceLock::new();
    BINARIES.get_or_init(|| {
        let folder = std::env::var_os("POSTERN_BIN_DIR").map_or_else(build, PathBuf::from);
        let binaries = Binaries { postern: folder.join("postern"), posternd: folder.join("posternd") };
        for path in [&binaries.postern, &binaries.posternd] {
            assert!(path.is_file(), "{} is not there", path.display());
        }
        binaries
    })
}

/// The root of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate lies in the workspace")
}

/// Builds with the profile and into the target folder of the running executable, which is `<target>/<profile>/deps/<test>` or
/// `<target>/<profile>/<binary>`. Returns the folder of the binaries.
fn build() -> PathBuf {
    let executable = std::env::current_exe().expect("Linux names the running executable");
    let mut folder = executable.parent().expect("an executable lies in a folder");
    if folder.ends_with("deps") {
        folder = folder.parent().expect("deps lies in the profile's folder");
    }
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") => "dev",
        Some(name) => name,
        None => panic!("{} is no place that cargo puts a test", executable.display()),
    };
    let target = folder.parent().expect("the profile's folder lies in the target folder");
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // The whole workspace, since then every dependency has the features that it has for `cargo test --workspace`.
    command.args(["build", "--quiet", "--workspace", "--bins", "--profile", profile, "--target-dir"]).arg(target);
    let output = command.current_dir(workspace()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    folder.to_path_buf()
}
