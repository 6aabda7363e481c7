use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Answer;
use crate::api::asked::Asked;
use crate::api::auth;
use crate::model::access::{Token, User, Who};
use crate::model::world::new_secret;
use crate::refusal::Refusal;

pub(super) fn answer(name: &str, asked: &Asked) -> Option<Answer> {
    Some(match name {
        "GET /access" => Ok(super::subdirs(&[
            "users",
            "groups",
            "roles",
            "acl",
            "domains",
            "openid",
            "tfa",
            "ticket",
            "permissions",
            "password",
        ])
        .into()),
        "GET /access/ticket" => Ok(Value::Null.into()),
        "POST /access/ticket" => log_in(asked),
        "GET /access/permissions" => permissions(asked),
        "GET /access/users" => Ok(users(asked).into()),
        "POST /access/users" => add_user(asked),
        "GET /access/users/{userid}" => user(asked, |name, user| Ok(details(name, user))),
        "PUT /access/users/{userid}" => change_user(asked),
        "DELETE /access/users/{userid}" => remove_user(asked),
        "PUT /access/password" => password(asked),
        "GET /access/users/{userid}/token" => {
            user(asked, |_, user| Ok(user.tokens.iter().map(|(name, token)| token_row(Some(name), token)).collect()))
        }
        "GET /access/users/{userid}/token/{tokenid}" => {
            user(asked, |_, user| match user.tokens.get(&asked.need("tokenid")) {
                Some(token) => Ok(token_row(None, token)),
                None => Err(Refusal::died(format!(
                    "no such token '{}' for user '{}'",
                    asked.need("tokenid"),
                    asked.need("userid")
                ))),
            })
        }
        "POST /access/users/{userid}/token/{tokenid}" => add_token(asked),
        "PUT /access/users/{userid}/token/{tokenid}" => change_token(asked),
        "DELETE /access/users/{userid}/token/{tokenid}" => remove_token(asked),
        _ => return None,
    })
}

fn log_in(asked: &Asked) -> Answer {
    if asked.who.token.is_some() {
        return Err(Refusal::forbidden("URI '/access/ticket' not available with API token, need proper ticket."));
    }
    let mut user = asked.need("username");
    if let Some(realm) = asked.text("realm") {
        user = format!("{user}@{realm}");
    } else if !user.contains('@') {
        user += "@pam";
    }
    let given = asked.need("password");
    let known = {
        let state = asked.world.state();
        auth::usable(&state, &user, asked.world.clock.seconds())
            && state
                .access
                .users
                .get(&user)
                .and_then(|user| user.password.as_ref())
                .is_some_and(|password| *password == given)
    };
    // A ticket that is still good stands for the password.
    if !known && auth::verify(&asked.world, "PVE", &given, "").as_deref() != Some(user.as_str()) {
        return Err(Refusal::with(401, "authentication failure"));
    }
    let who = Who { user: user.clone(), token: None };
    let cap: Value = ["access", "dc", "mapping", "nodes", "sdn", "storage", "vms"]
        .into_iter()
        .map(|part| {
            let path = if part == "dc" { "/".to_owned() } else { format!("/{part}") };
            (part.to_owned(), map(&asked.world.state().privileges(&who, &path)))
        })
        .collect::<serde_json::Map<_, _>>()
        .into();
    Ok(json!({"username": user, "ticket": auth::ticket(&asked.world, "PVE", &user, ""), "CSRFPreventionToken": auth::csrf(&asked.world, &user), "cap": cap}).into())
}

fn map(privileges: &std::collections::BTreeSet<String>) -> Value {
    privileges.iter().map(|name| (name.clone(), json!(1))).collect::<serde_json::Map<_, _>>().into()
}

fn permissions(asked: &Asked) -> Answer {
    let who = asked.text("userid").map_or_else(|| asked.who.clone(), |id| Who::of(&id));
    let state = asked.world.state();
    if who != asked.who {
        state.demand(&asked.who, "/access", "Sys.Audit")?;
    }
    let paths = match asked.text("path") {
        Some(path) => vec![path],
        None => {
            let mut all: Vec<String> =
                ["/", "/access", "/access/groups", "/nodes", "/pool", "/sdn", "/storage", "/vms"]
                    .map(str::to_owned)
                    .to_vec();
            all.extend(state.access.acl.iter().map(|entry| entry.path.clone()));
            all.dedup();
            all
        }
    };
    let mut found = serde_json::Map::new();
    for path in paths {
        let held = state.privileges(&who, &path);
        if !held.is_empty() {
            found.insert(path, map(&held));
        }
    }
    Ok(Value::Object(found).into())
}

fn realm_type(user: &str) -> &'static str {
    if user.ends_with("@pam") { "pam" } else { "pve" }
}

fn details(_name: &str, user: &User) -> Value {
    let mut row = json!({"enable": u8::from(user.enable), "expire": user.expire, "groups": user.groups});
    for (key, value) in &user.details {
        row[key] = json!(value);
    }
    row["tokens"] = user
        .tokens
        .iter()
        .map(|(name, token)| (name.clone(), token_row(None, token)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    row
}

fn users(asked: &Asked) -> Value {
    let state = asked.world.state();
    let all = asked.who.user == "root@pam"
        || state.may(&asked.who, "/access/groups", "Sys.Audit")
        || state.may(&asked.who, "/access/groups", "User.Modify");
    let rows = state.access.users.iter().filter(|(name, _)| all || **name == asked.who.user).map(|(name, user)| {
        let mut row = json!({"userid": name, "enable": u8::from(user.enable), "expire": user.expire, "realm-type": realm_type(name)});
        for (key, value) in &user.details {
            row[key] = json!(value);
        }
        if asked.flag("full") {
            row["groups"] = json!(user.groups.join(","));
            row["tokens"] = user.tokens.iter().map(|(name, token)| token_row(Some(name), token)).collect();
        }
        row
    });
    rows.collect()
}

fn fill(asked: &Asked, user: &mut User) {
    for key in ["comment", "email", "firstname", "lastname", "keys"] {
        if let Some(value) = asked.text(key) {
            user.details.insert(key.to_owned(), value);
        }
    }
    if asked.text("enable").is_some() {
        user.enable = asked.flag("enable");
    }
    if let Some(expire) = asked.number("expire") {
        user.expire = i64::try_from(expire).unwrap_or_default();
    }
    if asked.text("groups").is_some() {
        let groups = asked.list("groups");
        if asked.flag("append") { user.groups.extend(groups) } else { user.groups = groups }
    }
}

fn add_user(asked: &Asked) -> Answer {
    let name = asked.need("userid");
    asked.world.change(|state| {
        if state.access.users.contains_key(&name) {
            return Err(Refusal::died(format!("create user failed: user '{name}' already exists")));
        }
        let mut user =
            User { password: asked.text("password"), enable: true, details: BTreeMap::new(), ..User::default() };
        fill(asked, &mut user);
        state.access.users.insert(name, user);
        Ok(Value::Null.into())
    })
}

fn no_user(name: &str) -> Refusal {
    Refusal::died(format!("no such user ('{name}')"))
}

fn user(asked: &Asked, read: impl FnOnce(&str, &User) -> Result<Value, Refusal>) -> Answer {
    let name = asked.need("userid");
    let state = asked.world.state();
    let user = state.access.users.get(&name).ok_or_else(|| no_user(&name))?;
    read(&name, user).map(Into::into)
}

fn with_user(asked: &Asked, change: impl FnOnce(&mut User) -> Result<Value, Refusal>) -> Answer {
    let name = asked.need("userid");
    asked
        .world
        .change(|state| state.access.users.get_mut(&name).ok_or_else(|| no_user(&name)).and_then(change))
        .map(Into::into)
}

fn change_user(asked: &Asked) -> Answer {
    with_user(asked, |user| {
        fill(asked, user);
        Ok(Value::Null)
    })
}

fn password(asked: &Asked) -> Answer {
    with_user(asked, |user| {
        user.password = asked.text("password");
        Ok(Value::Null)
    })
}

fn remove_user(asked: &Asked) -> Answer {
    let name = asked.need("userid");
    asked.world.change(|state| {
        state.access.users.remove(&name).ok_or_else(|| no_user(&name))?;
        state.access.acl.retain(|entry| entry.who != name && !entry.who.starts_with(&format!("{name}!")));
        Ok(Value::Null.into())
    })
}

fn token_row(name: Option<&str>, token: &Token) -> Value {
    let mut row = json!({"expire": token.expire, "privsep": u8::from(token.privsep)});
    if let Some(name) = name {
        row["tokenid"] = json!(name);
    }
    if let Some(comment) = &token.comment {
        row["comment"] = json!(comment);
    }
    row
}

impl Asked {
    fn expire(&self) -> i64 {
        self.number("expire").and_then(|at| i64::try_from(at).ok()).unwrap_or_default()
    }
}

fn add_token(asked: &Asked) -> Answer {
    let (owner, name) = (asked.need("userid"), asked.need("tokenid"));
    let privsep = asked.text("privsep").is_none() || asked.flag("privsep");
    let token = Token { secret: new_secret(), privsep, expire: asked.expire(), comment: asked.text("comment") };
    with_user(asked, |user| {
        if user.tokens.contains_key(&name) {
            return Err(Refusal::parameter("tokenid", "Token already exists."));
        }
        // What was given comes back as it was given.
        let mut info = json!({"privsep": asked.text("privsep").map_or(json!(1), |text| json!(text))});
        for key in ["comment", "expire"] {
            if let Some(value) = asked.text(key) {
                info[key] = json!(value);
            }
        }
        let made = json!({"full-tokenid": format!("{owner}!{name}"), "value": token.secret, "info": info});
        user.tokens.insert(name, token);
        Ok(made)
    })
}

fn change_token(asked: &Asked) -> Answer {
    let name = asked.need("tokenid");
    with_user(asked, |user| {
        let Some(token) = user.tokens.get_mut(&name) else {
            return Err(Refusal::died(format!("no such token '{name}' for user '{}'", asked.need("userid"))));
        };
        if asked.text("privsep").is_some() {
            token.privsep = asked.flag("privsep");
        }
        if asked.text("expire").is_some() {
            token.expire = asked.expire();
        }
        token.comment = asked.text("comment").or(token.comment.take());
        Ok(token_row(None, token))
    })
}

fn remove_token(asked: &Asked) -> Answer {
    let (owner, name) = (asked.need("userid"), asked.need("tokenid"));
    asked.world.change(|state| {
        let known = state.access.users.get_mut(&owner).and_then(|user| user.tokens.remove(&name));
        state.access.acl.retain(|entry| entry.who != format!("{owner}!{name}"));
        known
            .map(|_| Value::Null.into())
            .ok_or_else(|| Refusal::died(format!("no such token '{name}' for user '{owner}'")))
    })
}
