//! One thing with all that is known of it.

use serde_json::Value;

use super::{container, operation};
use crate::{
    client::{read, shape},
    exit::{Exit, Outcome},
    output::{Colour, Output, words},
};

pub(super) fn container(raw: &Value, out: Output) -> Outcome {
    let it: shape::Container = read(raw)?;
    out.answer(raw, || {
        let (power, colour) = container::power(&it);
        let mut lines = Lines::new(out);
        lines.head(&it.hostname, &it.lifecycle, container::colour(&it.lifecycle));
        lines.line("power", &out.paint(colour.unwrap_or(Colour::Faint), &power));
        lines.line("made from", &it.template.or(it.image).unwrap_or_default());
        let vmid = it.vmid.map(|vmid| format!(", VMID {vmid}")).unwrap_or_default();
        lines.line("at", &it.node.map(|node| format!("{node}{vmid}")).unwrap_or_default());
        let why = it.placement.as_ref().and_then(|placement| placement["reason"].as_str()).unwrap_or_default();
        lines.line("why there", why);
        lines.line("addresses", &it.addresses.join(", "));
        let swap = if it.swap_mb > 0 { format!(" + {} MB swap", it.swap_mb) } else { String::new() };
        lines.line("size", &format!("{} cores, {} MB{swap}, {} GB disk", it.cores, it.memory_mb, it.disk_gb));
        let cpu = it.live.cpu.map(|cpu| format!("{:.0} % CPU", cpu * 100.0));
        let memory = it.live.memory_bytes.map(|bytes| format!("{} in use", words::bytes(bytes)));
        let up = it.live.uptime_seconds.map(|seconds| format!("up for {}", words::seconds(seconds)));
        lines.line("now", &[cpu, memory, up].into_iter().flatten().collect::<Vec<_>>().join(", "));
        lines.line("locked", &it.live.lock.unwrap_or_default());
        lines.line("about", &it.description.unwrap_or_default().replace('\n', "\n             "));
        lines.line("tags", &it.tags.join(" "));
        lines.line("made", &format!("{} ago", words::ago(it.created_at)));
        if let Some(at) = it.delete_at {
            let text = format!("in {}, at {}", words::until(at), at.format("%Y-%m-%d %H:%M:%S UTC"));
            lines.line("deleted", &out.paint(Colour::Bad, &text));
        }
        let drift: Vec<String> =
            it.drift.iter().flat_map(|drift| &drift.differences).map(|one| one.what.clone()).collect();
        if !drift.is_empty() {
            let text = format!("{} (`gantry drift` tells more)", drift.join(", "));
            lines.line("drift", &out.paint(Colour::Bad, &text));
        }
        lines.line("error", &it.error.map(|e| format!("{}: {}", e.title, e.detail)).unwrap_or_default());
        lines.line("id", &out.paint(Colour::Faint, &it.id.to_string()));
        lines.text
    });
    Ok(Exit::Done)
}

pub(super) fn operation(raw: &Value, out: Output) -> Outcome {
    let it: shape::Operation = read(raw)?;
    out.answer(raw, || {
        let mut lines = Lines::new(out);
        lines.head(&format!("{} {}", it.kind, it.id), it.status.as_str(), operation::colour(it.status));
        let took = it.ended_at.map(|end| (end - it.created_at).num_seconds().max(0).unsigned_abs());
        let took = took.map(|seconds| format!(", took {}", words::seconds(seconds))).unwrap_or_default();
        lines.line("began", &format!("{} ago{took}", words::ago(it.created_at)));
        lines.line("progress", &format!("{} % {}", it.percent, it.phase.clone().unwrap_or_default()));
        if let Some(waiting) = &it.waiting {
            let since = waiting.since.map(|since| format!(", since {}", words::ago(since))).unwrap_or_default();
            let line =
                waiting.line.filter(|line| *line > 0).map(|line| format!(", {line} in line")).unwrap_or_default();
            lines.line("waiting", &format!("{}{since}{line}", waiting.message));
            for holder in &waiting.holders {
                let age = words::seconds(holder.age_seconds.max(0.0) as u64);
                lines.line("held by", &format!("{} for {age}", holder.what));
            }
        }
        lines.line("stalled", &it.stalled.map(|stalled| out.paint(Colour::Bad, &stalled.message)).unwrap_or_default());
        lines.line("error", &it.error.map(|e| format!("{}: {}", e.title, e.detail)).unwrap_or_default());
        let container = it.links.container.unwrap_or_default();
        lines.line("container", container.rsplit('/').next().unwrap_or_default());
        if !it.steps.is_empty() {
            lines.text += &format!("\n{}", steps(it.steps, out));
        }
        lines.text
    });
    Ok(Exit::Done)
}

fn steps(steps: Vec<shape::Step>, out: Output) -> String {
    let mut table = out.table(["phase", "step", "state", "took", "attempts", "error"]);
    for step in steps {
        let took =
            step.started_at.zip(step.ended_at).map(|(from, to)| format!("{:.1} s", (to - from).as_seconds_f64()));
        let colour = match step.state.as_str() {
            "succeeded" => Colour::Good,
            "running" | "undoing" => Colour::Busy,
            "failed" | "undo_failed" => Colour::Bad,
            _ => Colour::Faint,
        };
        table.row([
            (step.phase, None),
            (step.title, None),
            (step.state, Some(colour)),
            (took.unwrap_or_default(), None),
            (if step.attempts > 1 { step.attempts.to_string() } else { String::new() }, None),
            (step.error.map(|e| format!("{}: {}", e.title, e.detail)).unwrap_or_default(), None),
        ]);
    }
    table.or_else("")
}

struct Lines {
    out: Output,
    text: String,
}

impl Lines {
    fn new(out: Output) -> Self {
        Self { out, text: String::new() }
    }

    fn head(&mut self, name: &str, state: &str, colour: Colour) {
        self.text += &format!("{}  {}\n", self.out.paint(Colour::Strong, name), self.out.paint(colour, state));
    }

    /// Nothing is said of what is not there.
    fn line(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.text += &format!("  {name:<10} {value}\n");
        }
    }
}
