//! A run as people read it in a terminal: drawn whole, or told line by line while it happens.

mod draw;
mod model;
mod news;
#[cfg(test)]
mod tests;
mod text;

pub use draw::draw;
pub use model::{Run, Timeline};
pub use news::news;
pub use text::{cells, clip, moment, span};
