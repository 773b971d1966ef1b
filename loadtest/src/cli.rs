//! The command line: words in, [`Command`] out. Values stay text here; the plan checks them, so that all problems of flags
//! and file are told at once. Knows nothing of how a run goes.

mod flags;

use clap::{Args, Parser, Subcommand};
use std::path::{Path, PathBuf};

/// Load test a stack and say GO or NO-GO.
///
/// Users walk through journeys (`.hurl` files) against the target; the answer is measured against targets like
/// `api p95 < 2s`. Without a plan, the target's home page and `/health` are loaded.
#[derive(Debug, Parser)]
#[command(name = "loadtest", version, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do instead of a run.
    #[command(subcommand)]
    pub command: Option<Other>,
    /// The run.
    #[command(flatten)]
    pub run: RunArgs,
}

const EXAMPLES: &str = "Examples:
  loadtest --users 200 --target http://127.0.0.1:8000      200 users for a minute
  loadtest --plan loadtest.yml --dry-run                   what would be done, and why
  loadtest --requests 1000 --users 10 --target http://127.0.0.1:8000/page
                                                           what `ab -n 1000 -c 10` does, with a verdict
  loadtest --target http://127.0.0.1:8000 --rate 300/s     300 arrivals a second, however slow it gets
  loadtest --target http://127.0.0.1:8000 --profile spike  does it recover
  loadtest smoke                                           each journey of the plan once, after a deployment
  loadtest smoke journeys/*.hurl --variable target=http://127.0.0.1:8000
  loadtest --plan loadtest.yml --save-baseline before.json  and after the release: --baseline before.json
  loadtest validate --target https://127.0.0.1             TLS, headers, CORS, limits: what a public service is held against

Exit codes: 0 GO, 1 NO-GO, 2 wrong input, 3 inconclusive, 4 could not start, 5 roll back, 130/143 stopped by
a signal";

/// Other things to do.
#[derive(Debug, Subcommand)]
pub enum Other {
    /// Run each journey of the plan, or each file, once, as Hurl would: 0 all passed, 1 an assert failed, 2 unreadable or unsupported
    Smoke(SmokeArgs),
    /// Watch a release by a gentle load: 0 it is good, 1 a target is missed, 5 roll back, at once
    Watch(WatchArgs),
    /// Judge an earlier run again, without a new one
    Judge(JudgeArgs),
    /// Hold two runs of one plan against each other: 0 nothing is worse, 3 nobody can say, 5 roll back
    Compare(CompareArgs),
    /// Print the schema of the JSON report
    Schema,
    /// Hold the target against TLS, headers, redirects, CORS, rate limits, access: 0 all passed, 1 one failed, 2 wrong input, 3 not all
    /// could be told
    Validate(Box<ValidateArgs>),
    /// Print the reference of the load tester
    Reference,
}

/// Flags of a run.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Virtual users at full load; with --rate, the workers that start what is due [default: 10]
    #[arg(long, value_name = "N")]
    pub users: Option<String>,
    /// URL of the stack under test; else the plan's `target`, else LOADTEST_TARGET
    #[arg(long, value_name = "URL")]
    pub target: Option<String>,
    /// Plan file [default: ./loadtest.yml where it exists]
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Arrivals per second instead of users: each goes through one journey, and comes whatever the target does
    #[arg(long, value_name = "N/s")]
    pub rate: Option<String>,
    /// How a rate comes: even, poisson [default: even]
    #[arg(long, value_name = "HOW")]
    pub arrivals: Option<String>,
    /// A well-known shape of load: smoke, load, stress, spike, soak, capacity [default: load]
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Time at full load, after the ramp; of a profile all its stages together [default: 60s]
    #[arg(long, value_name = "TIME")]
    pub run_time: Option<String>,
    /// Time in which the load rises from nothing; measured apart and not judged [default: 15s]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub ramp: Option<String>,
    /// Pause of a user between two journeys [default: 1s..3s]
    #[arg(long, value_name = "FROM..TO", allow_hyphen_values = true)]
    pub think: Option<String>,
    /// End after this many requests, if the time is not up before; sent without think time and ramp unless these are asked for
    #[arg(long, value_name = "N")]
    pub requests: Option<String>,
    /// End the run as NO-GO once so many requests have failed, those of a warm-up too [default: no number does]
    #[arg(long, value_name = "N")]
    pub max_errors: Option<String>,
    /// Send requests over HTTP/2: true where the server takes it in the TLS handshake, prior-knowledge at once, in clear too
    /// [default: false; true without a value]
    #[arg(long, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub http2: Option<String>,
    /// A variable of the journeys; wins over the plan's; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub variable: Vec<String>,
    /// A target such as 'api p95 < 2s', beside those of the plan; may be repeated [default: 'p95 < 2s', 'errors < 5%']
    #[arg(long, value_name = "TARGET")]
    pub require: Vec<String>,
    /// End the run once a target has been missed for so long, never during a warm-up; `never` where the plan says otherwise
    #[arg(long, value_name = "TIME")]
    pub abort_after: Option<String>,
    /// Sidecars to ask for their figures, beside those of the plan; may be repeated
    #[arg(long, value_name = "NAME=URL,…", value_delimiter = ',')]
    pub agents: Vec<String>,
    /// Time before the load in which the sidecars are asked already [default: a quarter of the run time, 5s to 60s]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub calm: Option<String>,
    /// An earlier run of the same plan; more than 50 % slower ends with 5
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Save this run as a baseline, unless it is NO-GO or proves nothing; until then an older one stays
    #[arg(long, value_name = "FILE")]
    pub save_baseline: Option<PathBuf>,
    /// Files for reports.
    #[command(flatten)]
    pub reports: ReportArgs,
    /// Serve metrics of the run to Prometheus at this address, such as 127.0.0.1:9646
    #[arg(long, value_name = "ADDRESS")]
    pub metrics_listen: Option<String>,
    /// Show what would be done, send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print the targets and the verdict only
    #[arg(long)]
    pub quiet: bool,
    /// Load a public address: it is yours, and those who run it know
    #[arg(long)]
    pub i_own_this_target: bool,
}

/// Files for reports.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write the report as JUnit XML: a test case for each target
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write the report as Markdown for a comment on a pull request
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Write the report as one HTML page that opens offline
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

impl ReportArgs {
    /// The files in the order of `json`, `junit`, `markdown`, `html`.
    #[must_use]
    pub fn paths(&self) -> [Option<&Path>; 4] {
        [&self.json, &self.junit, &self.markdown, &self.html].map(|path| path.as_deref())
    }
}

/// Flags of a watch.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// How long [default: 10m]
    #[arg(long = "for", value_name = "TIME")]
    pub time: Option<String>,
    /// Virtual users, at most 20 [default: 2]
    #[arg(long, value_name = "N")]
    pub users: Option<String>,
    /// URL of the stack under test; else the plan's `target`, else LOADTEST_TARGET
    #[arg(long, value_name = "URL")]
    pub target: Option<String>,
    /// Plan file; its journeys and targets count, not its load [default: ./loadtest.yml where it exists]
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Pause of a user between two journeys [default: 1s..3s]
    #[arg(long, value_name = "FROM..TO", allow_hyphen_values = true)]
    pub think: Option<String>,
    /// Send requests over HTTP/2: true where the server takes it in the TLS handshake, prior-knowledge at once, in clear too
    /// [default: false; true without a value]
    #[arg(long, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub http2: Option<String>,
    /// A variable of the journeys; wins over the plan's; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub variable: Vec<String>,
    /// A target such as 'api p95 < 2s', beside those of the plan; may be repeated [default: 'p95 < 2s', 'errors < 5%']
    #[arg(long, value_name = "TARGET")]
    pub require: Vec<String>,
    /// What an earlier watch saved, of whatever length
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Save this watch as a baseline, unless it is NO-GO or proves nothing
    #[arg(long, value_name = "FILE")]
    pub save_baseline: Option<PathBuf>,
    /// Files for reports.
    #[command(flatten)]
    pub reports: ReportArgs,
    /// Serve metrics of the run to Prometheus at this address, such as 127.0.0.1:9646
    #[arg(long, value_name = "ADDRESS")]
    pub metrics_listen: Option<String>,
    /// Print changes of state, the targets and the verdict only
    #[arg(long)]
    pub quiet: bool,
    /// Send requests to a public address: it is yours, and those who run it know
    #[arg(long)]
    pub i_own_this_target: bool,
}

/// Flags of judging again.
#[derive(Debug, Args)]
pub struct JudgeArgs {
    /// A report that `--json` wrote
    #[arg(value_name = "RUN.json")]
    pub run: PathBuf,
    /// A target such as 'api p95 < 2s'; may be repeated [default: those of the run]
    #[arg(long, value_name = "TARGET")]
    pub require: Vec<String>,
    /// An earlier run of the same plan; more than 50 % slower ends with 5
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Files for reports.
    #[command(flatten)]
    pub reports: ReportArgs,
    /// Print the targets and the verdict only
    #[arg(long)]
    pub quiet: bool,
}

/// Flags of a comparison.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The earlier run: a report that `--json` or `--save-baseline` wrote
    #[arg(value_name = "A.json")]
    pub base: PathBuf,
    /// The later run
    #[arg(value_name = "B.json")]
    pub run: PathBuf,
    /// Files for reports.
    #[command(flatten)]
    pub reports: ReportArgs,
}

/// Flags of a smoke test.
#[derive(Debug, Args)]
pub struct SmokeArgs {
    /// The files [default: the plan's journeys, with its setup, teardown, headers and data]
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// URL of the stack under test; else the plan's `target`, else LOADTEST_TARGET
    #[arg(long, value_name = "URL", conflicts_with = "files")]
    pub target: Option<String>,
    /// Plan file [default: ./loadtest.yml where it exists]
    #[arg(long, value_name = "FILE", conflicts_with = "files")]
    pub plan: Option<PathBuf>,
    /// Send requests over HTTP/2: true where the server takes it in the TLS handshake, prior-knowledge at once, in clear too
    /// [default: false; true without a value]
    #[arg(long, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub http2: Option<String>,
    /// A variable; wins over the plan's; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub variable: Vec<String>,
    /// Write the outcome as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Send requests to a public address: it is yours, and those who run it know
    #[arg(long, conflicts_with = "files")]
    pub i_own_this_target: bool,
}

/// Flags of a validation.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// URL of what is validated; else the plan's `target`, else LOADTEST_TARGET
    #[arg(long, value_name = "URL")]
    pub target: Option<String>,
    /// Plan file, whose `validate:` says what is expected [default: ./loadtest.yml where it exists]
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// A path whose headers and cookies are looked at; may be repeated [default: the target's own page]
    #[arg(long, value_name = "PATH")]
    pub page: Vec<String>,
    /// The plain address that must lead to HTTPS [default: port 80, where the target is on 443]
    #[arg(long, value_name = "URL")]
    pub http: Option<String>,
    /// Trust this authority (PEM) instead of Mozilla's list
    #[arg(long, value_name = "FILE")]
    pub cacert: Option<String>,
    /// A path that must refuse whoever has no credentials; may be repeated
    #[arg(long, value_name = "PATH")]
    pub protected: Vec<String>,
    /// A limit such as '/api/v1/assets 10/s burst 10' that must be enforced and not over-enforced; may be repeated
    #[arg(long, value_name = "LIMIT")]
    pub rate_limit: Vec<String>,
    /// An origin whose pages may read; all others may not; may be repeated
    #[arg(long, value_name = "ORIGIN")]
    pub cors_allow: Vec<String>,
    /// The path that is asked with origins [default: the first of --protected, else of --page]
    #[arg(long, value_name = "PATH")]
    pub cors_path: Option<String>,
    /// A `.hurl` file whose answers set the cookies that are looked at
    #[arg(long, value_name = "FILE")]
    pub log_in: Option<String>,
    /// A variable of the log-in; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub variable: Vec<String>,
    /// Only this validator; may be repeated
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// Without this validator; may be repeated
    #[arg(long, value_name = "NAME")]
    pub skip: Vec<String>,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write the report as JUnit
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Print what did not pass and the verdict only
    #[arg(long)]
    pub quiet: bool,
    /// Validate a public address: it is yours, and those who run it know
    #[arg(long)]
    pub i_own_this_target: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Flags;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_reach_the_plan_as_written() {
        let line =
            "loadtest --users 200 --run-time 1m --ramp 0s --think 1s..2s --requests 9 --variable a=1 --variable b=2";
        let cli = Cli::try_parse_from(line.split(' ').chain(["--require", "p95 < 1s"])).expect("flags");
        let flags = Flags::from(&cli.run);
        assert_eq!(flags.users.as_deref(), Some("200"));
        assert_eq!(flags.variable, ["a=1", "b=2"]);
        assert_eq!(flags.require, ["p95 < 1s"]);
        assert_eq!(flags.think.as_deref(), Some("1s..2s"));
    }

    #[test]
    fn an_unknown_flag_gets_a_suggestion() {
        let error = Cli::try_parse_from(["loadtest", "--user", "3"]).expect_err("unknown");
        assert!(error.to_string().contains("--users"), "{error}");
        assert_eq!(error.exit_code(), 2);
    }
}
