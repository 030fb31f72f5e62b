//! Log lines to standard error: for people on a terminal, as JSON for machines. What a guest or a
//! client wrote goes into them through `printable`.

use std::borrow::Cow;
use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Longer texts of others are cut.
pub const MAX_TEXT_BYTES: usize = 8 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise
    Auto,
    Text,
    Json,
}

/// `filter` in the syntax of `tracing`: `info`, `comptoir=debug,guest=info`.
pub fn start(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    // It tells statements, whole and as they are.
    let filter = EnvFilter::try_new(filter)?.add_directive("tokio_postgres=off".parse()?);
    let json = match format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !std::io::stderr().is_terminal(),
    };
    let registry = tracing_subscriber::registry().with(filter);
    if json {
        let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(std::io::stderr);
        registry.with(lines).try_init()?;
    } else {
        let colors = std::io::stderr().is_terminal();
        let lines = tracing_subscriber::fmt::layer().with_target(false).with_ansi(colors).with_writer(std::io::stderr);
        registry.with(lines).try_init()?;
    }
    Ok(())
}

/// What somebody else wrote, for a log line: bounded, and without anything that would begin another
/// line or be an order to a terminal. The formats escape some of that, each something else.
pub fn printable(text: &str) -> Cow<'_, str> {
    let text = cut(text, MAX_TEXT_BYTES);
    if !text.contains(is_hazardous) {
        return Cow::Borrowed(text);
    }
    let escaped = text.chars().fold(String::with_capacity(2 * text.len()), |mut escaped, char| {
        if is_hazardous(char) {
            escaped.extend(char.escape_default());
        } else {
            escaped.push(char);
        }
        escaped
    });
    Cow::Owned(escaped)
}

/// The longest beginning that fits, in whole characters.
pub fn cut(text: &str, max_bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(max_bytes)).unwrap_or(text)
}

/// Control characters, separators of lines and paragraphs, and what turns the direction of writing.
fn is_hazardous(char: char) -> bool {
    char.is_control() || matches!(char, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_others_stays_on_its_line() {
        let told = printable("a\nERROR forged\r\u{1b}[2J\u{9b}2J\u{7f}\u{2028}\u{202e}é");
        assert_eq!(told, r"a\nERROR forged\r\u{1b}[2J\u{9b}2J\u{7f}\u{2028}\u{202e}é");
        assert!(matches!(printable("un café, \"s'il\" vous plaît \\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_text_of_others_is_cut_between_characters() {
        let long = format!("{}é", "x".repeat(MAX_TEXT_BYTES - 1));
        assert_eq!(printable(&long).len(), MAX_TEXT_BYTES - 1);
        assert_eq!(cut("ab", 0), "");
    }
}
