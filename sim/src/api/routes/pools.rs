use serde_json::{Value, json};

use super::Answer;
use crate::api::asked::Asked;
use crate::model::{Pool, State, stats};
use crate::refusal::Refusal;

pub(super) fn answer(name: &str, asked: &Asked) -> Option<Answer> {
    Some(match name {
        "GET /pools" => list(asked),
        "POST /pools" => create(asked),
        "GET /pools/{poolid}" => one(asked),
        "PUT /pools/{poolid}" | "PUT /pools" => change(asked),
        "DELETE /pools/{poolid}" | "DELETE /pools" => remove(asked),
        _ => return None,
    })
}

fn missing(name: &str) -> Refusal {
    Refusal::died(format!("pool '{name}' does not exist"))
}

fn row(state: &State, name: &str, pool: &Pool, members: Option<f64>) -> Value {
    let mut row = json!({"poolid": name});
    if let Some(comment) = &pool.comment {
        row["comment"] = json!(comment);
    }
    if let Some(now) = members {
        let guests = pool.guests.iter().filter_map(|id| state.guests.get(id)).map(|guest| {
            let mut row = stats::resource(state, guest, now);
            if let Some(fields) = row.as_object_mut() {
                fields.remove("pool");
            }
            row
        });
        row["members"] = guests.collect();
    }
    row
}

fn list(asked: &Asked) -> Answer {
    let state = asked.world.state();
    if let Some(name) = asked.text("poolid") {
        let pool = state.pools.get(&name).ok_or_else(|| missing(&name))?;
        return Ok(json!([row(&state, &name, pool, Some(asked.world.clock.now()))]).into());
    }
    let seen = state.pools.iter().filter(|(name, _)| state.may(&asked.who, &format!("/pool/{name}"), "Pool.Audit"));
    Ok(seen.map(|(name, pool)| row(&state, name, pool, None)).collect::<Value>().into())
}

fn create(asked: &Asked) -> Answer {
    let name = asked.need("poolid");
    asked.world.change(|state| {
        if state.pools.contains_key(&name) {
            return Err(Refusal::died(format!("create pool failed: pool '{name}' already exists")));
        }
        state.pools.insert(name, Pool { comment: asked.text("comment"), ..Pool::default() });
        Ok(Value::Null.into())
    })
}

fn one(asked: &Asked) -> Answer {
    let (state, name) = (asked.world.state(), asked.need("poolid"));
    let pool = state.pools.get(&name).ok_or_else(|| missing(&name))?;
    Ok(row(&state, &name, pool, Some(asked.world.clock.now())).into())
}

fn change(asked: &Asked) -> Answer {
    let name = asked.need("poolid");
    asked.world.change(|state| {
        let vmids: Vec<u32> = asked.list("vms").iter().filter_map(|id| id.parse().ok()).collect();
        if !state.pools.contains_key(&name) {
            return Err(Refusal::died(format!("update pools failed: pool '{name}' does not exist")));
        }
        for vmid in &vmids {
            if asked.flag("delete") {
                let held = state.pool_of(*vmid) == Some(name.as_str());
                if !held {
                    return Err(Refusal::died(format!("update pools failed: VM {vmid} is not a pool member")));
                }
            } else if let Some(other) = state.pool_of(*vmid).filter(|other| *other != name && !asked.flag("allow-move"))
            {
                return Err(Refusal::died(format!(
                    "update pools failed: VM {vmid} belongs already to pool '{other}' and could not be moved"
                )));
            }
        }
        if !asked.flag("delete") {
            for pool in state.pools.values_mut() {
                pool.guests.retain(|id| !vmids.contains(id));
            }
        }
        if let Some(pool) = state.pools.get_mut(&name) {
            if asked.flag("delete") {
                pool.guests.retain(|id| !vmids.contains(id))
            } else {
                pool.guests.extend(vmids)
            }
            for storage in asked.list("storage") {
                if asked.flag("delete") {
                    pool.storages.retain(|held| *held != storage)
                } else {
                    pool.storages.push(storage)
                }
            }
            if let Some(comment) = asked.text("comment") {
                pool.comment = Some(comment);
            }
        }
        Ok(Value::Null.into())
    })
}

fn remove(asked: &Asked) -> Answer {
    let name = asked.need("poolid");
    asked.world.change(|state| {
        let pool = state
            .pools
            .get(&name)
            .ok_or_else(|| Refusal::died(format!("delete pool failed: pool '{name}' does not exist")))?;
        if let Some(vmid) = pool.guests.first() {
            return Err(Refusal::died(format!("delete pool failed: pool '{name}' is not empty (contains VM {vmid})")));
        }
        state.pools.remove(&name);
        Ok(Value::Null.into())
    })
}
