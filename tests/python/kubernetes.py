"""Holds Kubernetes manifests (YAML on stdin) against the schemas of Kubernetes and of the Prometheus operator.

Prints them as a JSON list; every problem goes to stderr with kind, name and place, and makes the exit code 1.
"""

import json
import sys

import kubernetes_validate
import pydantic
import yaml
from cloudcoil.models.prometheus_operator import v1 as operator

VERSION = "1.29"  # the oldest with native sidecars on by default


def operator_problems(document):
    model = getattr(operator, document["kind"], None)
    if model is None:
        return [f"no such kind of the Prometheus operator: {document['kind']}"]
    try:
        known = model.model_validate(document).model_dump(by_alias=True, exclude_unset=True, mode="json")
    except pydantic.ValidationError as error:
        return [f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()]
    return list(dropped(document["spec"], known.get("spec"), "spec"))


def dropped(written, known, place):
    """The models ignore keys that they do not know, a cluster refuses them: what did not come back is unknown."""
    if isinstance(written, dict):
        for key, value in written.items():
            if not isinstance(known, dict) or key not in known:
                yield f"{place}.{key}: unknown key"
            else:
                yield from dropped(value, known[key], f"{place}.{key}")
    elif isinstance(written, list):
        for index, value in enumerate(written):
            yield from dropped(value, known[index], f"{place}[{index}]")


def kubernetes_problems(document):
    try:
        kubernetes_validate.validate(document, VERSION, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [f"{'.'.join(map(str, error.path))}: {error.message}"]
    except kubernetes_validate.SchemaNotFoundError as error:
        return [str(error)]
    return []


def main():
    documents = [document for document in yaml.safe_load_all(sys.stdin) if document]
    json.dump(documents, sys.stdout)
    found = 0
    for document in documents:
        check = operator_problems if document["apiVersion"].startswith("monitoring.coreos.com/") else kubernetes_problems
        for problem in check(document):
            print(f"{document['kind']}/{document['metadata']['name']}: {problem}", file=sys.stderr)
            found += 1
    sys.exit(1 if found else 0)


main()
