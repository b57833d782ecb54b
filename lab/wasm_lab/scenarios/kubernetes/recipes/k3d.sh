#!/bin/sh
# A cluster on a laptop with SpinKube: k3d, whose nodes come with the Spin shim.
#
# It needs docker, k3d, kubectl and helm. The steps are those of SpinKube's own quickstart; the versions below
# belong together, and newer ones can be set in the environment.
#
#   wasm-lab kube recipe k3d > wasm-k3d.sh
#   sh wasm-k3d.sh
#
# Remove all of it with: k3d cluster delete wasm
set -eu

SHIM_VERSION=${SHIM_VERSION:-v0.19.0}
OPERATOR_VERSION=${OPERATOR_VERSION:-0.5.0}
CERT_MANAGER_VERSION=${CERT_MANAGER_VERSION:-v1.14.3}
OPERATOR=https://github.com/spinframework/spin-operator/releases/download/v$OPERATOR_VERSION

# k3s finds the shim in the node's image by itself and makes a runtime named "spin" of it.
k3d cluster create --config - <<CONFIG
apiVersion: k3d.io/v1alpha5
kind: Simple
metadata:
  name: wasm
servers: 1
agents: 2
image: ghcr.io/spinframework/containerd-shim-spin/k3d:$SHIM_VERSION
ports:
- port: 8081:80
  nodeFilters:
  - loadbalancer
CONFIG

# The operator's admission webhooks need certificates.
kubectl --context k3d-wasm apply -f \
    "https://github.com/cert-manager/cert-manager/releases/download/$CERT_MANAGER_VERSION/cert-manager.yaml"
kubectl --context k3d-wasm wait --for=condition=available --timeout=300s \
    deployment/cert-manager-webhook --namespace cert-manager

# RuntimeClass and kinds first, then the operator, then the executor that its SpinApps name.
kubectl --context k3d-wasm apply -f - <<'CLASS'
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata:
  name: wasmtime-spin-v2
handler: spin
CLASS
kubectl --context k3d-wasm apply -f "$OPERATOR/spin-operator.crds.yaml"
helm --kube-context k3d-wasm install spin-operator \
    --namespace spin-operator --create-namespace --version "$OPERATOR_VERSION" --wait \
    oci://ghcr.io/spinframework/charts/spin-operator
kubectl --context k3d-wasm apply -f "$OPERATOR/spin-operator.shim-executor.yaml"

cat <<'NEXT'
Now, with an application whose image is in a registry that the cluster can read:

  wasm-lab spin deploy --image ghcr.io/me/my-app:1.0.0 --out my-app.yaml
  wasm-lab kube apply my-app.yaml --context k3d-wasm
NEXT
