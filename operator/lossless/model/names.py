"""Every string that is stored in a cluster or read by another program, in one place.

Upgrades and rollbacks break on such strings: objects written by one version are read by
another. Changing a value here is a change of contract and needs a decision record.
"""

from typing import Final

GROUP: Final = "lossless.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
KIND: Final = "LosslessRollout"
PLURAL: Final = "losslessrollouts"
SINGULAR: Final = "losslessrollout"
SHORT_NAME: Final = "llr"

# Pods -------------------------------------------------------------------------------------
#: Kubernetes' own: the Deployment controller puts it on every pod of a Deployment.
TEMPLATE_HASH_LABEL: Final = "pod-template-hash"
#: Kubernetes' own: StatefulSet and DaemonSet controllers put it on their pods.
REVISION_LABEL: Final = "controller-revision-hash"
#: Label of every injected pod; its value is the name of the LosslessRollout it belongs to.
#: On a pod template it asks for the LosslessRollout of that name, if that is for ``kind: Pod``.
ROLLOUT_LABEL: Final = f"{GROUP}/rollout"
#: Label with which a pod template declines injection (value ``"false"``).
INJECT_LABEL: Final = f"{GROUP}/inject"
#: Annotation of every injected pod: the version of the webhook that injected it.
INJECTED_ANNOTATION: Final = f"{GROUP}/injected-by"
#: Annotation: containers whose preStop could not be protected, ``name: reason`` joined by "; ".
UNPROTECTED_ANNOTATION: Final = f"{GROUP}/unprotected"
#: Annotation: what else could not be done as asked for in this pod, joined by "; ".
INCOMPLETE_ANNOTATION: Final = f"{GROUP}/incomplete"
#: Annotation of a pod template, followed by a container's name: how that container is held. The
#: only value is ``File``; without it by HTTP.
HOLD_ANNOTATION_PREFIX: Final = f"{GROUP}/hold."
HOLD_BY_FILE: Final = "File"
#: Annotation of a pod template: the port that its agents listen on, in place of the usual one.
AGENT_PORT_ANNOTATION: Final = f"{GROUP}/agent-port"
#: Readiness gate (a pod condition type) that the controller opens.
GATE: Final = f"{GROUP}/rollout"

# LosslessRollout --------------------------------------------------------------------------
#: Any new value of this annotation resumes a rollout that a timed-out drain has paused, and
#: injection that was suspended.
RESUME_ANNOTATION: Final = f"{GROUP}/resume"
#: Codes of ``check`` that somebody has read and accepts, separated by commas or spaces.
ACCEPT_ANNOTATION: Final = f"{GROUP}/accept-findings"

# Namespaces and the installation ----------------------------------------------------------
#: Lease that says a controller is alive; the webhook adds gates only while it is fresh.
LEASE: Final = "lossless-controller"
#: Secret with the webhook's certificate: keys ``ca.crt``, ``tls.crt``, ``tls.key``, and ``ca.key``
#: if the webhook made it itself.
TLS_SECRET: Final = "lossless-webhook-tls"  # noqa: S105 # the name of a Secret, not a secret
#: cert-manager's own: it writes this on every Secret that it keeps.
CERT_MANAGER_ANNOTATION: Final = "cert-manager.io/certificate-name"
WEBHOOK_SERVICE: Final = "lossless-webhook"
#: Both webhook configurations, and the names of the one webhook in each.
WEBHOOK_CONFIGURATION: Final = "lossless"
WEBHOOK_NAME: Final = f"pods.{GROUP}"
WEBHOOK_PATH: Final = "/mutate-pods"
#: What each warning of the webhook begins with, so that people know who speaks.
WARNING_PREFIX: Final = "lossless: "
#: And how two of those go on that are about a LosslessRollout: of a target that does not exist,
#: and of a namespace that nobody serves. ``lossless selftest`` knows the webhook by them.
NO_TARGET_WARNING: Final = "spec.targetRef.name:"
NOT_SERVED_WARNING: Final = "this installation does not serve namespace"
VALIDATION_NAME: Final = f"{PLURAL}.{GROUP}"
VALIDATION_PATH: Final = "/validate-losslessrollouts"
FIELD_MANAGER: Final = "lossless-controller"
EVENT_COMPONENT: Final = "lossless"

# A host without Kubernetes -----------------------------------------------------------------
#: Defaults: what ``lossless host`` reads, and where its journal, lock and log are.
HOST_CONFIG: Final = "/etc/lossless/host.toml"
HOST_STATE: Final = "/var/lib/lossless"

# The agent in a pod -----------------------------------------------------------------------
AGENT_CONTAINER: Final = "lossless-agent"
AGENT_PORT: Final = 9913
#: Name of the container port under which an agent's container declares its own.
AGENT_PORT_NAME: Final = "lossless"
AGENT_UID: Final = 65534
#: Volume shared with every container (read-only there) and where it is mounted.
SHARED_VOLUME: Final = "lossless"
SHARED_MOUNT: Final = "/lossless"
#: Present while the pod serves; removed when its drain starts. nginx and LBs look at it.
STATUS_FILE: Final = f"{SHARED_MOUNT}/serving"
#: Where an application's middleware looks for the status file, if not there.
STATUS_FILE_ENV: Final = "LOSSLESS_STATUS_FILE"
#: Present from the start of the drain on, for holds that look at files.
DRAINING_FILE: Final = f"{SHARED_MOUNT}/draining"
#: Followed by a dot and a container's name: present once that container may stop.
RELEASED_FILE: Final = f"{SHARED_MOUNT}/released"
#: Followed by a dot and a number from 2 on: nginx is to be reloaded for that time. The first time
#: is the drain's start.
RELOAD_FILE: Final = f"{SHARED_MOUNT}/reload"
#: ``$0`` of the shell that holds a container by a file: by it we know our own hook again.
FILE_HOLD: Final = "lossless-hold"
#: Volume of the agent alone: the drain marker and the control socket.
PRIVATE_VOLUME: Final = "lossless-agent"
PRIVATE_MOUNT: Final = "/run/lossless"
DRAIN_MARKER: Final = f"{PRIVATE_MOUNT}/drain.json"
CONTROL_SOCKET: Final = f"{PRIVATE_MOUNT}/control.sock"
TERMINATION_LOG: Final = "/dev/termination-log"
#: Kubernetes' own: where the ServiceAccount admission plugin would mount a token into every
#: container that has nothing there (kubernetes plugin/pkg/admission/serviceaccount).
TOKEN_MOUNT: Final = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 # a path

AGENT_API: Final = "/v1"
#: What follows it, ``model.drain.hold_path`` says; pods of older webhooks ask for it alone.
HOLD_PATH: Final = f"{AGENT_API}/hold"
REPORT_PATH: Final = f"{AGENT_API}/report"
STATUS_FLAG_PATH: Final = "/status-flag"
HEALTH_PATH: Final = "/healthz"
READY_PATH: Final = "/readyz"
METRICS_PATH: Final = "/metrics"

CONFIG_ENV: Final = "LOSSLESS_CONFIG"
POD_NAME_ENV: Final = "POD_NAME"
POD_NAMESPACE_ENV: Final = "POD_NAMESPACE"
POD_UID_ENV: Final = "POD_UID"
POD_IP_ENV: Final = "POD_IP"
#: Comma-separated addresses of the pod's node (downward API ``status.hostIPs``).
HOST_IPS_ENV: Final = "HOST_IPS"

#: What the kubelet runs in the agent's container when the pod stops: it starts the drain.
#: ``-I`` and ``-S`` keep the interpreter's start at a few milliseconds: no site, no package.
DRAIN_COMMAND: Final = ("python3", "-I", "-S", "/usr/local/lib/lossless/start_drain.py")
AGENT_COMMAND: Final = ("python3", "-m", "lossless.agent")
