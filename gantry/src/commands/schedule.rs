//! When a container is backed up by itself.

use reqwest::Method;
use serde_json::{Value, json};

use super::following;
use super::snapshot::Of;
use crate::{
    client::{read, shape},
    exit::{Exit, Outcome},
    output::{Colour, Output},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    of: Of,
    /// The schedule's name; without one, those that there are are listed.
    name: Option<String>,
    /// How often.
    #[arg(long, value_parser = ["hour", "day", "week", "month"], requires = "name")]
    every: Option<String>,
    /// At what time, in UTC, like 02:30.
    #[arg(long, requires = "every", value_name = "HH:MM")]
    at: Option<String>,
    /// On which day of the week: mon to sun.
    #[arg(long, requires = "every")]
    weekday: Option<String>,
    /// On which day of the month: 1 to 28.
    #[arg(long, requires = "every")]
    day: Option<u32>,
    /// How many of the newest stay. Without any --keep all stay.
    #[arg(long, requires = "every", value_name = "N")]
    keep_last: Option<u32>,
    /// Of how many days the newest one stays.
    #[arg(long, requires = "every", value_name = "N")]
    keep_daily: Option<u32>,
    /// Of how many weeks the newest one stays.
    #[arg(long, requires = "every", value_name = "N")]
    keep_weekly: Option<u32>,
    /// Of how many months the newest one stays.
    #[arg(long, requires = "every", value_name = "N")]
    keep_monthly: Option<u32>,
    /// Where they go; the node's storage with the most room when not said.
    #[arg(long, requires = "every")]
    storage: Option<String>,
    /// Removes it; what it made stays.
    #[arg(long, requires = "name", conflicts_with = "every")]
    remove: bool,
}

pub(crate) async fn run(args: Args, out: Output) -> Outcome {
    let (client, path) = args.of.path("schedules").await?;
    let Some(name) = args.name.as_deref().filter(|_| args.remove || args.every.is_some()) else {
        let (items, more) = client.list(&path, &[], 100).await?;
        let items: Vec<Value> =
            items.into_iter().filter(|one| args.name.as_deref().is_none_or(|name| one["name"] == name)).collect();
        return show(&items, more, out);
    };
    if args.remove {
        client.ask(Method::DELETE, &format!("{path}/{name}"), &[], None).await?;
        out.answer(&Value::Null, || format!("{name} is removed; the backups that it made stay."));
        return Ok(Exit::Done);
    }
    let keep = json!({
        "last": args.keep_last, "daily": args.keep_daily, "weekly": args.keep_weekly, "monthly": args.keep_monthly,
    });
    let wish = json!({
        "every": args.every, "at": args.at, "weekday": args.weekday, "day": args.day, "storage": args.storage, "keep": keep,
    });
    let answer = client.ask(Method::PUT, &format!("{path}/{name}"), &[], Some(&wish)).await?;
    show(&[answer], false, out)
}

fn show(items: &[Value], more: bool, out: Output) -> Outcome {
    let schedules: Vec<shape::Schedule> = items.iter().map(read).collect::<Outcome<_>>()?;
    out.answer(&following::items(items, more), || {
        let mut table = out.table(["schedule", "every", "at (UTC)", "keeps", "next", "storage"]);
        for schedule in schedules {
            let on = schedule.weekday.or(schedule.day.map(|day| format!("the {day}.")));
            let every = on.map_or_else(|| schedule.every.clone(), |on| format!("{}, on {on}", schedule.every));
            table.row([
                (schedule.name, Some(Colour::Strong)),
                (every, None),
                (schedule.at, None),
                (keeps(&schedule.keep), None),
                (schedule.next.format("%Y-%m-%d %H:%M").to_string(), None),
                (schedule.storage.unwrap_or_default(), None),
            ]);
        }
        table
            .or_else("It is not backed up by itself. `gantry backup schedule CONTAINER NAME --every day` changes that.")
    });
    Ok(Exit::Done)
}

fn keeps(keep: &Value) -> String {
    let kinds = ["last", "daily", "weekly", "monthly"];
    let words: Vec<_> = kinds.iter().filter_map(|kind| Some(format!("{} {kind}", keep[kind].as_u64()?))).collect();
    if words.is_empty() { "all".to_owned() } else { words.join(", ") }
}
