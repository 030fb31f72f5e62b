//! The text that a host's `/metrics` is made of.

use std::collections::{BTreeMap, BTreeSet};

/// One scrape.
#[derive(Debug)]
pub struct Metrics {
    pub text: String,
    samples: Vec<Sample>,
}

#[derive(Debug)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Metrics {
    pub fn parse(text: &str) -> Self {
        let samples = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(sample).collect();
        Self { text: text.to_owned(), samples }
    }

    /// The sum over all series with these labels; none when there is no such series.
    pub fn find(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let matching = self.samples.iter().filter(|sample| {
            let has = |(name, value): &(&str, &str)| sample.labels.get(*name).map(String::as_str) == Some(*value);
            sample.name == name && labels.iter().all(has)
        });
        matching.map(|sample| sample.value).reduce(|sum, value| sum + value)
    }

    /// The same, where the series has to exist.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let value = self.find(name, labels);
        value.unwrap_or_else(|| panic!("there is no {name}{labels:?} in\n{}", self.text))
    }

    /// The series of every gauge with their values. Those that differ in `without` alone are one: their sum.
    pub fn gauges(&self, without: &[&str]) -> BTreeMap<String, f64> {
        let declared = self.text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" gauge"));
        let gauges: BTreeSet<&str> = declared.collect();
        let mut sums = BTreeMap::new();
        for sample in self.samples.iter().filter(|sample| gauges.contains(sample.name.as_str())) {
            let labels = sample.labels.iter().filter(|(label, _)| !without.contains(&label.as_str()));
            let labels: Vec<String> = labels.map(|(label, value)| format!("{label}={value}")).collect();
            let series = if labels.is_empty() {
                sample.name.clone()
            } else {
                format!("{}{{{}}}", sample.name, labels.join(","))
            };
            *sums.entry(series).or_default() += sample.value;
        }
        sums
    }

    /// A line for each family: its kind, its name, its labels; the values of those that are not `open`.
    pub fn families(&self, open: &[&str]) -> Vec<String> {
        let declared = self.text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
        declared.map(|(name, kind)| format!("{kind} {name}{}", self.labels(name, kind, open))).collect()
    }

    fn labels(&self, name: &str, kind: &str, open: &[&str]) -> String {
        let suffix = if kind == "histogram" { "_count" } else { "" };
        let mut labels = BTreeMap::<&str, BTreeSet<&str>>::new();
        for sample in self.samples.iter().filter(|sample| sample.name.strip_suffix(suffix) == Some(name)) {
            for (label, value) in &sample.labels {
                let values = labels.entry(label).or_default();
                if !open.contains(&label.as_str()) {
                    values.insert(value);
                }
            }
        }
        let label = |(name, values): (&&str, &BTreeSet<&str>)| match values.len() {
            0 => format!(" {name}"),
            _ => format!(" {name}={}", Vec::from_iter(values.iter().copied()).join("|")),
        };
        labels.iter().map(label).collect()
    }

    /// Every value that a label has anywhere.
    pub fn label_values(&self, label: &str) -> Vec<&str> {
        self.samples.iter().filter_map(|sample| Some(sample.labels.get(label)?.as_str())).collect()
    }
}

fn sample(line: &str) -> Sample {
    let (series, value) = line.rsplit_once(' ').expect("a series and its value");
    let (name, labels) = series.split_once('{').unwrap_or((series, ""));
    let labels = labels.trim_end_matches('}').split_terminator(',').map(|label| {
        let (name, value) = label.split_once('=').expect("a label and its value");
        (name.to_owned(), value.trim_matches('"').to_owned())
    });
    Sample { name: name.to_owned(), labels: labels.collect(), value: value.parse().expect("a number") }
}
