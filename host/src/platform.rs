//! `comptoir up`: the whole platform in one process on a machine that has only this binary and
//! PostgreSQL. Here are the parts that need no component: where things lie ([`directory`]), what is
//! secret ([`secrets`]), the private database cluster ([`cluster`]) and the stand-in for Kong
//! ([`gateway`]), which `comptoir gateway` is alone. What runs a service is not here: it is the same code as in
//! `comptoir serve`.

pub mod cluster;
pub mod directory;
pub mod gateway;
pub mod secrets;
mod up;

pub use gateway::gateway;
pub use up::up;
