//! What a dump looks like at its beginning and at its end, as pg_dump, pg_dumpall and mysqldump write them. Pure.

/// A kind of dump that is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dump {
    /// SQL of `pg_dump`.
    Postgres,
    /// SQL of `pg_dumpall`.
    PostgresCluster,
    /// The custom format of `pg_dump`; it has no end of its own that could be looked for.
    PostgresCustom,
    /// SQL of `mysqldump` or `mariadb-dump`.
    MySql,
}

/// Reads whatever a file holds, for fuzzing.
pub(super) fn read(bytes: &[u8]) {
    let _well = Dump::of(bytes).map(|dump| dump.ends_well(bytes));
}

impl Dump {
    /// What a file that begins like this is.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(b"PGDMP") {
            return Some(Self::PostgresCustom);
        }
        // The title is among the first lines: MariaDB's sandbox line and pg_dump's empty comments come before it.
        String::from_utf8_lossy(head).lines().take(8).find_map(|line| match line {
            "-- PostgreSQL database dump" => Some(Self::Postgres),
            "-- PostgreSQL database cluster dump" => Some(Self::PostgresCluster),
            _ if line.starts_with("-- MySQL dump ") || line.starts_with("-- MariaDB dump ") => Some(Self::MySql),
            _ => None,
        })
    }

    /// Its name for people.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "dump of PostgreSQL",
            Self::PostgresCluster => "dump of a PostgreSQL cluster",
            Self::PostgresCustom => "dump of PostgreSQL in custom format",
            Self::MySql => "dump of MySQL",
        }
    }

    /// The line that is written last, when there is one.
    pub(super) const fn trailer(self) -> Option<&'static str> {
        match self {
            Self::Postgres => Some("-- PostgreSQL database dump complete"),
            Self::PostgresCluster => Some("-- PostgreSQL database cluster dump complete"),
            Self::PostgresCustom => None,
            Self::MySql => Some("-- Dump completed"),
        }
    }

    /// Whether a dump that ends like this was written to its end. Behind the trailer only empty comments may stand, and the
    /// `\unrestrict` of newer releases of pg_dump.
    pub(super) fn ends_well(self, tail: &[u8]) -> bool {
        let Some(trailer) = self.trailer() else { return true };
        let text = String::from_utf8_lossy(tail);
        let empty = |line: &&str| matches!(line.trim(), "" | "--") || line.starts_with("\\unrestrict ");
        text.lines().rev().find(|line| !empty(line)).is_some_and(|last| last.starts_with(trailer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn knows_dumps_by_their_first_lines() {
        let cases: [(&[u8], Option<Dump>); 8] = [
            (b"--\n-- PostgreSQL database dump\n--\n\n\\restrict x\n", Some(Dump::Postgres)),
            (b"--\n-- PostgreSQL database cluster dump\n--\n", Some(Dump::PostgresCluster)),
            (b"PGDMP\x01\x0e\0", Some(Dump::PostgresCustom)),
            (b"-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n", Some(Dump::MySql)),
            (b"/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19-11.4.2\n", Some(Dump::MySql)),
            (b"INSERT INTO t VALUES ('-- MySQL dump ');\n", None),
            (b"\x89PNG\r\n", None),
            (b"", None),
        ];
        for (head, expected) in cases {
            assert_eq!(Dump::of(head), expected, "{}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn a_dump_ends_with_its_trailer_and_nothing_behind_it() {
        let whole = "SELECT 1;\n--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict abc\n\n";
        assert!(Dump::Postgres.ends_well(whole.as_bytes()));
        assert!(!Dump::PostgresCluster.ends_well(whole.as_bytes()), "the last database of a cluster is not its end");
        assert!(!Dump::Postgres.ends_well(format!("{whole}COPY t FROM stdin;\n").as_bytes()));
        assert!(!Dump::Postgres.ends_well(&whole.as_bytes()[..30]));
        assert!(Dump::MySql.ends_well(b"/*!40101 SET x */;\n-- Dump completed on 2026-11-21 15:00:00\n"));
        assert!(Dump::MySql.ends_well(b"-- Dump completed\n"));
        assert!(!Dump::MySql.ends_well(b"UNLOCK TABLES;\n"));
        assert!(!Dump::MySql.ends_well(b""));
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_calmly(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Some(dump) = Dump::of(&bytes) {
                let _ = dump.ends_well(&bytes);
            }
        }
    }
}
