//! What single commands and pipelines do that an author should not leave so.

use super::shell::{Piece, Word};

/// Line, problem, fix.
pub(super) type Told = (usize, String, &'static str);

const SHELLS: &[&str] = &["sh", "bash", "dash", "ash", "zsh", "ksh", "fish"];
const OTHERS: &[&str] = &["python", "python3", "perl", "ruby", "node", "php"];
const FETCHERS: &[&str] = &["curl", "wget", "fetch", "aria2c"];

/// One command of a pipeline.
#[derive(Default)]
struct Command<'a> {
    words: Vec<&'a Word>,
    fed: bool,
    /// Behind `while` and its like: how often it runs is somebody else's word.
    repeated: bool,
}

pub(super) fn look(pieces: &[Piece]) -> Vec<Told> {
    let mut told = Vec::new();
    for pipeline in pipelines(pieces) {
        let mut fetched = false;
        for (at, command) in pipeline.iter().enumerate() {
            if (fetched && command.runs_its_input()) || command.runs_what_an_argument_fetches() {
                let line = pipeline.iter().find_map(|command| command.words.first()).map_or(0, |word| word.line);
                let fix = "fetch it to a file, check its checksum, then run it; or take a package";
                told.push((line, "runs what it fetches from the network".to_owned(), fix));
            }
            fetched |= command.fetches();
            told.extend(command.waits(at > 0));
            told.extend(command.asks());
            let inside = command.words.iter().flat_map(|word| &word.inside);
            told.extend(inside.flat_map(|inside| look(inside)));
        }
    }
    told
}

fn pipelines(pieces: &[Piece]) -> Vec<Vec<Command<'_>>> {
    let mut all = vec![vec![Command::default()]];
    for piece in pieces {
        let Some(command) = all.last_mut().and_then(|pipeline| pipeline.last_mut()) else { break };
        match piece {
            Piece::Word(word) => command.word(word),
            Piece::Redirect { input } => command.fed |= input,
            Piece::Operator("|") => all.last_mut().into_iter().for_each(|pipeline| pipeline.push(Command::default())),
            // A bracket that opens belongs to the pipeline that it stands in: `curl … | ( sh )`.
            Piece::Operator("(") if command.words.is_empty() => {}
            Piece::Operator(_) => all.push(vec![Command::default()]),
        }
    }
    all
}

impl<'a> Command<'a> {
    /// Words that only lead to the command are left out.
    fn word(&mut self, word: &'a Word) {
        let text = word.text.as_str();
        if self.words.is_empty() && word.inside.is_empty() {
            let keyword = ["if", "then", "else", "elif", "do", "!", "{", "time", "exec", "command", "builtin"];
            if ["while", "until", "for", "case"].contains(&text) {
                self.repeated = true;
                return;
            }
            let leads = ["sudo", "doas", "env", "nohup", "nice", "stdbuf", "setsid"];
            if keyword.contains(&text) || leads.contains(&base(text)) || is_assignment(text) || text.starts_with('-') {
                return;
            }
        }
        self.words.push(word);
    }

    fn name(&self) -> &str {
        self.words.first().map_or("", |word| base(&word.text))
    }

    fn arguments(&self) -> &[&'a Word] {
        self.words.get(1..).unwrap_or_default()
    }

    fn fetches(&self) -> bool {
        FETCHERS.contains(&self.name())
    }

    /// Without a file or a text to run, what comes in is what runs.
    fn runs_its_input(&self) -> bool {
        let shell = SHELLS.contains(&self.name());
        let options = self.arguments().iter().map(|word| word.text.as_str());
        let mut rest = options.skip_while(|text| text.starts_with('-') && !given(text, shell) && *text != "-");
        let input = matches!(rest.next(), None | Some("-" | "/dev/stdin"));
        let told_to = self.arguments().iter().any(|word| word.text == "-s");
        (shell && (input || told_to)) || (OTHERS.contains(&self.name()) && input)
    }

    /// `sh -c "$(curl …)"`, `bash <(curl …)`, `eval "$(curl …)"`, `. <(curl …)`, and `$(curl …)` itself.
    fn runs_what_an_argument_fetches(&self) -> bool {
        let brought = |word: &Word| word.inside.iter().any(|inside| brings(inside));
        let first = self.words.first().is_some_and(|word| word.text.is_empty() && brought(word));
        let run = ["eval", "source", "."].contains(&self.name()) && self.arguments().iter().any(|word| brought(word));
        let program = self.arguments().iter().find(|word| !word.text.starts_with('-') || !word.inside.is_empty());
        let interpreter = SHELLS.contains(&self.name()) || OTHERS.contains(&self.name());
        first || run || (interpreter && program.is_some_and(|word| brought(word)))
    }

    fn waits(&self, in_pipe: bool) -> Option<Told> {
        let word = self.words.first().filter(|word| word.text == "read")?;
        (!in_pipe && !self.fed && !self.repeated).then(|| {
            let fix = "ask with TEMPLATE_INPUTS in template.conf; the answer is a variable";
            (word.line, "waits for input, and there is nobody to give it".to_owned(), fix)
        })
    }

    /// A package manager that wants a yes.
    fn asks(&self) -> Option<Told> {
        let manager = ["apt-get", "apt", "dnf", "yum", "microdnf"].into_iter().find(|name| *name == self.name())?;
        let short = |word: &str| {
            !word.starts_with("--") && word.starts_with('-') && (word.contains('y') || word.contains("qq"))
        };
        let told = |word: &str| short(word) || ["--yes", "--assume-yes", "--assumeyes"].contains(&word);
        let changes = ["install", "upgrade", "dist-upgrade", "full-upgrade", "remove", "purge", "autoremove"];
        let texts = || self.arguments().iter().map(|word| word.text.as_str());
        // What is in a variable may be the yes.
        let unknown = |word: &str| word.starts_with('$') && !word.starts_with("$@");
        let wants = texts().any(|word| changes.contains(&word)) && !texts().any(told);
        let options_unknown = texts().take_while(|word| !changes.contains(word)).any(unknown);
        (wants && !options_unknown && !texts().any(|word| word == "--download-only" || word == "-s")).then(|| {
            let line = self.words.first().map_or(0, |word| word.line);
            (line, format!("{manager} asks before it changes something"), "add -y, or write the package into packages/")
        })
    }
}

/// Whether any of the commands fetches.
fn brings(pieces: &[Piece]) -> bool {
    pipelines(pieces).iter().flatten().any(|command| {
        command.fetches() || command.words.iter().flat_map(|word| &word.inside).any(|inside| brings(inside))
    })
}

/// An option with a program or a module behind it.
fn given(option: &str, shell: bool) -> bool {
    let ends: &[char] = if shell { &['c'] } else { &['c', 'm', 'e', 'r'] };
    !option.starts_with("--") && option.ends_with(ends)
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn is_assignment(text: &str) -> bool {
    text.split_once('=')
        .is_some_and(|(name, _)| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
}
