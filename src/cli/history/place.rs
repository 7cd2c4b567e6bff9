//! Where the history is: what was named, or else where the environment says.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Names the history where no flag does.
const VARIABLE: &str = "BLAST_HISTORY";

/// In the user's folder of data, as XDG has it.
const FILE: &str = "blast/history.db";

pub fn place(named: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = named.map(Path::to_path_buf).or_else(|| variable(VARIABLE)) {
        return Ok(path);
    }
    // What is relative is to be ignored, by its specification.
    let data = variable("XDG_DATA_HOME").filter(|folder| folder.is_absolute());
    let home = || variable("HOME").map(|home| home.join(".local/share"));
    data.or_else(home).map(|folder| folder.join(FILE)).ok_or_else(|| {
        Error::usage(
            "nothing says where the history is, neither BLAST_HISTORY nor HOME; name a file with \
             `--history FILE`",
        )
    })
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
