//! A template as the catalogue shows it.

use domain::template::{FilePolicy, Finding, Input, InputKind, PackageList, PackageManager, Port, Severity};
use platform::catalogue::Listed;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
pub struct TemplateView {
    #[schema(example = "nginx")]
    pub name: String,
    /// Made by the account through the API, and its alone.
    pub own: bool,
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
    /// The same with their protocols and names.
    pub listens: Vec<PortView>,
    /// How to see that it works.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>, example = json!({ "type": "http", "port": 80, "path": "/health" }))]
    pub health: Option<serde_json::Value>,
    /// What it asks; answer in `inputs`.
    pub inputs: Vec<InputView>,
    /// In the order in which they run.
    pub scripts: Vec<String>,
    /// What it installs, as `apt/nginx`.
    #[schema(example = json!(["apt/nginx"]))]
    pub packages: Vec<String>,
    /// What it puts where.
    pub files: Vec<FileView>,
    pub findings: Vec<FindingView>,
    /// In Markdown; in lists left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readme: Option<String>,
    /// The same as HTML that is safe to show: nothing of it runs, and nothing is fetched to show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readme_html: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct PortView {
    #[schema(example = 80)]
    pub port: u16,
    /// `tcp` or `udp`.
    pub protocol: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "web")]
    pub name: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct FileView {
    #[schema(example = "/etc/nginx/conf.d/site.conf")]
    pub path: String,
    /// What happens when it is there already: `replace`, `default` leaves it alone, `backup`.
    pub policy: &'static str,
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
    pub nesting: bool,
    pub keyctl: bool,
    pub fuse: bool,
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
    pub fn of(listed: &Listed, readme: Option<&str>) -> Self {
        let usable = listed.usable.as_ref();
        let settings = usable.map(|usable| &usable.settings);
        Self {
            name: listed.name.clone(),
            own: false,
            usable: usable.is_some(),
            version: usable.map(|usable| usable.version.clone()),
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
                nesting: s.nesting,
                keyctl: s.keyctl,
                fuse: s.fuse,
            }),
            ports: settings.map(|s| s.ports.iter().map(|port| port.port).collect()).unwrap_or_default(),
            listens: settings.map(|s| s.ports.iter().map(PortView::from).collect()).unwrap_or_default(),
            health: settings.and_then(|s| serde_json::to_value(s.health.as_ref()?).ok()),
            inputs: settings.map(|s| s.inputs.iter().map(InputView::from).collect()).unwrap_or_default(),
            scripts: usable.map(|usable| usable.scripts.clone()).unwrap_or_default(),
            packages: usable.map(|usable| installed(&usable.packages)).unwrap_or_default(),
            files: usable.map(|usable| usable.files.iter().map(FileView::from).collect()).unwrap_or_default(),
            findings: listed.findings.iter().map(FindingView::from).collect(),
            readme: readme.map(str::to_owned),
            readme_html: readme.map(super::readme::html),
        }
    }
}

impl TemplateView {
    pub(crate) fn of_the_account(self) -> Self {
        Self { own: true, ..self }
    }
}

/// Each package with what installs it, as `apt/nginx`.
pub(crate) fn installed(lists: &[PackageList]) -> Vec<String> {
    let mut all = Vec::new();
    for list in lists {
        let (manager, names) = match &list.packages {
            PackageManager::Apt(names) => ("apt", names),
            PackageManager::Apk(names) => ("apk", names),
            PackageManager::Dnf(names) => ("dnf", names),
            PackageManager::Npm(names) => ("npm", names),
            PackageManager::Pip(names) => ("pip", names),
            PackageManager::Custom(own) => {
                all.extend(own.iter().map(|package| format!("custom/{}", package.name)));
                continue;
            }
        };
        all.extend(names.iter().map(|name| format!("{manager}/{name}")));
    }
    all
}

impl From<&Port> for PortView {
    fn from(port: &Port) -> Self {
        Self { port: port.port, protocol: if port.udp { "udp" } else { "tcp" }, name: port.name.clone() }
    }
}

impl From<&(String, FilePolicy)> for FileView {
    fn from((path, policy): &(String, FilePolicy)) -> Self {
        let policy = match policy {
            FilePolicy::Replace => "replace",
            FilePolicy::Default => "default",
            FilePolicy::Backup => "backup",
        };
        Self { path: path.clone(), policy }
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
