//! Every manifest under `tests/preflight/kubernetes`: the good ones have no finding, the bad ones exactly those that their comments
//! name, each on its line.

use super::*;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn folder(name: &str) -> Vec<PathBuf> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/preflight/kubernetes").join(name);
    let mut found: Vec<PathBuf> = fs::read_dir(&top).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

fn found(path: &Path) -> Findings {
    let mut findings = Findings::default();
    check(&[path.display().to_string()], &mut findings);
    assert!(findings.unreadable.is_empty(), "{:?}", findings.unreadable);
    findings
}

/// Lines and rules as the comments have them.
fn expected(path: &Path) -> BTreeSet<(usize, String)> {
    let text = fs::read_to_string(path).unwrap();
    let lines =
        text.lines().enumerate().filter_map(|(index, line)| Some((index + 1, line.split_once("# finding: ")?.1)));
    lines.flat_map(|(line, rules)| rules.split_whitespace().map(move |rule| (line, rule.to_owned()))).collect()
}

#[test]
fn well_made_manifests_have_no_finding() {
    let good = folder("good");
    assert!(good.len() >= 11, "{good:?}");
    for path in good {
        let findings = found(&path);
        assert!(findings.all.is_empty(), "{}: {:#?}", path.display(), findings.all);
        assert_eq!(findings.checked.len(), 1, "{}", path.display());
    }
}

#[test]
fn broken_manifests_have_their_findings_on_their_lines() {
    let mut rules = BTreeSet::new();
    for path in folder("bad") {
        let findings = found(&path);
        let shown: BTreeSet<(usize, String)> =
            findings.all.iter().map(|finding| (finding.place.at.line, finding.rule.name.to_owned())).collect();
        assert_eq!(shown, expected(&path), "{}: {:#?}", path.display(), findings.all);
        assert_eq!(shown.len(), findings.all.len(), "each once: {:#?}", findings.all);
        rules.extend(shown.into_iter().map(|(_, rule)| rule));
        let text = format!("{:?}", findings.all);
        assert!(!text.contains("s3cret"), "the value of a secret is shown: {text}");
    }
    let all: BTreeSet<String> = RULES.iter().map(|rule| rule.name.to_owned()).collect();
    assert_eq!(rules, all, "every rule has a manifest that breaks it");
}

#[test]
fn our_own_manifests_are_well_made() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docker/kubernetes");
    let findings = found(&own);
    assert!(findings.all.is_empty(), "{:#?}", findings.all);
}

#[test]
fn what_is_no_manifest_is_told_and_never_half_read() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let cases = [
        (put("broken.yaml", "kind: Pod\n  spec: [\n"), "broken.yaml:"),
        (put("other.yaml", "services: {db: {image: x}}\n"), "no Kubernetes object"),
        (put("empty.yaml", ""), "no Kubernetes object"),
        (folder.path().join("gone.yaml").display().to_string(), "gone.yaml"),
    ];
    for (path, words) in cases {
        let mut findings = Findings::default();
        check(&[path], &mut findings);
        assert!(findings.unreadable.len() == 1 && findings.unreadable[0].contains(words), "{words}: {findings:?}");
        assert!(findings.all.is_empty() && findings.checked.is_empty());
    }
}

#[test]
fn shapes_that_no_api_server_takes_are_left_out_without_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("odd.yaml");
    let odd = "kind: Service\nspec: [1]\n---\nkind: Deployment\nspec: {template: {spec: {containers: {a: b}, volumes: x}, metadata: 3}, selector: {matchLabels: 7}}\n---\nkind: List\nitems: 4\n---\n- a\n";
    fs::write(&path, odd).unwrap();
    assert!(found(&path).all.is_empty());
}
