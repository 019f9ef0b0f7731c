//! The catalog as a shell sees it: questions and answers of apps in, rows and effects out.

mod crons;
mod driver;
mod property;
mod recorded;
mod register;
mod sync;
mod validation;
