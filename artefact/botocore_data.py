"""Cuts botocore's descriptions of AWS to what our code calls; otherwise a cold start searches 28 MB of text.

It finds out what our code calls: the services are those that headnode/aws.py names, and an operation is kept if its
Python name occurs anywhere in headnode/, as an attribute or a string. It may keep too much but never cuts too much.
"""

import ast
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore import xform_name
from botocore.loaders import Loader

# botocore itself calls these, to find a bucket's Region and to open a session with a directory bucket.
_OF_BOTOCORE = {"s3": {"HeadBucket", "CreateSession"}}
_KEPT = ("_retry.json", "partitions.json", "sdk-default-configuration.json")


def cut(data: Path, headnode: Path) -> dict[str, list[str]]:
    """Cut botocore's folder `data` to what the code in `headnode` uses; return the remaining operations by service."""
    loader = Loader(extra_search_paths=[str(data)], include_default_search_paths=False)
    named = set(_names(headnode / "aws.py"))
    services = sorted(named & set(loader.list_available_services("service-2")))
    called = {name for source in sorted(headnode.glob("*.py")) for name in _names(source)}
    fresh = data.with_name("data.cut")
    kept = {}
    for service in services:
        version = loader.determine_latest_version(service, "service-2")
        folder = fresh / service / version
        folder.mkdir(parents=True)
        model = _used(service, loader.load_service_model(service, "service-2"), called)
        kept[service] = sorted(model["operations"])
        _write(folder / "service-2.json", model)
        _write(folder / "endpoint-rule-set-1.json", loader.load_service_model(service, "endpoint-rule-set-1"))
        _write(folder / "paginators-1.json", _paginators(loader, service, kept[service]))
    for name in _KEPT:
        shutil.copyfile(data / name, fresh / name)
    _write(fresh / "endpoints.json", _endpoints(json.loads((data / "endpoints.json").read_text()), services))
    shutil.rmtree(data)
    fresh.rename(data)
    return kept


def _names(source: Path) -> Iterator[str]:
    """All names of attributes and all strings in a module."""
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _used(service: str, model: Mapping[str, Any], called: set[str]) -> dict[str, Any]:
    """The service's model with only these operations and the shapes that they need, without documentation."""
    operations = {
        name: operation
        for name, operation in model["operations"].items()
        if xform_name(name) in called or name in _OF_BOTOCORE.get(service, ()) or operation.get("endpointoperation")
    }
    shapes: dict[str, Any] = {}
    pending = list(_shape_names(operations))
    while pending:
        name = pending.pop()
        if name not in shapes:
            shapes[name] = model["shapes"][name]
            pending += _shape_names(shapes[name])
    cut = {**model, "operations": operations, "shapes": {name: shapes[name] for name in sorted(shapes)}}
    undocumented: dict[str, Any] = _without_documentation(cut)
    return undocumented


def _shape_names(described: Any) -> Iterator[str]:
    """The shapes that a piece of a model refers to: `{"shape": NAME}`, at any depth."""
    if isinstance(described, dict):
        for key, value in described.items():
            if key == "shape" and isinstance(value, str):
                yield value
            else:
                yield from _shape_names(value)
    elif isinstance(described, list):
        for value in described:
            yield from _shape_names(value)


def _without_documentation(described: Any) -> Any:
    """The same with empty texts, because botocore expects some; a shape's member named `documentation` stays."""
    if isinstance(described, dict):
        return {
            key: "" if key == "documentation" and isinstance(value, str) else _without_documentation(value)
            for key, value in described.items()
        }
    if isinstance(described, list):
        return [_without_documentation(value) for value in described]
    return described


def _paginators(loader: Loader, service: str, operations: list[str]) -> dict[str, Any]:
    pagination = loader.load_service_model(service, "paginators-1")["pagination"]
    return {"pagination": {name: pages for name, pages in pagination.items() if name in operations}}


def _endpoints(endpoints: dict[str, Any], services: list[str]) -> dict[str, Any]:
    for partition in endpoints["partitions"]:
        partition["services"] = {
            name: partition["services"][name] for name in services if name in partition["services"]
        }
    return endpoints


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, separators=(",", ":")))
