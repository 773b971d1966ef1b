//! Files and folders into objects. The only part of this check that touches a disk.

use super::model::Object;
use crate::config;
use crate::limits;
use crate::node::Value;
use crate::paint::Paint;
use crate::preflight::{Findings, counted};
use crate::small;
use std::path::{Path, PathBuf};

/// The objects of all files. A folder stands for the YAML files in it and below it, hidden ones left out.
pub(super) fn all(paths: &[String], findings: &mut Findings) -> Vec<Object> {
    let mut objects = Vec::new();
    for given in paths {
        let path = Path::new(given);
        if path.is_dir() {
            folder(path, &mut objects, findings);
        } else if let Some(found) = file(path, findings) {
            if found.is_empty() {
                let hint = "name manifests: YAML documents with `apiVersion` and `kind`";
                findings
                    .unreadable(format!("error: there is no Kubernetes object in it\n  at {given}\nhint: {hint}\n"));
            } else {
                findings.checked(given, counted(found.len(), "object"));
            }
            objects.extend(found);
        }
    }
    objects
}

fn folder(path: &Path, objects: &mut Vec<Object>, findings: &mut Findings) {
    let files = match files(path) {
        Ok(files) => files,
        Err(error) => {
            return findings.unreadable(format!("error: cannot read the folder: {error}\n  at {}\n", path.display()));
        }
    };
    if files.len() > limits::MANIFESTS {
        let most = limits::MANIFESTS;
        return findings.unreadable(format!(
            "error: more than {most} YAML files\n  at {}\nhint: name fewer folders\n",
            path.display()
        ));
    }
    let before = objects.len();
    for one in files {
        objects.extend(file(&one, findings).unwrap_or_default());
    }
    findings.checked(&path.display().to_string(), counted(objects.len() - before, "object"));
}

/// The YAML files in a folder and below it, in order, at most one more than allowed.
fn files(top: &Path) -> std::io::Result<Vec<PathBuf>> {
    let (mut found, mut waiting) = (Vec::new(), vec![(top.to_path_buf(), 0)]);
    while let Some((folder, depth)) = waiting.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            let is_yaml = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
            // A link to a folder is not followed: it may lead back.
            if kind.is_dir() && !hidden && depth < limits::MANIFEST_DEPTH {
                waiting.push((path, depth + 1));
            } else if is_yaml && !hidden && path.is_file() && found.len() <= limits::MANIFESTS {
                found.push(path);
            }
        }
    }
    small::sort(&mut found);
    Ok(found)
}

fn file(path: &Path, findings: &mut Findings) -> Option<Vec<Object>> {
    let shown = path.display().to_string();
    match config::read_documents(path) {
        Ok(read) => {
            for (key, first) in &read.repeated {
                let (line, name) = (key.at.line, &key.name);
                findings.unreadable(format!(
                    "error: the key `{name}` stands here a second time\n  at {shown}:{line}\nhint: it stands in line {} too; remove one of them\n",
                    first.line
                ));
            }
            let documents = read.documents.into_iter().filter(|document| document.value != Value::Null);
            Some(documents.flat_map(|document| Object::of_document(&shown, document)).collect())
        }
        Err(error) => {
            findings.unreadable(error.render(Paint::OFF));
            None
        }
    }
}
