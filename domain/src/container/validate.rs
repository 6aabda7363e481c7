use std::collections::BTreeSet;
use std::net::IpAddr;

use super::change::check_description;
use super::{ContainerSpec, Ipv4, Ipv6, Network, Scripts, Source, Where, address, marker, ssh_key};
use crate::field::{FieldError, wrong};
use crate::name;
use crate::vmid::Vmid;

impl ContainerSpec {
    /// All that is wrong with it, at once.
    #[must_use]
    pub fn validate(&self) -> Vec<FieldError> {
        let mut errors = vec![];
        if !name::is_label(&self.hostname) {
            errors.push(wrong(
                "hostname",
                format!("{:?} is no host name", self.hostname),
                "1 to 63 letters, digits and hyphens, with a letter or digit at both ends",
            ));
        }
        self.check_source(&mut errors);
        self.check_size(&mut errors);
        self.network.check(&mut errors);
        self.check_access(&mut errors);
        self.check_tags(&mut errors);
        errors.extend(self.description.as_deref().and_then(check_description));
        self.check_equipment(&mut errors);
        errors
    }

    fn check_source(&self, errors: &mut Vec<FieldError>) {
        match &self.source {
            Source::Template(template) if !name::is_template(template) => errors.push(wrong(
                "source.template",
                format!("{template:?} is no template's name"),
                "see the catalogue for the names there are",
            )),
            Source::Image(image) if !name::is_image(image) => errors.push(wrong(
                "source.image",
                format!("{image:?} is no image's name"),
                "write it like local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst",
            )),
            _ => {}
        }
        if let Where::Node { node, .. } = &self.place
            && !name::is_label(node)
        {
            errors.push(wrong("place.node", format!("{node:?} is no node's name"), "write it as Proxmox shows it"));
        }
    }

    fn check_size(&self, errors: &mut Vec<FieldError>) {
        for (field, value, least, most, unit) in [
            ("cores", Some(self.cores), 1, 128, "cores"),
            ("memory_mb", Some(self.memory_mb), 128, 65_536, "MB"),
            ("swap_mb", Some(self.swap_mb), 0, 65_536, "MB"),
            ("disk_gb", Some(self.disk_gb), 1, 10_240, "GB"),
            ("vmid", self.vmid, Vmid::LOWEST, Vmid::HIGHEST, "or none"),
            ("network.vlan", self.network.vlan, 1, 4094, "or none"),
        ] {
            if let Some(value) = value.filter(|value| !(least..=most).contains(value)) {
                let fix = format!("choose {least} to {most} {unit}");
                errors.push(wrong(field, format!("{value} is out of range"), fix));
            }
        }
        if let Some(storage) = self.storage.as_deref().filter(|storage| !name::is_storage(storage)) {
            let fix = "write it as Proxmox shows it, like local-lvm, or leave it out";
            errors.push(wrong("storage", format!("{storage:?} is no storage's name"), fix));
        }
    }

    fn check_access(&self, errors: &mut Vec<FieldError>) {
        for (i, key) in self.ssh_keys.iter().enumerate() {
            if let Some(problem) = ssh_key::fault(key) {
                let fix = "give one line as it stands in a .pub file, like ssh-ed25519 AAAA…";
                errors.push(wrong(format!("ssh_keys[{i}]"), problem, fix));
            }
        }
        if self.features.keyctl && !self.unprivileged {
            let fix = "leave keyctl out, or make the container unprivileged";
            errors.push(wrong("features.keyctl", "is for unprivileged containers only", fix));
        }
    }

    fn check_tags(&self, errors: &mut Vec<FieldError>) {
        if let Some(tag) = self.spread_by.as_ref().filter(|tag| !name::is_tag(tag)) {
            let fix = "letters, digits, and _ - + . after the first, at most 64";
            errors.push(wrong("spread_by", format!("{tag:?} is no tag"), fix));
        }
        let mut seen = BTreeSet::new();
        for (i, tag) in self.tags.iter().enumerate() {
            let (problem, fix) = if !name::is_tag(tag) {
                (format!("{tag:?} is no tag"), "letters, digits, and _ - + . after the first, at most 64")
            } else if tag.eq_ignore_ascii_case(marker::TAG) {
                (format!("{tag:?} is Gantry's own mark"), "leave it out, it is added anyway")
            } else if !seen.insert(tag.to_ascii_lowercase()) {
                (format!("{tag:?} is there twice"), "leave one out")
            } else {
                continue;
            };
            errors.push(wrong(format!("tags[{i}]"), problem, fix));
        }
    }

    fn check_equipment(&self, errors: &mut Vec<FieldError>) {
        for (i, package) in self.packages.iter().enumerate().filter(|(_, package)| !name::is_package(package)) {
            let fix = "one package's name, without spaces, options or shell signs";
            errors.push(wrong(format!("packages[{i}]"), format!("{package:?} is no package's name"), fix));
        }
        let Scripts::Only(scripts) = &self.scripts else { return };
        if matches!(self.source, Source::Image(_)) {
            errors.push(wrong("scripts.only", "a bare image has no scripts", "choose a template, or leave it out"));
        }
        for (i, script) in scripts.iter().enumerate().filter(|(_, script)| !name::is_script(script)) {
            let fix = "the file's name in the template, like 10-base.sh";
            errors.push(wrong(format!("scripts.only[{i}]"), format!("{script:?} is no script's name"), fix));
        }
    }
}

impl Network {
    fn check(&self, errors: &mut Vec<FieldError>) {
        if !name::is_bridge(&self.bridge) {
            let fix = "write it as Proxmox shows it, like vmbr0";
            errors.push(wrong("network.bridge", format!("{:?} is no bridge's name", self.bridge), fix));
        }
        if let Ipv4::Static { address, gateway } = &self.ipv4 {
            errors.extend(address::faults("network.ipv4", address, gateway.as_deref(), false));
        }
        if let Ipv6::Static { address, gateway } = &self.ipv6 {
            errors.extend(address::faults("network.ipv6", address, gateway.as_deref(), true));
        }
        if self.ipv4 == Ipv4::None && self.ipv6 == Ipv6::None {
            let fix = "choose dhcp or a static address for IPv4 or IPv6";
            errors.push(wrong("network", "the container would have no address", fix));
        }
        for (i, server) in self.nameservers.iter().enumerate().filter(|(_, server)| server.parse::<IpAddr>().is_err()) {
            let fix = "give its IPv4 or IPv6 address";
            errors.push(wrong(format!("network.nameservers[{i}]"), format!("{server:?} is no address"), fix));
        }
        if let Some(domain) = self.domain.as_deref().filter(|domain| !name::is_domain(domain)) {
            let fix = "write it like example.org, or leave it out";
            errors.push(wrong("network.domain", format!("{domain:?} is no DNS domain"), fix));
        }
    }
}
