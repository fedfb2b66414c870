//! Secrets: read from files, never from the configuration itself.

use super::section::Section;
use std::path::Path;

/// What a file with a password may have.
const PASSWORD_FILE_BYTES: u64 = 4096;

/// The password in the file that `password_file` names, if it names one.
pub(super) fn password(section: &Section<'_>, base: &Path) -> Option<String> {
    let (path, place) = section.text("password_file")?;
    let read = read(&base.join(path));
    read.map_err(|message| section.findings().note("config::password-file", place, message, None)).ok()
}

fn read(path: &Path) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    let bytes = std::fs::metadata(path).map_err(failed)?.len();
    if bytes > PASSWORD_FILE_BYTES {
        return Err(format!("{} has {bytes} bytes, at most {PASSWORD_FILE_BYTES} are read", path.display()));
    }
    let text = std::fs::read_to_string(path).map_err(failed)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
