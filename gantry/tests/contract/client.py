"""A whole create, watch and delete with the client that openapi-python-client makes of the document."""

import json
import sys

from gantry_client import AuthenticatedClient
from gantry_client.api.containers import containers_create, containers_delete, containers_detail, containers_list
from gantry_client.api.operations import operations_detail
from gantry_client.models import CreateContainer, LifecycleView, Problem

url, token = sys.argv[1:]
client = AuthenticatedClient(base_url=url, token=token, timeout=60)


def watch(operation):
    """What happens, until it has ended."""
    seen = []
    with client.get_httpx_client().stream("GET", f"/v1/operations/{operation}/events", timeout=60) as stream:
        assert stream.status_code == 200, stream.status_code
        event = None
        for line in stream.iter_lines():
            if line.startswith("event: "):
                event = line.removeprefix("event: ")
                seen.append(event)
            elif line.startswith("data: ") and event == "end":
                json.loads(line.removeprefix("data: "))
    return seen


wish = CreateContainer(hostname="py1", template="nginx")
made = containers_create.sync(client=client, body=wish)
assert made is not None and not isinstance(made, Problem), made
assert "snapshot" in watch(made.id)
ended = operations_detail.sync(client=client, id=made.id)
assert ended.status.value == "succeeded", ended

container = containers_detail.sync(client=client, id=made.container)
assert (container.hostname, container.lifecycle) == ("py1", LifecycleView.READY), container
listed = containers_list.sync(client=client, hostname="py1")
assert [one.id for one in listed.items] == [container.id]

again = containers_create.sync(client=client, body=wish)
assert isinstance(again, Problem) and again.type_ == "/problems/conflict", again

gone = containers_delete.sync(client=client, id=container.id)
watch(gone.id)
assert operations_detail.sync(client=client, id=gone.id).status.value == "succeeded"
assert containers_detail.sync(client=client, id=container.id).lifecycle == LifecycleView.REMOVED
