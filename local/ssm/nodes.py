"""What Systems Manager knows about its nodes.

Source: the API pages DescribeInstanceInformation and GetConnectionStatus.
"""

import socket
import time
from collections.abc import Sequence

from .instance import Instance
from .protocol import ApiError, Json


class Nodes:
    """The account's managed nodes.

    AWS lists a dead agent as Online for some more minutes; here it is ConnectionLost at once.
    """

    def __init__(self, instances: Sequence[Instance]) -> None:
        self._instances = instances
        self._registered = time.time()

    def describe(self, request: Json) -> Json:
        """DescribeInstanceInformation, with the filters InstanceIds and PingStatus."""
        wanted = [
            (each.get("Key") or each.get("key"), each.get("Values") or each.get("valueSet"))
            for each in (*request.get("Filters", []), *request.get("InstanceInformationFilterList", []))
        ]
        found = [each for each in self._instances if all(_has(each, key, values) for key, values in wanted)]
        return {"InstanceInformationList": [self._information(each) for each in found]}

    def connection(self, request: Json) -> Json:
        """GetConnectionStatus: whether the agent is connected right now."""
        target = str(request["Target"])
        connected = any(each.id == target and _ping(each) == "Online" for each in self._instances)
        return {"Target": target, "Status": "connected" if connected else "notconnected"}

    def _information(self, instance: Instance) -> Json:
        hybrid = instance.id.startswith("mi-")
        return {
            "InstanceId": instance.id,
            "PingStatus": _ping(instance),
            "LastPingDateTime": time.time(),
            "AgentVersion": "3.3.3572.0",
            "IsLatestVersion": True,
            "PlatformType": "Linux",
            "PlatformName": "Amazon Linux",
            "PlatformVersion": "2023",
            "RegistrationDate": self._registered,
            "ResourceType": "ManagedInstance" if hybrid else "EC2Instance",
            "IPAddress": "127.0.0.1",
            "ComputerName": socket.gethostname(),
            "SourceId": instance.id,
            "SourceType": "AWS::SSM::ManagedInstance" if hybrid else "AWS::EC2::Instance",
        }


def _ping(instance: Instance) -> str:
    return "Online" if instance.online and not instance.stopped else "ConnectionLost"


def _has(instance: Instance, key: str, values: list[str]) -> bool:
    match key:
        case "InstanceIds":
            return instance.id in values
        case "PingStatus":
            return _ping(instance) in values
        case _:
            raise ApiError("InvalidFilterKey", f"The local endpoint has no filter {key}.")
