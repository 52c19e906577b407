"""What passes through the bucket, and by which URLs."""

import hashlib
import urllib.error
import urllib.request
from urllib.parse import parse_qs, urlsplit

import pytest

from headnode.aws import Clients
from headnode.errors import ClusterUnreachableError
from headnode.storage import Scripts, ScriptUnavailableError, Storage
from local.aws import BUCKET, SCRIPTS
from local.stack import Stack
from slurm.refusal import RefusalCode

BODY = bytes(range(256)) * 200


@pytest.fixture
def storage(stack: Stack) -> Storage:
    return Storage(Clients(), BUCKET)


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def put(url: str, body: bytes) -> None:
    """As the program on the head node does it."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/octet-stream"}, method="PUT")  # noqa: S310 - moto's
    with urllib.request.urlopen(request, timeout=30):  # noqa: S310 - moto's
        pass


def test_an_object_that_the_head_node_puts_can_be_read(storage: Storage) -> None:
    key = storage.new_key("answers")
    put(storage.put_url(key), BODY)
    assert storage.get(key, sha256(BODY)) == BODY


def test_the_head_node_can_read_an_object_put_for_it(storage: Storage) -> None:
    key = storage.new_key("requests")
    storage.put(key, BODY)
    with urllib.request.urlopen(storage.get_url(key), timeout=30) as answer:  # noqa: S310 - moto's
        assert answer.read() == BODY


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-west-1", "made-here.s3.eu-west-1.amazonaws.com"),
        ("us-east-1", "made-here.s3.us-east-1.amazonaws.com"),
        ("us-gov-west-1", "made-here.s3.us-gov-west-1.amazonaws.com"),
        ("cn-north-1", "made-here.s3.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_the_head_node_is_sent_to_the_host_that_its_document_names(
    monkeypatch: pytest.MonkeyPatch, region: str, host: str
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    for name, value in (("DEFAULT_REGION", region), ("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "x")):
        monkeypatch.setenv(f"AWS_{name}", value)
    storage = Storage(Clients(), "made-here")
    for url in (storage.put_url("answers/1"), storage.get_url("requests/1")):
        assert url.startswith(f"https://{host}/")


def test_an_object_that_was_not_announced_is_refused(storage: Storage) -> None:
    key = storage.new_key("answers")
    storage.put(key, b"forged")
    with pytest.raises(ClusterUnreachableError) as caught:
        storage.get(key, sha256(BODY))
    assert str(caught.value) == "The answer in the bucket is not the one that the head node announced."


def test_a_missing_object_gives_a_clear_error(storage: Storage) -> None:
    with pytest.raises(ClusterUnreachableError) as caught:
        storage.get(storage.new_key("answers"), sha256(BODY))
    assert str(caught.value) == "The bucket for large answers cannot be read."


def test_a_missing_bucket_gives_a_clear_error(stack: Stack) -> None:
    storage = Storage(Clients(), "no-such-bucket")
    with pytest.raises(ClusterUnreachableError) as caught:
        storage.put(storage.new_key("requests"), BODY)
    assert str(caught.value) == "The bucket for large requests cannot be written to."


def test_a_deleted_object_is_gone_and_deleting_it_again_succeeds(storage: Storage, stack: Stack) -> None:
    def keys() -> list[str]:
        return [each["Key"] for each in stack.aws.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])]

    key = storage.new_key("requests")
    storage.put(key, BODY)
    assert key in keys()
    storage.delete(key)
    storage.delete(key)
    assert key not in keys()
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(storage.get_url(key), timeout=30)  # noqa: S310 - moto's
    assert caught.value.code == 403  # not 404: the role may not list the bucket


def test_keys_cannot_be_guessed_and_say_what_they_are_for(storage: Storage) -> None:
    """The bucket's rules delete by prefix."""
    keys = [storage.new_key("answers") for _ in range(100)]
    assert len(set(keys)) == 100
    assert all(key.startswith("answers/") and len(key) == len("answers/") + 32 for key in keys)


def test_a_url_is_good_for_one_object_and_two_minutes(storage: Storage) -> None:
    for url in (storage.put_url("answers/a"), storage.get_url("answers/a")):
        query = parse_qs(urlsplit(url).query)
        assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
        assert query["X-Amz-Expires"] == ["120"]
        assert urlsplit(url).path.endswith("/answers/a")


@pytest.mark.parametrize(
    ("places", "key", "allowed"),
    [
        ([SCRIPTS], "team/job.sh", True),
        ([f"{SCRIPTS}/team"], "team/job.sh", True),
        (["other", f"{SCRIPTS}/team"], "team/deep/job.sh", True),
        ([f"{SCRIPTS}/team"], "team2/job.sh", False),
        ([f"{SCRIPTS}/team"], "job.sh", False),
        ([SCRIPTS[:-1]], "team/job.sh", False),
        (["other"], "team/job.sh", False),
        ([], "team/job.sh", False),
    ],
)
def test_scripts_come_from_the_allowed_places_alone(stack: Stack, places: list[str], key: str, allowed: bool) -> None:
    stack.aws.client("s3").put_object(Bucket=SCRIPTS, Key=key, Body=b"#!/bin/sh\n")
    scripts = Scripts(Clients(), places)
    if allowed:
        assert scripts.read(f"s3://{SCRIPTS}/{key}") == "#!/bin/sh\n"
        return
    with pytest.raises(ScriptUnavailableError) as caught:
        scripts.read(f"s3://{SCRIPTS}/{key}")
    assert caught.value.refusal.code is RefusalCode.FORBIDDEN


@pytest.mark.parametrize("bucket", ["no-such-bucket", SCRIPTS])
@pytest.mark.parametrize(
    ("access_key", "code"), [("local", RefusalCode.NOT_FOUND), ("function", RefusalCode.FORBIDDEN)]
)
def test_a_missing_script_is_not_found_or_forbidden_if_the_role_may_not_list(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, access_key: str, code: RefusalCode, bucket: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", access_key)
    with pytest.raises(ScriptUnavailableError) as caught:
        Scripts(Clients(), [bucket]).read(f"s3://{bucket}/no-such-object")
    assert caught.value.refusal.code is code


def test_an_unreachable_store_gives_a_clear_error(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    with pytest.raises(ClusterUnreachableError) as caught:
        Scripts(Clients(), [SCRIPTS]).read(f"s3://{SCRIPTS}/x")
    assert str(caught.value) == f"The bucket {SCRIPTS} cannot be read."
