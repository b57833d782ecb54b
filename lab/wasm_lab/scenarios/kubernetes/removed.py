"""Versions of APIs that Kubernetes no longer serves: since when, and what takes their place.

Source: the deprecated API migration guide (kubernetes.io/docs/reference/using-api/deprecation-guide) and the
release notes for versions before 1.16.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Removed:
    """An API that is gone."""

    since: str  #: the first version without it
    instead: str  #: the apiVersion that has the kind now; empty where none has
    note: str = ""  #: what changes besides the name
    alike: bool = True  #: whether what stands below the name has the same shape there


_SELECTOR = "spec.selector is required there, and must match the labels of the template."
_INGRESS = (
    "There, spec.backend is spec.defaultBackend, a backend is service.name and service.port.number or .name, "
    "and each path has a pathType."
)
_WORKLOADS = "Deployment DaemonSet ReplicaSet StatefulSet ControllerRevision".split()

_TABLE: dict[tuple[str, str], Removed] = {
    **{("extensions/v1beta1", kind): Removed("1.16", "apps/v1", _SELECTOR) for kind in _WORKLOADS},
    **{("apps/v1beta1", kind): Removed("1.16", "apps/v1", _SELECTOR) for kind in _WORKLOADS},
    **{("apps/v1beta2", kind): Removed("1.16", "apps/v1") for kind in _WORKLOADS},
    ("extensions/v1beta1", "NetworkPolicy"): Removed("1.16", "networking.k8s.io/v1"),
    ("extensions/v1beta1", "PodSecurityPolicy"): Removed(
        "1.16", "", "PodSecurityPolicy itself is gone since 1.25; Pod Security Admission takes its place."
    ),
    ("extensions/v1beta1", "Ingress"): Removed("1.22", "networking.k8s.io/v1", _INGRESS, alike=False),
    ("extensions/v1beta1", "HorizontalPodAutoscaler"): Removed("1.8", "autoscaling/v2", alike=False),
    ("extensions/v1beta1", "Job"): Removed("1.7", "batch/v1", alike=False),
    **{
        ("authorization.k8s.io/v1beta1", kind): Removed("1.22", "authorization.k8s.io/v1", alike=False)
        for kind in (
            "LocalSubjectAccessReview",
            "SelfSubjectAccessReview",
            "SelfSubjectRulesReview",
            "SubjectAccessReview",
        )
    },
    ("extensions/v1beta1", "Scale"): Removed("1.16", "autoscaling/v1", alike=False),
    ("networking.k8s.io/v1beta1", "Ingress"): Removed("1.22", "networking.k8s.io/v1", _INGRESS, alike=False),
    ("networking.k8s.io/v1beta1", "IngressClass"): Removed("1.22", "networking.k8s.io/v1"),
    **{
        (f"rbac.authorization.k8s.io/{version}", kind): Removed(
            "1.22", "rbac.authorization.k8s.io/v1", alike=version == "v1beta1" or "Binding" not in kind
        )
        for version in ("v1alpha1", "v1beta1")
        for kind in ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
    },
    ("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition"): Removed(
        "1.22",
        "apiextensions.k8s.io/v1",
        "There, each entry of spec.versions has its own schema.openAPIV3Schema.",
        alike=False,
    ),
    **{
        ("admissionregistration.k8s.io/v1beta1", kind): Removed("1.22", "admissionregistration.k8s.io/v1")
        for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
    },
    ("apiregistration.k8s.io/v1beta1", "APIService"): Removed("1.22", "apiregistration.k8s.io/v1"),
    ("authentication.k8s.io/v1beta1", "TokenReview"): Removed("1.22", "authentication.k8s.io/v1"),
    ("certificates.k8s.io/v1beta1", "CertificateSigningRequest"): Removed(
        "1.22", "certificates.k8s.io/v1", "There, spec.signerName and spec.usages are required."
    ),
    ("coordination.k8s.io/v1beta1", "Lease"): Removed("1.22", "coordination.k8s.io/v1"),
    **{
        (f"scheduling.k8s.io/{version}", "PriorityClass"): Removed("1.22", "scheduling.k8s.io/v1")
        for version in ("v1alpha1", "v1beta1")
    },
    **{
        ("storage.k8s.io/v1beta1", kind): Removed("1.22", "storage.k8s.io/v1")
        for kind in ("CSIDriver", "CSINode", "StorageClass", "VolumeAttachment")
    },
    ("storage.k8s.io/v1beta1", "CSIStorageCapacity"): Removed("1.27", "storage.k8s.io/v1"),
    ("batch/v2alpha1", "CronJob"): Removed("1.21", "batch/v1"),
    ("batch/v1beta1", "CronJob"): Removed("1.25", "batch/v1"),
    ("discovery.k8s.io/v1beta1", "EndpointSlice"): Removed("1.25", "discovery.k8s.io/v1", alike=False),
    ("events.k8s.io/v1beta1", "Event"): Removed("1.25", "events.k8s.io/v1", alike=False),
    ("autoscaling/v2beta1", "HorizontalPodAutoscaler"): Removed(
        "1.25", "autoscaling/v2", "There, each metric has a target with type and value.", alike=False
    ),
    ("autoscaling/v2beta2", "HorizontalPodAutoscaler"): Removed("1.26", "autoscaling/v2"),
    ("policy/v1beta1", "PodDisruptionBudget"): Removed("1.25", "policy/v1"),
    ("policy/v1beta1", "PodSecurityPolicy"): Removed(
        "1.25",
        "",
        "Pod Security Admission takes its place: labels pod-security.kubernetes.io/… of a namespace.",
    ),
    **{
        (f"node.k8s.io/{version}", "RuntimeClass"): Removed(
            "1.25",
            "node.k8s.io/v1",
            "There, handler stands at the top, not below spec." * (version == "v1alpha1"),
            alike=version == "v1beta1",
        )
        for version in ("v1alpha1", "v1beta1")
    },
    **{
        (f"flowcontrol.apiserver.k8s.io/{version}", kind): Removed(
            since, "flowcontrol.apiserver.k8s.io/v1", alike=version == "v1beta3"
        )
        for version, since in (
            ("v1alpha1", "1.21"),
            ("v1beta1", "1.26"),
            ("v1beta2", "1.29"),
            ("v1beta3", "1.32"),
        )
        for kind in ("FlowSchema", "PriorityLevelConfiguration")
    },
    ("settings.k8s.io/v1alpha1", "PodPreset"): Removed("1.20", ""),
    **{
        (version, kind): Removed("1.9", "v1", "That is an API from before Kubernetes 1.0.", alike=False)
        for version in ("v1beta1", "v1beta2", "v1beta3")
        for kind in ("Pod", "Service", "ReplicationController", "Endpoints", "Secret")
    },
}


def removed(api_version: str, kind: str) -> Removed | None:
    """What became of an API, None where nothing is known.

    Example:
        >>> removed("extensions/v1beta1", "Deployment").instead
        'apps/v1'
    """
    return _TABLE.get((api_version, kind))
