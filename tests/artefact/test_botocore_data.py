"""What is cut from botocore's data: everything that our code calls stays and works."""

import shutil
from pathlib import Path
from typing import Any

import botocore
import pytest
from botocore.config import Config
from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.session import Session

from artefact.botocore_data import cut

HEADNODE = Path(__file__).parents[2] / "headnode"
FULL = Path(botocore.__file__).parent / "data"
SERVICES = ("dynamodb", "ec2", "s3", "ssm")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of botocore's data, with two services that we do not use, cut."""
    data = tmp_path_factory.mktemp("botocore") / "data"
    data.mkdir()
    for service in (*SERVICES, "sqs", "iam"):
        shutil.copytree(FULL / service, data / service)
    for path in FULL.glob("*.json"):
        shutil.copy(path, data)
    cut(data, HEADNODE)
    return data


@pytest.fixture(scope="module")
def session(data: Path) -> Session:
    loader = Loader([str(data)], include_default_search_paths=False)
    loader.BUILTIN_DATA_PATH = str(data)  # it is botocore's own data, as in the artefact, not what a user added
    session = Session()
    session.register_component("data_loader", loader)
    session.set_credentials("local", "local")
    return session


def test_the_services_in_use_stay(data: Path) -> None:
    assert sorted(path.name for path in data.iterdir() if path.is_dir()) == list(SERVICES)


@pytest.mark.parametrize(
    ("service", "operations"),
    {
        "ec2": {"DescribeInstances"},
        "s3": {"GetObject", "PutObject", "DeleteObject"},
        "ssm": {"SendCommand", "GetCommandInvocation", "CancelCommand", "DescribeInstanceInformation"},
    }.items(),
)
def test_operations_that_we_call_stay_and_the_others_go(
    service: str, operations: set[str], data: Path, session: Session
) -> None:
    left = set(session.get_service_model(service).operation_names)
    assert operations <= left
    assert len(left) < 15


@pytest.mark.parametrize("service", SERVICES)
def test_every_remaining_operation_has_all_its_shapes(service: str, session: Session) -> None:
    model = session.get_service_model(service)
    for name in model.operation_names:
        operation = model.operation_model(name)
        seen: set[str] = set()
        for shape in (operation.input_shape, operation.output_shape, *operation.error_shapes):
            walk(shape, seen)
        assert seen


def walk(shape: Shape | None, seen: set[str]) -> None:
    if shape is None or shape.name in seen:
        return
    seen.add(shape.name)
    if isinstance(shape, StructureShape):
        for member in shape.members.values():
            walk(member, seen)
    elif isinstance(shape, ListShape):
        walk(shape.member, seen)
    elif isinstance(shape, MapShape):
        walk(shape.key, seen)
        walk(shape.value, seen)


@pytest.mark.parametrize("region", ["eu-west-1", "us-gov-west-1", "cn-north-1"])
@pytest.mark.parametrize("service", SERVICES)
def test_clients_find_their_endpoint_as_with_the_full_data(service: str, region: str, session: Session) -> None:
    full = Session()
    full.set_credentials("local", "local")
    config = Config(signature_version="s3v4") if service == "s3" else None
    urls = [made.create_client(service, region, config=config).meta.endpoint_url for made in (session, full)]
    assert urls[0] == urls[1]


def test_the_full_data_gives_the_same_presigned_url(session: Session) -> None:
    full = Session()
    full.set_credentials("local", "local")
    hosts = []
    for made in (session, full):
        client: Any = made.create_client("s3", "eu-west-1", config=Config(signature_version="s3v4"))
        url = client.generate_presigned_url("put_object", Params={"Bucket": "lab", "Key": "answers/1"})
        hosts.append(url.partition("?")[0])
    assert hosts[0] == hosts[1]


def test_pagination_works(session: Session) -> None:
    assert session.create_client("ec2", "eu-west-1").can_paginate("describe_instances")
