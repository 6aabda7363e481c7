//! `docs/problems.md`, made from the kinds of problems.

use crate::problem::Kind;

const HEAD: &str = "\
# Problems

What the API answers when something can't be done is an RFC 9457 problem: `type` is one of those below and never changes
its meaning, `status` is HTTP's, `detail` says what it is this time, `remedy` what to do, `errors` which fields are wrong
(all of them), and `request_id` is what an operator finds the cause by. Programs decide by `type`. Where `Retry-After` is,
asking earlier is of no use.

Made by `cargo run -q -p api --example openapi`; a test holds the two equal.

| `type` | Status | | What to do |
|---|---|---|---|
";

/// The page, as Markdown.
#[must_use]
pub fn problems() -> String {
    let mut page = HEAD.to_owned();
    for kind in Kind::ALL {
        let (slug, status, title, remedy) = kind.row();
        page.push_str(&format!("| `/problems/{slug}` | {status} | {title} | {remedy} |\n"));
    }
    page
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_page_is_this_one() {
        let place = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/problems.md");
        let same = std::fs::read_to_string(place).unwrap_or_default() == super::problems();
        assert!(same, "docs/problems.md is not what the kinds say: `cargo run -q -p api --example openapi`");
    }
}
