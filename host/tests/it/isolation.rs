//! What a component cannot do, and what nobody gets to know: each invariant of an absence has a test
//! that would find what is not there.

pub mod databases;
mod peers;
mod secrets;
pub mod surroundings;
