//! How a container is equipped: a directory that its author writes with an editor.
//!
//! This is the pure half: from texts to a [`Template`] and what is wrong with it. Reading the directory is platform's.

mod conf;
mod diff;
mod files;
mod inputs;
mod lint;
mod packages;
mod scripts;
mod settings;
mod update;

pub use conf::{Assignment, parse as parse_conf};
pub use diff::{Change, Difference, Part, difference};
pub use files::{Beside, FilePolicy, TemplateFile, file_from_parts};
pub use inputs::{Input, InputKind, parse_inputs};
pub use lint::lint;
pub use packages::{CustomPackage, PackageList, PackageManager, parse_packages};
pub use scripts::{Script, script_order};
pub use settings::{Health, Port, Settings, community_settings, settings_from_conf};
pub use update::{FileChange, FileUpdate, Seen, Side, Take, file_updates, paths_to_compare};

use serde::{Deserialize, Serialize};

/// Everything a template says, as it was at one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    pub name: String,
    pub settings: Settings,
    /// In the order in which they run.
    pub scripts: Vec<Script>,
    pub packages: Vec<PackageList>,
    pub files: Vec<TemplateFile>,
    #[serde(default)]
    pub readme: String,
}

/// Something about a template that its author should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub severity: Severity,
    /// Relative to the template's directory; empty until the reader fills it in.
    pub file: String,
    pub line: usize,
    pub problem: String,
    pub fix: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Warning,
    /// The template can't be used.
    Error,
}

impl Finding {
    #[must_use]
    pub fn error(line: usize, problem: impl Into<String>, fix: &str) -> Self {
        Self { severity: Severity::Error, file: String::new(), line, problem: problem.into(), fix: fix.to_owned() }
    }

    #[must_use]
    pub fn warning(line: usize, problem: impl Into<String>, fix: &str) -> Self {
        Self { severity: Severity::Warning, ..Self::error(line, problem, fix) }
    }

    #[must_use]
    pub fn in_file(mut self, file: &str) -> Self {
        file.clone_into(&mut self.file);
        self
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}; {}", self.file, self.line, self.problem, self.fix)
    }
}
