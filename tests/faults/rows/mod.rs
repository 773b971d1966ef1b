//! The rows of the table, by what they are about.

mod connection;
mod containers;
mod files;
mod mysql;
mod pages;
mod postgres;
mod protocol;
mod redis;
mod tls;
mod together;

use super::Row;

pub(super) static ALL: &[&[Row]] = &[
    connection::ROWS,
    protocol::ROWS,
    tls::ROWS,
    pages::ROWS,
    redis::ROWS,
    postgres::ROWS,
    mysql::ROWS,
    files::ROWS,
    containers::ROWS,
    together::ROWS,
];
