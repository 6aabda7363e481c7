use std::collections::BTreeMap;

use domain::HostId;
use platform::{
    clock,
    views::{self, HostFilter, HostRow, Page},
};
use proxmox::doctor::{Finding, Verdict};
use serde_json::json;
use worker::StepError;

use crate::{
    exit::{Exit, Failure, Outcome, While as _},
    output::{Colour, Output},
    process::Parts,
    settings::From,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The host's name or id.
    host: String,
}

/// Asks the host itself, with the credentials that are sealed in the database: to be run where the worker runs.
pub(crate) async fn run(args: &Args, from: &From, out: Output) -> Outcome {
    let parts = Parts::open(from.of_a_tool()?).await?;
    let id = find(&parts, &args.host).await?;
    let host = parts.hosts().get(id).await.map_err(told)?;
    let asking = || format!("asking {}", args.host);
    let mut shells = BTreeMap::new();
    if host.settings.ssh.is_some() {
        for node in host.client.nodes().await.during(asking())?.into_iter().filter(|node| node.status == "online") {
            let way = host.shell(&node.node).await.map_err(|error| error.to_string());
            shells.insert(node.node, way);
        }
    }
    let now = clock::now().timestamp().unsigned_abs();
    let findings = proxmox::doctor::examine(&host.client, &shells, now).await.during(asking())?;
    tell(&findings, out);
    let missing = findings.iter().filter(|f| matches!(f.verdict, Verdict::Missing { .. })).count();
    if missing == 0 {
        return Ok(Exit::Done);
    }
    Err(Failure::new(Exit::Failed, format!("{missing} of {} are missing on {}", findings.len(), args.host))
        .next("run the commands above on the host, then `gantry doctor` again"))
}

async fn find(parts: &Parts, named: &str) -> Outcome<HostId> {
    if let Ok(id) = named.parse() {
        return Ok(id);
    }
    let page = Page { limit: 1, ..Page::default() };
    let found = views::page::<HostRow>(parts.log.db(), &HostFilter { name: Some(named.to_owned()) }, &page).await?;
    found.items.into_iter().next().map(|row| row.id).ok_or_else(|| {
        Failure::new(Exit::Failed, format!("there is no host {named}")).next("`gantry host list` shows those there are")
    })
}

/// Whoever may run this may know the cause as well.
fn told(error: StepError) -> Failure {
    match error {
        StepError::Failed { failure, .. } => {
            let cause = failure.cause.map(|cause| format!(": {cause}")).unwrap_or_default();
            Failure::new(Exit::Failed, failure.title + &cause).next(failure.detail)
        }
        other => Failure::new(Exit::Failed, other.to_string()),
    }
}

fn tell(findings: &[Finding], out: Output) {
    let told: Vec<_> = findings
        .iter()
        .map(|finding| {
            let (verdict, _, mend) = words(&finding.verdict);
            json!({ "capability": finding.capability, "seen": finding.seen, "verdict": verdict, "mend": mend })
        })
        .collect();
    out.answer(&told, || {
        let mut table = out.table(["", "capability", "seen"]);
        let mut mends = String::new();
        for finding in findings {
            let (verdict, colour, mend) = words(&finding.verdict);
            table.row([
                (verdict.to_owned(), Some(colour)),
                (finding.capability.clone(), None),
                (finding.seen.clone(), Some(Colour::Faint)),
            ]);
            if let Some(mend) = mend {
                mends += &format!("\n{}\n  {mend}\n", out.paint(colour, &finding.capability));
            }
        }
        table.or_else("") + "\n" + &mends
    });
}

fn words(verdict: &Verdict) -> (&'static str, Colour, Option<&str>) {
    match verdict {
        Verdict::Good => ("good", Colour::Good, None),
        Verdict::Missing { mend } => ("missing", Colour::Bad, Some(mend)),
        Verdict::Limited { mend } => ("limited", Colour::Busy, Some(mend)),
    }
}
