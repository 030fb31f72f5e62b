//! `grafana/silent.txt`: what has no answer while all is well, and why.

use std::collections::BTreeSet;
use std::path::Path;

use super::names::names_in;
use super::text;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Not on the machine of the tests.
    Never,
    /// When it happens.
    Seldom,
}

#[derive(Debug)]
pub enum Silent {
    Family(String),
    /// `uid/title`.
    Panel(String),
}

#[derive(Debug)]
pub struct Line {
    pub what: Silent,
    pub how: How,
}

pub struct Silence(pub Vec<Line>);

impl Silence {
    pub fn read() -> Self {
        let text = text("grafana/silent.txt");
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self(lines.map(|line| parse(line).unwrap_or_else(|| panic!("silent.txt: {line}"))).collect())
    }

    pub fn has_family(&self, name: &str) -> bool {
        self.0.iter().any(|line| matches!(&line.what, Silent::Family(family) if family == name))
    }

    /// Whether it is no wonder that this has no answer.
    pub fn covers(&self, place: &str, query: &str) -> bool {
        let names = names_in(query);
        self.0.iter().any(|line| match &line.what {
            Silent::Panel(panel) => panel == place,
            Silent::Family(family) => names.contains(family),
        })
    }

    pub fn families(&self, how: How) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |line| line.how == how).filter_map(|line| match &line.what {
            Silent::Family(family) => Some(family.as_str()),
            Silent::Panel(_) => None,
        })
    }

    pub fn panels(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|line| match &line.what {
            Silent::Panel(panel) => Some(panel.as_str()),
            Silent::Family(_) => None,
        })
    }
}

/// A line without a reason is none.
fn parse(line: &str) -> Option<Line> {
    let (how, separator) = if line.contains(" never ") { (How::Never, " never ") } else { (How::Seldom, " seldom ") };
    let (what, reason) = line.split_once(separator)?;
    let (kind, name) = what.split_once(' ')?;
    let name = name.trim().to_owned();
    let what = match kind {
        "family" => Silent::Family(name),
        // Its series are there: when it has an answer depends on nothing but what is served.
        "panel" if how == How::Never => Silent::Panel(name),
        _ => return None,
    };
    (!reason.trim().is_empty()).then_some(Line { what, how })
}

/// Or nobody would notice that a name is wrong.
#[test]
fn what_is_seldom_counted_is_in_the_sources_of_a_component() {
    let mut sources = String::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../components"), &mut sources);
    let silence = Silence::read();
    let unknown: BTreeSet<&str> =
        silence.families(How::Seldom).filter(|family| !sources.contains(&format!("\"{family}\""))).collect();
    assert!(unknown.is_empty(), "no component counts {unknown:?}");
}

fn collect(folder: &Path, sources: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&std::fs::read_to_string(path).expect("a source"));
        }
    }
}

#[test]
fn a_line_has_a_reason() {
    assert!(parse("family a_total   never   only Kong has it").is_some_and(|line| line.how == How::Never));
    let panel = parse("panel uid/How it is  never  there is none yet").expect("a line");
    assert!(matches!(panel.what, Silent::Panel(name) if name == "uid/How it is"));
    for wrong in ["family a_total never ", "family a_total", "panel uid/It  seldom  it happens", "a_total never why"] {
        assert!(parse(wrong).is_none(), "{wrong}");
    }
}
