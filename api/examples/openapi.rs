//! Writes the document to where it is committed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let place = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/gantry.json");
    std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi"))?;
    std::fs::write(place, api::openapi::document()?)?;
    Ok(())
}
