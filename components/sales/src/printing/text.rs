//! Rows as text of 42 columns: the width of the paper in a till's printer.

use super::{Print, Row};

/// Characters in a line.
pub(super) const WIDTH: usize = 42;

pub(super) fn render(print: &Print) -> String {
    let mut text = String::new();
    for row in &print.rows {
        match row {
            Row::Centred(words) => {
                for line in wrapped(words, WIDTH) {
                    let left = (WIDTH - width(&line)) / 2;
                    push(&mut text, &format!("{}{line}", " ".repeat(left)));
                }
            }
            Row::Plain(words) => wrapped(words, WIDTH).iter().for_each(|line| push(&mut text, line)),
            Row::Pair(what, amount) | Row::Strong(what, amount) => pair(&mut text, what, amount),
            Row::Rule => push(&mut text, &"-".repeat(WIDTH)),
        }
    }
    text
}

/// The amount stands at the right, beside the last line of what it is.
fn pair(text: &mut String, what: &str, amount: &str) {
    let room = WIDTH.saturating_sub(width(amount) + 1).max(1);
    let mut lines = wrapped(what, room);
    let last = lines.pop().unwrap_or_default();
    lines.iter().for_each(|line| push(text, line));
    let gap = WIDTH.saturating_sub(width(&last) + width(amount)).max(1);
    push(text, &format!("{last}{}{amount}", " ".repeat(gap)));
}

fn push(text: &mut String, line: &str) {
    text.push_str(line.trim_end());
    text.push('\n');
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// Lines of at most `room` characters, broken between words where that is possible. What a line begins with is kept.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    let indent: String = text.chars().take_while(|c| *c == ' ').collect();
    let mut lines = Vec::new();
    let mut line = indent.clone();
    for word in text.split_whitespace() {
        let gap = usize::from(width(&line) > width(&indent));
        if width(&line) + gap + width(word) > room && width(&line) > width(&indent) {
            lines.push(std::mem::replace(&mut line, indent.clone()));
        } else if gap == 1 {
            line.push(' ');
        }
        for letter in word.chars() {
            if width(&line) == room {
                lines.push(std::mem::replace(&mut line, indent.clone()));
            }
            line.push(letter);
        }
    }
    lines.push(line);
    lines
}
