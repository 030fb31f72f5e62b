//! What a password may be (NIST SP 800-63B, 3.1.1.2): long enough, none that everybody tries first,
//! nothing that is known about its owner. No rules about kinds of characters: they make passwords that
//! people forget and machines guess.

use std::fmt;

use sdk::problem::FieldError;
use serde::Deserialize;

use super::Check;

/// The fewest characters.
pub const LENGTH_MIN: usize = 12;
/// The most: more is no password, and only costs time to hash.
pub const LENGTH_MAX: usize = 128;
/// The fewest different characters.
const DIFFERENT_MIN: usize = 5;

/// What long passwords are made of when no thought is given to them. A password is refused when what is
/// left of it without these, digits and punctuation is shorter than [`LEFT_MIN`].
const COMMON: [&str; 24] = [
    "password",
    "passwort",
    "motdepasse",
    "azertyuiop",
    "qwertyuiop",
    "azerty",
    "qwerty",
    "asdfgh",
    "zxcvbn",
    "letmein",
    "welcome",
    "bienvenue",
    "iloveyou",
    "jetaime",
    "bonjour",
    "soleil",
    "admin",
    "secret",
    "dragon",
    "monkey",
    "football",
    "hockey",
    "canadiens",
    "comptoir",
];
/// What must be left besides what is common.
const LEFT_MIN: usize = 4;

/// A password, or what was typed as one. `Debug` does not show it, and it cannot be written out.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    pub fn new(text: impl Into<String>) -> Password {
        Password(text.into())
    }

    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Whether it can be anybody's password at all: what is longer is not even hashed.
    pub fn is_possible(&self) -> bool {
        !self.0.is_empty() && self.0.chars().count() <= LENGTH_MAX
    }

    /// Everything that is wrong with a new password for the owner of this e-mail address.
    pub fn check(&self, pointer: &str, email: &str) -> Result<(), Vec<FieldError>> {
        let mut check = Check::default();
        let length = self.0.chars().count();
        check.that(
            length >= LENGTH_MIN,
            pointer,
            "password-too-short",
            &format!("must have at least {LENGTH_MIN} characters; some words in a row are easy to remember"),
        );
        check.that(
            length <= LENGTH_MAX,
            pointer,
            "password-too-long",
            &format!("must have at most {LENGTH_MAX} characters"),
        );
        check.that(
            different(&self.0) >= DIFFERENT_MIN,
            pointer,
            "password-monotonous",
            &format!("must have at least {DIFFERENT_MIN} different characters"),
        );
        // Of what is too short anyway nothing more needs to be said.
        let lower = self.0.to_lowercase();
        check.that(
            length < LENGTH_MIN || !is_common(&lower),
            pointer,
            "password-too-common",
            "is made of what everybody tries first: choose something else",
        );
        check.that(
            !contains_own(&lower, email),
            pointer,
            "password-contains-email",
            "must not contain the e-mail address or the part before its '@'",
        );
        check.finish(())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

fn different(text: &str) -> usize {
    let mut characters: Vec<char> = text.chars().collect();
    characters.sort_unstable();
    characters.dedup();
    characters.len()
}

fn is_common(lower: &str) -> bool {
    // "p4ssw0rd" is no better than "password".
    let letters: String = lower
        .chars()
        .map(|c| match c {
            '0' => 'o',
            '1' | '!' => 'i',
            '3' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            other => other,
        })
        .collect();
    let least = |text: &str| {
        let rest = COMMON.iter().fold(text.to_owned(), |rest, common| rest.replace(common, ""));
        rest.chars().filter(|c| c.is_alphabetic()).count()
    };
    COMMON.iter().any(|common| lower.contains(common) || letters.contains(common))
        && least(lower).min(least(&letters)) < LEFT_MIN
        || !lower.chars().any(char::is_alphabetic) && is_run(lower)
}

/// `123456789012`, `987654321098`: each digit is its neighbour's neighbour.
fn is_run(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    let follows =
        |step: u32| digits.iter().zip(digits.iter().skip(1)).all(|(before, after)| (before + step) % 10 == *after);
    digits.len() == text.chars().count() && (follows(1) || follows(9))
}

fn contains_own(lower: &str, email: &str) -> bool {
    let email = email.trim().to_ascii_lowercase();
    let local = email.split('@').next().unwrap_or_default();
    // Of "al@example.com", "al" is in many words.
    (local.len() >= 4 && lower.contains(local)) || (!email.is_empty() && lower.contains(&email))
}
