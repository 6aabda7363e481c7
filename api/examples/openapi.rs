//! Writes the document, and the page of problems, to where they are committed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let place = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/gantry.json");
    std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi"))?;
    std::fs::write(place, api::openapi::document()?)?;
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/problems.md");
    std::fs::write(page, api::contract::page::problems())?;
    Ok(())
}
