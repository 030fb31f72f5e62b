//! What is known about a customer: e-mail address, name, telephone, language.

use std::fmt;

use sdk::problem::FieldError;

use super::{Check, Language};

/// RFC 5321, 4.5.3.1: what a path may be long, without its brackets.
const EMAIL_MAX: usize = 254;
/// RFC 5321, 4.5.3.1: the part before the `@`.
const LOCAL_MAX: usize = 64;
/// The longest name, in characters.
pub const NAME_MAX: usize = 200;

/// What a customer says about themself, once checked by [`Profile::check`].
#[derive(Clone, PartialEq, Eq)]
pub struct Profile {
    pub email: String,
    pub name: String,
    pub phone: Option<String>,
    pub language: Language,
}

impl Profile {
    /// The profile with its texts trimmed, or everything that is wrong with it.
    pub fn check(self) -> Result<Profile, Vec<FieldError>> {
        let mut check = Check::default();
        let email = self.email.trim().to_owned();
        check.that(
            is_email(&email),
            "/email",
            "email-invalid",
            "must be one address such as marie@example.com, in ASCII, of at most 254 characters",
        );
        let phone = self.phone.map(|phone| phone.trim().to_owned()).filter(|phone| !phone.is_empty());
        check.that(
            phone.as_deref().is_none_or(is_phone),
            "/phone",
            "phone-invalid",
            "must be 7 to 15 digits, which may begin with '+' and be grouped by spaces, '-', '.' and parentheses",
        );
        let name = check.line("/name", "name-invalid", &self.name, NAME_MAX);
        check.finish(Profile { email, name, phone, language: self.language })
    }

    /// The members in which two profiles differ: their names, never what is in them.
    pub fn changed(&self, to: &Profile) -> Vec<&'static str> {
        let members = [
            ("email", self.email != to.email),
            ("name", self.name != to.name),
            ("phone", self.phone != to.phone),
            ("language", self.language != to.language),
        ];
        members.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }
}

/// `Debug` shows nothing about a person: what ends up in a log stays there.
impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile").finish_non_exhaustive()
    }
}

/// What is the same for every spelling of an address: lower case, as `customers.email_key` has it.
pub fn email_key(email: &str) -> String {
    email.trim().to_ascii_lowercase()
}

/// An address that a shop may be written from: `local@domain` of RFC 5321, in ASCII, without quoted
/// parts and address literals, which nobody has. That mail arrives there is another question.
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    text.len() <= EMAIL_MAX && is_local(local) && is_domain(domain)
}

/// RFC 5321, 4.1.2: `Dot-string`.
fn is_local(local: &str) -> bool {
    let atom = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    local.len() <= LOCAL_MAX && local.split('.').all(|part| !part.is_empty() && part.bytes().all(atom))
}

/// At least two labels; the last has a letter, or it would be an IP address.
fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = domain.rsplit('.').next().unwrap_or_default();
    domain.contains('.') && domain.split('.').all(label) && last.bytes().any(|b| b.is_ascii_alphabetic())
}

/// E.164 has at most 15 digits.
fn is_phone(phone: &str) -> bool {
    let digits = phone.bytes().filter(u8::is_ascii_digit).count();
    let rest = phone.strip_prefix('+').unwrap_or(phone);
    (7..=15).contains(&digits) && phone.len() <= 30 && rest.bytes().all(|b| b.is_ascii_digit() || b" -.()".contains(&b))
}
