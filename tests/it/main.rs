//! Tests from outside, one binary. `tidy*` hold the shape of the sources (no program is started); every other module starts the
//! real programs and looks at what a user would see: exit code, output, pages.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod access;
mod agent_run;
mod alertmanager;
mod backup;
mod backup_role;
mod bad_input;
mod causes_live;
mod cgroup_v2;
mod compare_blackbox;
mod compare_mysqld;
mod compare_nginx;
mod compare_node;
mod compare_postgres;
mod compare_process;
mod compare_redis;
mod compose_files;
mod compose_guard;
mod compose_nginx;
mod compose_up;
mod container;
mod culprit;
mod dashboards;
mod dashboards_live;
mod datastores;
mod demo;
mod faults;
mod health;
mod hostile;
mod http2;
mod hung_mount;
mod icmp;
mod kubernetes;
mod migrations;
mod mixins;
mod nginx;
mod preflight_compose;
mod preflight_env;
mod preflight_kubernetes;
mod privileges;
mod prometheus;
mod prometheus_config;
mod reexport;
mod reload;
mod rules;
mod secrets;
mod services;
mod silence;
mod stack;
mod stack_load;
mod stack_outage;
mod stack_restarts;
mod stack_stop;
mod stack_wait;
mod stack_watch;
mod start;
mod start_survives;
mod status;
mod tidy;
mod tidy_dependencies;
mod tidy_direction;
mod tidy_reference;
mod validate;
mod wait;
mod web_config;
