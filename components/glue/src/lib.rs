//! The engine's parts behind the worlds of wit/.
