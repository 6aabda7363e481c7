//! A template without the content of its files: what lists show, and what is kept of each in memory.

use domain::catalogue::Standing;
use domain::template::{FilePolicy, Finding, PackageList, Settings, Severity, Template};

use super::{ReadTemplate, version_of};

#[derive(Debug, Clone)]
pub struct Listed {
    pub name: String,
    /// None when it is broken: the findings say why.
    pub usable: Option<Usable>,
    pub findings: Vec<Finding>,
}

#[derive(Debug, Clone)]
pub struct Usable {
    pub version: String,
    pub settings: Settings,
    /// In the order in which they run.
    pub scripts: Vec<String>,
    pub packages: Vec<PackageList>,
    /// Where each goes.
    pub files: Vec<(String, FilePolicy)>,
}

impl Listed {
    /// None when it is broken.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.usable.as_ref().map(|usable| usable.version.as_str())
    }

    #[must_use]
    pub fn of(name: &str, template: Option<&Template>, version: Option<&str>, findings: &[Finding]) -> Self {
        let usable = template.map(|template| Usable {
            version: version.map_or_else(|| version_of(template), str::to_owned),
            settings: template.settings.clone(),
            scripts: template.scripts.iter().map(|script| script.name.clone()).collect(),
            packages: template.packages.clone(),
            files: template.files.iter().map(|file| (file.target(), file.policy)).collect(),
        });
        Self { name: name.to_owned(), usable, findings: findings.to_vec() }
    }

    #[must_use]
    pub fn standing(&self) -> Standing {
        match &self.usable {
            Some(usable) => Standing::Usable(usable.version.clone()),
            None => {
                let error = self.findings.iter().find(|finding| finding.severity == Severity::Error);
                Standing::Broken(error.map(ToString::to_string).unwrap_or_default())
            }
        }
    }
}

impl From<&ReadTemplate> for Listed {
    fn from(read: &ReadTemplate) -> Self {
        Self::of(&read.name, read.template.as_ref(), None, &read.findings)
    }
}
