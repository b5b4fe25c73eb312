//! The only place that prints: results to stdout, talk to stderr.

use std::fmt::{self, Display};
use std::io::{self, IsTerminal as _, Write as _};

use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;

use crate::cli::{ColorWhen, Global};
use crate::failure::Failure;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();
const STRONG: Style = Style::new().bold();

/// Knows who listens, and what they want to hear.
#[derive(Debug)]
pub(crate) struct Printer {
    quiet: bool,
    verbose: bool,
    json: bool,
    color: bool,
}

/// stdout took no more.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to stdout")]
pub(crate) struct Unwritten {
    pub(crate) source: io::Error,
}

impl Printer {
    pub(crate) fn new(global: &Global) -> Self {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let color = match global.color {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => io::stderr().is_terminal() && !set("NO_COLOR") && !dumb,
        };
        Self { quiet: global.quiet, verbose: global.verbose, json: global.json, color }
    }

    /// Whether results are wanted as JSON; [`say`](Self::say) is silent then.
    pub(crate) const fn json(&self) -> bool {
        self.json
    }

    pub(crate) const fn verbose(&self) -> bool {
        self.verbose
    }

    /// Whether something that moves may be drawn on stderr.
    pub(crate) fn draws(&self) -> bool {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        !self.quiet && !dumb && io::stderr().is_terminal()
    }

    /// How many characters a line of the result may have; `None` where nobody sees where it ends.
    pub(crate) fn width(&self) -> Option<usize> {
        let stdout = io::stdout();
        let size = stdout.is_terminal().then(|| rustix::termios::tcgetwinsize(&stdout).ok()).flatten()?;
        Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
    }

    /// Writes a line of the result to stdout.
    pub(crate) fn result(&self, line: impl Display) -> Result<(), Unwritten> {
        writeln!(io::stdout().lock(), "{}", Harmless(&line.to_string()))
            .map_err(|source| Unwritten { source })
    }

    /// Writes something that this program made, such as a script, to stdout as it is.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Result<(), Unwritten> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|source| Unwritten { source })
    }

    /// Returns stdout, for a file's bytes that are made as they are written.
    pub(crate) fn raw_stdout(&self) -> io::StdoutLock<'static> {
        io::stdout().lock()
    }

    /// Writes a file's bytes to stdout as they are.
    pub(crate) fn copy(&self, from: &mut impl io::Read) -> Result<(), Unwritten> {
        let mut stdout = io::stdout().lock();
        let copied = io::copy(from, &mut stdout).and_then(|_| stdout.flush());
        copied.map_err(|source| Unwritten { source })
    }

    /// Writes a long result to stdout as one line of JSON, as it is made.
    pub(crate) fn stream(&self, value: &impl Serialize) -> Result<(), Unwritten> {
        let mut stdout = io::BufWriter::new(io::stdout().lock());
        let written = serde_json::to_writer(&mut stdout, value).map_err(io::Error::from);
        let written = written.and_then(|()| stdout.write_all(b"\n")).and_then(|()| stdout.flush());
        written.map_err(|source| Unwritten { source })
    }

    /// Writes many lines of the result to stdout; `make` hands each to its argument.
    pub(crate) fn lines<E: From<Unwritten>>(
        &self,
        make: impl FnOnce(&mut dyn FnMut(&str) -> Result<(), Unwritten>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut stdout = io::BufWriter::new(io::stdout().lock());
        make(&mut |line| writeln!(stdout, "{}", Harmless(line)).map_err(|source| Unwritten { source }))?;
        stdout.flush().map_err(|source| E::from(Unwritten { source }))
    }

    /// Writes the result to stdout as one line of JSON.
    pub(crate) fn object(&self, value: &impl Serialize) -> Result<(), Unwritten> {
        let mut line = serde_json::to_vec(value).map_err(|error| Unwritten { source: error.into() })?;
        line.push(b'\n');
        self.raw(&line)
    }

    /// Writes a line for people to stderr.
    pub(crate) fn say(&self, line: impl Display) {
        if !(self.quiet || self.json) {
            talk(Harmless(&line.to_string()));
        }
    }

    /// Writes a line for people to stderr, its beginning emphasised.
    pub(crate) fn say_of(&self, subject: impl Display, line: impl Display) {
        let subject = subject.to_string();
        self.say_painted(&subject, &line.to_string());
    }

    fn say_painted(&self, subject: &str, line: &str) {
        if !(self.quiet || self.json) {
            talk(format_args!("{}{}", self.paint(STRONG, &Harmless(subject)), Harmless(line)));
        }
    }

    /// Says what went wrong, also when quiet.
    pub(crate) fn failure(&self, failure: &Failure) {
        let mut chain = failure.chain().into_iter();
        let error = chain.next().unwrap_or_default();
        if self.json {
            talk(Said { error: &error, causes: chain.collect(), hint: failure.advice() }.to_line());
            return;
        }
        talk(format_args!("{} {}", self.paint(ERROR, &"error:"), Harmless(&error)));
        for cause in chain {
            talk(format_args!("  because: {}", Harmless(&cause)));
        }
        if let Some(hint) = failure.advice() {
            talk(format_args!("{} {}", self.paint(HINT, &"hint:"), Harmless(hint)));
        }
    }

    fn paint(&self, style: Style, text: &dyn Display) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_string() }
    }
}

/// Says what the command line itself came to: help, the version, or a mistake.
///
/// Nothing is parsed then, so how to say it is read off the words.
pub(crate) fn usage(said: &clap::Error) {
    let words: Vec<_> = std::env::args_os().collect();
    let has = |word: &str| words.iter().any(|typed| typed == word);
    let text = said.render().to_string();
    if let Some(mistake) = text.strip_prefix("error: ").filter(|_| has("--json")) {
        // clap's message, our hint if there is one, and how to call the command, with empty lines between them.
        let mut parts = mistake.split("\n\n");
        let error = parts.next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
        let hint = parts.find_map(|part| part.strip_prefix("hint: "));
        talk(Said { error: &error, causes: Vec::new(), hint }.to_line());
        return;
    }
    // Help that nobody reads to its end is not an error.
    drop(if has("--color=never") || words.windows(2).any(|pair| pair == ["--color", "never"]) {
        if said.use_stderr() { write!(io::stderr(), "{text}") } else { write!(io::stdout(), "{text}") }
    } else {
        said.print()
    });
}

/// A failure, for programs.
#[derive(Serialize)]
struct Said<'a> {
    error: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    causes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

impl Said<'_> {
    fn to_line(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_no_json| self.error.to_owned())
    }
}

/// Nobody may be listening on stderr; that is no reason to stop.
fn talk(line: impl Display) {
    drop(writeln!(io::stderr().lock(), "{line}"));
}

/// Text that may quote a registry or a layer: what a terminal would act on is escaped.
struct Harmless<'a>(&'a str);

impl Display for Harmless<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '\n' => write!(f, "{c}"),
            c if c.is_control() => write!(f, "{}", c.escape_default()),
            c => write!(f, "{c}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_terminals_act_on() {
        assert_eq!(Harmless("a\u{1b}[2Jb\r\u{9b}c\nd é").to_string(), "a\\u{1b}[2Jb\\r\\u{9b}c\nd é");
    }
}
