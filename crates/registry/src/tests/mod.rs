//! The wire against an in-process registry with switches and faults: each behaviour on its own.

mod auth;
mod auth_tokens;
mod cloud;
mod connect_proxy;
mod faults;
mod hostile;
mod mirrors;
mod peculiarities;
mod publish;
mod pull;
mod push;
mod secrets;
mod stand_in;
mod support;
mod tls;
mod tls_front;
mod ways;
