//! From a directory to a template and everything that is wrong with it.

use std::path::Path;

use domain::template::{
    Beside, Finding, Script, Severity, Template, TemplateFile, community_settings, file_from_parts, parse_packages,
    script_order, settings_from_conf,
};

use super::source::{BUCKETS, Files, Source, is_plain};

/// What reading one directory gave: a template that can be used, unless a finding is an error.
#[derive(Debug, Clone)]
pub struct ReadTemplate {
    pub name: String,
    pub template: Option<Template>,
    pub findings: Vec<Finding>,
}

/// So many reasons are enough for a morning.
const MOST_FINDINGS: usize = 200;

/// The template in a directory that was named, wherever that is.
#[must_use]
pub fn read_template(dir: &Path) -> ReadTemplate {
    read(dir, None)
}

/// The same of files that are in no directory.
#[must_use]
pub fn read_files(name: &str, files: Files) -> ReadTemplate {
    read_from(name.to_owned(), || Source::given(files))
}

/// Every file that is part of the template in a directory.
///
/// # Errors
/// When one of them can't be read, or may not be.
pub fn template_files(dir: &Path) -> Result<Files, Finding> {
    let source = Source::open(dir, None)?;
    let mut files = source.all()?;
    // A template takes along what it shares: it has to work where it is unpacked.
    let conf = source.text("template.conf")?.unwrap_or_default();
    for name in settings_from_conf(&conf).0.buckets {
        let lists = source.bucket(&name)?.into_iter();
        files.extend(lists.map(|(file, bytes)| (format!("{BUCKETS}/{file}"), bytes)));
    }
    Ok(files)
}

pub(super) fn read(dir: &Path, tree: Option<&Path>) -> ReadTemplate {
    let name = dir.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    read_from(name, || Source::open(dir, tree).map_err(|finding| vec![finding]))
}

fn read_from(name: String, source: impl FnOnce() -> Result<Source, Vec<Finding>>) -> ReadTemplate {
    let mut reading = Reading { findings: Vec::new() };
    let template = if is_plain(&name) {
        source().map_err(|findings| reading.findings.extend(findings)).ok().and_then(|s| reading.template(&s, &name))
    } else {
        reading.findings.push(Finding::error(0, format!("{name:?} is no template's name"), "use a-z, 0-9, . _ -"));
        None
    };
    let broken = reading.findings.iter().any(|f| f.severity == Severity::Error);
    // What makes it unusable comes first: it is what lists and the log tell.
    reading.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    reading.findings.truncate(MOST_FINDINGS);
    ReadTemplate { name, template: template.filter(|_| !broken), findings: reading.findings }
}

struct Reading {
    findings: Vec<Finding>,
}

impl Reading {
    fn template(&mut self, source: &Source, name: &str) -> Option<Template> {
        let settings = if let Some(conf) = self.kept(source.text("template.conf")).flatten() {
            self.with(settings_from_conf(&conf))
        } else if let Some(script) = self.kept(source.text("container.sh")).flatten() {
            self.with(community_settings(&script))
        } else {
            self.findings.push(
                Finding::error(0, "there is no template.conf", "add one; its keys are in infra/lxc/README.md")
                    .in_file("template.conf"),
            );
            return None;
        };
        let packages = [self.packages(source), self.buckets(source, &settings.buckets)].concat();
        Some(Template {
            name: name.to_owned(),
            settings,
            scripts: self.scripts(source),
            packages,
            files: self.files(source),
            readme: self.kept(source.text("README.md")).flatten().unwrap_or_default(),
        })
    }

    fn kept<T>(&mut self, result: Result<T, Finding>) -> Option<T> {
        result.map_err(|finding| self.findings.push(finding)).ok()
    }

    fn with<T>(&mut self, (value, findings): (T, Vec<Finding>)) -> T {
        self.findings.extend(findings);
        value
    }

    fn scripts(&mut self, source: &Source) -> Vec<Script> {
        const DIR: &str = "container-configs/scripts";
        let mut scripts: Vec<Script> = Vec::new();
        for name in self.kept(source.names(DIR)).unwrap_or_default() {
            let path = format!("{DIR}/{name}");
            let order = self.kept(script_order(&name).map_err(|f| f.in_file(&path)));
            let content = self.kept(source.text(&path)).flatten();
            let (Some(order), Some(content)) = (order, content) else { continue };
            if content.contains("\r\n") {
                let fix = "convert it: sed -i 's/\\r$//' FILE";
                self.findings.push(Finding::error(1, "has Windows line ends (CRLF)", fix).in_file(&path));
            }
            if let Some(other) = scripts.iter().find(|s| s.order == order) {
                let problem = format!("has the same number as {}; which runs first is left to their names", other.name);
                self.findings.push(Finding::warning(0, problem, "give each script its own number").in_file(&path));
            }
            scripts.push(Script { order, name, content });
        }
        scripts.sort_by(|a, b| (a.order, &a.name).cmp(&(b.order, &b.name)));
        scripts
    }

    fn packages(&mut self, source: &Source) -> Vec<domain::template::PackageList> {
        const DIR: &str = "container-configs/packages";
        let mut lists = Vec::new();
        for name in self.kept(source.names(DIR)).unwrap_or_default() {
            let Some(text) = self.kept(source.text(&format!("{DIR}/{name}"))).flatten() else { continue };
            match parse_packages(&name, &text) {
                Ok(list) => lists.push(list),
                Err(findings) => {
                    let inside = |f: Finding| {
                        let file = format!("container-configs/{}", f.file);
                        f.in_file(&file)
                    };
                    self.findings.extend(findings.into_iter().map(inside));
                }
            }
        }
        lists
    }

    fn buckets(&mut self, source: &Source, names: &[String]) -> Vec<domain::template::PackageList> {
        let mut lists = Vec::new();
        for name in names {
            let Some(bucket) = self.kept(source.bucket(name)) else { continue };
            if bucket.is_empty() {
                let fix = format!("add {name}.apt or its like to buckets/ beside the templates, or into the template");
                let finding = Finding::error(0, format!("there is no bucket {name}"), &fix);
                self.findings.push(finding.in_file("template.conf"));
            }
            for (file, bytes) in bucket {
                match parse_packages(&file, &String::from_utf8_lossy(&bytes)) {
                    Ok(list) => lists.push(domain::template::PackageList { name: format!("{BUCKETS}/{file}"), ..list }),
                    Err(findings) => {
                        let place = format!("{BUCKETS}/{file}");
                        self.findings.extend(findings.into_iter().map(|finding| finding.in_file(&place)));
                    }
                }
            }
        }
        lists
    }

    fn files(&mut self, source: &Source) -> Vec<TemplateFile> {
        const DIR: &str = "container-configs/files";
        const SIDES: [&str; 4] = [".path", ".policy", ".mode", ".owner"];
        let names = self.kept(source.names(DIR)).unwrap_or_default();
        let beside = |name: &str| SIDES.iter().find_map(|side| name.strip_suffix(side)).map(str::to_owned);
        let mut files = Vec::new();
        for name in &names {
            if let Some(of) = beside(name) {
                if !names.contains(&of) {
                    let problem = format!("stands alone: there is no {of}");
                    self.findings.push(Finding::warning(0, problem, "remove it").in_file(&format!("{DIR}/{name}")));
                }
                continue;
            }
            let path = format!("{DIR}/{name}");
            let Some(content) = self.kept(source.bytes(&path)).flatten() else { continue };
            let mut side = |ending: &str| self.kept(source.text(&format!("{path}{ending}"))).flatten();
            let (target, policy, mode, owner) = (side(".path"), side(".policy"), side(".mode"), side(".owner"));
            let parts = Beside {
                path: target.as_deref(),
                policy: policy.as_deref(),
                mode: mode.as_deref(),
                owner: owner.as_deref(),
            };
            match file_from_parts(name, content, parts) {
                Ok(file) => files.push(file),
                Err(findings) => {
                    let inside = |f: Finding| {
                        let file = format!("container-configs/{}", f.file);
                        f.in_file(&file)
                    };
                    self.findings.extend(findings.into_iter().map(inside));
                }
            }
        }
        files
    }
}

#[cfg(test)]
mod tests;
