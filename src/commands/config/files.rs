//! What the settings name: files that must be there and be right, and addresses that must differ. Reads only.

use std::path::Path;

use anyhow::{Context, ensure};
use doorstep_web::tls::client_config;

use crate::commands::secret_file::read_secret;
use crate::commands::token::read_key;
use crate::settings::{Settings, open_tls};

/// One line for each thing that is wrong, with the place of the setting that names it.
pub(super) fn problems(settings: &Settings) -> Vec<String> {
    let mut found = Vec::new();
    let mut note = |name: &str, outcome: anyhow::Result<()>| {
        if let Err(error) = outcome {
            found.push(format!("{}: {name}: {error:#}", settings.source(name)));
        }
    };
    let mut each = |name: &str, check: fn(&Path) -> anyhow::Result<()>| {
        if let Some(path) = settings.path(name) {
            note(name, check(&path));
        }
    };
    each("map", |path| Ok(doorstep_maps::expect_map(path)?));
    each("token_key_file", |path| read_key(path).map(drop));
    each("gateway.secret_file", |path| read_secret(path).map(drop));
    each("ca", |path| Ok(client_config(Some(path)).map(drop)?));
    each("dispatch.journal", is_or_can_be_a_folder);
    each("dispatch.certificate_out", is_in_a_folder);
    for names in [
        ["dispatch.certificate", "dispatch.certificate_key"],
        ["dispatch.grpc_certificate", "dispatch.grpc_certificate_key"],
        ["control_plane.tls_certificate", "control_plane.tls_key"],
    ] {
        let files = names.map(|name| settings.path(name));
        let set = usize::from(files[0].is_none());
        note(names[set], open_tls(names, files).map(drop));
    }
    let database = settings.text("control_plane.database").unwrap_or_default();
    if let Some(file) = database.strip_prefix("sqlite://") {
        note("control_plane.database", is_in_a_folder(Path::new(file)));
    }
    found.extend(shared_addresses(settings));
    found
}

fn is_or_can_be_a_folder(path: &Path) -> anyhow::Result<()> {
    ensure!(
        path.is_dir() || !path.exists(),
        "{} is a file, a folder is expected",
        path.display()
    );
    is_in_a_folder(path)
}

fn is_in_a_folder(path: &Path) -> anyhow::Result<()> {
    let folder = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let about = folder
        .metadata()
        .with_context(|| format!("the folder {} is not there", folder.display()))?;
    ensure!(
        about.is_dir() && !about.permissions().readonly(),
        "{} is not a folder that can be written to",
        folder.display()
    );
    Ok(())
}

/// Two servers of one machine cannot listen on one TCP address.
fn shared_addresses(settings: &Settings) -> Vec<String> {
    let listeners = [
        "control_plane.listen",
        "control_plane.private_listen",
        "dispatch.grpc_listen",
        "dispatch.private_listen",
    ];
    let addresses = listeners.map(|name| (name, settings.text(name)));
    let mut found = Vec::new();
    for (place, (name, address)) in addresses.iter().enumerate() {
        let same = addresses[..place].iter().find(|other| other.1 == *address);
        if let (Some((other, _)), Some(address)) = (same, address) {
            found.push(format!(
                "{}: {name} is {address}, as {other} is",
                settings.source(name)
            ));
        }
    }
    found
}
