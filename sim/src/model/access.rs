//! Users, tokens, groups, roles, and what they may do where.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{State, roles};
use crate::refusal::Refusal;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Access {
    pub(crate) users: BTreeMap<String, User>,
    pub(crate) groups: BTreeMap<String, Option<String>>,
    /// Those that were added to the ones that come with Proxmox.
    pub(crate) roles: BTreeMap<String, Vec<String>>,
    pub(crate) acl: Vec<Entry>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) password: Option<String>,
    pub(crate) enable: bool,
    pub(crate) expire: i64,
    /// comment, email, firstname, lastname, as given.
    pub(crate) details: BTreeMap<String, String>,
    pub(crate) groups: Vec<String>,
    pub(crate) tokens: BTreeMap<String, Token>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Token {
    pub(crate) secret: String,
    pub(crate) privsep: bool,
    pub(crate) expire: i64,
    pub(crate) comment: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) path: String,
    /// `user`, `group` or `token`.
    pub(crate) kind: String,
    pub(crate) who: String,
    pub(crate) role: String,
    pub(crate) propagate: bool,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Who {
    pub(crate) user: String,
    pub(crate) token: Option<String>,
}

impl Who {
    /// `root@pam` or `root@pam!t1`.
    pub(crate) fn id(&self) -> String {
        self.token.as_ref().map_or_else(|| self.user.clone(), |token| format!("{}!{token}", self.user))
    }

    pub(crate) fn of(id: &str) -> Self {
        match id.split_once('!') {
            Some((user, token)) => Self { user: user.to_owned(), token: Some(token.to_owned()) },
            None => Self { user: id.to_owned(), token: None },
        }
    }

    /// Root itself; a token of root is not.
    pub(crate) fn is_root(&self) -> bool {
        self.user == "root@pam" && self.token.is_none()
    }
}

impl State {
    /// What someone may do at a path.
    pub(crate) fn privileges(&self, who: &Who, path: &str) -> BTreeSet<String> {
        let every = || roles::PRIVILEGES.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let of_user = || if who.user == "root@pam" { every() } else { self.at(path, "user", &who.user) };
        match &who.token {
            None => of_user(),
            Some(token) => {
                let separate = self
                    .access
                    .users
                    .get(&who.user)
                    .and_then(|user| user.tokens.get(token))
                    .is_none_or(|token| token.privsep);
                if !separate {
                    return of_user();
                }
                self.at(path, "token", &who.id()).intersection(&of_user()).cloned().collect()
            }
        }
    }

    fn at(&self, path: &str, kind: &str, who: &str) -> BTreeSet<String> {
        let mut found = self.names(path, kind, who);
        if let Some(pool) = path.strip_prefix("/vms/").and_then(|id| id.parse().ok()).and_then(|id| self.pool_of(id)) {
            found.extend(self.names(&format!("/pool/{pool}"), kind, who));
        }
        let mut privileges = BTreeSet::new();
        for role in found {
            match roles::built_in(&role) {
                Some(names) => privileges.extend(names.into_iter().map(str::to_owned)),
                None => privileges.extend(self.access.roles.get(&role).cloned().unwrap_or_default()),
            }
        }
        privileges
    }

    /// The roles at a path: a deeper entry wins over a higher one, one for the user over one for their groups.
    fn names(&self, path: &str, kind: &str, who: &str) -> BTreeSet<String> {
        let mut levels = vec!["/".to_owned()];
        let mut so_far = String::new();
        for word in path.split('/').filter(|word| !word.is_empty()) {
            so_far = format!("{so_far}/{word}");
            levels.push(so_far.clone());
        }
        let groups = self.access.users.get(who).map(|user| user.groups.clone()).unwrap_or_default();
        let mut held = BTreeSet::new();
        for level in &levels {
            let last = Some(level) == levels.last();
            let here = |kind: &str, whose: &dyn Fn(&str) -> bool| {
                let entries = self.access.acl.iter().filter(|entry| {
                    entry.path == *level && entry.kind == kind && whose(&entry.who) && (last || entry.propagate)
                });
                entries.map(|entry| entry.role.clone()).collect::<BTreeSet<_>>()
            };
            let own = here(kind, &|name| name == who);
            let shared = if kind == "user" {
                here("group", &|name| groups.iter().any(|group| group == name))
            } else {
                BTreeSet::new()
            };
            if !own.is_empty() {
                held = own;
            } else if !shared.is_empty() {
                held = shared;
            }
        }
        if held.contains("NoAccess") { BTreeSet::new() } else { held }
    }

    pub(crate) fn may(&self, who: &Who, path: &str, privilege: &str) -> bool {
        self.privileges(who, path).contains(privilege)
    }

    pub(crate) fn demand(&self, who: &Who, path: &str, privilege: &str) -> Result<(), Refusal> {
        if self.may(who, path, privilege) { Ok(()) } else { Err(Refusal::forbidden(&format!("{path}, {privilege}"))) }
    }

    /// A call's own check, as the schema states it.
    pub(crate) fn check(&self, who: &Who, check: &Value, params: &BTreeMap<String, Value>) -> Result<(), Refusal> {
        let Some(list) = check.as_array() else { return Ok(()) };
        let param =
            |name: &str| params.get(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        let word = |at: usize| list.get(at).and_then(Value::as_str).unwrap_or_default();
        match word(0) {
            "and" => list[1..].iter().try_for_each(|part| self.check(who, part, params)),
            "or" => {
                if list[1..].iter().any(|part| self.check(who, part, params).is_ok()) {
                    Ok(())
                } else {
                    Err(Refusal::forbidden(""))
                }
            }
            "perm" => {
                let options: Vec<_> = list.iter().skip(3).filter_map(Value::as_str).collect();
                if options.first() == Some(&"require_param") && options.get(1).is_none_or(|name| param(name).is_none())
                {
                    return Err(Refusal::forbidden(""));
                }
                let mut path = word(1).to_owned();
                for (name, value) in params {
                    path = path.replace(&format!("{{{name}}}"), value.as_str().unwrap_or(&value.to_string()));
                }
                let wanted: Vec<_> =
                    list.get(2).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
                let held = self.privileges(who, &path);
                let enough = if options.first() == Some(&"any") {
                    wanted.iter().any(|name| held.contains(*name))
                } else {
                    wanted.iter().all(|name| held.contains(*name))
                };
                if enough {
                    return Ok(());
                }
                let words = if options.first() == Some(&"any") {
                    wanted.join("|")
                } else {
                    wanted.into_iter().find(|name| !held.contains(*name)).unwrap_or_default().to_owned()
                };
                Err(Refusal::forbidden(&format!("{path}, {words}")))
            }
            "userid-param" => {
                let user = param("userid").unwrap_or_default();
                let right = match word(1) {
                    "self" => user == who.user,
                    privilege => user
                        .rsplit_once('@')
                        .is_some_and(|(_, realm)| self.may(who, &format!("/access/realm/{realm}"), privilege)),
                };
                if right { Ok(()) } else { Err(Refusal::forbidden("")) }
            }
            "userid-group" => {
                let wanted: Vec<_> =
                    list.get(1).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
                let held = self.privileges(who, "/access/groups");
                if wanted.iter().all(|name| held.contains(*name)) {
                    Ok(())
                } else {
                    Err(Refusal::forbidden(&format!("/access/groups, {}", wanted.join(", "))))
                }
            }
            "perm-modify" => {
                let path = param("path").unwrap_or_default();
                let held = self.privileges(who, &path);
                let over = held.contains("Permissions.Modify")
                    || path.starts_with("/storage") && held.contains("Datastore.Allocate")
                    || path.starts_with("/vms") && held.contains("VM.Allocate")
                    || path.starts_with("/pool") && held.contains("Pool.Allocate");
                if over { Ok(()) } else { Err(Refusal::forbidden(&format!("{path}, Permissions.Modify"))) }
            }
            _ => Ok(()),
        }
    }
}
