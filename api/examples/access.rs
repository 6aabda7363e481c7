//! Writes the page of the access table to where it is committed.

fn main() -> std::io::Result<()> {
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/access.md"), api::access::table::page())
}
