//! Canadian addresses.

use sdk::problem::FieldError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Check;
use super::profile::NAME_MAX;

/// The most addresses of a customer.
pub const ADDRESSES_MAX: i64 = 20;
/// The longest line.
const LINE_MAX: usize = 100;

/// A province or territory, by its code at Canada Post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Province {
    Ab,
    Bc,
    Mb,
    Nb,
    Nl,
    Ns,
    Nt,
    Nu,
    On,
    Pe,
    Qc,
    Sk,
    Yt,
}

impl Province {
    const ALL: [(&'static str, Province); 13] = [
        ("AB", Province::Ab),
        ("BC", Province::Bc),
        ("MB", Province::Mb),
        ("NB", Province::Nb),
        ("NL", Province::Nl),
        ("NS", Province::Ns),
        ("NT", Province::Nt),
        ("NU", Province::Nu),
        ("ON", Province::On),
        ("PE", Province::Pe),
        ("QC", Province::Qc),
        ("SK", Province::Sk),
        ("YT", Province::Yt),
    ];

    /// As stored.
    pub fn as_str(self) -> &'static str {
        Province::ALL.iter().find(|(_, province)| *province == self).map_or("", |(code, _)| code)
    }

    /// From what is stored.
    pub fn parse(text: &str) -> Option<Province> {
        Province::ALL.iter().find(|(code, _)| *code == text).map(|(_, province)| *province)
    }
}

/// Everything about an address that a write decides, once checked by [`Draft::check`]. The country is
/// Canada: we deliver nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    pub recipient: String,
    pub line1: String,
    pub line2: Option<String>,
    pub city: String,
    pub province: Province,
    pub postal_code: String,
}

impl Draft {
    /// The address with its texts trimmed and its postal code as Canada Post writes it, or everything
    /// that is wrong with it. Whether the postal code lies in the province is not asked: K1A is Ottawa's
    /// and Gatineau's.
    pub fn check(self) -> Result<Draft, Vec<FieldError>> {
        let mut check = Check::default();
        let postal_code = postal_code(&self.postal_code);
        check.that(
            postal_code.is_some(),
            "/postal_code",
            "postal-code-invalid",
            "must be a Canadian postal code such as H2X 1Y4, which has no D, F, I, O, Q or U, and does not begin with \
             W or Z",
        );
        let line2 = self.line2.filter(|line| !line.trim().is_empty());
        let checked = Draft {
            recipient: check.line("/recipient", "recipient-invalid", &self.recipient, NAME_MAX),
            line1: check.line("/line1", "line-invalid", &self.line1, LINE_MAX),
            line2: line2.map(|line| check.line("/line2", "line-invalid", &line, LINE_MAX)),
            city: check.line("/city", "city-invalid", &self.city, LINE_MAX),
            province: self.province,
            postal_code: postal_code.unwrap_or_default(),
        };
        check.finish(checked)
    }
}

/// `H2X 1Y4` of `h2x1y4`, `H2X-1Y4` and the like; none if it is no Canadian postal code (Canada Post,
/// Addressing Guidelines, 5.1: letters and digits in turn, and letters that look like others left out).
pub fn postal_code(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_uppercase();
    let (area, unit) = match text.len() {
        6 => (text.get(..3)?, text.get(3..)?),
        7 if matches!(text.get(3..4)?, " " | "-") => (text.get(..3)?, text.get(4..)?),
        _ => return None,
    };
    let mut places = area.chars().chain(unit.chars()).enumerate();
    let fits = places.all(|(place, c)| match place {
        0 => "ABCEGHJKLMNPRSTVXY".contains(c),
        2 | 4 => "ABCEGHJKLMNPRSTVWXYZ".contains(c),
        _ => c.is_ascii_digit(),
    });
    fits.then(|| format!("{area} {unit}"))
}
