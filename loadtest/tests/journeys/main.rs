//! Journeys from outside: every case of `tests/oracle/cases` runs against a loopback server and must end as its first
//! lines say. The same walk with real Hurl is the oracle, by hand: `tests/oracle/run`.
//!
//! `server.rs` answers what the cases ask for; `plain.rs` is the simplest transport there is, so that nothing but the
//! interpreter is tested; `oracle.rs` walks the cases.

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod plain;
#[cfg(test)]
mod server;
