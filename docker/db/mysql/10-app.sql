-- First start: what the sidecar needs beyond the application's own rights: sessions, replication, statement statistics. MariaDB asks for
-- one right more to show a replica; only it reads the comment. In production give them to a user of its own (docker/README.md).
GRANT PROCESS, REPLICATION CLIENT /*M!100508 , SLAVE MONITOR */ ON *.* TO 'app'@'%';
GRANT SELECT ON performance_schema.* TO 'app'@'%';
-- And what a restore needs: databases beside the one in use.
GRANT ALL ON `app\_%`.* TO 'app'@'%';
