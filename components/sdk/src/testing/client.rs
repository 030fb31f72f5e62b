//! Other services, in this process.

use crate::backend::{Fault, Http, Moment, Trap};
use crate::{Client, Definition};
use axum::Router;

impl Client {
    /// Calls go to these routers, by the services' names; every other name is refused, as a host
    /// does it. Give it what [`crate::app`] returns, or [`crate::testing::TestApp::router`], to have
    /// the other service as a whole.
    pub fn from_routers<N: Into<String>>(routers: impl IntoIterator<Item = (N, Router)>) -> Self {
        Client(Http::from_routers(routers.into_iter().map(|(name, router)| (name.into(), router))))
    }

    /// Another service, or another one of that name: two that call each other are connected once both are
    /// there. Clones know it as well.
    pub fn connect(&self, name: impl Into<String>, router: Router) {
        self.0.connect(name.into(), router);
    }

    /// What happens to the next call to that service whose path has `part` in it, and to no other.
    ///
    /// # Panics
    /// When there is no such service.
    pub fn set_fault_once(&self, name: &str, part: &str, fault: Fault) {
        assert!(self.0.set_fault_once(name, part, fault), "there is no service {name:?}");
    }

    /// Catches the next call to that service whose path has `part` in it, and keeps its caller: to be
    /// dropped at that very moment, or to go on when the world has changed.
    ///
    /// # Panics
    /// When there is no such service.
    #[must_use]
    pub fn set_trap(&self, name: &str, part: &str, moment: Moment) -> Trap {
        self.0.set_trap(name, part, moment).unwrap_or_else(|| panic!("there is no service {name:?}"))
    }

    /// From now on, what happens to calls to that service instead of an answer.
    ///
    /// # Panics
    /// When there is no such service.
    pub fn set_fault(&self, name: &str, fault: Option<Fault>) {
        assert!(self.0.set_fault(name, fault), "there is no service {name:?}");
    }

    /// Whether nobody listens at that service.
    ///
    /// # Panics
    /// When there is no such service.
    pub fn set_down(&self, name: &str, down: bool) {
        self.set_fault(name, down.then_some(Fault::Down));
    }

    /// How many calls were made to that service, failed ones included.
    ///
    /// # Panics
    /// When there is no such service.
    #[must_use]
    pub fn calls(&self, name: &str) -> u64 {
        self.0.calls(name).unwrap_or_else(|| panic!("there is no service {name:?}"))
    }
}

impl Definition {
    /// The service as it answers in production, over other capabilities.
    pub fn app(&self, context: &crate::Context) -> Router {
        crate::app((self.router)(context.clone()), self.name, context)
    }
}
