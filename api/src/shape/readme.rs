//! A README as HTML: its author is trusted with containers, not with the browsers of all who look at the catalogue.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

/// Without raw HTML, without images (they would be fetched from wherever), with links that only lead somewhere.
pub(super) fn html(markdown: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let safe = Parser::new_ext(markdown, options).filter_map(|event| match event {
        // Shown as it was written, not obeyed.
        Event::Html(raw) | Event::InlineHtml(raw) => Some(Event::Text(raw)),
        Event::Start(Tag::HtmlBlock) => Some(Event::Start(Tag::Paragraph)),
        Event::End(TagEnd::HtmlBlock) => Some(Event::End(TagEnd::Paragraph)),
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => None,
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let dest_url = if leads(&dest_url) { dest_url } else { CowStr::Borrowed("#") };
            Some(Event::Start(Tag::Link { link_type, dest_url, title, id }))
        }
        other => Some(other),
    });
    let mut out = String::new();
    html::push_html(&mut out, safe);
    out
}

fn leads(url: &str) -> bool {
    let url = url.trim().to_ascii_lowercase();
    ["https://", "http://", "mailto:", "#"].iter().any(|start| url.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::html;

    #[test]
    fn what_is_plain_is_shown_as_meant() {
        let shown =
            html("# Web\n\nSee [the docs](https://example.org/a) and `code`.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n");
        for part in
            ["<h1>Web</h1>", "<a href=\"https://example.org/a\">the docs</a>", "<code>code</code>", "<td>1</td>"]
        {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }

    #[test]
    fn nothing_runs_and_nothing_is_fetched() {
        for bad in [
            "<script>alert(1)</script>",
            "a <img src=x onerror=alert(1)> b",
            "<div onclick=\"x()\">\n\n# in it\n\n</div>",
            "[go](javascript:alert(1))",
            "[go]( JaVaScRiPt:alert(1))",
            "[go](data:text/html;base64,PHNjcmlwdD4=)",
            "<javascript:alert(1)>",
            "[a]: vbscript:x\n\n[a]",
            "![track](https://evil.example/pixel.png \"t\")",
            "[x](https://a\"onmouseover=\"alert(1))",
            "```\"><script>\n</code></pre><script>x</script>\n```",
            "<!-- --><svg onload=x>",
        ] {
            let shown = html(bad).to_ascii_lowercase();
            for part in
                ["<script", "<img", "<svg", "<div", "<iframe", "=\"javascript", "=\"data:", "=\"vbscript", "src="]
            {
                let harmless = part == "src=" && shown.contains("&lt;img src=");
                assert!(!shown.contains(part) || harmless, "{bad}: {shown}");
            }
            assert!(!shown.contains("\"onmouseover"), "{shown}");
        }
    }
}
