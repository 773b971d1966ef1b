//! Public images that the text of a compose file or a manifest can be held against: what they speak, where they listen, what they bring and lack.
//! Facts of the images' own documentation, and only those that are sure. Knows no service.

use super::image::Reference;

/// What a service speaks on its first port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaks {
    Postgres,
    Mysql,
    Redis,
    Mongo,
    Amqp,
    Memcached,
    Http,
    /// Something that no URL in this table names.
    Other,
}

impl Speaks {
    /// As people call it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Mysql => "MySQL",
            Self::Redis => "Redis",
            Self::Mongo => "MongoDB",
            Self::Amqp => "AMQP",
            Self::Memcached => "Memcached",
            Self::Http => "HTTP",
            Self::Other => "something else",
        }
    }

    /// What a URL of this scheme expects; `+driver` may stand before or behind.
    pub(super) fn of_scheme(scheme: &str) -> Option<Self> {
        scheme.to_ascii_lowercase().split('+').find_map(|part| match part {
            "postgres" | "postgresql" | "pgsql" | "postgis" => Some(Self::Postgres),
            "mysql" | "mysql2" | "mariadb" => Some(Self::Mysql),
            "redis" | "rediss" | "valkey" => Some(Self::Redis),
            "mongodb" => Some(Self::Mongo),
            "amqp" | "amqps" => Some(Self::Amqp),
            "memcached" => Some(Self::Memcached),
            "http" | "https" | "ws" | "wss" => Some(Self::Http),
            _ => None,
        })
    }

    /// Whether it keeps data that a service cannot work without.
    pub(super) const fn is_store(self) -> bool {
        matches!(self, Self::Postgres | Self::Mysql | Self::Redis | Self::Mongo | Self::Amqp | Self::Memcached)
    }
}

/// Whether an image brings a HEALTHCHECK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Brings {
    Check,
    None,
    Unknown,
}

/// What is known of an image.
#[derive(Debug)]
pub(super) struct Known {
    /// The last part of its name, or all of it where the last part says too little.
    names: &'static [&'static str],
    pub(super) speaks: Speaks,
    /// Where it listens as it is delivered, the most important first; empty where a configuration decides.
    pub(super) ports: &'static [u16],
    /// Variables that set its first port.
    pub(super) port_variables: &'static [&'static str],
    pub(super) health: Brings,
    /// It keeps data: others wait for it, and strangers should not reach it.
    pub(super) is_store: bool,
    /// It looks at the machine itself: host network and host paths are its purpose.
    pub(super) watches_host: bool,
    /// Programs of health checks that are not in it, in none of its variants.
    pub(super) lacks: &'static [&'static str],
}

/// A store without surprises: one that has no health check.
const STORE: Known = Known {
    names: &[],
    speaks: Speaks::Other,
    ports: &[],
    port_variables: &[],
    health: Brings::None,
    is_store: true,
    watches_host: false,
    lacks: &[],
};
/// A server with pages.
const PAGES: Known = Known { speaks: Speaks::Http, health: Brings::Unknown, is_store: false, ..STORE };
/// A program that looks at its machine.
const WATCHER: Known = Known { watches_host: true, ..PAGES };

static IMAGES: &[Known] = &[
    Known {
        names: &["postgres", "postgis", "timescaledb", "timescaledb-ha", "pgvector"],
        speaks: Speaks::Postgres,
        ports: &[5432],
        port_variables: &["PGPORT"],
        lacks: &["curl"],
        ..STORE
    },
    Known {
        names: &["bitnami/postgresql", "bitnamilegacy/postgresql", "supabase/postgres"],
        speaks: Speaks::Postgres,
        ports: &[5432],
        port_variables: &["PGPORT", "POSTGRESQL_PORT_NUMBER"],
        health: Brings::Unknown,
        ..STORE
    },
    Known {
        names: &["mysql", "mariadb", "percona", "percona-server"],
        speaks: Speaks::Mysql,
        ports: &[3306, 33060],
        port_variables: &["MYSQL_TCP_PORT"],
        ..STORE
    },
    Known {
        names: &["mysql-server", "bitnami/mysql", "bitnami/mariadb", "linuxserver/mariadb"],
        health: Brings::Unknown,
        speaks: Speaks::Mysql,
        ports: &[3306, 33060],
        port_variables: &["MYSQL_PORT_NUMBER", "MARIADB_PORT_NUMBER"],
        ..STORE
    },
    Known { names: &["redis", "valkey"], speaks: Speaks::Redis, ports: &[6379], lacks: &["curl"], ..STORE },
    Known {
        names: &["redis-stack", "redis-stack-server", "keydb", "dragonfly", "bitnami/redis", "bitnami/valkey"],
        health: Brings::Unknown,
        speaks: Speaks::Redis,
        ports: &[6379, 8001],
        port_variables: &["REDIS_PORT_NUMBER", "VALKEY_PORT_NUMBER"],
        ..STORE
    },
    Known { names: &["memcached"], speaks: Speaks::Memcached, ports: &[11211], lacks: &["curl"], ..STORE },
    Known {
        names: &["bitnami/mongodb", "mongodb/mongodb-community-server"],
        speaks: Speaks::Mongo,
        ports: &[27017],
        health: Brings::Unknown,
        ..STORE
    },
    Known { names: &["mongo"], speaks: Speaks::Mongo, ports: &[27017, 27018, 27019], ..STORE },
    Known {
        names: &["rabbitmq"],
        speaks: Speaks::Amqp,
        ports: &[5672, 5671, 15672, 15671, 15692, 25672, 4369, 5552, 1883, 8883, 61613, 15675],
        port_variables: &["RABBITMQ_NODE_PORT"],
        ..STORE
    },
    Known { names: &["elasticsearch"], health: Brings::Unknown, speaks: Speaks::Http, ports: &[9200, 9300], ..STORE },
    Known {
        names: &["opensearchproject/opensearch"],
        health: Brings::Unknown,
        speaks: Speaks::Http,
        ports: &[9200, 9300, 9600],
        ..STORE
    },
    Known {
        names: &["clickhouse-server", "clickhouse"],
        ports: &[8123, 9000, 9009, 9004, 9005, 8443, 9440, 9363],
        ..STORE
    },
    Known { names: &["cassandra"], ports: &[9042, 7000, 7001, 7199, 9160], ..STORE },
    Known { names: &["couchdb"], speaks: Speaks::Http, ports: &[5984, 4369, 9100], ..STORE },
    Known { names: &["influxdb"], speaks: Speaks::Http, health: Brings::Unknown, ports: &[8086, 8088, 8181], ..STORE },
    Known {
        names: &["mssql/server"],
        ports: &[1433],
        port_variables: &["MSSQL_TCP_PORT"],
        health: Brings::Unknown,
        ..STORE
    },
    Known { names: &["zookeeper"], ports: &[2181, 2888, 3888, 8080], ..STORE },
    Known { names: &["neo4j"], ports: &[7687, 7474, 7473], health: Brings::Unknown, ..STORE },
    Known { names: &["nats"], ports: &[4222, 8222, 6222], lacks: &["curl"], ..STORE },
    Known { names: &["nginx", "httpd"], ports: &[80], health: Brings::None, ..PAGES },
    Known { names: &["nginx-unprivileged"], ports: &[8080], health: Brings::None, ..PAGES },
    Known { names: &["caddy", "traefik", "haproxy", "envoy", "jwilder/nginx-proxy", "nginx-proxy"], ..PAGES },
    Known { names: &["prometheus"], ports: &[9090], health: Brings::None, lacks: &["curl"], ..PAGES },
    Known { names: &["alertmanager"], ports: &[9093, 9094], health: Brings::None, lacks: &["curl"], ..PAGES },
    Known { names: &["pushgateway"], ports: &[9091], health: Brings::None, lacks: &["curl"], ..PAGES },
    Known { names: &["blackbox-exporter"], ports: &[9115], health: Brings::None, lacks: &["curl"], ..PAGES },
    Known { names: &["node-exporter"], ports: &[9100], health: Brings::None, lacks: &["curl"], ..WATCHER },
    Known { names: &["cadvisor"], ports: &[8080], health: Brings::Check, ..WATCHER },
    Known { names: &["netdata"], ports: &[19999], health: Brings::Check, ..WATCHER },
    Known {
        names: &[
            "datadog/agent",
            "telegraf",
            "promtail",
            "home-assistant",
            "fluent-bit",
            "vector",
            "alloy",
            "beats/filebeat",
            "filebeat",
            "metricbeat",
            "zabbix-agent",
            "zabbix-agent2",
            "keepalived",
            "watchtower",
            "autoheal",
            "wireguard",
            "tailscale/tailscale",
            "pihole/pihole",
        ],
        ..WATCHER
    },
    Known { names: &["redis_exporter"], ports: &[9121], health: Brings::None, ..PAGES },
    Known { names: &["postgres-exporter", "postgres_exporter"], ports: &[9187], health: Brings::None, ..PAGES },
    Known { names: &["mysqld-exporter"], ports: &[9104], health: Brings::None, ..PAGES },
    Known {
        names: &["grafana", "grafana-oss", "grafana-enterprise"],
        ports: &[3000],
        port_variables: &["GF_SERVER_HTTP_PORT"],
        health: Brings::None,
        ..PAGES
    },
    Known { names: &["grafana/loki"], ports: &[3100, 9095, 7946], ..PAGES },
    Known { names: &["kibana", "opensearch-dashboards"], ports: &[5601], port_variables: &["SERVER_PORT"], ..PAGES },
    Known { names: &["adminer"], ports: &[8080], health: Brings::None, ..PAGES },
    Known {
        names: &["phpmyadmin"],
        ports: &[80, 9000],
        port_variables: &["APACHE_PORT"],
        health: Brings::None,
        ..PAGES
    },
    Known { names: &["dpage/pgadmin4"], ports: &[80, 443], port_variables: &["PGADMIN_LISTEN_PORT"], ..PAGES },
    Known { names: &["mongo-express"], ports: &[8081], port_variables: &["PORT"], health: Brings::None, ..PAGES },
    Known { names: &["wordpress"], ports: &[80, 9000], health: Brings::None, ..PAGES },
    Known { names: &["ghost"], ports: &[2368], port_variables: &["server__port"], health: Brings::None, ..PAGES },
    Known { names: &["mailhog/mailhog"], ports: &[1025, 8025], health: Brings::None, speaks: Speaks::Other, ..PAGES },
    Known {
        names: &["axllent/mailpit"],
        ports: &[1025, 8025, 1110],
        health: Brings::Check,
        speaks: Speaks::Other,
        ..PAGES
    },
    Known { names: &["ollama/ollama"], ports: &[11434], health: Brings::None, lacks: &["curl", "wget"], ..PAGES },
    Known {
        names: &["qdrant/qdrant"],
        ports: &[6333, 6334, 6335],
        health: Brings::None,
        lacks: &["curl", "wget"],
        ..PAGES
    },
    Known { names: &["getmeili/meilisearch"], ports: &[7700], ..PAGES },
];

/// What is known of an image.
pub(super) fn image(reference: &Reference) -> Option<&'static Known> {
    let whole = |name: &str| reference.name == name || reference.name.ends_with(&format!("/{name}"));
    IMAGES.iter().find(|known| {
        known.names.iter().any(|name| if name.contains('/') { whole(name) } else { reference.last == *name })
    })
}

impl Known {
    /// What it speaks on this port, where that is sure: its further ports have protocols of their own.
    pub(super) fn speaks_on(&self, port: Option<u16>) -> Option<Speaks> {
        let further = self.ports.iter().skip(1).any(|further| Some(*further) == port);
        (self.speaks != Speaks::Other && !further).then_some(self.speaks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_further_port_speaks_is_not_known() {
        let rabbit = image(&Reference::parse("rabbitmq:4")).expect("known");
        assert_eq!(rabbit.speaks_on(Some(5672)), Some(Speaks::Amqp));
        assert_eq!(rabbit.speaks_on(Some(15672)), None);
        assert_eq!(rabbit.speaks_on(None), Some(Speaks::Amqp));
        assert_eq!(image(&Reference::parse("nats")).and_then(|nats| nats.speaks_on(Some(4222))), None);
        assert!(image(&Reference::parse("postgres-backup:16")).is_none());
    }

    #[test]
    fn an_image_is_known_by_its_own_name_only() {
        let known = |text| image(&Reference::parse(text)).map(|known| known.ports.first().copied().unwrap_or_default());
        assert_eq!(known("postgres:16"), Some(5432));
        assert_eq!(known("mirror.example:5000/library/postgres"), Some(5432));
        assert_eq!(known("prodrigestivill/postgres-backup-local"), None);
        assert_eq!(known("prom/prometheus:v3.5.0"), Some(9090));
        assert_eq!(known("grafana/loki:3"), Some(3100));
        assert_eq!(known("other/loki"), None);
    }

    #[test]
    fn a_driver_beside_the_scheme_says_nothing() {
        assert_eq!(Speaks::of_scheme("postgresql+asyncpg"), Some(Speaks::Postgres));
        assert_eq!(Speaks::of_scheme("db+mysql"), Some(Speaks::Mysql));
        assert_eq!(Speaks::of_scheme("tcp"), None);
    }
}
