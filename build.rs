//! Links the unwinder into the binary where the C compiler brings it as an archive.
//!
//! The standard library asks for libgcc_s, a shared library that only a panic's backtrace would use. Loading it at each
//! start takes a sixth of the CPU time of a whole `wstap URL` with one echo (docs/performance.md); its archive adds 24 kB.

use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |what: &str| env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    let dynamic = !target("FEATURE").contains("crt-static");
    if target("OS") == "linux" && target("ENV") == "gnu" && dynamic && has_archive() {
        println!(
            "cargo::rustc-link-arg-bins=-Wl,--push-state,--whole-archive,-lgcc_eh,--pop-state"
        );
    }
}

/// Whether the linker's driver finds the archive: it answers with a path then, otherwise with the bare name.
fn has_archive() -> bool {
    let linker = env::var("RUSTC_LINKER").unwrap_or_else(|_| "cc".to_owned());
    let found = Command::new(linker).arg("-print-file-name=libgcc_eh.a").output();
    found.is_ok_and(|said| Path::new(String::from_utf8_lossy(&said.stdout).trim()).is_absolute())
}
