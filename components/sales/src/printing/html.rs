//! Rows as a page: one file, without a script, an image or anything else to load.

use std::fmt::Write;

use super::{Language, Print, Row};

/// Its digest is in [`POLICY`]; a test compares them.
pub(super) const STYLE: &str = "body{margin:1em auto;max-width:26em;font:14px/1.4 ui-monospace,monospace}\
p{margin:0}.c{text-align:center}.r{display:flex;justify-content:space-between;gap:1em}\
.r span:last-child{white-space:nowrap}.s{font-weight:bold}hr{border:0;border-top:1px dashed}";

pub(super) const POLICY: &str = "default-src 'none'; style-src 'sha256-tMjtRMe0ZxLQphXYSh7/c71blG7FiqKCiKPv4xtk/kU='; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

pub(super) fn render(print: &Print, language: Language) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{}</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<main>\n",
        language.tag(),
        escaped(&print.title),
    );
    for row in &print.rows {
        // Writing to a text cannot fail.
        let _ = match row {
            Row::Centred(words) => writeln!(page, "<p class=\"c\">{}</p>", escaped(words)),
            Row::Plain(words) => writeln!(page, "<p>{}</p>", escaped(words)),
            Row::Pair(what, amount) => writeln!(page, "{}", pair("r", what, amount)),
            Row::Strong(what, amount) => writeln!(page, "{}", pair("r s", what, amount)),
            Row::Rule => writeln!(page, "<hr>"),
        };
    }
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn pair(class: &str, what: &str, amount: &str) -> String {
    format!("<p class=\"{class}\"><span>{}</span><span>{}</span></p>", escaped(what.trim_start()), escaped(amount))
}

/// A text that is nothing but text.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            letter => safe.push(letter),
        }
    }
    safe
}
