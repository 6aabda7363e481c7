use api::shape::template::TemplateView;
use platform::catalogue::{Listed, read_template};
use serde_json::Value;

use crate::{
    client::{Api, read, shape},
    exit::{Exit, Outcome},
    output::{Colour, Output},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The directory of one, or its name below infra/lxc/templates; else the name of one that the API knows.
    template: String,
    #[command(flatten)]
    api: Api,
}

pub(super) async fn run(args: &Args, out: Output) -> Outcome {
    let directory = super::directory(&args.template);
    let shown = if directory.is_dir() {
        // A path like `.` has no name of its own.
        let read = read_template(&directory.canonicalize()?);
        let readme = read.template.as_ref().map(|template| template.readme.as_str());
        serde_json::to_value(TemplateView::of(&Listed::from(&read), readme))?
    } else {
        args.api.client()?.get(&format!("/v1/templates/{}", args.template), &[]).await?
    };
    let template: shape::Template = read(&shown)?;
    out.answer(&shown, || in_words(&template, &shown, out));
    Ok(Exit::Done)
}

fn in_words(template: &shape::Template, shown: &Value, out: Output) -> String {
    let title = if template.app.is_empty() { &template.name } else { &template.app };
    let mut text = format!("{}  {}\n", out.paint(Colour::Strong, title), template.description);
    let mut table = out.table(["", ""]);
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            table.row([(name.to_owned(), Some(Colour::Faint)), (value, None)]);
        }
    };
    line("name", template.name.clone());
    line("version", shown["version"].as_str().unwrap_or_default().to_owned());
    if let Some(d) = &template.defaults {
        line("system", format!("{} {}", d.os, d.version));
        line("size", format!("{} cores, {} MB, {} GB", d.cores, d.memory_mb, d.disk_gb));
    }
    let needs = ["nesting", "keyctl", "fuse"].into_iter().filter(|name| shown["defaults"][name] == true);
    line("needs", needs.collect::<Vec<_>>().join(", "));
    line("tags", words(&shown["tags"], |tag| tag.as_str().unwrap_or_default().to_owned(), " "));
    line("ports", words(&shown["listens"], port, ", "));
    line("health", if shown["health"].is_null() { String::new() } else { health(&shown["health"]) });
    line("inputs", words(&shown["inputs"], input, "\n"));
    line("packages", words(&shown["packages"], |name| name.as_str().unwrap_or_default().to_owned(), "\n"));
    let file = |file: &Value| format!("{} ({})", word(file, "path"), word(file, "policy"));
    line("files", words(&shown["files"], file, "\n"));
    line("scripts", words(&shown["scripts"], |name| name.as_str().unwrap_or_default().to_owned(), "\n"));
    text += &table.or_else("");
    for finding in &template.findings {
        let colour = if finding.severity == "error" { Colour::Bad } else { Colour::Busy };
        let line = if finding.line > 0 { format!(":{}", finding.line) } else { String::new() };
        let severity = out.paint(colour, &finding.severity);
        text += &format!("\n{severity} {}{line}: {}; {}", finding.file, finding.problem, finding.fix);
    }
    text
}

fn words(all: &Value, one: impl Fn(&Value) -> String, between: &str) -> String {
    all.as_array().into_iter().flatten().map(one).collect::<Vec<_>>().join(between)
}

fn word<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn port(port: &Value) -> String {
    let name = port["name"].as_str().map(|name| format!(" {name}")).unwrap_or_default();
    format!("{}/{}{name}", port["port"], word(port, "protocol"))
}

/// `http :80 /health`, whatever kinds of checks there are.
fn health(health: &Value) -> String {
    let rest = ["port", "path"].into_iter().filter_map(|name| match &health[name] {
        Value::Number(port) => Some(format!(":{port}")),
        Value::String(path) => Some(path.clone()),
        _ => None,
    });
    std::iter::once(word(health, "type").to_owned()).chain(rest).collect::<Vec<_>>().join(" ")
}

fn input(input: &Value) -> String {
    let default = match &input["default"] {
        Value::String(default) => format!(", {default:?} when not answered"),
        _ if input["required"] == true => ", has to be answered".to_owned(),
        _ => String::new(),
    };
    let help = Some(word(input, "help")).filter(|help| !help.is_empty()).map(|help| format!(": {help}"));
    format!("{} ({}{default}){}", word(input, "name"), word(input, "type"), help.unwrap_or_default())
}
