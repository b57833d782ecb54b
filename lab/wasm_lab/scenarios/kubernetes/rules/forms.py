"""Fields whose text has a form, and fields that exclude each other: what an API server refuses in one object.

Source: the API server's own validation (pkg/apis/*/validation), and its answers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wasm_lab.scenarios.kubernetes.pods import mapping, mappings, pod_of
from wasm_lab.scenarios.kubernetes.rules.containers import Path, say
from wasm_lab.scenarios.kubernetes.scalars import shown
from wasm_lab.scenarios.kubernetes.words import field_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wasm_lab.scenarios.kubernetes.documents import Document
    from wasm_lab.scenarios.kubernetes.problems import Problem

#: RFC 1123, as the API server takes it; an Ingress may begin with a wildcard.
_HOST = re.compile(r"(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_IPV4 = re.compile(r"\d+(\.\d+){3}")

#: The parts of a schedule with the least and the most of each.
_CRON = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 6))


def forms(document: Document) -> Iterator[Problem]:
    """Every such field of an object."""
    yield from _of_pod(document)
    match document.api_version, document.kind:
        case "apps/v1", "Deployment":
            yield from _rolling(document, ("spec", "strategy", "rollingUpdate"))
        case "apps/v1", "DaemonSet":
            yield from _rolling(document, ("spec", "updateStrategy", "rollingUpdate"))
        case "batch/v1", "CronJob":
            yield from _schedule(document)
        case "policy/v1", "PodDisruptionBudget":
            yield from _budget(document)
        case "autoscaling/v1" | "autoscaling/v2", "HorizontalPodAutoscaler":
            least, most = document.get("spec", "minReplicas"), document.get("spec", "maxReplicas")
            if isinstance(least, int) and isinstance(most, int) and least > most:
                yield say(
                    document,
                    ("spec", "maxReplicas"),
                    f"at most {most} replicas are less than at least {least}.",
                )
        case "networking.k8s.io/v1", "NetworkPolicy":
            yield from _blocks(document)
        case "networking.k8s.io/v1", "Ingress":
            yield from _ingress(document)


def _of_pod(document: Document) -> Iterator[Problem]:
    pod = pod_of(document)
    if pod is None:
        return
    for index, volume in mappings(pod.spec.get("volumes")):
        sources = [key for key, value in volume.items() if key != "name" and value is not None]
        if len(sources) > 1:
            yield say(
                document,
                (*pod.path, "spec", "volumes", index, sources[1]),
                f"a volume is one thing, and this is {' and '.join(f'`{each}`' for each in sources)}.",
                "Make it two volumes, or remove one.",
                key=True,
            )
    for container in pod.containers:
        for index, variable in mappings(container.value.get("env")):
            if variable.get("valueFrom") == {}:
                yield say(
                    document,
                    (*container.path, "env", index, "valueFrom"),
                    "`valueFrom` does not say from where.",
                    "Such as valueFrom: {configMapKeyRef: {name: …, key: …}}",
                    key=True,
                )


def _share(document: Document, path: Path) -> Iterator[Problem]:
    """A number, or a part in per cent; more than all cannot be missing."""
    value = document.get(*path)
    if (
        isinstance(value, str)
        and path[-1] != "maxSurge"
        and re.fullmatch(r"\d{3,}%", value)
        and value > "100%"
    ):
        yield say(document, path, f"`{field_path(path)}` is {value}, more than all of them.")
    if isinstance(value, str) and not re.fullmatch(r"\d+%", value):
        number = re.match(r"\d+", value)
        yield say(
            document,
            path,
            f"`{field_path(path)}` is the text {shown(value)}, and must be a number or a percentage.",
            f'Write {number[0]}, or "{number[0]}%".' if number else 'Such as 1, or "25%".',
        )


def _rolling(document: Document, path: Path) -> Iterator[Problem]:
    rolling = mapping(document.get(*path))
    for name in ("maxSurge", "maxUnavailable"):
        yield from _share(document, (*path, name))
    nothing = (0, "0%")
    surge, unavailable = rolling.get("maxSurge"), rolling.get("maxUnavailable")
    if document.kind == "DaemonSet" and surge is None:
        surge = 0  # the default, where that of a Deployment is 25 %
    if surge in nothing and unavailable in nothing:
        yield say(
            document,
            (*path, "maxUnavailable"),
            "neither may a pod be missing (maxUnavailable) nor one be too many (maxSurge): nothing could change.",
            "Write maxUnavailable: 1",
        )


def _budget(document: Document) -> Iterator[Problem]:
    spec = mapping(document.get("spec"))
    for name in ("minAvailable", "maxUnavailable"):
        yield from _share(document, ("spec", name))
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        yield say(
            document,
            ("spec", "maxUnavailable"),
            "`minAvailable` and `maxUnavailable` exclude each other.",
            "Remove one of them.",
            key=True,
        )


def _schedule(document: Document) -> Iterator[Problem]:
    path: Path = ("spec", "schedule")
    value = document.text(*path)
    if zone := re.match(r"(?:CRON_)?TZ=(\S+)\s*(.*)", value):
        yield say(
            document,
            path,
            f"{value.partition('=')[0]}= may not stand in a schedule.",
            f'Write timeZone: {zone[1]} beside it, and schedule: "{zone[2]}".',
        )
        return
    parts = value.split()
    if not value or value.startswith("@"):
        return
    if len(parts) != 5:
        yield say(
            document,
            path,
            f"the schedule {shown(value)} has {len(parts)} parts; cron has five.",
            'Such as "*/5 * * * *": minute, hour, day, month, weekday.',
        )
        return
    for part, (name, least, most) in zip(parts, _CRON, strict=True):
        for word in part.split(","):
            span, _, step = word.partition("/")
            numbers = [int(each) for each in span.split("-") if each.isdigit()]
            if any(not least <= each <= most for each in numbers) or (step.isdigit() and int(step) == 0):
                yield say(
                    document,
                    path,
                    f"the schedule's {name} is {shown(word)}; it goes from {least} to {most}.",
                    "Sunday is 0." if name == "weekday" and 7 in numbers else "",
                )
            elif numbers != sorted(numbers):
                yield say(
                    document,
                    path,
                    f"the schedule's {name} goes from {numbers[0]} to {numbers[1]}, which is less.",
                    f"Such as {numbers[0]}-{most},{least}-{numbers[1]}.",
                )


def _blocks(document: Document) -> Iterator[Problem]:
    for way, peers in (("ingress", "from"), ("egress", "to")):
        for number, rule in mappings(document.get("spec", way)):
            for index, peer in mappings(rule.get(peers)):
                path: Path = ("spec", way, number, peers, index, "ipBlock")
                yield from _block(document, (*path, "cidr"))
                for each, _ in enumerate(mapping(peer.get("ipBlock")).get("except") or ()):
                    yield from _block(document, (*path, "except", each))


def _block(document: Document, path: Path) -> Iterator[Problem]:
    value = document.get(*path)
    if not isinstance(value, str) or not value:
        return
    address, _, bits = value.partition("/")
    most = 128 if ":" in address else 32
    if not bits:
        yield say(
            document, path, f"{shown(value)} is an address, no block of addresses.", f"Write {value}/{most}."
        )
    elif not bits.isdigit() or int(bits) > most:
        yield say(document, path, f"{shown(value)}: an address has {most} bits.", f"Write {address}/{most}.")
    elif most == 32 and not (
        _IPV4.fullmatch(address) and all(int(each) <= 255 for each in address.split("."))
    ):
        yield say(document, path, f"{shown(value)} is no block of addresses.", "Such as 10.0.0.0/8.")


def _ingress(document: Document) -> Iterator[Problem]:
    for number, rule in mappings(document.get("spec", "rules")):
        path: Path = ("spec", "rules", number)
        host = rule.get("host")
        if isinstance(host, str) and host and (not _HOST.fullmatch(host) or _IPV4.fullmatch(host)):
            yield say(
                document,
                (*path, "host"),
                f"{shown(host)} is no host: small letters, digits, hyphens and dots make one, without a port.",
                "Without `host` the rule is for every name and address." if _IPV4.fullmatch(host) else "",
            )
        for index, each in mappings(mapping(rule.get("http")).get("paths")):
            if each.get("pathType") in ("Exact", "Prefix") and not str(each.get("path") or "").startswith(
                "/"
            ):
                yield say(
                    document,
                    (*path, "http", "paths", index, "path"),
                    f"the path of an {each['pathType']} rule must begin with a slash.",
                    f"Write path: /{each.get('path') or ''}",
                )
