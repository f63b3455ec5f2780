//! One message in the drop folder: a line of JSON that says who and whom, then the message with CRLF line ends.
//!
//! The folder lets everybody add a file, and nobody but the daemon list it or take somebody else's away (mode 3733: its group is
//! the daemon's, and so is that of what is put there). A file is written under one name and renamed when it is whole.

use super::{Failure, exit};
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// What a file is called until it is whole, and then.
pub const UNFINISHED: &str = "tmp-";
/// What it is called when it is whole.
pub const WHOLE: &str = "mail-";
/// What it is called when it makes no sense.
pub const DAMAGED: &str = "bad-";

/// Who, and whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slip {
    /// The sender; `None`: whoever runs the program.
    pub from: Option<String>,
    /// The sender's name.
    pub full_name: Option<String>,
    /// Recipients.
    pub to: Vec<String>,
    /// NOTIFY.
    pub notify: Option<String>,
    /// ENVID.
    pub envelope_id: Option<String>,
    /// RET=FULL.
    pub whole: bool,
}

/// The folder of a daemon's state.
pub fn folder(state: &Path) -> PathBuf {
    state.join("drop")
}

/// How many messages wait there to be taken in. A folder that cannot be read has none.
pub fn count(state: &Path) -> usize {
    let is_whole = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with(WHOLE);
    fs::read_dir(folder(state)).map_or(0, |entries| entries.flatten().filter(is_whole).count())
}

/// Makes the folder, and the way to it: everybody on this host has to get there, and to nothing else in a state folder that was
/// closed to them.
///
/// # Errors
/// What the system said.
pub fn make_folder(state: &Path) -> io::Result<()> {
    let is_closed = fs::metadata(state)?.permissions().mode() & 0o077 == 0;
    for entry in fs::read_dir(state)?.filter(|_| is_closed) {
        let entry = entry?;
        let (path, meta) = (entry.path(), entry.metadata()?);
        if path != folder(state) && !meta.is_symlink() && meta.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(&path, Permissions::from_mode(meta.permissions().mode() & 0o700))?;
        }
    }
    let folder = folder(state);
    match DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    fs::set_permissions(&folder, Permissions::from_mode(0o3733))?;
    if is_closed { fs::set_permissions(state, Permissions::from_mode(0o711)) } else { Ok(()) }
}

impl Slip {
    /// Hands a message in. It is on the disk when this is over.
    ///
    /// # Errors
    /// [`Failure`]; nothing of it stays.
    pub fn write(&self, state: &Path, message: &[u8]) -> Result<(), Failure> {
        let folder = folder(state);
        let failed = |error: io::Error| {
            let why = match error.kind() {
                io::ErrorKind::NotFound => {
                    "there is none; start the daemon once, or name its state folder in $STATE_DIRECTORY".to_owned()
                }
                _ => error.to_string(),
            };
            Failure(exit::CANT_CREATE, format!("the drop folder {} cannot be used: {why}", folder.display()))
        };
        let mut chance = [0; 16];
        aws_lc_rs::rand::fill(&mut chance).map_err(|_| failed(io::Error::other("there is no randomness")))?;
        let name = format!("{:032x}", u128::from_le_bytes(chance));
        let unfinished = folder.join(format!("{UNFINISHED}{name}"));
        let written =
            self.store(&unfinished, message).and_then(|()| fs::rename(&unfinished, folder.join(format!("{WHOLE}{name}"))));
        written.map_err(|error| {
            let _ = fs::remove_file(&unfinished);
            failed(error)
        })
    }

    fn store(&self, path: &Path, message: &[u8]) -> io::Result<()> {
        let mut file: File = OpenOptions::new().write(true).create_new(true).mode(0o640).open(path)?;
        // Whatever the mask of the program that runs us: the daemon is in the file's group, and has to read it.
        file.set_permissions(Permissions::from_mode(0o640))?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.write_all(b"\n")?;
        file.write_all(message)?;
        file.sync_all()
    }
}
