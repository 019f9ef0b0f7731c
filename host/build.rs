//! Finds the engine's components and tells the crate where they are.

use sha2::{Digest, Sha256};
use std::path::PathBuf;

const COMPONENTS: &[&str] = &["event-api", "scheduler", "executor"];

fn main() {
    println!("cargo::rerun-if-env-changed=STEPWELL_COMPONENTS");
    let folder = std::env::var_os("STEPWELL_COMPONENTS").map_or_else(
        || PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../target/components"),
        PathBuf::from,
    );
    for name in COMPONENTS {
        let path = folder.join(format!("{name}.wasm"));
        println!("cargo::rerun-if-changed={}", path.display());
        let Ok(path) = path.canonicalize() else {
            println!(
                "cargo::error=the engine's component {} is missing: run `cargo xtask build`, \
                 or name the folder that holds it in STEPWELL_COMPONENTS",
                path.display()
            );
            continue;
        };
        let variable = name.replace('-', "_").to_uppercase();
        println!("cargo::rustc-env=STEPWELL_COMPONENT_{variable}={}", path.display());
        // Compiled components are kept under this name; a start should not have to compute it.
        let digest = Sha256::digest(std::fs::read(&path).unwrap_or_default());
        let hash: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        println!("cargo::rustc-env=STEPWELL_COMPONENT_{variable}_HASH={hash}");
    }
}
