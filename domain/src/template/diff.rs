//! What is other in one version of a template than in another.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{PackageManager, Template};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Difference {
    pub part: Part,
    /// The setting, the script's or file's name, or the package as `apt/nginx`.
    pub name: String,
    pub change: Change,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Setting,
    Package,
    File,
    Script,
    Readme,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Added,
    Removed,
    Changed,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let part = match self.part {
            Part::Setting => "setting",
            Part::Package => "package",
            Part::File => "file",
            Part::Script => "script",
            Part::Readme => "readme",
        };
        let change = match self.change {
            Change::Added => "added",
            Change::Removed => "removed",
            Change::Changed => "changed",
        };
        write!(f, "{part} {}: {change}", self.name)
    }
}

/// In the order of the parts, each by name; nothing for two that are the same.
#[must_use]
pub fn difference(old: &Template, new: &Template) -> Vec<Difference> {
    let mut all = Vec::new();
    for (part, old, new) in [
        (Part::Setting, settings(old), settings(new)),
        (Part::Package, packages(old), packages(new)),
        (Part::File, files(old), files(new)),
        (Part::Script, scripts(old), scripts(new)),
        (Part::Readme, readme(old), readme(new)),
    ] {
        for (name, value) in &old {
            match new.get(name) {
                None => all.push(Difference { part, name: name.clone(), change: Change::Removed }),
                Some(other) if other != value => {
                    all.push(Difference { part, name: name.clone(), change: Change::Changed });
                }
                Some(_) => {}
            }
        }
        let added = new.keys().filter(|name| !old.contains_key(*name));
        all.extend(added.map(|name| Difference { part, name: name.clone(), change: Change::Added }));
    }
    all.sort();
    all
}

type Named = BTreeMap<String, String>;

fn settings(template: &Template) -> Named {
    let value = serde_json::to_value(&template.settings).unwrap_or_default();
    value.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), value.to_string())).collect()
}

fn packages(template: &Template) -> Named {
    let mut named = Named::new();
    for list in &template.packages {
        let (manager, names) = match &list.packages {
            PackageManager::Apt(names) => ("apt", names),
            PackageManager::Apk(names) => ("apk", names),
            PackageManager::Dnf(names) => ("dnf", names),
            PackageManager::Npm(names) => ("npm", names),
            PackageManager::Pip(names) => ("pip", names),
            PackageManager::Custom(packages) => {
                let each = |package: &super::CustomPackage| {
                    let value = serde_json::to_string(package).unwrap_or_default();
                    (format!("custom/{}", package.name), value)
                };
                named.extend(packages.iter().map(each));
                continue;
            }
        };
        named.extend(names.iter().map(|name| (format!("{manager}/{name}"), String::new())));
    }
    named
}

fn files(template: &Template) -> Named {
    let each = |file: &super::TemplateFile| (file.target(), serde_json::to_string(file).unwrap_or_default());
    template.files.iter().map(each).collect()
}

fn scripts(template: &Template) -> Named {
    template.scripts.iter().map(|script| (script.name.clone(), script.content.clone())).collect()
}

fn readme(template: &Template) -> Named {
    [("README.md".to_owned(), template.readme.clone())].into()
}

#[cfg(test)]
mod tests {
    use super::super::{Script, Settings, parse_packages};
    use super::*;

    #[test]
    fn each_part_is_told_by_its_name() {
        let script = |name: &str, content: &str| Script { order: 10, name: name.into(), content: content.into() };
        let old = Template {
            name: "web".into(),
            settings: Settings::default(),
            scripts: vec![script("10-a.sh", "a"), script("20-b.sh", "b")],
            packages: vec![parse_packages("base.apt", "nginx\ncurl\n").unwrap()],
            files: vec![],
            readme: "one".into(),
        };
        let mut new = old.clone();
        new.settings.memory_mb = 1024;
        new.scripts = vec![script("10-a.sh", "changed"), script("30-c.sh", "c")];
        new.packages = vec![parse_packages("base.apt", "nginx\njq\n").unwrap()];
        let told: Vec<_> = difference(&old, &new).into_iter().map(|d| (d.part, d.name, d.change)).collect();
        assert_eq!(
            told,
            [
                (Part::Setting, "memory_mb".to_owned(), Change::Changed),
                (Part::Package, "apt/curl".to_owned(), Change::Removed),
                (Part::Package, "apt/jq".to_owned(), Change::Added),
                (Part::Script, "10-a.sh".to_owned(), Change::Changed),
                (Part::Script, "20-b.sh".to_owned(), Change::Removed),
                (Part::Script, "30-c.sh".to_owned(), Change::Added),
            ]
        );
        assert_eq!(difference(&old, &old), []);
    }
}
