//! A session that is logged in: fixed queries in the text protocol, every value as text. What must stay true: what one answer may hold is
//! capped in bytes, columns and cells, whatever the server announces.

use super::packets;
use super::wire::{Trouble, Wire};
use crate::limits;
use crate::probes::sql::connection::Row;
use std::time::Duration;

/// A connection to MySQL or MariaDB.
pub(in crate::probes) struct Session {
    wire: Wire,
    /// How long a statement may run before the server itself ends it.
    pub(super) statement_limit: Duration,
}

/// What a query gave; of several statements, the columns of the last and the rows of all.
#[derive(Debug, Default)]
pub(in crate::probes) struct Rows {
    /// Names of the columns.
    pub(in crate::probes) columns: Vec<String>,
    /// The rows.
    pub(in crate::probes) rows: Vec<Row>,
}

/// The first byte of a query.
const QUERY: u8 = 3;
/// The first byte of an answer that ends rows; a longer packet that begins so is a row with a huge value.
const END: u8 = 0xfe;
const END_BYTES: usize = 9;

impl Session {
    /// A session over a wire that the user is logged in on.
    pub(super) const fn new(wire: Wire, statement_limit: Duration) -> Self {
        Self { wire, statement_limit }
    }

    /// Gives a new run its allowance of bytes.
    pub(in crate::probes) fn begin_run(&mut self) {
        self.wire.allow();
    }

    /// Runs fixed text.
    pub(in crate::probes) async fn query(&mut self, sql: &str) -> Result<Rows, Trouble> {
        self.wire.ask(&[&[QUERY], sql.as_bytes()].concat()).await?;
        let mut found = Rows::default();
        while self.result(&mut found).await? {}
        Ok(found)
    }

    /// Reads one result; whether another follows.
    async fn result(&mut self, found: &mut Rows) -> Result<bool, Trouble> {
        let packet = self.wire.read().await?;
        match packet {
            [0xff, ..] => return Err(packets::refusal(packet)),
            [0x00, ..] => return packets::more_follows(packet).ok_or(Trouble::Nonsense("an OK that is cut off")),
            _ => {}
        }
        let columns = packets::columns(packet).filter(|columns| (1..=limits::MYSQL_COLUMNS).contains(columns));
        let columns = columns.ok_or(Trouble::Nonsense("an answer without columns, or with too many"))?;
        found.columns.clear();
        for _ in 0..columns {
            let name = packets::column_name(self.wire.read().await?);
            found.columns.push(name.ok_or(Trouble::Nonsense("a column without a name"))?);
        }
        if !ends(self.wire.read().await?) {
            return Err(Trouble::Nonsense("more columns than were announced"));
        }
        loop {
            let packet = self.wire.read().await?;
            match packet {
                [0xff, ..] => return Err(packets::refusal(packet)),
                _ if ends(packet) => {
                    return packets::more_follows(packet).ok_or(Trouble::Nonsense("an end that is cut off"));
                }
                _ if found.rows.len() * columns >= limits::MYSQL_CELLS => return Err(Trouble::TooMuch),
                _ => found.rows.push(packets::row(packet, columns).ok_or(Trouble::Nonsense("a row that is cut off"))?),
            }
        }
    }
}

fn ends(packet: &[u8]) -> bool {
    packet.first() == Some(&END) && packet.len() < END_BYTES
}

/// Reads these bytes as the answer to a query: for fuzz targets.
pub(super) async fn replay(bytes: &[u8]) -> Result<Rows, Trouble> {
    Session::new(Wire::over(bytes), Duration::ZERO).query("").await
}
