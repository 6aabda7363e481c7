//! Who may call which route: one line for each, here and nowhere else.
//!
//! After a change: `cargo run -q -p api --example access`. A test walks every route of the document
//! with every role and compares with that page; a route without a line is for the installation's administrators only.

use domain::Permission as P;

/// One route's rule.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    pub method: &'static str,
    pub path: &'static str,
    pub needs: Needs,
    pub whose: Whose,
}

/// What one has to be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Not even a token: it holds no data of anybody, or is the way in.
    Nothing,
    /// A valid token; it is about its holder only.
    Token,
    Permission(P),
}

/// Whose the thing is that the path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The installation's: nobody's in particular.
    Installation,
    /// Lists and new things: limited to the caller's account.
    Account,
    /// `{id}` is the caller's own account.
    OwnAccount,
    /// `{id}` is a container of the caller's account; also for what belongs to a container.
    Container,
    /// `{id}` is an operation of the caller's account.
    Operation,
    /// `{id}` is an invitation into the caller's account.
    Invitation,
    /// `{id}` is an API key of the caller's account.
    Key,
}

impl Whose {
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Installation => "installation",
            Self::Account => "account",
            Self::OwnAccount => "own account",
            Self::Container => "container",
            Self::Operation => "operation",
            Self::Invitation => "invitation",
            Self::Key => "key",
        }
    }
}

const fn rule(method: &'static str, path: &'static str, permission: P, whose: Whose) -> Rule {
    Rule { method, path, needs: Needs::Permission(permission), whose }
}

const fn open(method: &'static str, path: &'static str) -> Rule {
    Rule { method, path, needs: Needs::Nothing, whose: Whose::Installation }
}

const fn own(method: &'static str, path: &'static str) -> Rule {
    Rule { method, path, needs: Needs::Token, whose: Whose::Installation }
}

/// In the order of their paths.
#[rustfmt::skip]
pub const TABLE: &[Rule] = &[
    open("GET",    "/livez"),
    rule("GET",    "/metrics",                              P::SystemRead,        Whose::Installation),
    open("GET",    "/problems"),
    open("GET",    "/problems/{slug}"),
    open("GET",    "/readyz"),
    rule("GET",    "/v1/accounts",                          P::AccountRead,       Whose::Account),
    rule("POST",   "/v1/accounts",                          P::AccountsManage,    Whose::Installation),
    rule("GET",    "/v1/accounts/{id}",                     P::AccountRead,       Whose::OwnAccount),
    rule("PATCH",  "/v1/accounts/{id}",                     P::AccountWrite,      Whose::OwnAccount),
    rule("DELETE", "/v1/accounts/{id}",                     P::AccountsManage,    Whose::OwnAccount),
    rule("GET",    "/v1/accounts/{id}/members",             P::AccountRead,       Whose::OwnAccount),
    rule("GET",    "/v1/accounts/{id}/members/{user}",      P::AccountRead,       Whose::OwnAccount),
    rule("PUT",    "/v1/accounts/{id}/members/{user}",      P::AccountWrite,      Whose::OwnAccount),
    rule("DELETE", "/v1/accounts/{id}/members/{user}",      P::AccountWrite,      Whose::OwnAccount),
    rule("PUT",    "/v1/accounts/{id}/quota",               P::AccountsManage,    Whose::OwnAccount),
    rule("GET",    "/v1/api-keys",                          P::KeysRead,          Whose::Account),
    rule("POST",   "/v1/api-keys",                          P::KeysWrite,         Whose::Account),
    rule("GET",    "/v1/api-keys/{id}",                     P::KeysRead,          Whose::Key),
    rule("DELETE", "/v1/api-keys/{id}",                     P::KeysWrite,         Whose::Key),
    rule("POST",   "/v1/api-keys/{id}/rotate",              P::KeysWrite,         Whose::Key),
    rule("GET",    "/v1/audit",                             P::AuditRead,         Whose::Account),
    rule("GET",    "/v1/audit/export",                      P::AuditRead,         Whose::Account),
    rule("POST",   "/v1/bulk",                              P::ContainersWrite,   Whose::Account),
    rule("GET",    "/v1/bulk/{id}",                         P::OperationsRead,    Whose::Account),
    rule("GET",    "/v1/bulk/{id}/events",                  P::OperationsRead,    Whose::Account),
    rule("GET",    "/v1/containers",                        P::ContainersRead,    Whose::Account),
    rule("POST",   "/v1/containers",                        P::ContainersWrite,   Whose::Account),
    rule("GET",    "/v1/containers/{id}",                   P::ContainersRead,    Whose::Container),
    rule("DELETE", "/v1/containers/{id}",                   P::ContainersDelete,  Whose::Container),
    rule("POST",   "/v1/containers/{id}/actions/apply",       P::ContainersWrite,   Whose::Container),
    rule("POST",   "/v1/containers/{id}/actions/reboot",      P::ContainersWrite,   Whose::Container),
    rule("POST",   "/v1/containers/{id}/actions/resize",      P::ContainersWrite,   Whose::Container),
    rule("POST",   "/v1/containers/{id}/actions/resume",      P::ContainersWrite,   Whose::Container),
    rule("POST",   "/v1/containers/{id}/actions/suspend",     P::ContainersWrite,   Whose::Container),
    rule("PUT",    "/v1/containers/{id}/root-password",       P::ContainersWrite,   Whose::Container),
    rule("PATCH",  "/v1/containers/{id}",                   P::ContainersWrite,   Whose::Container),
    rule("POST",   "/v1/containers/{id}/actions/shutdown",    P::ContainersWrite,   Whose::Container),
    rule("POST",   "/v1/containers/{id}/actions/start",       P::ContainersWrite,   Whose::Container),
    rule("POST",   "/v1/containers/{id}/actions/stop",        P::ContainersWrite,   Whose::Container),
    rule("GET",    "/v1/containers/{id}/backups",                     P::ContainersRead,    Whose::Container),
    rule("POST",   "/v1/containers/{id}/backups",                     P::ContainersWrite,   Whose::Container),
    rule("DELETE", "/v1/containers/{id}/backups/{name}",              P::ContainersDelete,  Whose::Container),
    rule("POST",   "/v1/containers/{id}/backups/{name}/containers",   P::ContainersWrite,   Whose::Container),
    rule("POST",   "/v1/containers/{id}/backups/{name}/restore",      P::ContainersWrite,   Whose::Container),
    rule("POST",   "/v1/containers/{id}/clone",                       P::ContainersWrite,   Whose::Container),
    rule("GET",    "/v1/containers/{id}/credentials",       P::ContainersSecrets, Whose::Container),
    rule("POST",   "/v1/containers/{id}/drift/accept",                P::ContainersWrite,   Whose::Container),
    rule("POST",   "/v1/containers/{id}/drift/put-back",              P::ContainersWrite,   Whose::Container),
    rule("POST",   "/v1/containers/{id}/rebuild",                     P::ContainersDelete,  Whose::Container),
    rule("POST",   "/v1/containers/{id}/release",                     P::HostsWrite,        Whose::Container),
    rule("GET",    "/v1/containers/{id}/schedules",                   P::ContainersRead,    Whose::Container),
    rule("PUT",    "/v1/containers/{id}/schedules/{name}",            P::ContainersWrite,   Whose::Container),
    rule("DELETE", "/v1/containers/{id}/schedules/{name}",            P::ContainersWrite,   Whose::Container),
    rule("GET",    "/v1/containers/{id}/snapshots",                   P::ContainersRead,    Whose::Container),
    rule("POST",   "/v1/containers/{id}/snapshots",                   P::ContainersWrite,   Whose::Container),
    rule("DELETE", "/v1/containers/{id}/snapshots/{name}",            P::ContainersWrite,   Whose::Container),
    rule("POST",   "/v1/containers/{id}/snapshots/{name}/rollback",   P::ContainersWrite,   Whose::Container),
    rule("GET",    "/v1/drift",                             P::ContainersRead,    Whose::Account),
    rule("POST",   "/v1/drift/look",                        P::HostsWrite,        Whose::Installation),
    rule("GET",    "/v1/containers/{id}/template",                    P::ContainersRead,    Whose::Container),
    rule("POST",   "/v1/containers/{id}/undelete",                    P::ContainersDelete,  Whose::Container),
    rule("POST",   "/v1/containers/{id}/update",                      P::ContainersWrite,   Whose::Container),
    rule("GET",    "/v1/hosts",                             P::HostsRead,         Whose::Installation),
    rule("POST",   "/v1/hosts",                             P::HostsWrite,        Whose::Installation),
    rule("GET",    "/v1/hosts/{id}",                        P::HostsRead,         Whose::Installation),
    rule("POST",   "/v1/hosts/{id}/guests/{vmid}/adopt",    P::HostsWrite,        Whose::Installation),
    rule("PUT",    "/v1/hosts/{id}/maintenance",            P::HostsWrite,        Whose::Installation),
    rule("POST",   "/v1/hosts/{id}/pin",                    P::HostsWrite,        Whose::Installation),
    rule("GET",     "/v1/invitations", P::AccountRead, Whose::Account),
    rule("POST",    "/v1/invitations", P::AccountWrite, Whose::Account),
    open("POST",    "/v1/invitations/accept"),
    rule("DELETE",  "/v1/invitations/{id}", P::AccountWrite, Whose::Invitation),
    own ("GET",    "/v1/me"),
    own ("DELETE",  "/v1/me/accounts/{id}"),
    own ("PUT",    "/v1/me/password"),
    own ("GET",     "/v1/me/totp"),
    own ("POST",    "/v1/me/totp"),
    own ("POST",    "/v1/me/totp/confirm"),
    own ("POST",    "/v1/me/totp/disable"),
    rule("GET",    "/v1/operations",                        P::OperationsRead,    Whose::Account),
    rule("GET",    "/v1/operations/{id}",                   P::OperationsRead,    Whose::Operation),
    rule("POST",   "/v1/operations/{id}/cancel",            P::OperationsWrite,   Whose::Operation),
    rule("GET",    "/v1/operations/{id}/events",            P::OperationsRead,    Whose::Operation),
    rule("POST",   "/v1/operations/{id}/retry",             P::OperationsWrite,   Whose::Operation),
    rule("GET",    "/v1/orphans",                           P::HostsRead,         Whose::Installation),
    rule("POST",   "/v1/orphans/{id}/remove",               P::HostsWrite,        Whose::Installation),
    open("POST",   "/v1/password"),
    open("POST",    "/v1/password/reset"),
    open("POST",    "/v1/registrations"),
    own ("DELETE", "/v1/session"),
    open("POST",   "/v1/session"),
    open("POST",   "/v1/session/oidc"),
    open("POST",   "/v1/session/oidc/finish"),
    open("POST",   "/v1/session/refresh"),
    open("POST",    "/v1/setup"),
    rule("GET",    "/v1/buckets",                           P::TemplatesRead,     Whose::Installation),
    rule("GET",    "/v1/templates",                         P::TemplatesRead,     Whose::Installation),
    rule("POST",   "/v1/templates/refresh",                 P::TemplatesWrite,    Whose::Installation),
    rule("GET",    "/v1/templates/{name}",                  P::TemplatesRead,     Whose::Installation),
    rule("PUT",    "/v1/templates/{name}",                  P::TemplatesWrite,    Whose::Account),
    rule("DELETE", "/v1/templates/{name}",                  P::TemplatesWrite,    Whose::Account),
    rule("GET",    "/v1/templates/{name}/files",            P::TemplatesRead,     Whose::Account),
    rule("GET",    "/v1/templates/{name}/difference",       P::TemplatesRead,     Whose::Installation),
    rule("GET",    "/v1/templates/{name}/versions",         P::TemplatesRead,     Whose::Account),
    rule("GET",    "/v1/users",                             P::UsersRead,         Whose::Installation),
    rule("POST",   "/v1/users",                             P::UsersWrite,        Whose::Installation),
    rule("GET",    "/v1/users/{id}",                        P::UsersRead,         Whose::Installation),
    rule("PATCH",  "/v1/users/{id}",                        P::UsersWrite,        Whose::Installation),
    rule("DELETE", "/v1/users/{id}",                        P::UsersWrite,        Whose::Installation),
    rule("POST",   "/v1/users/{id}/password-link",          P::UsersWrite,        Whose::Installation),
    rule("DELETE",  "/v1/users/{id}/totp", P::UsersWrite, Whose::Installation),
];

/// The rule of a route, by its method and its path with names in braces.
#[must_use]
pub fn rule_of(method: &str, path: &str) -> Option<&'static Rule> {
    TABLE.iter().find(|rule| rule.method == method && rule.path == path)
}

/// The rule for a path as it was asked for. Of two that fit, the one that says more of it by its words: a name in braces
/// stands for anything else. What the router takes for another route's path is so held to its own rule all the same.
#[must_use]
pub(super) fn rule_for(method: &str, path: &str) -> Option<&'static Rule> {
    let rules = TABLE.iter().filter(|rule| rule.method == method && rule.fits(path));
    rules.min_by_key(|rule| rule.path.matches('{').count())
}

impl Rule {
    fn fits(&self, path: &str) -> bool {
        let (mut ours, mut theirs) = (self.path.split('/'), path.split('/'));
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return true,
                (Some(our), Some(their)) if our == their || (our.starts_with('{') && !their.is_empty()) => {}
                _ => return false,
            }
        }
    }

    /// Whether somebody may less after it than before.
    #[must_use]
    pub(super) fn changes_rights(&self) -> bool {
        let rights = [P::AccountWrite, P::AccountsManage, P::KeysWrite, P::UsersWrite].map(Needs::Permission);
        self.method != "GET" && (rights.contains(&self.needs) || self.needs == Needs::Token)
    }

    /// The part of the path that stands where the rule has `{id}`.
    #[must_use]
    pub(super) fn id<'a>(&self, path: &'a str) -> Option<&'a str> {
        self.path.split('/').zip(path.split('/')).find(|(name, _)| *name == "{id}").map(|(_, id)| id)
    }
}

/// `docs/access.md`.
#[must_use]
pub fn page() -> String {
    let mut page = include_str!("page.md").to_owned();
    for Rule { method, path, needs, whose } in TABLE {
        let (needs, roles) = match needs {
            Needs::Nothing => ("nothing", ["yes"; 4]),
            Needs::Token => ("a token", ["yes"; 4]),
            Needs::Permission(permission) => {
                (permission.word(), domain::Role::ALL.map(|role| if role.permits(*permission) { "yes" } else { "no" }))
            }
        };
        let cells = [*method, *path, needs, whose.words()].into_iter().chain(roles).collect::<Vec<_>>().join(" | ");
        page.push_str(&format!("| {cells} |\n"));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_page_is_this_one() {
        let place = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/access.md");
        let same = std::fs::read_to_string(place).unwrap_or_default() == page();
        assert!(same, "docs/access.md is not what the table says: `cargo run -q -p api --example access`");
    }

    #[test]
    fn what_belongs_to_somebody_is_named_by_its_id() {
        for rule in TABLE {
            let names = rule.path.contains("{id}");
            let owned = !matches!(rule.whose, Whose::Installation | Whose::Account);
            assert!(names || !owned, "{rule:?}");
            assert_eq!(rule_of(rule.method, rule.path).map(|found| found.needs), Some(rule.needs), "twice: {rule:?}");
        }
        let rule = rule_of("POST", "/v1/operations/{id}/cancel").unwrap();
        assert_eq!(rule.id("/v1/operations/7/cancel"), Some("7"));
        let of = |method: &str, path: &str| rule_for(method, path).map(|rule| rule.path);
        assert_eq!(of("POST", "/v1/templates/refresh"), Some("/v1/templates/refresh"));
        assert_eq!(of("GET", "/v1/templates/refresh"), Some("/v1/templates/{name}"));
        assert_eq!((of("POST", "/v1/templates/"), of("POST", "/v1/nothing")), (None, None));
    }
}
