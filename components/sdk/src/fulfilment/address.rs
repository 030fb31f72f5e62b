//! Where a delivery goes.

use crate::problem::FieldError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest line of an address, in characters.
const LINE_MAX: usize = 120;

/// A Canadian address.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Address {
    #[schema(example = "Marie Tremblay", min_length = 1, max_length = 120)]
    pub recipient: String,
    #[schema(example = "1000, rue De La Gauchetière O", min_length = 1, max_length = 120)]
    pub line1: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "app. 4", max_length = 120)]
    pub line2: Option<String>,
    #[schema(example = "Montréal", min_length = 1, max_length = 120)]
    pub city: String,
    /// Two capitals.
    #[schema(example = "QC")]
    pub province: String,
    #[schema(example = "H3B 4W5")]
    pub postal_code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "514 555-0100", max_length = 120)]
    pub phone: Option<String>,
}

impl Address {
    /// Everything that is wrong with it; `at` is the pointer to it.
    pub fn mistakes(&self, at: &str) -> Vec<FieldError> {
        let mut found = Vec::new();
        let texts = [("recipient", &self.recipient), ("line1", &self.line1), ("city", &self.city)];
        for (member, text) in texts {
            if text.trim().is_empty() || text.chars().count() > LINE_MAX {
                let detail = format!("must be from 1 to {LINE_MAX} characters");
                found.push(FieldError::at_pointer(format!("{at}/{member}"), "length-out-of-range", detail));
            }
        }
        for (member, text) in [("line2", &self.line2), ("phone", &self.phone)] {
            if text.as_ref().is_some_and(|text| text.chars().count() > LINE_MAX) {
                let detail = format!("must be at most {LINE_MAX} characters");
                found.push(FieldError::at_pointer(format!("{at}/{member}"), "length-out-of-range", detail));
            }
        }
        if self.province.len() != 2 || !self.province.bytes().all(|byte| byte.is_ascii_uppercase()) {
            let pointer = format!("{at}/province");
            found.push(FieldError::at_pointer(pointer, "province-invalid", "must be two capitals, such as QC"));
        }
        if !is_postal_code(&self.postal_code) {
            let pointer = format!("{at}/postal_code");
            found.push(FieldError::at_pointer(pointer, "postal-code-invalid", "must be such as H3B 4W5"));
        }
        found
    }
}

/// Letter, digit, letter, perhaps a space, digit, letter, digit.
fn is_postal_code(text: &str) -> bool {
    let compact: Vec<u8> = match text.len() {
        7 if text.as_bytes().get(3) == Some(&b' ') => text.bytes().filter(|byte| *byte != b' ').collect(),
        _ => text.bytes().collect(),
    };
    let letter_or_digit = |(place, byte): (usize, &u8)| match place % 2 {
        0 => byte.is_ascii_uppercase(),
        _ => byte.is_ascii_digit(),
    };
    compact.len() == 6 && compact.iter().enumerate().all(letter_or_digit)
}

#[cfg(test)]
mod tests {
    use super::is_postal_code;

    #[test]
    fn a_postal_code_is_six_signs_with_or_without_a_space() {
        for good in ["H3B 4W5", "H3B4W5"] {
            assert!(is_postal_code(good), "{good}");
        }
        for bad in ["", "H3B", "h3b 4w5", "H3B-4W5", "H3 B4W5", "12345", "H3B 4W55", "É3B 4W5"] {
            assert!(!is_postal_code(bad), "{bad}");
        }
    }
}
