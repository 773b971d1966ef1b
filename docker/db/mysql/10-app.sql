-- First start: what the sidecar needs beyond the application's own rights: sessions, replication, statement statistics.
GRANT PROCESS, REPLICATION CLIENT ON *.* TO 'app'@'%';
GRANT SELECT ON performance_schema.* TO 'app'@'%';
-- And what a restore needs: databases beside the one in use.
GRANT ALL ON `app\_%`.* TO 'app'@'%';
