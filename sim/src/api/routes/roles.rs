//! Roles, groups, and who holds which role where.

use serde_json::{Value, json};

use super::Answer;
use crate::api::asked::Asked;
use crate::model::access::Entry;
use crate::model::roles;
use crate::refusal::Refusal;

pub(super) fn answer(name: &str, asked: &Asked) -> Option<Answer> {
    Some(match name {
        "GET /access/roles" => Ok(all_roles(asked).into()),
        "GET /access/roles/{roleid}" => role(asked),
        "POST /access/roles" => set_role(asked, true),
        "PUT /access/roles/{roleid}" => set_role(asked, false),
        "DELETE /access/roles/{roleid}" => {
            asked.world.change(|state| state.access.roles.remove(&asked.need("roleid")));
            Ok(Value::Null.into())
        }
        "GET /access/groups" => Ok(asked
            .world
            .state()
            .access
            .groups
            .iter()
            .map(|(name, comment)| json!({"groupid": name, "comment": comment}))
            .collect::<Value>()
            .into()),
        "POST /access/groups" | "PUT /access/groups/{groupid}" => {
            asked.world.change(|state| state.access.groups.insert(asked.need("groupid"), asked.text("comment")));
            Ok(Value::Null.into())
        }
        "DELETE /access/groups/{groupid}" => {
            asked.world.change(|state| state.access.groups.remove(&asked.need("groupid")));
            Ok(Value::Null.into())
        }
        "GET /access/acl" => Ok(acl(asked).into()),
        "PUT /access/acl" => set_acl(asked),
        _ => return None,
    })
}

fn all_roles(asked: &Asked) -> Value {
    let built_in = roles::BUILT_IN.iter().map(
        |name| json!({"roleid": name, "special": 1, "privs": roles::built_in(name).unwrap_or_default().join(",")}),
    );
    let state = asked.world.state();
    built_in
        .chain(state.access.roles.iter().map(|(name, privs)| json!({"roleid": name, "privs": privs.join(",")})))
        .collect()
}

fn role(asked: &Asked) -> Answer {
    let name = asked.need("roleid");
    let state = asked.world.state();
    let held: Vec<String> = match roles::built_in(&name) {
        Some(names) => names.into_iter().map(str::to_owned).collect(),
        None => state
            .access
            .roles
            .get(&name)
            .cloned()
            .ok_or_else(|| Refusal::died(format!("role '{name}' does not exist")))?,
    };
    Ok(held.into_iter().map(|name| (name, json!(1))).collect::<Value>().into())
}

fn set_role(asked: &Asked, new: bool) -> Answer {
    let (name, privs) = (asked.need("roleid"), asked.list("privs"));
    if roles::built_in(&name).is_some() {
        return Err(Refusal::died(format!("auto-generated role '{name}' cannot be modified")));
    }
    if let Some(unknown) = privs.iter().find(|name| !roles::PRIVILEGES.contains(&name.as_str())) {
        return Err(Refusal::died(format!("invalid privilege '{unknown}'")));
    }
    asked.world.change(|state| {
        match (new, state.access.roles.contains_key(&name)) {
            (true, true) => return Err(Refusal::died(format!("create role failed: role '{name}' already exists"))),
            (false, false) => return Err(Refusal::died(format!("update role failed: role '{name}' does not exist"))),
            _ => {}
        }
        let role = state.access.roles.entry(name).or_default();
        if !asked.flag("append") {
            role.clear();
        }
        for privilege in privs {
            if !role.contains(&privilege) {
                role.push(privilege);
            }
        }
        Ok(Value::Null.into())
    })
}

fn acl(asked: &Asked) -> Value {
    let state = asked.world.state();
    let rows = state.access.acl.iter().filter(|entry| {
        state.may(&asked.who, "/access", "Sys.Audit") || state.may(&asked.who, &entry.path, "Permissions.Modify")
    });
    rows.map(|entry| json!({"path": entry.path, "type": entry.kind, "ugid": entry.who, "roleid": entry.role, "propagate": u8::from(entry.propagate)})).collect()
}

fn set_acl(asked: &Asked) -> Answer {
    let path = format!("/{}", asked.need("path").trim_matches('/'));
    let propagate = asked.text("propagate").is_none() || asked.flag("propagate");
    asked.world.change(|state| {
        for role in asked.list("roles") {
            if roles::built_in(&role).is_none() && !state.access.roles.contains_key(&role) {
                return Err(Refusal::died(format!("role '{role}' does not exist")));
            }
            for (kind, key) in [("user", "users"), ("group", "groups"), ("token", "tokens")] {
                for who in asked.list(key) {
                    let entry = Entry { path: path.clone(), kind: kind.to_owned(), who, role: role.clone(), propagate };
                    state.access.acl.retain(|old| {
                        !(old.path == entry.path
                            && old.kind == entry.kind
                            && old.who == entry.who
                            && old.role == entry.role)
                    });
                    if !asked.flag("delete") {
                        state.access.acl.push(entry);
                    }
                }
            }
        }
        Ok(Value::Null.into())
    })
}
