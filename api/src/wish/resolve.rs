use std::collections::BTreeMap;
use std::sync::Arc;

use domain::container::{ContainerSpec, Features, Ipv4, Ipv6, Network, Scripts, Source, Where};
use domain::template::{Input, Settings, Template};
use domain::{AccountId, HostId};
use platform::catalogue::Found;
use platform::views::{self, HostFilter, HostRow, Page};

use super::CreateContainer;
use super::create::{AddressWish, Mode, NetworkWish, ScriptsWish, ScriptsWord};
use crate::app::App;
use crate::asking::Asking;
use crate::paging::wrong;
use crate::problem::{FieldProblem, Problem};
use crate::routes::owner;
use crate::secret::{Secret, password_fault};
use crate::unread::unread;

/// A wish with everything looked up; what is wrong with it is all in `errors`.
pub(crate) struct Resolved {
    pub(crate) spec: ContainerSpec,
    pub(crate) template: Option<Arc<Found>>,
    pub(crate) host: Option<HostId>,
    pub(crate) inputs: BTreeMap<String, Secret>,
    pub(crate) errors: Vec<FieldProblem>,
}

impl CreateContainer {
    /// # Errors
    /// When the catalogue or the read model can't be read.
    pub(crate) async fn resolve(&self, app: &App, asking: &Asking) -> Result<Resolved, Problem> {
        let mut errors = Vec::new();
        let template = self.find_template(app, asking, &mut errors).await?;
        let (place, host) = self.find_place(app, &mut errors).await?;
        let settings = template.as_ref().and_then(|found| found.template.as_ref()).map(|t| t.settings.clone());
        let spec = self.spec(&settings.clone().unwrap_or_default(), place, &mut errors);
        errors.extend(spec.validate().into_iter().map(|error| FieldProblem {
            field: renamed(&error.field),
            problem: error.problem,
            fix: error.fix,
        }));
        self.check_password(&mut errors);
        check_scripts(&spec.scripts, template.as_ref().and_then(|found| found.template.as_deref()), &mut errors);
        let inputs = self.inputs.iter().map(|(name, answer)| (name.clone(), answer.text())).collect();
        check_inputs(&inputs, settings.as_ref().map(|s| s.inputs.as_slice()).unwrap_or_default(), &mut errors);
        Ok(Resolved { spec: spec.normalized(), template, host, inputs, errors })
    }

    async fn find_template(
        &self,
        app: &App,
        asking: &Asking,
        errors: &mut Vec<FieldProblem>,
    ) -> Result<Option<Arc<Found>>, Problem> {
        match (&self.template, &self.image) {
            (Some(_), Some(_)) => errors.push(wrong("image", "stands beside a template", "give one of the two")),
            (None, None) => errors.push(wrong("template", "is missing", "name a template, or an image")),
            _ => {}
        }
        match &self.template {
            Some(name) => template_named(app, owner(asking), name, errors).await,
            None => Ok(None),
        }
    }

    async fn find_place(&self, app: &App, errors: &mut Vec<FieldProblem>) -> Result<(Where, Option<HostId>), Problem> {
        let Some(asked) = &self.host else {
            if self.node.is_some() {
                errors.push(wrong("host", "is missing", "say which host the node belongs to"));
            }
            return Ok((Where::Anywhere, None));
        };
        let Some(host) = find_host(app, asked).await? else {
            errors.push(wrong("host", &format!("there is no host {asked:?}"), "see /v1/hosts, or leave it out"));
            return Ok((Where::Anywhere, None));
        };
        if host.in_maintenance {
            errors.push(wrong("host", "is in maintenance", "choose another host, or wait"));
        }
        let Some(node) = self.node.clone() else { return Ok((Where::Host(host.id), Some(host.id))) };
        let known: Vec<&str> = host.nodes.iter().map(|node| node.name.as_str()).collect();
        // A host that was never reached has no nodes yet; then the name is taken on trust.
        if !known.is_empty() && !known.contains(&node.as_str()) {
            let fix = format!("it has {}", known.join(", "));
            errors.push(wrong("node", &format!("{} has no node {node:?}", host.settings.name), &fix));
        }
        Ok((Where::Node { host: host.id, node }, Some(host.id)))
    }

    fn spec(&self, settings: &Settings, place: Where, errors: &mut Vec<FieldProblem>) -> ContainerSpec {
        let source = match (&self.template, &self.image) {
            (None, Some(image)) => Source::Image(image.clone()),
            (template, _) => Source::Template(template.clone().unwrap_or_default()),
        };
        ContainerSpec {
            hostname: self.hostname.clone().unwrap_or_default(),
            source,
            cores: self.cores.unwrap_or(settings.cores),
            memory_mb: self.memory_mb.unwrap_or(settings.memory_mb),
            swap_mb: self.swap_mb.unwrap_or(settings.swap_mb),
            disk_gb: self.disk_gb.unwrap_or(settings.disk_gb),
            storage: self.storage.clone(),
            network: self.network.resolve(errors),
            ssh_keys: self.ssh_keys.clone(),
            unprivileged: self.unprivileged.unwrap_or(settings.unprivileged),
            features: Features {
                nesting: self.features.nesting.unwrap_or(settings.nesting),
                keyctl: self.features.keyctl.unwrap_or(settings.keyctl),
                fuse: self.features.fuse.unwrap_or(settings.fuse),
            },
            tags: self.tags.clone(),
            description: self.description.clone(),
            start_on_boot: self.start_on_boot,
            packages: self.packages.clone(),
            scripts: self.scripts.as_ref().map(Scripts::from).unwrap_or_default(),
            place,
            spread_by: self.spread_by.clone(),
            vmid: self.vmid,
        }
    }

    fn check_password(&self, errors: &mut Vec<FieldProblem>) {
        errors.extend(self.root_password.as_ref().and_then(password_fault));
    }
}

/// The template as it is now; what is wrong with it is told.
///
/// # Errors
/// When the catalogue can't be read.
pub(crate) async fn template_named(
    app: &App,
    account: AccountId,
    name: &str,
    errors: &mut Vec<FieldProblem>,
) -> Result<Option<Arc<Found>>, Problem> {
    let found = match app.catalogue.find(name).await.map_err(unread)? {
        None => app.catalogue.own(account, name).await.map_err(unread)?,
        found => found,
    };
    match &found {
        None => errors.push(wrong("template", &format!("there is no template {name:?}"), "see /v1/templates")),
        Some(found) if found.template.is_none() => {
            let reason = found.findings.first().map(ToString::to_string).unwrap_or_default();
            errors.push(wrong("template", &format!("{name} is broken: {reason}"), "choose another, or mend it"));
        }
        Some(_) => {}
    }
    Ok(found)
}

pub(crate) fn check_scripts(wanted: &Scripts, template: Option<&Template>, errors: &mut Vec<FieldProblem>) {
    let (Scripts::Only(names), Some(template)) = (wanted, template) else { return };
    for (index, name) in names.iter().enumerate() {
        if !template.scripts.iter().any(|script| script.name == *name) {
            let known: Vec<&str> = template.scripts.iter().map(|script| script.name.as_str()).collect();
            let fix = format!("it has {}", known.join(", "));
            errors.push(wrong(&format!("scripts[{index}]"), &format!("{name:?} is not in the template"), &fix));
        }
    }
}

/// The answers to a template's questions, each as a text.
pub(crate) fn check_inputs(answers: &BTreeMap<String, Secret>, asked: &[Input], errors: &mut Vec<FieldProblem>) {
    for name in answers.keys().filter(|name| asked.iter().all(|input| input.name != **name)) {
        errors.push(wrong(&format!("inputs.{name}"), "is not asked by the template", "leave it out"));
    }
    for input in asked {
        let field = format!("inputs.{}", input.name);
        match answers.get(&input.name) {
            None if input.default.is_none() => errors.push(wrong(&field, "is missing", &input.help)),
            None => {}
            Some(answer) => {
                if let Err(problem) = input.check(answer.expose()) {
                    errors.push(wrong(&field, &problem, "see the template's `inputs`"));
                }
            }
        }
    }
}

impl From<&ScriptsWish> for Scripts {
    fn from(wish: &ScriptsWish) -> Self {
        match wish {
            ScriptsWish::Word(ScriptsWord::All) => Self::All,
            ScriptsWish::Word(ScriptsWord::None) => Self::None,
            ScriptsWish::Only(names) => Self::Only(names.clone()),
        }
    }
}

impl NetworkWish {
    pub(crate) fn resolve(&self, errors: &mut Vec<FieldProblem>) -> Network {
        let default = Network::default();
        Network {
            bridge: self.bridge.clone().unwrap_or(default.bridge),
            vlan: self.vlan,
            ipv4: match self.ipv4.as_ref().map(|wish| wish.mode("network.ipv4", errors)) {
                None | Some(Mode::Dhcp) => Ipv4::Dhcp,
                Some(Mode::None) => Ipv4::None,
                Some(Mode::Static) => {
                    let (address, gateway) = self.ipv4.as_ref().map(AddressWish::fixed).unwrap_or_default();
                    Ipv4::Static { address, gateway }
                }
                Some(Mode::Auto) => {
                    errors.push(wrong("network.ipv4.mode", "auto is for IPv6", "choose dhcp, static or none"));
                    Ipv4::Dhcp
                }
            },
            ipv6: match self.ipv6.as_ref().map(|wish| wish.mode("network.ipv6", errors)) {
                Some(Mode::Dhcp) => Ipv6::Dhcp,
                Some(Mode::Auto) => Ipv6::Auto,
                None | Some(Mode::None) => Ipv6::None,
                Some(Mode::Static) => {
                    let (address, gateway) = self.ipv6.as_ref().map(AddressWish::fixed).unwrap_or_default();
                    Ipv6::Static { address, gateway }
                }
            },
            nameservers: self.nameservers.clone(),
            domain: self.domain.clone(),
        }
    }
}

impl AddressWish {
    fn mode(&self, field: &str, errors: &mut Vec<FieldProblem>) -> Mode {
        let given = self.address.is_some() || self.gateway.is_some();
        match self.mode {
            None if given => Mode::Static,
            None => Mode::Dhcp,
            Some(mode) if given && mode != Mode::Static => {
                errors.push(wrong(
                    &format!("{field}.mode"),
                    "an address is given too",
                    "choose static, or leave the address out",
                ));
                mode
            }
            Some(mode) => mode,
        }
    }

    fn fixed(&self) -> (String, Option<String>) {
        (self.address.clone().unwrap_or_default(), self.gateway.clone())
    }
}

async fn find_host(app: &App, asked: &str) -> Result<Option<HostRow>, Problem> {
    if let Ok(id) = asked.parse::<HostId>() {
        return views::get(app.log.db(), id).await.map_err(unread);
    }
    let filter = HostFilter { name: Some(asked.to_owned()) };
    let page = views::page::<HostRow>(app.log.db(), &filter, &Page { limit: 1, ..Page::default() }).await;
    Ok(page.map_err(unread)?.items.into_iter().next())
}

/// Where the field stands in the request.
pub(crate) fn renamed(field: &str) -> String {
    for (ours, theirs) in [("source.", ""), ("place.", ""), ("scripts.only", "scripts")] {
        if let Some(rest) = field.strip_prefix(ours) {
            return format!("{theirs}{rest}");
        }
    }
    field.to_owned()
}
