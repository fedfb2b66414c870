//! The shape of the workspace, kept by tests: who may import whom, and what a source file may look like.

mod arrows;
mod tidy;

use std::path::Path;

/// The root of the workspace.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the workspace")
}
