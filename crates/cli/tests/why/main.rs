//! `plywood why`: pairs of builds between which one thing moved, or several, and what is said of it.
//!
//! Every pair is built by the real program. What is expected of each is all that is said: the causes,
//! how sure they are, what each changed, and what remains without a reason.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod elsewhere;
mod mixed;
mod one_cause;
mod packages;
#[path = "../scene/mod.rs"]
#[allow(dead_code, reason = "the tests of the commands use more of it")]
mod scene;
mod secrets;
#[path = "../bad_input/python/wheel.rs"]
#[allow(dead_code, reason = "the tests of bad input use more of it")]
mod wheel;
mod world;
