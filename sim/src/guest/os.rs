//! The distributions that containers claim to be.

/// The distribution a container claims to be. The programs are this machine's; the names, files and package commands are its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Os {
    pub id: String,
    pub version: String,
}

impl Default for Os {
    fn default() -> Self {
        Self { id: "debian".to_owned(), version: "12".to_owned() }
    }
}

impl Os {
    /// From the name of an image: `local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst` is Debian 12.
    #[must_use]
    pub fn of_image(image: &str) -> Self {
        let name = image.rsplit(['/', ':']).next().unwrap_or(image);
        let mut words = name.split(['-', '_']);
        let id = words.next().unwrap_or_default().to_ascii_lowercase();
        let version = words.next().filter(|word| word.starts_with(|c: char| c.is_ascii_digit()));
        let newest = match id.as_str() {
            "debian" => "12",
            "ubuntu" => "24.04",
            "alpine" => "3.22",
            "fedora" => "42",
            "rockylinux" | "almalinux" | "centos" => "9",
            _ => return Self::default(),
        };
        Self { id, version: version.unwrap_or(newest).to_owned() }
    }

    /// Which package commands it has.
    #[must_use]
    pub fn family(&self) -> &'static str {
        match self.id.as_str() {
            "alpine" => "alpine",
            "fedora" | "rockylinux" | "almalinux" | "centos" => "rhel",
            _ => "debian",
        }
    }

    pub(super) fn codename(&self) -> &str {
        match (self.id.as_str(), self.version.as_str()) {
            ("debian", "11") => "bullseye",
            ("debian", "12") => "bookworm",
            ("debian", "13") => "trixie",
            ("ubuntu", "22.04") => "jammy",
            ("ubuntu", "24.04") => "noble",
            ("ubuntu", "25.04") => "plucky",
            _ => "",
        }
    }

    pub(super) fn release(&self) -> String {
        let Self { id, version } = self;
        let codename = self.codename();
        let name = match id.as_str() {
            "debian" => "Debian GNU/Linux",
            "ubuntu" => "Ubuntu",
            "alpine" => "Alpine Linux",
            "fedora" => "Fedora Linux",
            "rockylinux" => "Rocky Linux",
            "almalinux" => "AlmaLinux",
            _ => "CentOS Stream",
        };
        let id = if id == "rockylinux" { "rocky" } else { id };
        let like = match (id, self.family()) {
            ("ubuntu", _) => "ID_LIKE=debian\n",
            ("rocky" | "almalinux", _) => "ID_LIKE=\"rhel centos fedora\"\n",
            _ => "",
        };
        let words = if codename.is_empty() { String::new() } else { format!(" ({codename})") };
        let code = if codename.is_empty() { String::new() } else { format!("VERSION_CODENAME={codename}\n") };
        format!(
            "PRETTY_NAME=\"{name} {version}{words}\"\nNAME=\"{name}\"\nVERSION_ID=\"{version}\"\nVERSION=\"{version}{words}\"\n{code}ID={id}\n{like}"
        )
    }
}
