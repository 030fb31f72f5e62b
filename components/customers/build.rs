//! What browsers load becomes part of the component.

fn main() -> embed::Result<()> {
    embed::bundle()
}
