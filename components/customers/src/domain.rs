//! The rules of accounts that need neither HTTP nor SQL nor a clock.
//!
//! - [`profile`]: what is known about a customer, and e-mail addresses.
//! - [`password`]: what a password may be. How it is kept is in `hashing.rs`.
//! - [`address`]: Canadian addresses and postal codes.
//! - [`session`]: how long tokens live, when one was used twice, when an account is locked.
//! - [`loyalty`]: points, and what a balance allows.
//!
//! What only the stored rows can decide (one account for each e-mail address, one default address) are
//! constraints in `migrations/`.

pub mod address;
pub mod loyalty;
pub mod password;
pub mod profile;
pub mod session;
#[cfg(test)]
mod tests;

use sdk::problem::FieldError;
use sdk::typed_id;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

typed_id!(
    /// A customer; orders and sales name them by it, also after they are erased.
    CustomerId,
    i64
);
typed_id!(
    /// An address of a customer.
    AddressId,
    i64
);
typed_id!(
    /// What one sign-in began.
    FamilyId,
    Uuid
);

/// What becomes of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// In use.
    Active,
    /// Closed by staff until they open it again: nobody signs in.
    Suspended,
    /// Nothing is known about the person any more. Final.
    Erased,
}

impl Status {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Active => "active",
            Status::Suspended => "suspended",
            Status::Erased => "erased",
        }
    }

    /// From what is stored.
    pub fn parse(text: &str) -> Option<Status> {
        [Status::Active, Status::Suspended, Status::Erased].into_iter().find(|status| status.as_str() == text)
    }
}

/// What we write to a customer in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    #[default]
    Fr,
    En,
}

impl Language {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Language::Fr => "fr",
            Language::En => "en",
        }
    }

    /// From what is stored.
    pub fn parse(text: &str) -> Option<Language> {
        [Language::Fr, Language::En].into_iter().find(|language| language.as_str() == text)
    }
}

/// Collects what is wrong, so that a client learns everything at once.
#[derive(Debug, Default)]
pub struct Check(Vec<FieldError>);

impl Check {
    /// Records an error unless `holds`.
    pub fn that(&mut self, holds: bool, pointer: &str, code: &'static str, detail: &str) {
        if !holds {
            self.0.push(FieldError::at_pointer(pointer, code, detail));
        }
    }

    /// One line of 1 to `most` characters, trimmed.
    pub fn line(&mut self, pointer: &str, code: &'static str, value: &str, most: usize) -> String {
        let trimmed = value.trim();
        let fits = (1..=most).contains(&trimmed.chars().count()) && !trimmed.chars().any(char::is_control);
        self.that(fits, pointer, code, &format!("must be one line of 1 to {most} characters"));
        trimmed.to_owned()
    }

    /// The value when nothing was wrong.
    pub fn finish<T>(self, value: T) -> Result<T, Vec<FieldError>> {
        if self.0.is_empty() { Ok(value) } else { Err(self.0) }
    }
}
