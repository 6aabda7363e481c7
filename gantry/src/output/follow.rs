//! An operation as it goes: a bar with the phase, and above it what is done and what scripts say.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::operation::Status;
use domain::progress::{LogStream, Progress, ProgressKind};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use super::{Colour, Output};
use crate::exit::Exit;

/// How often the clock in the bar is drawn anew.
const TICK: Duration = Duration::from_millis(120);

pub(crate) struct Follow {
    out: Output,
    bar: Option<ProgressBar>,
    began: Option<DateTime<Utc>>,
    phase: String,
    percent: u8,
    /// Whose lines are being shown.
    source: String,
}

impl Output {
    /// `title` stands before the bar.
    pub(crate) fn follow(self, title: &str) -> Follow {
        let bar = (self.terminal && !self.json).then(|| {
            let bar = ProgressBar::new(100);
            let style = "{spinner} {prefix} {wide_bar:.cyan/black} {percent:>3} %  {elapsed:>4}  {msg:.dim}";
            let style =
                if self.colours { style.to_owned() } else { style.replace(":.cyan/black", "").replace(":.dim", "") };
            if let Ok(style) = ProgressStyle::with_template(&style) {
                bar.set_style(style.progress_chars("━╸─").tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ "));
            }
            bar.set_prefix(title.to_owned());
            bar.enable_steady_tick(TICK);
            bar
        });
        Follow { out: self, bar, began: None, phase: String::new(), percent: 0, source: String::new() }
    }
}

impl Follow {
    pub(crate) fn began(&mut self, at: DateTime<Utc>, percent: u8) {
        if self.began.is_none() {
            self.began = Some(at);
            let past = (platform::clock::now() - at).to_std().unwrap_or_default();
            if let Some(bar) = self.bar.take() {
                self.bar = Some(bar.with_elapsed(past));
            }
        }
        self.advance(percent);
    }

    pub(crate) fn lost(&self, because: &str) {
        let words = format!("The connection is lost ({because}); going on as soon as the API is back.");
        self.line(&self.out.paint(Colour::Busy, &words));
    }

    /// Shows one event; says how it ended, with the last one.
    pub(crate) fn event(&mut self, progress: &Progress, raw: &Value) -> Option<Exit> {
        self.began.get_or_insert(progress.timestamp);
        if let Some(percent) = raw["percent"].as_u64() {
            self.advance(u8::try_from(percent).unwrap_or(100));
        }
        match &progress.kind {
            ProgressKind::Step { step, message, .. } => {
                if let Some(phase) = step {
                    phase.clone_into(&mut self.phase);
                }
                self.step(progress.timestamp, message);
                None
            }
            ProgressKind::Log { source, stream, message, .. } => {
                self.said(source, *stream, message);
                None
            }
            ProgressKind::Complete { message, .. } => {
                self.end(Colour::Good, "✓", message);
                Some(Exit::Done)
            }
            ProgressKind::Error { status, message, error } => {
                let sign = if *status == Status::Cancelled { "–" } else { "✗" };
                self.end(Colour::Bad, sign, message);
                if let Some(error) = error.as_ref().filter(|error| !message.contains(&error.detail)) {
                    self.line(&format!("  {}: {}", error.title, error.detail));
                }
                Some(if *status == Status::Cancelled { Exit::Cancelled } else { Exit::OperationFailed })
            }
        }
    }

    fn step(&mut self, at: DateTime<Utc>, message: &str) {
        self.source.clear();
        if let Some(bar) = &self.bar {
            bar.set_message(message.to_owned());
        }
        // What comes next says that it is done; without a bar there is nothing to take its place.
        if message.ends_with(": done") {
            return;
        }
        let time = self.out.paint(Colour::Faint, &format!("{:>6}", self.clock(at)));
        let phase = self.out.paint(Colour::Busy, &format!("{:<10}", self.phase));
        self.line(&format!("{time}  {phase}  {message}"));
    }

    fn said(&mut self, source: &str, stream: LogStream, message: &str) {
        if self.source != source {
            source.clone_into(&mut self.source);
            self.line(&format!("{:20}{}", "", self.out.paint(Colour::Strong, source)));
        }
        let edge = if stream == LogStream::Stderr { "┆" } else { "│" };
        let edge = self.out.paint(Colour::Faint, edge);
        self.line(&format!("{:20}{edge} {}", "", plain(message)));
    }

    fn end(&mut self, colour: Colour, sign: &str, message: &str) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        let words = format!("{sign} {message}");
        self.line(&self.out.paint(colour, &words));
    }

    fn advance(&mut self, percent: u8) {
        self.percent = self.percent.max(percent);
        if let Some(bar) = &self.bar {
            bar.set_position(u64::from(self.percent));
        }
    }

    fn clock(&self, at: DateTime<Utc>) -> String {
        let seconds = self.began.map_or(0, |began| (at - began).num_seconds().max(0));
        format!("{}:{:02}", seconds / 60, seconds % 60)
    }

    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => self.out.say(text),
        }
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A script must not move the cursor of whoever watches it.
fn plain(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '\u{1b}' {
            if letters.next_if_eq(&'[').is_some() {
                while letters.next().is_some_and(|c| !('@'..='~').contains(&c)) {}
            }
        } else if letter == '\t' {
            text.push_str("    ");
        } else if !letter.is_control() {
            text.push(letter);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_script_says_can_not_command_the_terminal() {
        assert_eq!(plain("\u{1b}[31mred\u{1b}[0m\tand\u{7} \u{1b}c\rnot"), "red    and cnot");
    }
}
