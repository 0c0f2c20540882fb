//! Tells the tests whether CPR's own test extracts are there, so that those on them are counted as ignored without
//! them.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(cpr_samples)");
    println!("cargo::rerun-if-env-changed=CPR_SAMPLES");
    if std::env::var_os("CPR_SAMPLES").is_some() {
        println!("cargo::rustc-cfg=cpr_samples");
    }
}
