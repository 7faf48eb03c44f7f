//! The agent by its doors: real pipelines, generated films, a node that says yes and no.

mod alerts;
mod cameras;
mod consent;
mod disk;
mod preview;
mod stream;
mod world;
