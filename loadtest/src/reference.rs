//! `loadtest reference`: the load tester's part of REFERENCE.md, put together from the tables that the program itself runs
//! on, so that the text cannot disagree with it.

mod figures;
mod hurl;
mod load;
mod metrics;
mod validators;

use hurl::HURL;
pub use hurl::{REFUSED, SUPPORTED, WITHOUT_EFFECT};

use crate::cli::Cli;
use crate::exit::CODES;
use crate::journey;
use crate::limits::{DATA_BYTES, DATA_ROWS};
use crate::plan::{FORMATS, KEYS, ORDERS, STEP_KEYS};
use crate::report::SCHEMA;
use crate::targets::{DEFAULTS, INDICATORS, RECOVERY};
use clap::CommandFactory;
use std::fmt::Write;

/// The whole text, Markdown.
#[must_use]
pub fn reference() -> String {
    let parts = [
        commands(),
        plan(),
        AROUND.to_owned(),
        load::load(),
        targets(),
        HURL.to_owned(),
        users(),
        options(),
        differences(),
        reports(),
        metrics::section(),
        validators::section(),
        exits(),
    ];
    format!("# loadtest\n\n{}", parts.join("\n"))
}

fn commands() -> String {
    let mut text = "## Command line\n".to_owned();
    let mut command = Cli::command();
    command.build();
    let mut all = vec![("loadtest [FLAGS]".to_owned(), command.clone())];
    all.extend(
        command
            .get_subcommands()
            .filter(|one| one.get_name() != "help")
            .map(|one| (format!("loadtest {}", one.get_name()), one.clone())),
    );
    for (name, command) in all {
        let _ =
            write!(text, "\n### `{name}`\n\n{}\n\n", command.get_about().map(ToString::to_string).unwrap_or_default());
        let flags = command.get_arguments().filter(|flag| flag.get_help().is_some());
        let rows: Vec<[String; 2]> =
            flags.map(|flag| [flag_name(flag), flag.get_help().map(ToString::to_string).unwrap_or_default()]).collect();
        text += &table(["flag", "meaning"], rows);
    }
    text + AB
}

fn flag_name(flag: &clap::Arg) -> String {
    let values = flag.get_action().takes_values().then(|| flag.get_value_names()).flatten().unwrap_or_default();
    let value = values.first().map_or(String::new(), |value| format!(" {value}"));
    let optional = flag.get_num_args().is_some_and(|range| range.min_values() == 0);
    match flag.get_long() {
        Some(long) if optional && !value.is_empty() => format!("`--{long}[={}]`", value.trim()),
        Some(long) => format!("`--{long}{value}`"),
        None => format!("`{}`", value.trim()),
    }
}

const AB: &str = "
`ab -n 1000 -c 10 URL` is `loadtest --requests 1000 --users 10 --target URL`: with a number of requests nobody thinks and nothing ramps, unless the plan says so. A target with a path is
requested as it stands; one without is asked for `/` and `/health`. The run ends with its requests or its time, whichever
comes first.

Before the load, each journey is run once by one user, all side by side. When that fails, nothing more is sent and the answer
is NO-GO: a journey that does not work for one user says nothing about two hundred, and a dead target is noticed at once. It
takes at most 20 seconds; what was not tried by then is named, and the load begins.

A target or journey that names a public address is refused unless `--i-own-this-target` is given. Loopback, private
(RFC 1918, RFC 6598, unique local) and link-local addresses, names without a dot and names under `.local`, `.internal`,
`.localhost` and `.test` pass. The same is asked for every connection of a run and of `loadtest validate`, after the name is looked up:
a redirect or a captured URL that leads to a public address is an error. A redirect to another origin (scheme, host or port) takes no
`Authorization`, `Proxy-Authorization` or `Cookie` of a file or a plan along, unless the file asks for it with `location-trusted`.
";

fn plan() -> String {
    let row =
        |(key, meaning, example): &(&str, &str, &str)| [format!("`{key}`"), format!("{meaning}, such as `{example}`")];
    let (rows, steps) = (KEYS.iter().map(row), STEP_KEYS.iter().map(row));
    let formats = FORMATS.iter().map(|format| {
        let endings: Vec<String> = format.endings.iter().map(|ending| format!("`.{ending}`")).collect();
        [endings.join(", "), format.holds.to_owned()]
    });
    let orders = ORDERS.iter().map(|(name, _, meaning)| [format!("`{name}`"), (*meaning).to_owned()]);
    format!(
        "## Plan (`loadtest.yml`)\n\n{}\nUnknown keys are refused. Paths are relative to the plan's folder. `${{NAME}}` and \
         `${{NAME:-default}}` in a value are filled from the environment after parsing; `$${{` is a literal `${{`. Values of \
         variables and columns whose names look secret (`password`, `token`, `secret`, `key`, …), and values that come from \
         such variables of the environment, are never shown. The variable `target` always holds the target's URL without a \
         slash at its end: journeys write `GET {{{{target}}}}/path`.\n\n### WebSocket steps\n\n{}{STEPS}\n### Data files\n\n{}{DATA}A file has at most {} MiB and {DATA_ROWS} rows.\n\n{}",
        table(["key", "meaning"], rows),
        table(["key", "meaning"], steps),
        table(["ending", "what the file holds"], formats),
        DATA_BYTES >> 20,
        table(["order", "which row a user gets"], orders),
    )
}

const DATA: &str = "
Columns and keys become variables. Values of JSON have the types of Hurl's variables: text, integer, float, boolean and null. A number is
sent as the file writes it (`1.0`, `1e3`, integers of any size). An object or array below a key is a text, its JSON without white space: for a
whole body `` `{{basket}}` ``, or anywhere in a body between three backquotes; within it, too, values of keys that look secret are never
shown. Every object has the same keys, in any order.
";

const STEPS: &str = "
`steps` of a journey are files and WebSockets in their order, instead of `files`; all share variables and cookies. Opening a WebSocket
(connection, TLS, upgrade, its key checked) is one request, `NAME (open)`, and each round trip from sending to the answer that fits is
one, `NAME`; both stand in figures and targets like any other, with the bytes of messages received. No answer in time is a
`timeout`, answers of which none fits are an `assert`, another status than 101 is a `status` (401 and 403 `auth`, 429 `limited`), a server that closes is
`broken`, frames that are none are `protocol`; the first failure ends the journey's round. Pings are answered. A message has at most 4 MiB,
and one round trip at most 10000 messages and 64 MiB. At the end of the step the connection is closed (1000), for which the server has a
second. Before the load each text is sent once. A variable captured here
whose name looks secret is never shown.
";

fn targets() -> String {
    let rows = INDICATORS
        .iter()
        .chain([&RECOVERY])
        .map(|row| [format!("`{}`", row.name), row.summary.to_owned(), row.unit.example().to_owned()]);
    let defaults = DEFAULTS.join("`, `");
    format!(
        "## Targets\n\n{GRAMMAR}\n{}\n{JUDGE}\nWithout targets, `{defaults}` hold.\n\n{}",
        table(["indicator", "meaning", "limit"], rows),
        figures::figures()
    )
}

const GRAMMAR: &str = "`[name] indicator op limit [during stage]`, such as `api p95 < 2s` or `errors < 1%`. The operators are `<`, `<=`, `>`, `>=`. The name
is that of a request (`# @name x` above the entry, else method and unrendered path), of a journey (all its requests) or of a
group, in this order; without a name the target is about all requests. Quotes around a name are optional: `GET /x p95 < 2s`.
In YAML, a target that begins with a quote is quoted as a whole: `\"'GET /x' p95 < 2s\"`. The group `api` is built in: every
request whose path has the segment `api` and something behind it.

`p95 < 300ms during spike` is about one stage. `recovery < 30s after spike` is about the time from the end of that stage until, over at least 3
slots of the timeline and 20 requests, p95 is at most 1.5 times what it was in the stage before (or 5 ms above it) and errors are at most 1 %
above what they were. Requests that hang count with their age.

`over TIME` behind the limit asks for it in every window of that length within the judged time, such as `p95 < 300ms over 30s`: the worst
window counts. A window without enough requests counts for nothing.
";

const JUDGE: &str = "A target is **met**, **missed** or **inconclusive**.

- A target without a stage is about all judged stages together. A run that ended during the ramp is judged by the ramp.
- A percentile takes so many requests that at least one lies beyond it: p50 2, p90 10, p95 20, p99 100. With fewer it is
  inconclusive, and the tables show `–`.
- `errors < x` is met only from 1/x requests on (1 % takes 100); it is missed with any number of requests.
- Latencies include those of failed requests. Where no request succeeded, no latency target is met.
- Throughput counts requests that succeeded.
- When the load generator was the bottleneck, every target is inconclusive, except that a missed `errors` target stays missed.
  That is: it used 90 % of its CPU for more than half of the time, or its timers fired more than 200 ms late (p99), or its users lost more than 10 % of their
  time to such lateness, so that less than 90 % of the load was offered. The report shows that share.
- Timers that fire late make a latency look longer, never shorter. A latency that misses by less than twice
  their lateness at the same percentile is inconclusive.
- A target without any request is inconclusive. No data is never met.

The verdict is NO-GO when a target is missed or the stack was given up as dead or hung, else inconclusive when a target is,
else GO.

`abort_after: 10s` in the plan, in a target of it, or as `--abort-after` ends the run on a lost cause: once a second each such target is
judged by what there is so far, as it would be at the end; when it is missed, by as many requests as its figure takes, at every look for
that long, the run ends. A target over windows is looked at once one is whole. Nothing ends a run during a stage that is not judged, such as
a warm-up, and nothing of it ends a `watch`. The verdict is NO-GO, `ending` says which target it was and when, and the report is of
what was measured. A step of `--profile capacity` ends the same way, and has broken. A target that does not answer at all needs none of
this: it is given up after 10 s, one whose connections fail after 5 s.

`max_errors: 500` or `--max-errors 500` is a brake, and no target: the run ends as NO-GO once so many requests have failed, in a warm-up too, be
they few of a million. It is looked at ten times a second, and what is in flight then is waited for, so that some more may fail. There is no
default: how many are too many depends on who else suffers from them, and a share is what `errors < 5%` is for. Each step of `--profile
capacity` counts anew; a `watch` has its own reasons to end.
";

const AROUND: &str = "### Setup and teardown

`setup` runs once before anything else is sent, also before each journey is tried, and `teardown` once after the load: as user 1, with the plan's variables
and headers and the user's first row of each data file, without think time. What the setup captures, and what its options set, is a variable of every
journey and of the teardown. It wins over a variable of the plan; columns of a data file and captures of a journey win over it. Cookies do not go
along. A value captured with `redact`, or whose name looks secret, is hidden everywhere.

Neither is measured or judged, and no target can name their requests. A setup that fails, or takes longer than 5 min, ends the run before the load: NO-GO,
with file and line; the teardown, whose variables may be missing then, is left out. After a setup that passed (or none) the teardown runs whatever became of
the run: its end, a dead target, a journey that fails for one user, a first signal. A second signal, or 60 s, ends it. One that fails is told at the
terminal and in the reports (`teardown` in the JSON) and changes neither verdict nor exit code. A search for the capacity has one setup and one teardown
round all its steps.
";

/// Every virtual user has these; they are part of the plan's and the journeys' text.
fn users() -> String {
    let rows = journey::BUILT_IN.iter().map(|(name, meaning)| [format!("`{name}`"), (*meaning).to_owned()]);
    format!("### Built-in variables\n\n{}{BUILT_IN}", table(["variable", "value"], rows))
}

const BUILT_IN: &str = "
A variable of the plan, a column of its data, a flag or a capture of the same name hides the built-in one. In `loadtest smoke`
all are those of user 1. Behind a proxy that trusts it, `headers: {X-Forwarded-For: \"{{user_address}}\"}` in the plan makes
every virtual user a client of its own. The headers of the plan are sent with every request of every journey, but not by
`loadtest smoke`, which reads no plan; a header of the entry, in its `[Options]` too, wins, and `no-header` leaves one out.
";

fn options() -> String {
    let rows = [("supported", SUPPORTED), ("without effect", WITHOUT_EFFECT), ("refused", REFUSED)];
    let rows = rows.map(|(what, options)| [what.to_owned(), format!("`{}`", options.join("` `"))]);
    table(["options", ""], rows)
}

fn differences() -> String {
    let rows = journey::DIFFERENCES.iter().map(|one| [one.hurl.to_owned(), one.here.to_owned()]);
    format!("### Where it differs from Hurl on purpose\n\n{}", table(["Hurl 8.1", "loadtest"], rows))
}

const REPORTS: &str = "## Reports

Every file is opened before the first request, with room for a report made in it, and written however the run ends. All are
renderings of one report.

| flag | what it writes |
|---|---|
| `--json` | everything, for programs: its schema is `loadtest schema` (`loadtest/report.schema.json`); HDR histograms of all latencies are in it |
| `--junit` | JUnit XML: a test case for each target, one for the run's end, one for each rollback trigger. A missed target is a `failure`; an inconclusive one is an `error` and not skipped, for CI systems paint skipped tests green |
| `--markdown` | a comment for a pull request: verdict, triggers, culprits, targets, slowest requests, errors. Its first line is `<!-- loadtest -->`, by which a bot finds its comment again |
| `--html` | one page without scripts or anything from elsewhere: latency, rate and users over time, percentile curve, heat map, what each sidecar told of its service, and all figures as tables; light and dark, phone and paper |

`loadtest judge RUN.json --require 'api p99 < 1s'` judges such a JSON file again, by other targets, without a request.

### JSON

The version is 1; it changes when a key changes its meaning, and keys are added without.

{KEYS}
Causes of errors: `dns` `connect` `tls` `timeout` `broken` `protocol` `status` `assert` `journey` `auth` `limited` `data`. `auth` is a 401 or 403 where the journey expected another status, `limited` a 429; `data` an assert that
reads something back: `sha256` or `md5`, or equality with a variable (other than `target`) or a file.
";

fn reports() -> String {
    let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap_or_default();
    let mut rows = Vec::new();
    keys(&schema, &schema, "", &mut rows);
    REPORTS.replace("{KEYS}", &table(["key", "meaning"], rows))
}

/// The keys of an object in the schema and what they mean, those of inner objects behind it.
fn keys(schema: &serde_json::Value, object: &serde_json::Value, path: &str, rows: &mut Vec<[String; 2]>) {
    for (key, value) in object.get("properties").and_then(serde_json::Value::as_object).into_iter().flatten() {
        let inner = value.get("anyOf").and_then(|any| any.get(1)).unwrap_or(value);
        let (mark, inner) = inner.get("items").map_or(("", inner), |items| ("[]", items));
        let reference = inner.get("$ref").and_then(serde_json::Value::as_str).and_then(|to| to.strip_prefix('#'));
        let inner = reference.and_then(|to| schema.pointer(to)).unwrap_or(inner);
        let meaning = value.get("description").or_else(|| inner.get("description"));
        let words = inner.get("enum").and_then(serde_json::Value::as_array);
        let words: Vec<&str> = words.into_iter().flatten().filter_map(serde_json::Value::as_str).collect();
        let words = if words.is_empty() { String::new() } else { format!("`{}`", words.join("`, `")) };
        let said = [meaning.and_then(serde_json::Value::as_str).unwrap_or_default(), &words].join(" ");
        let here = format!("{path}{key}{mark}");
        rows.push([format!("`{here}`"), said.trim().to_owned()]);
        // A total has the keys of a request: they are told once.
        if key != "total" && key != "stage_totals" && key != "errors_by" {
            keys(schema, inner, &format!("{here}."), rows);
        }
    }
}

fn exits() -> String {
    let rows = CODES.iter().map(|(exit, meaning)| [exit.0.to_string(), (*meaning).to_owned()]);
    format!(
        "## Exit codes\n\n{}\nWhere several fit: signal, rollback, NO-GO, inconclusive.\n",
        table(["code", "meaning"], rows)
    )
}

/// A Markdown table.
fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head = line(&head.map(str::to_owned)) + "|" + &"---|".repeat(N) + "\n";
    rows.into_iter().fold(head, |all, row| all + &line(&row.map(|cell| cell.replace('|', "\\|"))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Failure;
    use std::path::Path;

    #[test]
    fn names_every_flag_key_indicator_cause_and_code() {
        let text = reference();
        for flag in Cli::command().get_arguments().filter_map(|flag| flag.get_long()) {
            assert!(text.contains(&format!("`--{flag}")), "{flag}");
        }
        for (key, ..) in KEYS {
            assert!(text.contains(&format!("| `{key}` |")), "{key}");
        }
        for key in [
            "version",
            "requests[].hdr_v2",
            "timeline.slots[].p95_us",
            "baseline.changes[].times",
            "names.groups[].patterns",
        ] {
            assert!(text.contains(&format!("| `{key}")), "{key}");
        }
        for failure in Failure::ALL {
            assert!(text.contains(&format!("`{}`", failure.as_str())), "{}", failure.as_str());
        }
    }

    #[test]
    fn the_lists_of_options_are_what_the_compiler_does() {
        let accepts = |option: &str| {
            let value = match option {
                "delay" | "retry-interval" | "connect-timeout" | "max-time" => "1s",
                "max-redirs" | "repeat" | "retry" | "limit-rate" => "3",
                "variable" => "a=1",
                "header" => "a: b",
                "user" | "aws-sigv4" => "a:b",
                "netrc-file" | "output" | "cacert" | "cert" | "key" | "proxy" | "resolve" | "connect-to"
                | "unix-socket" | "pinnedpubkey" => "a",
                "tls-max" | "tls-min" => "1.2",
                "verbosity" => "brief",
                "no-header" => "a",
                _ => "true",
            };
            let text = format!("GET http://h/\n[Options]\n{option}: {value}\n");
            journey::parse("x.hurl", &text, Path::new("")).map(drop).map_err(|problems| problems.to_string())
        };
        for option in SUPPORTED.iter().chain(WITHOUT_EFFECT) {
            assert_eq!(accepts(option), Ok(()), "{option}");
        }
        for option in REFUSED {
            let refusal = accepts(option).expect_err(option);
            assert!(refusal.contains("is not supported"), "{option}: {refusal}");
        }
    }
}
