//! Folders that the benches read: named by environment variables, or beside the project.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

/// Real maps and days.
pub const DATA: Folder = Folder {
    variable: "DOORSTEP_DATA",
    beside: "../shared/data",
};

/// The peers as they are installed.
pub const PEERS: Folder = Folder {
    variable: "DOORSTEP_PEERS",
    beside: "../shared/peers",
};

/// The scripts that run the matching's peers.
pub const PEERS_DISPATCH: Folder = Folder {
    variable: "DOORSTEP_PEERS_DISPATCH",
    beside: "../shared/peers/dispatch/python",
};

/// The scripts that run the router's peers.
pub const PEERS_SCRIPTS: Folder = Folder {
    variable: "DOORSTEP_PEERS_SCRIPTS",
    beside: "../shared/peers/routing",
};

/// The root of the project.
#[must_use]
pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A folder that an environment variable names; without the variable, one beside the project.
#[derive(Clone, Copy, Debug)]
pub struct Folder {
    variable: &'static str,
    /// From the root of the project.
    beside: &'static str,
}

impl Folder {
    /// Whoever names a folder wants it used, so that a wrong name is no reason to leave something out.
    ///
    /// # Errors
    ///
    /// If the variable is set and names no folder.
    pub fn check(self) -> Result<()> {
        self.check_named(env::var_os(self.variable))
    }

    /// What lies at that path in the folder.
    ///
    /// # Errors
    ///
    /// Says what is missing and which variable names the folder, without paths of the machine: the pages show it.
    pub fn holding(self, path: &str) -> std::result::Result<PathBuf, String> {
        self.held(env::var_os(self.variable), path)
    }

    fn check_named(self, named: Option<OsString>) -> Result<()> {
        if let Some(named) = named.map(PathBuf::from) {
            ensure!(
                named.is_dir(),
                "{} names {}, which is no folder",
                self.variable,
                named.display()
            );
        }
        Ok(())
    }

    fn held(self, named: Option<OsString>, path: &str) -> std::result::Result<PathBuf, String> {
        let Self { variable, beside } = self;
        let why = if named.is_some() {
            format!("no {path} in the folder that {variable} names")
        } else {
            format!("no {path} in {beside}, and {variable} names no other folder")
        };
        let folder = named.map_or_else(|| project().join(beside), PathBuf::from);
        let path = folder.join(path);
        if path.exists() { Ok(path) } else { Err(why) }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const FOLDER: Folder = Folder {
        variable: "DOORSTEP_X",
        beside: "benches",
    };

    #[test]
    fn without_the_variable_the_folder_beside_the_project_is_read() {
        let found = FOLDER.held(None, "harness/Cargo.toml").unwrap();
        assert!(found.is_file(), "{}", found.display());
        assert_eq!(
            FOLDER.held(None, "nothing"),
            Err("no nothing in benches, and DOORSTEP_X names no other folder".to_owned())
        );
        FOLDER.check_named(None).unwrap();
    }

    #[test]
    fn a_named_folder_is_read_alone() {
        let folder = tempfile::tempdir().unwrap();
        let named = || Some(folder.path().as_os_str().to_owned());
        fs::write(folder.path().join("map"), "").unwrap();
        assert_eq!(FOLDER.held(named(), "map"), Ok(folder.path().join("map")));
        assert_eq!(
            FOLDER.held(named(), "harness/Cargo.toml"),
            Err("no harness/Cargo.toml in the folder that DOORSTEP_X names".to_owned())
        );
        FOLDER.check_named(named()).unwrap();
    }

    #[test]
    fn a_name_of_no_folder_fails() {
        let folder = tempfile::tempdir().unwrap();
        for named in [folder.path().join("gone").into_os_string(), OsString::new()] {
            let error = FOLDER.check_named(Some(named)).unwrap_err().to_string();
            assert!(
                error.starts_with("DOORSTEP_X names ") && error.ends_with(", which is no folder"),
                "{error}"
            );
        }
    }
}
