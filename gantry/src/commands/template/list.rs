use crate::{
    client::{Api, read, shape},
    exit::{Exit, Outcome},
    output::{Colour, Output},
};

use crate::commands::following;

pub(super) async fn run(api: &Api, out: Output) -> Outcome {
    let (items, more) = api.client()?.list("/v1/templates", &[], 500).await?;
    let templates: Vec<shape::Template> = items.iter().map(read).collect::<Outcome<_>>()?;
    out.answer(&following::items(&items, more), || in_words(templates, out));
    Ok(Exit::Done)
}

fn in_words(templates: Vec<shape::Template>, out: Output) -> String {
    let mut table = out.table(["template", "what", "os", "size", "ports"]);
    let mut findings = String::new();
    for template in templates {
        let defaults = template.defaults.as_ref();
        let what = if template.description.is_empty() { template.app } else { template.description };
        table.row([
            (template.name.clone(), Some(if template.usable { Colour::Strong } else { Colour::Bad })),
            (if template.usable { what } else { "can't be used, see below".to_owned() }, None),
            (defaults.map(|d| format!("{} {}", d.os, d.version)).unwrap_or_default(), None),
            (
                defaults
                    .map(|d| format!("{} cores, {} MB, {} GB", d.cores, d.memory_mb, d.disk_gb))
                    .unwrap_or_default(),
                None,
            ),
            (template.ports.iter().map(u16::to_string).collect::<Vec<_>>().join(" "), None),
        ]);
        for finding in template.findings {
            let colour = if finding.severity == "error" { Colour::Bad } else { Colour::Busy };
            let place = if finding.line > 0 { format!("{}:{}", finding.file, finding.line) } else { finding.file };
            findings += &format!(
                "\n{} {}/{place}: {}; {}",
                out.paint(colour, &finding.severity),
                template.name,
                finding.problem,
                finding.fix
            );
        }
    }
    table.or_else("There are no templates; the setting templates.root says where they are looked for.") + &findings
}
