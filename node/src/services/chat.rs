//! `chat/1`: the chat robot.

pub mod rules;
