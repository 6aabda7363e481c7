//! From a directory to a template and everything that is wrong with it.

use std::path::Path;

use domain::template::{
    Beside, Finding, Script, Severity, Template, TemplateFile, community_settings, file_from_parts, parse_packages,
    script_order, settings_from_conf,
};

use super::source::{Source, is_plain};

/// What reading one directory gave: a template that can be used, unless a finding is an error.
#[derive(Debug, Clone)]
pub struct ReadTemplate {
    pub name: String,
    pub template: Option<Template>,
    pub findings: Vec<Finding>,
}

/// Every template below `root`, by name. A broken one is listed with its reasons and hides no other.
///
/// # Errors
/// When `root` itself can't be read.
pub fn read_tree(root: &Path) -> std::io::Result<Vec<ReadTemplate>> {
    let mut templates = Vec::new();
    for entry in std::fs::read_dir(root)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && entry.path().is_dir() {
            templates.push(read_template(&entry.path()));
        }
    }
    templates.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(templates)
}

#[must_use]
pub fn read_template(dir: &Path) -> ReadTemplate {
    let name = dir.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let mut reading = Reading { findings: Vec::new() };
    let template = if is_plain(&name) {
        reading.template(dir, &name)
    } else {
        reading.findings.push(Finding::error(0, format!("{name:?} is no template's name"), "use a-z, 0-9, . _ -"));
        None
    };
    let broken = reading.findings.iter().any(|f| f.severity == Severity::Error);
    ReadTemplate { name, template: template.filter(|_| !broken), findings: reading.findings }
}

struct Reading {
    findings: Vec<Finding>,
}

impl Reading {
    fn template(&mut self, dir: &Path, name: &str) -> Option<Template> {
        let source = match Source::open(dir) {
            Ok(source) => source,
            Err(e) => {
                self.findings.push(Finding::error(0, format!("can't be read: {e}"), "look at its owner and mode"));
                return None;
            }
        };
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
        Some(Template {
            name: name.to_owned(),
            settings,
            scripts: self.scripts(&source),
            packages: self.packages(&source),
            files: self.files(&source),
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
mod tests {
    use super::*;
    use crate::catalogue::version_of;
    use std::fs;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        dir
    }

    #[test]
    fn a_whole_template_is_read_and_has_a_version() {
        let files = [
            ("web/template.conf", "TEMPLATE_APP=Web\nTEMPLATE_PORTS=80\n"),
            ("web/README.md", "# Web"),
            ("web/container-configs/scripts/40-b.sh", "echo b"),
            ("web/container-configs/scripts/10-a.sh", "echo a"),
            ("web/container-configs/packages/base.apt", "nginx\n"),
            ("web/container-configs/files/index.html", "hi"),
            ("web/container-configs/files/index.html.path", "/var/www/html"),
        ];
        let (one, two) = (tree(&files), tree(&files));
        let read = read_template(&one.path().join("web"));
        assert_eq!(read.findings, []);
        let template = read.template.unwrap();
        assert_eq!(template.scripts.iter().map(|s| s.order).collect::<Vec<_>>(), [10, 40]);
        assert_eq!(version_of(&template), version_of(&read_template(&two.path().join("web")).template.unwrap()));
        fs::write(one.path().join("web/container-configs/files/index.html"), "ho").unwrap();
        assert_ne!(version_of(&template), version_of(&read_template(&one.path().join("web")).template.unwrap()));
    }

    #[test]
    fn a_broken_template_is_listed_with_its_reason_and_hides_no_other() {
        let dir = tree(&[
            ("bad/template.conf", "TEMPLATE_APP=$(id)\n"),
            ("empty/x", ""),
            ("good/template.conf", "TEMPLATE_APP=g"),
        ]);
        let read = read_tree(dir.path()).unwrap();
        assert_eq!(
            read.iter().map(|r| (r.name.as_str(), r.template.is_some())).collect::<Vec<_>>(),
            [("bad", false), ("empty", false), ("good", true)]
        );
        assert_eq!((read[0].findings[0].file.as_str(), read[0].findings[0].line), ("template.conf", 1));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_does_not_lead_out() {
        let dir = tree(&[
            ("secret", "s"),
            ("t/template.conf", "TEMPLATE_APP=t"),
            ("t/container-configs/files/x.path", "/etc"),
        ]);
        std::os::unix::fs::symlink("../../../secret", dir.path().join("t/container-configs/files/x")).unwrap();
        let read = read_template(&dir.path().join("t"));
        assert!(read.template.is_none());
        assert!(read.findings[0].problem.contains("leads out"), "{:?}", read.findings);
    }

    #[test]
    fn huge_and_binary_files_are_told() {
        let big = "x".repeat((1 << 20) + 1);
        let dir = tree(&[
            ("t/template.conf", "TEMPLATE_APP=t"),
            ("t/container-configs/scripts/10-a.sh", "a\0b"),
            ("t/README.md", &big),
        ]);
        let told: Vec<_> = read_template(&dir.path().join("t")).findings.iter().map(ToString::to_string).collect();
        assert!(told.iter().any(|t| t.contains("10-a.sh") && t.contains("not UTF-8")), "{told:?}");
        assert!(told.iter().any(|t| t.contains("README.md") && t.contains("larger")), "{told:?}");
    }
}
