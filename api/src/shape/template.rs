//! A template as the catalogue shows it.

use domain::template::{Finding, Input, InputKind, Severity};
use platform::catalogue::Found;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
pub struct TemplateView {
    #[schema(example = "nginx")]
    pub name: String,
    /// False when it is broken; `findings` say why.
    pub usable: bool,
    /// The hash of its content; absent while it is broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// As people know it.
    pub app: String,
    pub description: String,
    pub tags: Vec<String>,
    pub defaults: Option<TemplateDefaults>,
    /// Ports that will listen.
    pub ports: Vec<u16>,
    /// What it asks; answer in `inputs`.
    pub inputs: Vec<InputView>,
    /// In the order in which they run.
    pub scripts: Vec<String>,
    pub findings: Vec<FindingView>,
    /// In Markdown; in lists left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readme: Option<String>,
}

/// What a container gets when the request does not say otherwise.
#[derive(Debug, Serialize, ToSchema)]
pub struct TemplateDefaults {
    pub cores: u32,
    pub memory_mb: u32,
    pub swap_mb: u32,
    pub disk_gb: u32,
    #[schema(example = "debian")]
    pub os: String,
    #[schema(example = "12")]
    pub version: String,
    pub unprivileged: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct InputView {
    #[schema(example = "SERVER_NAME")]
    pub name: String,
    /// `string`, `integer`, `boolean`, `choice` or `secret`.
    #[serde(rename = "type")]
    pub kind: String,
    pub required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    pub help: String,
}

/// Something that the template's author should know.
#[derive(Debug, Serialize, ToSchema)]
pub struct FindingView {
    /// `error`: it can't be used; `warning`: it can.
    pub severity: String,
    pub file: String,
    /// 0 when it is about the whole file.
    pub line: usize,
    pub problem: String,
    pub fix: String,
}

impl TemplateView {
    #[must_use]
    pub fn of(found: &Found, with_readme: bool) -> Self {
        let settings = found.template.as_ref().map(|template| &template.settings);
        Self {
            name: found.name.clone(),
            usable: found.template.is_some(),
            version: found.version.as_ref().map(|version| version.hash.clone()),
            app: settings.map(|s| s.app.clone()).unwrap_or_default(),
            description: settings.map(|s| s.description.clone()).unwrap_or_default(),
            tags: settings.map(|s| s.tags.clone()).unwrap_or_default(),
            defaults: settings.map(|s| TemplateDefaults {
                cores: s.cores,
                memory_mb: s.memory_mb,
                swap_mb: s.swap_mb,
                disk_gb: s.disk_gb,
                os: s.os.clone(),
                version: s.version.clone(),
                unprivileged: s.unprivileged,
            }),
            ports: settings.map(|s| s.ports.iter().map(|port| port.port).collect()).unwrap_or_default(),
            inputs: settings.map(|s| s.inputs.iter().map(InputView::from).collect()).unwrap_or_default(),
            scripts: found.template.iter().flat_map(|t| t.scripts.iter().map(|script| script.name.clone())).collect(),
            findings: found.findings.iter().map(FindingView::from).collect(),
            readme: found.template.as_ref().filter(|_| with_readme).map(|template| template.readme.clone()),
        }
    }
}

impl From<&Input> for InputView {
    fn from(input: &Input) -> Self {
        let choices = match &input.kind {
            InputKind::Choice { choices } => choices.clone(),
            _ => Vec::new(),
        };
        Self {
            name: input.name.clone(),
            kind: super::operation::tag(&input.kind),
            required: input.default.is_none(),
            default: input.default.clone(),
            choices,
            help: input.help.clone(),
        }
    }
}

impl From<&Finding> for FindingView {
    fn from(finding: &Finding) -> Self {
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        Self {
            severity: severity.to_owned(),
            file: finding.file.clone(),
            line: finding.line,
            problem: finding.problem.clone(),
            fix: finding.fix.clone(),
        }
    }
}
