// The store that the examples of the documentation ask: the two made-up extracts of testdata/demo, in memory.
#[allow(dead_code, reason = "some examples begin with an empty store")]
fn demo() -> Result<cpr_replika::Replika, Box<dyn std::error::Error>> {
    let replika = cpr_replika::Replika::in_memory(&cpr_replika::Config::default())?;
    for name in ["D260105.L999901", "D260106.L999901"] {
        replika.apply(std::io::Cursor::new(extract(name)?), &cpr_replika::ApplyOptions::named(name))?;
    }
    Ok(replika)
}

/// The bytes of one of them.
fn extract(name: &str) -> std::io::Result<Vec<u8>> {
    std::fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/demo").join(name))
}
