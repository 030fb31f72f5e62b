//! The text that a host's `/metrics` is made of.

use std::collections::BTreeMap;

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
