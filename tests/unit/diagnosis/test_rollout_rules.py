"""Containers that a daemon or a cluster brings up: their images, their start, their place, their health."""

import pytest

from shared.diagnosis.rules import classify
from tests.unit.diagnosis.samples import ACCESS, SETTING, STARTUP, evidence, host, named, network

Answer = tuple[str, str, str]
KUBELET = "  Warning  Failed     12s (x3 over 61s)  kubelet            "
PULL = 'Failed to pull image "registry.example.com/shop:7": '
NET = network("rollout")
FULL = host("rollout")
EVENTS: dict[str, tuple[str, str, Answer]] = {
    "docker, denied": (
        (
            "docker: Error response from daemon: pull access denied for shop, repository does not exist"
            " or may require 'docker login'."
        ),
        "image_pull_denied",
        ACCESS,
    ),
    "ecs, no login": (
        "CannotPullContainerError: Error response from daemon: Get x: no basic auth credentials",
        "image_pull_denied",
        ACCESS,
    ),
    "kubernetes, unauthorized": (
        KUBELET + PULL + "rpc error: code = Unknown desc = 401 Unauthorized",
        "image_pull_denied",
        ACCESS,
    ),
    "docker, not there": (
        "Error response from daemon: manifest for shop:v9 not found: manifest unknown",
        "image_not_found",
        STARTUP,
    ),
    "kubernetes, not there": (
        KUBELET + PULL + "rpc error: code = NotFound desc = registry/shop:7: not found",
        "image_not_found",
        STARTUP,
    ),
    "ecs, not there": (
        (
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve"
            " ref registry.example.com/shop:7: not found"
        ),
        "image_not_found",
        STARTUP,
    ),
    "platform": (
        "CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/x'",
        "image_for_another_processor",
        STARTUP,
    ),
    "manifest list": (
        (
            "docker: Error response from daemon: no matching manifest for linux/arm64/v8 in the manifest"
            " list entries."
        ),
        "image_for_another_processor",
        STARTUP,
    ),
    "name": ("docker: invalid reference format.", "image_name_invalid", STARTUP),
    "kubernetes, name": (KUBELET + "Error: InvalidImageName", "image_name_invalid", STARTUP),
    "limit": (
        KUBELET + PULL + "toomanyrequests: You have reached your pull rate limit",
        "image_pull_limited",
        NET,
    ),
    "no way": (
        "CannotPullContainerError: Error response from daemon: Get x: dial tcp 10.0.0.1:443: i/o timeout",
        "image_pull_unreached",
        NET,
    ),
    "back off": (KUBELET + "Error: ImagePullBackOff", "image_not_pulled", STARTUP),
    "disk": (
        "CannotPullContainerError: failed to register layer: write /x: no space left on device",
        "disk_full",
        FULL,
    ),
    "secret": (KUBELET + 'Error: secret "shop-db" not found', "container_not_startable", STARTUP),
    "config": (KUBELET + "Error: CreateContainerConfigError", "container_not_startable", STARTUP),
    "oci": (
        (
            "docker: Error response from daemon: failed to create task for container: OCI runtime create"
            " failed:"
            ' exec: "/app/run": permission denied: unknown.'
        ),
        "container_not_startable",
        STARTUP,
    ),
    "not in it": (
        (
            "docker: Error response from daemon: failed to create shim task: OCI runtime create failed: exec:"
            ' "gunicorn": executable file not found in $PATH: unknown.'
        ),
        "container_not_startable",
        STARTUP,
    ),
    "entry point": ("exec /app/entry.sh: no such file or directory", "container_not_startable", STARTUP),
    "role": (
        (
            "ResourceInitializationError: unable to pull secrets or registry auth: AccessDeniedException:"
            " User is"
            " not authorized to perform: secretsmanager:GetSecretValue"
        ),
        "task_start_denied",
        ACCESS,
    ),
    "no memory": (
        (
            "(service web) was unable to place a task because no container instance met all of its"
            " requirements. The closest matching has insufficient memory available."
        ),
        "provider_out_of_capacity",
        FULL,
    ),
    "no port": (
        (
            "(service web) was unable to place a task because no container instance met all of its"
            " requirements. The closest matching is already using a port."
        ),
        "placement_not_possible",
        STARTUP,
    ),
    "no node": (
        "  Warning  FailedScheduling  9s  default-scheduler  0/3 nodes are available: 3 Insufficient cpu.",
        "provider_out_of_capacity",
        FULL,
    ),
    "no such node": (
        (
            "  Warning  FailedScheduling  9s  default-scheduler  0/3 nodes are available: 3 node(s) didn't"
            " match Pod's node affinity/selector."
        ),
        "placement_not_possible",
        STARTUP,
    ),
    "oom": ("    Reason:       OOMKilled", "service_killed_for_memory", FULL),
    "elb": ("Task failed ELB health checks in (target-group arn:x)", "target_group_unhealthy", STARTUP),
    "readiness": (
        "  Warning  Unhealthy  4s  kubelet  Readiness probe failed: HTTP probe failed with statuscode: 503",
        "target_group_unhealthy",
        STARTUP,
    ),
    "loop": (
        "  Warning  BackOff  2s (x9 over 1m)  kubelet  Back-off restarting failed container app in pod x",
        "crash_loop",
        STARTUP,
    ),
    "circuit": (
        "(service web) (deployment ecs-svc/1) deployment failed: tasks failed to start.",
        "rollout_circuit_broken",
        STARTUP,
    ),
    "deadline": ('error: deployment "web" exceeded its progress deadline', "rollout_circuit_broken", STARTUP),
    "ended": ("Essential container in task exited", "container_ended", STARTUP),
    "lambda": (
        "[ERROR] Runtime.ImportModuleError: Unable to import module 'app': No module named 'requests'",
        "module_missing",
        STARTUP,
    ),
    "lambda, time": (
        "2026-03-01T12:00:00.000Z 0f6c2d1e-4d0b-4d39-9a11-6f2a70c1b2aa Task timed out after 3.00 seconds",
        "function_timed_out",
        STARTUP,
    ),
}
CHATTER = [
    "Pulling 7 orders from the queue: access denied for customer 3",
    "INFO image of product 17 not found in catalogue",
    "ERROR partner health check is unhealthy, using the cache",
    "order 12: back-off, restarting failed jobs",
    "essential oils are back in stock",
]


@pytest.mark.parametrize(("log", "rule", "answer"), EVENTS.values(), ids=EVENTS)
def test_what_a_cluster_says_of_a_container_has_a_cause(log: str, rule: str, answer: Answer) -> None:
    found = classify(evidence("rollout", f"(service web) has started 1 tasks\n{log}", "target"), SETTING)
    assert named(found) == (rule, answer)


@pytest.mark.parametrize("log", CHATTER)
def test_what_the_program_in_it_says_of_other_things_has_none(log: str) -> None:
    assert classify(evidence("rollout", log, "target"), SETTING).rule == "target_refused"


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("CannotPullContainerError", "image_not_pulled"),
        ("EssentialContainerExited", "container_ended"),
        ("CircuitBreakerTriggered", "rollout_circuit_broken"),
        ("ELB_HEALTH_CHECK_FAILED", "target_group_unhealthy"),
        ("CrashLoopBackOff", "crash_loop"),
        ("OutOfMemoryError", "service_killed_for_memory"),
    ],
)
def test_a_reason_of_the_cluster_counts_where_nothing_else_is_known(code: str, rule: str) -> None:
    assert classify(evidence("rollout", "", "target", provider_code=code), SETTING).rule == rule


def test_a_container_that_ended_is_explained_by_what_its_program_said_last() -> None:
    log = "ModuleNotFoundError: No module named 'flask'\nEssential container in task exited"
    seen = evidence("rollout", log, "target", provider_code="EssentialContainerExited")
    assert classify(seen, SETTING).rule == "module_missing"
