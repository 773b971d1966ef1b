//! The compose files as an engine reads them: every combination is accepted, the local override changes images and nothing else, what
//! differs between engines is not used, and `.env.example` tells every setting.

use serde_json::Value;
use std::collections::BTreeMap;
use tests::compose::{config, services};
use tests::repo::{read, root};
use tests::skipped;

const OVERRIDES: [&str; 3] = [".local", ".mysql", ".loadtest"];

#[test]
fn every_combination_of_files_is_accepted() {
    for chosen in 0..1_u8 << OVERRIDES.len() {
        let mut names = vec![""];
        names.extend(OVERRIDES.iter().enumerate().filter(|(bit, _)| chosen & (1 << bit) != 0).map(|(_, name)| *name));
        match config(&names) {
            Ok(Some(config)) => assert_eq!(services(&config).len(), 17, "{names:?}"),
            Ok(None) => return skipped("every_combination_of_files_is_accepted", "no compose is installed"),
            Err(why) => panic!("{names:?}: {why}"),
        }
    }
}

/// Takes the images out, and puts what has no order of its own in order: merging files shuffles it.
fn without_images(config: &Value) -> (Value, BTreeMap<String, String>) {
    let mut config = config.clone();
    let mut images = BTreeMap::new();
    for (name, service) in config["services"].as_object_mut().expect("services") {
        let image = service.as_object_mut().expect("a service").remove("image").expect("an image");
        images.insert(name.clone(), image.as_str().expect("text").to_owned());
        for key in ["volumes", "secrets", "ports", "tmpfs"] {
            if let Some(list) = service[key].as_array_mut() {
                list.sort_by_key(Value::to_string);
            }
        }
        for network in service["networks"].as_object_mut().expect("networks").values_mut().filter(|one| one.is_null()) {
            *network = Value::Object(serde_json::Map::new());
        }
    }
    (config, images)
}

#[test]
fn the_local_override_changes_images_and_nothing_else() {
    for others in [&[][..], &[".mysql"], &[".loadtest"], &[".mysql", ".loadtest"]] {
        let public: Vec<&str> = [""].iter().chain(others).copied().collect();
        let local: Vec<&str> = ["", ".local"].iter().chain(others).copied().collect();
        let (Ok(Some(public)), Ok(Some(local))) = (config(&public), config(&local)) else {
            return skipped("the_local_override_changes_images_and_nothing_else", "no compose is installed");
        };
        let ((public, public_images), (local, local_images)) = (without_images(&public), without_images(&local));
        for (name, service) in services(&public) {
            assert_eq!(service, &services(&local)[name], "{name}, with {others:?}");
        }
        for key in ["networks", "volumes", "secrets"] {
            assert_eq!(public[key], local[key], "{key}, with {others:?}");
        }
        for (service, image) in &public_images {
            let tag = image.rsplit_once(':').map(|(_, tag)| tag).unwrap_or_default();
            assert!(tag.contains('.') && tag != "latest", "{service}: {image} is not pinned");
            // MySQL's image is chosen by a variable: its file comes after the override.
            let chosen_by_variable = ["db", "backup"].contains(&service.as_str()) && others.contains(&".mysql");
            assert!(local_images[service].starts_with("stack-local/") || chosen_by_variable, "{service}");
        }
    }
}

/// What one of the engines does not know, or knows since a short while only.
const NOT_EVERYWHERE: [&str; 9] = [
    "start_interval",
    "create_host_path",
    "include:",
    "cgroup:",
    "configs:",
    "!reset",
    "!override",
    "extends:",
    "service_completed_successfully",
];

#[test]
fn nothing_is_used_that_only_one_engine_knows() {
    for name in ["", ".local", ".mysql", ".loadtest"] {
        let text = read(&root().join(format!("docker/compose{name}.yaml")));
        for word in NOT_EVERYWHERE {
            let used = |line: &&str| line.trim_start().starts_with(word) || line.contains(&format!("{{{word}"));
            assert_eq!(text.lines().find(used), None, "compose{name}.yaml uses `{word}`");
        }
        assert!(!text.lines().any(|line| line.starts_with("name:") || line.starts_with("version:")), "{name}");
    }
    for file in tests::repo::files("docker", "Dockerfile") {
        let text = read(&file);
        for word in ["--mount", "--chmod", "<<", "# syntax", "ADD http"] {
            assert!(!text.contains(word), "{}: the legacy builder has no `{word}`", file.display());
        }
    }
}

/// Every `${NAME:-default}` of the compose files; `$${…}` is a container's own.
fn variables() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for name in ["", ".mysql", ".loadtest"] {
        let text = read(&root().join(format!("docker/compose{name}.yaml")));
        for piece in text.replace("$${", "").split("${").skip(1) {
            let inner = piece.split('}').next().expect("closed");
            let (name, default) = inner.split_once(":-").unwrap_or_else(|| panic!("`{inner}` has no default"));
            found.insert(name.to_owned(), default.to_owned());
        }
    }
    found
}

#[test]
fn the_example_settings_are_the_defaults_and_none_is_missing() {
    let example: BTreeMap<String, String> = read(&root().join("docker/.env.example"))
        .lines()
        .filter_map(|line| line.trim_start_matches("# ").split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    for (name, default) in variables() {
        // Its default without docker/up is what compose calls a project in this folder.
        if name != "COMPOSE_PROJECT_NAME" {
            assert_eq!(example.get(&name), Some(&default), "{name} in .env.example");
        }
    }
}
