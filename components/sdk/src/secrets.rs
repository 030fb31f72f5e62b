//! Keys that the host was given for this service. Asked for when they are used, and kept nowhere.

use crate::backend;
use std::fmt;

/// Cheap to clone. `Debug` shows none of them.
#[derive(Clone)]
pub struct Secrets(Source);

#[derive(Clone)]
enum Source {
    Host,
    #[cfg(all(feature = "testing", not(target_family = "wasm")))]
    Fixed(std::sync::Arc<std::collections::BTreeMap<String, String>>),
}

impl Secrets {
    pub(crate) fn from_host() -> Self {
        Secrets(Source::Host)
    }

    /// Those of a test.
    #[cfg(all(feature = "testing", not(target_family = "wasm")))]
    #[must_use]
    pub fn fixed<N: Into<String>, S: Into<String>>(secrets: impl IntoIterator<Item = (N, S)>) -> Self {
        let secrets = secrets.into_iter().map(|(name, secret)| (name.into(), secret.into())).collect();
        Secrets(Source::Fixed(std::sync::Arc::new(secrets)))
    }

    /// None: the host was given no secret of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        match &self.0 {
            Source::Host => backend::secret(name),
            #[cfg(all(feature = "testing", not(target_family = "wasm")))]
            Source::Fixed(secrets) => secrets.get(name).cloned(),
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}
