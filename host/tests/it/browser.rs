//! What people see: the real pages, in a real browser, through the gateway of the whole platform.

mod admin;
mod docs;
mod office;
mod screenshots;
mod shop;
mod swap;
mod till;
